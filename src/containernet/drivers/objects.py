"""Intent to objects: all that should be in the kernel for a part of what should be.

The rule of this file: the one place that knows the kinds of networks; each kind's own half is in a file of its own. The
kinds differ only in how a network reaches the outside; links, addresses and routes are the same.
"""

from __future__ import annotations

from containernet.drivers import endpoint, internal, mapping, nat
from containernet.drivers.network import common
from containernet.model.network import INTERNAL, NAT
from containernet.plan.intent import Intent
from containernet.plan.objects import Object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from containernet.model.network import Endpoint, Network

OUTSIDE: dict[str, Callable[[Network], list[Object]]] = {NAT: nat.outside, INTERNAL: internal.outside}


def objects(intent: Intent, mark: int) -> list[Object]:
    """Return what should be in the kernel; what waits for its container is left out."""
    found: list[Object] = []
    for network in intent.networks:
        if network.transparent:
            from containernet.drivers import transparent

            found += transparent.network(network, mark)
        else:
            found += common(network, mark)
            found += OUTSIDE[network.kind](network)
    found = list(dict.fromkeys(found))  # networks share the host's forwarding
    networks = {network.id: network for network in intent.networks}
    live: dict[int, Endpoint] = {}
    members: dict[int, list[Endpoint]] = {}
    for one in intent.endpoints:
        members.setdefault(one.compartment_id, []).append(one)
    for compartment in intent.compartments:
        mine = members.get(compartment.id, [])
        if compartment.cookie and mine:
            live.update({one.id: one for one in mine})
            found += endpoint.inside(compartment, mine, networks, mark)
            if any(one.leases for one in mine):
                from containernet.drivers import resolver

                found += resolver.inside(compartment, mine, networks, mark)
    for port in intent.mappings:
        if port.endpoint_id in live:
            found += mapping.elements(port, live[port.endpoint_id])
    return found
