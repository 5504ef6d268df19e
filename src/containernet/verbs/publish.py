"""Which external ports a mapping gets, and who is in its way.

The rule of this file: asked before anything is touched; what a vanished container held is freed for the one who asks.
"""

from __future__ import annotations

from containernet.model.address import family
from containernet.model.errors import Conflict, NotFound, Taken, Usage
from containernet.model.network import NAT, Endpoint, Network, PortMapping
from containernet.model.ports import Wanted, port_range
from containernet.model.record import replace
from containernet.plan.intent import Intent, joined
from containernet.plan.operations import Cut, Operation
from containernet.store.door import PORT_CURSOR
from containernet.verbs.leave import gone_with

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host


def picked(
    host: Host, network: Network, endpoint: Endpoint, wanted: list[Wanted]
) -> tuple[tuple[PortMapping, ...], tuple[tuple[str, str], ...], Intent]:
    """Return the mappings, what to remember of them, and what is freed for them."""
    if wanted and network.transparent:
        sentence = f"The network {network.name} is without NAT: its containers are reached at their own addresses."
        shown = f"'cnet endpoint {endpoint.container} {network.name}' shows it"
        raise Usage("network-transparent", sentence, f"No port needs to be opened: connect to its address; {shown}.")
    if wanted and network.kind != NAT:
        sentence = f"The network {network.name} is internal: it has no way in, so no ports can be opened."
        raise Usage(
            "network-internal", sentence, "Join the container to a network behind NAT as well, and open the port there."
        )
    found: list[PortMapping] = []
    memos: tuple[tuple[str, str], ...] = ()
    freed = Intent()
    for one in wanted:
        _reachable(host, endpoint, one)
        if not one.external_first:
            one, memos = _any(host, one)
        freed = joined(freed, _free(host, one))
        mapping = PortMapping(
            host.store.next_id("mappings") + len(found), endpoint.id, one.protocol, one.external_address,
            one.external_first, one.external_last, one.internal_first, one.remotes,
        )  # fmt: skip
        _not_twice(found, mapping)
        found.append(mapping)
    return tuple(found), memos, freed


def _reachable(host: Host, endpoint: Endpoint, one: Wanted) -> None:
    """Refuse an external address that is not the host's or of a version that the endpoint has not."""
    if not one.external_address:
        return
    if not host.kernel.has_address(one.external_address):
        sentence = f"{one.external_address} is not an address of this host."
        raise NotFound("address-not-ours", sentence, "'ip address' shows its addresses; leave it out for all of them.")
    if not any(family(text) == family(one.external_address) for text in endpoint.addresses):
        version = family(one.external_address)
        sentence = f"{endpoint.name} has no IPv{version} address that {one.external_address} could lead to."
        raise Usage("address-version", sentence, "Give an external address of the other IP version.")


def _free(host: Host, one: Wanted) -> Intent:
    """Return what is freed so that the external ports are free; raise if somebody has one."""
    freed = Intent()
    while other := _other(host, one, freed):
        holder = host.store.endpoint(number=other.endpoint_id)
        gone = gone_with(host, holder) if holder else Intent()
        if holder is None or not gone.endpoints:
            who = holder.name if holder else "another endpoint"
            ports = _span(other.external_first, other.external_last)
            sentence = f"The external port {ports}/{one.protocol} leads to {who} (mapping {other.id})."
            raise Conflict("port-mapped", sentence, f"Take another, or close it first: cnet close --id {other.id}.")
        freed = joined(freed, gone)
    _unbound(host, one)
    return freed


def _other(host: Host, one: Wanted, freed: Intent) -> PortMapping | None:
    """Return a mapping in the way that is not freed already."""
    last = one.external_last
    known = {mapping.id for mapping in freed.mappings}
    while (other := host.store.in_the_way(one.protocol, one.external_address, one.external_first, last)) is not None:
        if other.id not in known:
            return other
        last = other.external_first - 1
        if last < one.external_first:
            return None
    return None


def _unbound(host: Host, one: Wanted) -> None:
    busy = host.kernel.busy_port(one.protocol, one.external_address, one.external_first, one.external_last)
    if busy is not None:
        port, who = busy
        sentence = f"A process of this host listens on {one.protocol} port {port}{f': {who}' if who else ''}."
        raise Taken("port-listened", sentence, "Take another external port, or end that process.")


def _not_twice(found: list[PortMapping], new: PortMapping) -> None:
    for other in found:
        same = other.protocol == new.protocol and (
            other.external_address == new.external_address or not other.external_address or not new.external_address
        )
        if same and other.external_first <= new.external_last and new.external_first <= other.external_last:
            sentence = (
                f"The external port {_span(new.external_first, new.external_last)}/{new.protocol} is asked for twice."
            )
            raise Usage("port-twice", sentence, "Ask for each external port once.")


def _any(host: Host, one: Wanted) -> tuple[Wanted, tuple[tuple[str, str], ...]]:
    """Pick external ports: the next free ones of the range, going round, so that a closed one is not reused at once."""
    first, last = port_range(host.setting("port-range"))
    size = one.external_last - one.external_first + 1
    start = int(host.store.memo(PORT_CURSOR) or first - 1) + 1
    for begin in (*range(max(start, first), last - size + 2), *range(first, min(start, last - size + 2))):
        candidate = replace(one, external_first=begin, external_last=begin + size - 1)
        if _is_free(host, candidate):
            return candidate, ((PORT_CURSOR, str(candidate.external_last)),)
    raise Conflict(
        "ports-exhausted", f"{size} free external ports in a row are not left in {first}-{last}.",
        "Give an --external-port, or widen the range: cnet config set port-range FIRST-LAST.",
    )  # fmt: skip


def _is_free(host: Host, one: Wanted) -> bool:
    ports = one.protocol, one.external_address, one.external_first, one.external_last
    return host.store.in_the_way(*ports) is None and host.kernel.busy_port(*ports) is None


def cuts(mappings: tuple[PortMapping, ...], endpoint: Endpoint) -> tuple[Operation, ...]:
    """Return what makes the kernel forget that these ports led to the host itself: datagrams keep no handshake."""
    versions = {family(text) for text in endpoint.addresses}
    return tuple(
        Cut(version, "udp", ports=(one.external_first, one.external_last), local=True)
        for one in mappings
        if one.protocol == "udp"
        for version in sorted(versions)
    )


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
