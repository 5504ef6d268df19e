"""Internal networks: no way out, and no way to others by their published ports.

The rule of this file: an internal network is what every network is, and closed.
"""

from __future__ import annotations

from containernet.model.network import Network
from containernet.plan.objects import Element, Object


def outside(network: Network) -> list[Object]:
    """Return what keeps its traffic in."""
    return [Element("closed", (network.bridge,))]
