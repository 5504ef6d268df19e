"""A container's endpoints: links, settings, addresses, and which way its packets go.

The rule of this file: all endpoints of one compartment are looked at together, because they share its routes. One of
them has the default route: the highest priority, then the first joined, of those on a network with a way out; unless
the container had one before us, which stays. With several ways, each address answers by its own interface: a routing
table of its own, chosen by source (ip-rule(8)).
"""

from __future__ import annotations

from containernet.drivers.network import own_table
from containernet.model.address import contains, family, whole
from containernet.model.network import HOST, INTERNAL, ONLINK, ROUTED, Compartment, Endpoint, Network, Place, Subnet
from containernet.plan.objects import MAIN, Address, Element, Object, Route, Rule, Sysctl, Up, Veth
from containernet.plan.operations import Announce

RULE_PRIORITY = 10_000  # after `local` (0), before `main` (32766)


def inside(
    compartment: Compartment, endpoints: list[Endpoint], networks: dict[int, Network], mark: int
) -> list[Object]:
    """Return all of ours in a compartment, with the host's ends."""
    place = compartment.place
    found: list[Object] = [Up(place, "lo")] if compartment.loopback else []
    for endpoint in endpoints:
        network = networks[endpoint.network_id]
        found += _outside_nat(endpoint, place, network, mark) or _link(endpoint, place, network, mark)
    for version in (4, 6):
        if str(version) not in compartment.routed:
            found += _default(endpoints, place, networks, version)
    found += _leased([one for one in endpoints if networks[one.network_id].kind != ROUTED], place, found)
    if len(endpoints) > 1 or compartment.routed:
        for endpoint in endpoints:
            found += _own_routes(endpoint, place, networks[endpoint.network_id])
    return found


def _outside_nat(endpoint: Endpoint, place: Place, network: Network, mark: int) -> list[Object]:
    """Return the links of an endpoint on a network that is on the uplink's subnet; nothing for the others."""
    if not network.transparent:
        return []
    from containernet.drivers import transparent

    return transparent.link(endpoint, place, network, mark)


def _link(endpoint: Endpoint, place: Place, network: Network, mark: int) -> list[Object]:
    name = endpoint.interface
    return [
        Veth(endpoint.link, place, name, endpoint.mac, network.mtu, network.bridge, mark, endpoint.name),
        *_settings(endpoint, place, network),
        Up(place, name),
        *(Address(place, name, address) for address in endpoint.addresses),
        *(_itself(address.partition("/")[0]) for address in endpoint.addresses),
    ]


def _itself(address: str) -> Element:
    return Element(f"self{family(address)}", (address, address))


def _settings(endpoint: Endpoint, place: Place, network: Network) -> list[Object]:
    """Return the settings of both ends.

    An interface answers ARP for its own addresses only: the same network may be joined twice. No neighbour configures
    it by router advertisements, and the host's end is no IPv6 interface at all. Without IPv6, it is off
    (CVE-2024-32473).
    """
    four, six = f"net/ipv4/conf/{endpoint.interface}", f"net/ipv6/conf/{endpoint.interface}"
    found: list[Object] = [Sysctl(place, f"{four}/arp_ignore", "1"), Sysctl(place, f"{four}/arp_announce", "2")]
    if network.ipv6:
        found.append(Sysctl(place, f"{six}/disable_ipv6", "0"))  # Docker's containers have it off by default
        found += [Sysctl(place, f"{six}/accept_ra", "0"), Sysctl(place, f"{six}/accept_dad", "0")]
    else:
        found.append(Sysctl(place, f"{six}/disable_ipv6", "1"))
    found.append(Sysctl(HOST, f"net/ipv6/conf/{endpoint.link}/disable_ipv6", "1"))
    return found


def rank(endpoint: Endpoint) -> tuple[int, int]:
    """Return where an endpoint stands among those of its container; the smallest comes first."""
    return -endpoint.priority, endpoint.id


def default_of(endpoints: list[Endpoint], networks: dict[int, Network], version: int) -> Endpoint | None:
    """Return the endpoint that has the default route of an IP version."""
    able = [one for one in endpoints if networks[one.network_id].kind != INTERNAL and _subnet(one, networks, version)]
    return min(able, key=rank, default=None)


def _subnet(endpoint: Endpoint, networks: dict[int, Network], version: int) -> Subnet | None:
    """Return the subnet of a version that an endpoint has an address in, and a gateway."""
    found = (one for one in _subnets(endpoint, networks[endpoint.network_id]) if one.gateway)
    return next((one for one in found if family(one.prefix) == version), None)


def _subnets(endpoint: Endpoint, network: Network) -> tuple[Subnet, ...]:
    """Return the subnets that an endpoint has an address in."""
    if network.transparent:
        from containernet.drivers import transparent

        return transparent.subnets(endpoint, network)
    own = [text.partition("/")[0] for text in endpoint.addresses]
    return tuple(one for one in network.subnets if any(contains(one.prefix, address) for address in own))


def _default(endpoints: list[Endpoint], place: Place, networks: dict[int, Network], version: int) -> list[Object]:
    leader = default_of(endpoints, networks, version)
    subnet = _subnet(leader, networks, version) if leader else None
    if leader is None or subnet is None:
        return []
    route = Route(place, f"default{version}", _via(subnet), leader.interface)
    return [*_towards(subnet, place, leader.interface), route]


def _via(subnet: Subnet) -> str:
    """Return the neighbour that a default route leads to, "" for the link itself."""
    return "" if subnet.gateway == ONLINK else subnet.gateway


def _leased(endpoints: list[Endpoint], place: Place, there: list[Object]) -> list[Object]:
    """Return the routes that came with leases, beside those that are ``there``.

    Not of routed endpoints: all goes by the host, which has routes of its own.
    """
    if not any(one.leases for one in endpoints):
        return []
    from containernet.drivers import transparent

    ranked = sorted(endpoints, key=rank)
    taken = {one.destination: one for one in there if isinstance(one, Route)}
    return transparent.shared(ranked, place, taken)


def _towards(subnet: Subnet, place: Place, interface: str, table: int = MAIN) -> list[Object]:
    """Return the route to a gateway that is outside the subnet, as clouds have it: on the link (RFC 3442)."""
    if not _via(subnet) or contains(subnet.prefix, subnet.gateway):
        return []
    return [Route(place, whole(subnet.gateway), "", interface, table)]


def _own_routes(endpoint: Endpoint, place: Place, network: Network) -> list[Object]:
    """Return the routing table of an endpoint, and the rules that lead its addresses there."""
    found: list[Object] = []
    table = own_table(endpoint)
    for subnet in _subnets(endpoint, network):
        own = [text.partition("/")[0] for text in endpoint.addresses if contains(subnet.prefix, text.partition("/")[0])]
        found.append(Route(place, subnet.prefix, "", endpoint.interface, table))
        if network.kind != INTERNAL and subnet.gateway:
            found += _towards(subnet, place, endpoint.interface, table)
            found.append(Route(place, f"default{family(subnet.prefix)}", _via(subnet), endpoint.interface, table))
        found += (Rule(place, address, table, RULE_PRIORITY) for address in own)
    if endpoint.leases:
        from containernet.drivers import transparent

        known = {one.destination for one in found if isinstance(one, Route)}
        found += (one for one in transparent.routes(endpoint, place, table) if one.destination not in known)
    return found


def announced(endpoint: Endpoint, place: Place, network: Network) -> Announce:
    """Return what tells an endpoint's neighbours its addresses: itself, or the host that answers for them."""
    if network.kind == ROUTED:
        return Announce(HOST, network.uplink, "", endpoint.addresses)
    return Announce(place, endpoint.interface, endpoint.mac, endpoint.addresses)
