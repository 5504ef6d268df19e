"""Join a container to a network.

The rule of this file: it reads in the order in which it happens: who, where, as what, with which ports; then all of it
is done at once.
"""

from __future__ import annotations

from containernet.drivers.endpoint import announced
from containernet.model.address import canonical, contains, family, split
from containernet.model.errors import Conflict, Usage
from containernet.model.names import link_name, mac_address
from containernet.model.network import Compartment, Endpoint, Network, PortMapping, Subnet
from containernet.model.ports import publication
from containernet.model.record import record, replace
from containernet.model.request import usable_host
from containernet.plan import ipam
from containernet.plan.intent import Intent, joined, without
from containernet.plan.objects import Macvlan, Veth
from containernet.plan.operations import Add, Announce, Elements, Operation
from containernet.store.door import address_cursor
from containernet.verbs import publish as publishing
from containernet.verbs.attempt import attempt
from containernet.verbs.containers import found_as, joining, named
from containernet.verbs.executor import carry_out
from containernet.verbs.leave import cuts, gone_with
from containernet.verbs.part import around, need_network, of_compartments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.containers.door import Found
    from containernet.model.ports import Wanted
    from containernet.verbs.host import Host

MOST = 1_000_000  # a priority


def join(
    host: Host,
    container: str | Found,
    network: str,
    *,
    ips: tuple[str, ...] = (),
    mac: str = "",
    interface: str = "",
    publish: tuple[str, ...] = (),
    priority: int = 0,
    hostname: str = "",
    client_id: str = "",
    wait: int = 0,
    no_wait: bool = False,
) -> tuple[Endpoint, Intent]:
    """Join a container to a network; return its new endpoint, and the part of the intent that it belongs to."""
    wanted = [publication(text) for text in publish]
    mac = mac_address(mac) if mac else ""
    interface = link_name(interface) if interface else ""
    if not 0 <= priority <= MOST:
        raise Usage(
            "priority-invalid", f"{priority} is no priority.", f"Priorities are whole numbers from 0 to {MOST:,}."
        )

    if wait:
        from containernet.verbs.leasing import patient

        patient(wait)

    def verb() -> tuple[Endpoint, Intent, bool]:
        net = need_network(host.store, network)
        if (hostname or client_id or wait or no_wait) and not net.transparent:
            _no_dhcp(net)
        addresses = ips if net.transparent else tuple(canonical(text) for text in ips)
        found = named(host, container) if isinstance(container, str) else container
        compartment, former = joining(host, found)
        if former is not None and not former.cookie and not host.dry:  # it waited for just this container
            from containernet.verbs.mend import mend

            back = mend(host).restored
            compartment, former = joining(host, found)
            again = next((one for one in back if (one.container, one.network) == (found.name, network)), None)
            if again is not None:
                return (*_taken_up(host, again, addresses, mac, interface, wanted), False)
        whom = (hostname, client_id)
        return (*_join(host, net, compartment, former, addresses, mac, interface, wanted, priority, whom), True)

    endpoint, part, fresh = attempt(host, verb)
    if fresh and endpoint.dynamic and not no_wait and host.plans is None:
        from containernet.verbs.leasing import with_address

        return with_address(host, endpoint, part, wait)
    return endpoint, part


def _no_dhcp(network: Network) -> None:
    sentence = f"{network.name} gives addresses itself: DHCP is for networks without NAT."
    raise Usage("dhcp-not-here", sentence, "Leave out --hostname, --client-id, --wait and --no-wait.")


def _taken_up(
    host: Host, endpoint: Endpoint, addresses: tuple[str, ...], mac: str, interface: str, wanted: list[Wanted]
) -> tuple[Endpoint, Intent]:
    """Return the endpoint that waited for this container since the host restarted, if it is what is asked for now."""
    own = {text.partition("/")[0] for text in endpoint.addresses} | {endpoint.dynamic, "none"}
    mappings = host.store.mappings(endpoint.id)
    asked = {text.partition("/")[0] for text in addresses}
    fits = asked <= own and mac in ("", endpoint.mac) and interface in ("", endpoint.interface)
    if not fits or not all(any(_same(one, mapping) for mapping in mappings) for one in wanted):
        sentence = f"The container has its endpoint {endpoint.name} back, from before the host restarted."
        hint = "Let it leave and join again, or join once more for a second endpoint; 'cnet open' opens ports."
        raise Conflict("endpoint-restored", sentence, hint)
    compartment = host.store.compartment(number=endpoint.compartment_id)
    assert compartment is not None  # a foreign key says so
    return endpoint, joined(around(host.store, compartment), Intent(mappings=mappings))


def _same(one: Wanted, mapping: PortMapping) -> bool:
    asked = (one.protocol, one.external_address, one.external_first, one.external_last, one.internal_first)
    has = (mapping.protocol, mapping.external_address, mapping.external_first, mapping.external_last)
    return asked == (*has, mapping.internal_first)


def _join(
    host: Host,
    network: Network,
    compartment: Compartment,
    former: Compartment | None,
    addresses: tuple[str, ...],
    mac: str,
    interface: str,
    wanted: list[Wanted],
    priority: int,
    whom: tuple[str, str],
) -> tuple[Endpoint, Intent]:
    """Plan and do it; ``former`` is what the container was before it ended, and is freed."""
    host.report.stage("compartment")
    gone = of_compartments(host.store, [former.id] if former else [])
    known = host.store.compartment(number=compartment.id)
    there = host.kernel.surroundings(compartment.place)
    if known is None:
        compartment = found_as(compartment, there)
    before = joined(Intent((network,)), around(host.store, known) if known else Intent(), gone)
    number = _number(host)
    name = _name(host, compartment.container, network, gone)
    given, cursors, stale = _addresses(host, network, compartment.container, addresses)
    chosen = _mac(host, network, mac, number)
    before = joined(before, stale)
    own = _interface(compartment.container, {link.name for link in there.links}, interface)
    endpoint = Endpoint(
        number, name, network.id, network.name, compartment.id, compartment.container, own, chosen, given.addresses,
        priority, host.now(), given.dynamic, given.gateways,
    )  # fmt: skip
    if network.transparent:
        endpoint, known_by = _identified(host, network, endpoint, *whom)
        cursors += known_by
    mappings, memos, freed = publishing.picked(host, network, endpoint, wanted)
    before = joined(before, freed)
    lost = [one for one in before.endpoints if one.compartment_id != compartment.id]
    new = Intent((), (compartment,), (endpoint,), mappings, (*cursors, *memos))
    after = joined(without(before, lost), new)
    heard = announced(endpoint, compartment.place, network)
    carry_out(host, "join", before, after, last=(*cuts(lost), *publishing.cuts(mappings, endpoint), heard), stage=stage)
    return endpoint, after


def _identified(
    host: Host, network: Network, endpoint: Endpoint, hostname: str, client_id: str
) -> tuple[Endpoint, tuple[tuple[str, str], ...]]:
    """Return an endpoint with what a DHCP server is told of it, and what is to be remembered for that."""
    from containernet.verbs.given import identified, spoken

    who = identified(host, network, endpoint, spoken(endpoint.container, hostname), client_id)
    return replace(endpoint, hostname=who.hostname, client_id=who.client_id), who.memos


def _number(host: Host) -> int:
    """Return the endpoint's number: the next one whose link nobody else has made."""
    number = host.store.next_id("endpoints")
    while host.kernel.exists(f"ce-{number}"):
        number += 1
    return number


def stage(operation: Operation) -> str:
    """Return the stage that an operation belongs to."""
    match operation:
        case Add(Veth() | Macvlan()):
            return "endpoint"
        case Announce():
            return "routes"
    return "endpoint" if isinstance(operation, Elements) else ""


def _name(host: Host, container: str, network: Network, gone: Intent) -> str:
    """Return ``<container>_<network>``, or the first of ``…_2``, ``…_3`` that is free."""
    plain = f"{container.strip('/').replace('/', '-')}_{network.name}"
    freed = {one.name for one in gone.endpoints}
    name, number = plain, 1
    while name not in freed and host.store.endpoint(name) is not None:
        number += 1
        name = f"{plain}_{number}"
    return name


def _interface(container: str, there: set[str], wanted: str) -> str:
    """Return the interface's name: as given, else the first of eth0, eth1, … that the container has not."""
    if wanted:
        if wanted in there:
            raise Conflict(
                "interface-exists",
                f"The container {container} has an interface {wanted} already.",
                "Take another name.",
            )
        return wanted
    return next(name for number in range(len(there) + 1) if (name := f"eth{number}") not in there)


def _mac(host: Host, network: Network, wanted: str, number: int) -> str:
    """Return the MAC: as given, else one of ours by the endpoint's number (locally administered, IEEE 802c)."""
    if not wanted:
        raw = bytes(
            (0x02, *(host.mark & 0xFFFF).to_bytes(2, "big"), *(number & 0xFFFFFF | 0x800000).to_bytes(3, "big"))
        )
        return raw.hex(":")
    holder = host.store.holder(network.id, mac=wanted)
    if holder is not None:
        raise Conflict("mac-taken", f"The MAC address {wanted} is that of {holder.name}.", "Take another.")
    return wanted


@record
class Given:
    """What an endpoint is to have: addresses with prefix lengths, how it gets more, where its default routes lead."""

    addresses: tuple[str, ...]
    dynamic: str = ""
    gateways: tuple[str, ...] = ()


def _addresses(
    host: Host, network: Network, container: str, wanted: tuple[str, ...]
) -> tuple[Given, tuple[tuple[str, str], ...], Intent]:
    """Return the addresses, what to remember of them, and whose they were if he has vanished."""
    if network.transparent:
        from containernet.verbs.given import given

        own, dynamic, gateways, stale = given(host, network, container, wanted)
        return Given(own, dynamic, gateways), (), stale
    found: list[str] = []
    cursors: list[tuple[str, str]] = []
    stale = Intent()
    for address in wanted:
        stale = joined(stale, _given(host, network, address))
    for subnet in network.subnets:
        mine = [address for address in wanted if contains(subnet.prefix, address)]
        if len(mine) > 1:
            raise Usage(
                "address-many", f"An endpoint has one address in {subnet.prefix}.", "Join once more for a second."
            )
        if mine:
            found.append(f"{mine[0]}/{split(subnet.prefix)[1]}")
            continue
        picked, freed = _next(host, network, subnet)
        stale = joined(stale, freed)
        found.append(f"{picked}/{split(subnet.prefix)[1]}")
        cursors.append((address_cursor(subnet.prefix), picked))
    return Given(tuple(found)), tuple(cursors), stale


def _given(host: Host, network: Network, address: str) -> Intent:
    """Check an address that was asked for; return what is freed for it."""
    subnet = next((one for one in network.subnets if contains(one.prefix, address)), None)
    if subnet is None:
        has = ", ".join(one.prefix for one in network.subnets)
        raise Usage("address-outside", f"{address} is not in a subnet of {network.name}.", f"Its subnets: {has}.")
    if not usable_host(subnet.prefix, address) or address == subnet.gateway:
        what = "the gateway's" if address == subnet.gateway else "no interface's"
        raise Usage("address-reserved", f"{address} is {what} address in {subnet.prefix}.", "Take another.")
    holder = host.store.holder(network.id, address)
    if holder is None:
        return Intent()
    freed = gone_with(host, holder)
    if not freed.endpoints:
        raise Conflict(
            "address-taken", f"{address} is the address of {holder.name}.", "Take another, or leave --ip out."
        )
    return freed


def _next(host: Host, network: Network, subnet: Subnet) -> tuple[str, Intent]:
    """Pick the next free address; if none is free, those of vanished containers are."""
    cursor = host.store.memo(address_cursor(subnet.prefix))
    picked = ipam.next_address(subnet.prefix, cursor, [subnet.gateway], lambda raw: host.store.taken(network.id, raw))
    if picked:
        return picked, Intent()
    for holder in host.store.endpoints(network=network.id):
        freed = gone_with(host, holder)
        for address in freed.endpoints[0].addresses if freed.endpoints else ():
            if family(address) == family(subnet.prefix) and contains(subnet.prefix, address.partition("/")[0]):
                return address.partition("/")[0], freed
    raise Conflict(
        "addresses-exhausted", f"The network {network.name} has no free address left in {subnet.prefix}.",
        "Let a container leave, or create a network with a larger --subnet.",
    )  # fmt: skip
