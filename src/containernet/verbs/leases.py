"""Leases as views: what a server has given, and what the service is at.

The rule of this file: it reads; times are of the wall clock, for people.
"""

from __future__ import annotations

from time import time

from containernet.model.lease import FOREVER, ROUTER
from containernet.model.network import RELEASED
from containernet.model.views import LeaseView
from containernet.plan.leasing import lease_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from containernet.model.lease import Lease
    from containernet.model.network import Endpoint

UNATTENDED, EXPIRED, WAITING, GIVEN_BACK = "UNATTENDED", "EXPIRED", "INIT", "RELEASED"


def of(endpoint: Endpoint, states: dict[str, str]) -> Iterable[LeaseView]:
    """Yield the leases of an endpoint; ``states`` are those of the service."""
    if endpoint.dynamic and lease_of(endpoint, 4) is None:
        yield _waiting(endpoint, states)
    for lease in endpoint.leases:
        if lease.family == ROUTER:
            continue
        yield _view(endpoint, lease, states.get(f"{endpoint.name}/{lease.family}", ""))


def _waiting(endpoint: Endpoint, states: dict[str, str]) -> LeaseView:
    state = states.get(f"{endpoint.name}/4", "") or UNATTENDED
    if endpoint.dynamic == RELEASED:
        state = GIVEN_BACK
    return LeaseView(
        endpoint.name, endpoint.container, endpoint.network, endpoint.interface, 4, state, "", "", endpoint.client_id,
        0, 0, 0, (), (), "", (), "", 0,
    )  # fmt: skip


def _view(endpoint: Endpoint, lease: Lease, state: str) -> LeaseView:
    ends = 0 if lease.seconds == FOREVER else int(lease.wall + lease.seconds)
    if not state:
        state = EXPIRED if ends and ends <= time() else UNATTENDED
    gateways = tuple(text for text in endpoint.gateways if (6 if ":" in text else 4) == lease.family)
    return LeaseView(
        endpoint.name, endpoint.container, endpoint.network, endpoint.interface, lease.family, state, lease.cidr,
        lease.server, lease.client_id, int(lease.wall), int(lease.wall + lease.t1) if ends else 0, ends, gateways,
        lease.dns, lease.domain, lease.search, lease.hostname, lease.mtu,
    )  # fmt: skip
