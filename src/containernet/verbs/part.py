"""The part of what should be that one verb is about.

The rule of this file: read from the store just what the verb touches, whole enough for the drivers (plan/intent.py).
"""

from __future__ import annotations

from containernet.model.errors import NotFound
from containernet.model.names import network_name, shown
from containernet.plan.intent import Intent, joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from containernet.model.network import Compartment, Endpoint, Network
    from containernet.store.door import Store


def around(store: Store, compartment: Compartment) -> Intent:
    """Return a compartment with all its endpoints and their networks."""
    endpoints = store.endpoints(compartment=compartment.id)
    networks = [store.network_of(number) for number in dict.fromkeys(one.network_id for one in endpoints)]
    return Intent(tuple(networks), (compartment,), endpoints)


def with_mappings(store: Store, endpoints: Iterable[Endpoint]) -> Intent:
    """Return the port mappings of endpoints."""
    return Intent(mappings=tuple(mapping for one in endpoints for mapping in store.mappings(one.id)))


def of_compartments(store: Store, numbers: Iterable[int]) -> Intent:
    """Return compartments with all that is theirs."""
    parts: list[Intent] = []
    for number in dict.fromkeys(numbers):
        compartment = store.compartment(number=number)
        if compartment is not None:
            part = around(store, compartment)
            parts += [part, with_mappings(store, part.endpoints)]
    return joined(*parts)


def need_network(store: Store, name: str) -> Network:
    """Return a network by its name; raise :class:`NotFound`."""
    network = store.network(network_name(name))
    if network is None:
        raise NotFound(
            "network-not-found",
            f"There is no network {shown(name)}.",
            "'cnet get' shows the networks; 'cnet create' makes one.",
        )
    return network
