"""Internal networks: no way out.

The rule of this file: an internal network is what every network is, and nothing more.
"""

from __future__ import annotations

from containernet.model.network import Network
from containernet.plan.objects import Object


def outside(network: Network) -> list[Object]:  # noqa: ARG001
    """Return what lets traffic out: nothing."""
    return []
