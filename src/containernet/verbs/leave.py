"""Take a container off a network.

The rule of this file: what an endpoint had is taken away with it: its ports, its connections, its addresses. A
container that has vanished leaves just the same.
"""

from __future__ import annotations

from containernet.model.address import family
from containernet.model.errors import Conflict, NotFound
from containernet.model.names import shown
from containernet.model.network import Compartment, Endpoint, Network
from containernet.plan.intent import Intent, joined, without
from containernet.plan.objects import Macvlan, Route, Veth
from containernet.plan.operations import Change, Cut, Elements, Operation, Remove
from containernet.verbs.attempt import attempt
from containernet.verbs.containers import alive, known
from containernet.verbs.executor import carry_out
from containernet.verbs.part import around, need_network, of_compartments, with_mappings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from containernet.verbs.host import Host

SHOWN = 5  # names in a sentence


def leave(host: Host, container: str, network: str, *, endpoint: str = "") -> tuple[Endpoint, Intent]:
    """Take an endpoint away; return it, and the part of the intent that it belonged to."""

    def verb() -> tuple[Endpoint, Intent]:
        net = need_network(host.store, network)
        compartment = known(host, container)
        one = chosen(host, compartment, net, endpoint)
        before = joined(around(host.store, compartment), with_mappings(host.store, [one]))
        host.report.stage("routes")
        farewell(host, [one])
        carry_out(host, "leave", before, without(before, [one]), last=cuts([one]), stage=stage)
        return one, before

    return attempt(host, verb)


def farewell(host: Host, endpoints: Iterable[Endpoint], *, moved: bool = False) -> None:
    """Have the leases of endpoints given back, from their addresses while they are there (RFC 2131, section 4.4.6).

    ``moved``: their namespace is at another path since a moment ago.
    """
    leased = [one.name for one in endpoints if any(lease.address for lease in one.leases)]
    if leased and host.plans is None and not host.services.farewell(leased, moved=moved):
        names = ", ".join(leased[:SHOWN]) + (", …" if len(leased) > SHOWN else "")
        host.report.note(f"Nobody gives back the lease of {names}: the DHCP service does not run.")


def stage(operation: Operation) -> str:
    """Return the stage that an operation belongs to."""
    match operation:
        case Remove(Veth() | Macvlan()):
            return "endpoint"
        case Change(Route()) | Elements():
            return "routes"
    return ""


def chosen(host: Host, compartment: Compartment, network: Network, name: str) -> Endpoint:
    """Return the one endpoint of a container on a network that is meant."""
    found = host.store.endpoints(network.id, compartment.id)
    if not found:
        sentence = f"The container {compartment.container} is not on the network {network.name}."
        raise NotFound("not-joined", sentence, f"'cnet endpoint {compartment.container}' shows its networks.")
    if name:
        one = next((one for one in found if one.name == name), None)
        if one is None:
            raise NotFound(
                "endpoint-not-found",
                f"{compartment.container} has no endpoint {shown(name)} on {network.name}.",
                _which(found),
            )
        return one
    if len(found) > 1:
        sentence = f"{compartment.container} has {len(found)} endpoints on {network.name}."
        raise Conflict("endpoint-ambiguous", sentence, _which(found))
    return found[0]


def _which(found: tuple[Endpoint, ...]) -> str:
    return f"Say which: --endpoint {' or '.join(one.name for one in found)}."


def gone_with(host: Host, endpoint: Endpoint) -> Intent:
    """Return all that a container had if it has vanished, nothing if it is alive or waited for."""
    compartment = host.store.compartment(number=endpoint.compartment_id)
    if compartment is None or not compartment.cookie or alive(host, compartment):
        return Intent()
    return of_compartments(host.store, [compartment.id])


def cuts(endpoints: Iterable[Endpoint]) -> tuple[Operation, ...]:
    """Return what ends the connections of endpoints, both ways, translated or not."""
    addresses = [text.partition("/")[0] for one in endpoints for text in one.addresses]
    return tuple(cut for text in addresses for cut in (Cut(family(text), source=text), Cut(family(text), answers=text)))
