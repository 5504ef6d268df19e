"""Take a network away.

The rule of this file: containers that are on it come first: they leave, or the network stays. With the last network
goes our table.
"""

from __future__ import annotations

from containernet.model.errors import Conflict
from containernet.model.network import NAT, ROUTED, Endpoint, Network
from containernet.plan.intent import Intent, joined, without
from containernet.plan.objects import Bridge, Table
from containernet.plan.operations import Elements, Operation, Remove
from containernet.plan.ruleset import TEXT
from containernet.verbs.attempt import attempt
from containernet.verbs.containers import alive
from containernet.verbs.executor import carry_out
from containernet.verbs.leave import cuts, farewell
from containernet.verbs.part import need_network, of_compartments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host
    from containernet.verbs.watch import Watch

SHOWN = 5  # names in a sentence


def destroy(host: Host, name: str, *, force: bool = False) -> tuple[Network, tuple[Endpoint, ...]]:
    """Take a network away; return it and the endpoints that were on it."""

    def verb() -> tuple[Network, tuple[Endpoint, ...]]:
        network = need_network(host.store, name)
        endpoints = host.store.endpoints(network=network.id)
        if not force:
            _unused(host, network, endpoints)
        before = joined(Intent((network,)), of_compartments(host.store, [one.compartment_id for one in endpoints]))
        after = without(before, endpoints)
        after = Intent(
            tuple(one for one in after.networks if one.id != network.id),
            after.compartments,
            after.endpoints,
            after.mappings,
        )
        if network.kind != NAT:
            host.report.skip("nat")
        host.report.stage("nat")
        farewell(host, endpoints)
        watch, moves = _moved_back(host, network)
        extra = (*moves, *_table(host))
        carry_out(host, "destroy", before, after, extra=extra, last=cuts(endpoints), stage=stage, watch=watch)
        return network, endpoints

    return attempt(host, verb)


def _moved_back(host: Host, network: Network) -> tuple[Watch | None, tuple[Operation, ...]]:
    """Return what gives the uplink back what was moved from it, and who watches that."""
    if not network.transparent:
        return None, ()
    if network.kind == ROUTED:
        from containernet.verbs.routed import restoring

        return None, restoring(host, network)
    from containernet.verbs.uplink import returning
    from containernet.verbs.watch import Watch

    bridge, moves = returning(host, network)
    return (Watch(host, network.name, bridge, network.uplink) if bridge else None), moves


def stage(operation: Operation) -> str:
    """Return the stage that an operation belongs to."""
    match operation:
        case Elements():
            return "nat"
        case Remove(Bridge()):
            return "vswitch"
    return ""


def _unused(host: Host, network: Network, endpoints: tuple[Endpoint, ...]) -> None:
    """Refuse while containers are on the network; those that have vanished are none."""
    there = []
    for one in endpoints:
        compartment = host.store.compartment(number=one.compartment_id)
        if compartment is not None and (not compartment.cookie or alive(host, compartment)):
            there.append(one.container)
        if len(there) > SHOWN:
            break
    if there:
        names = list(dict.fromkeys(there))
        more = ", …" if len(there) > SHOWN else ""
        sentence = f"Containers are on the network {network.name}: {', '.join(names[:SHOWN])}{more}."
        raise Conflict("network-in-use", sentence, "Let them leave first, or say --force (-Force).")


def _table(host: Host) -> tuple[Operation, ...]:
    """Return the removal of our table if this is the last network."""
    if len(host.store.networks()) > 1:
        return ()
    return (Remove(Table(host.mark, TEXT)),)
