"""Networks without NAT: containers on the subnet of the host's uplink.

The rule of this file: their traffic is nobody's to filter or translate: nothing of them is in our table. A bridge that
was there before us is taken as it is, and nothing of it is here; one of ours carries the uplink's MAC, because to the
outside it is the uplink.
"""

from __future__ import annotations

from containernet.drivers.network import link_mtu
from containernet.model.address import first, from_number, split
from containernet.model.network import BRIDGE, HOST, MACVLAN, ROUTED, Endpoint, Network, Place, Subnet
from containernet.plan.objects import MAIN, Address, Bridge, Macvlan, Object, Port, Route, Sysctl, Up, Veth


def network(one: Network, mark: int) -> list[Object]:
    """Return the network's own: nothing, a bridge with the uplink as its port, or what makes the host a router."""
    if one.kind == ROUTED:
        from containernet.drivers import routed

        return routed.network(one)
    if one.shim:
        from containernet.drivers import shim

        return shim.network(one, mark)
    if one.kind != BRIDGE or not one.mac:
        return []
    found: list[Object] = [Bridge(one.bridge, one.mac, one.mtu, mark, one.name, plain=True)]
    if one.ipv6:  # its link-local address is the uplink's, which has been looked for already
        found.append(Sysctl(HOST, f"net/ipv6/conf/{one.bridge}/accept_dad", "0"))
    return [*found, Port(one.bridge, one.uplink)]


def link(endpoint: Endpoint, place: Place, one: Network, mark: int) -> list[Object]:
    """Return an endpoint's links, settings and given addresses."""
    if one.kind == ROUTED:
        from containernet.drivers import routed

        return routed.link(endpoint, place, one, mark)
    name = endpoint.interface
    return [
        *_links(endpoint, place, one, mark),
        *_settings(name, place, one),
        Up(place, name),
        *(Address(place, name, address) for address in endpoint.addresses),
        *_beside(endpoint, place, one),
    ]


def _beside(endpoint: Endpoint, place: Place, one: Network) -> list[Object]:
    """Return what joins the endpoint and the host, where the network has a shim."""
    if not one.shim:
        return []
    from containernet.drivers import shim

    return shim.beside(endpoint, place, one)


def _links(endpoint: Endpoint, place: Place, one: Network, mark: int) -> list[Object]:
    name, mac = endpoint.interface, endpoint.mac
    mtu = link_mtu(endpoint, one)
    if one.kind == MACVLAN:
        return [Macvlan(place, name, mac, mtu, one.uplink, mark, endpoint.name)]
    pair = Veth(endpoint.link, place, name, mac, mtu, one.bridge, mark, endpoint.name, hairpin=False)
    return [pair, Sysctl(HOST, f"net/ipv6/conf/{endpoint.link}/disable_ipv6", "1")]


def _settings(interface: str, place: Place, one: Network) -> list[Object]:
    """Return the settings of the container's interface: routers configure it (RFC 4862), duplicates are looked for."""
    four, six = f"net/ipv4/conf/{interface}", f"net/ipv6/conf/{interface}"
    found: list[Object] = [Sysctl(place, f"{four}/arp_ignore", "1"), Sysctl(place, f"{four}/arp_announce", "2")]
    if not one.ipv6:
        return [*found, Sysctl(place, f"{six}/disable_ipv6", "1")]
    on = {"disable_ipv6": "0", "accept_ra": "1", "autoconf": "1"}
    return [*found, *(Sysctl(place, f"{six}/{key}", value) for key, value in on.items())]


def subnets(endpoint: Endpoint, one: Network) -> tuple[Subnet, ...]:
    """Return the subnets that an endpoint's given addresses are in, with the gateway there ("": none is known)."""
    if one.kind == ROUTED:
        from containernet.drivers import routed

        return routed.subnets(endpoint)
    found = (Subnet(prefix_of(text), gateway(endpoint, 6 if ":" in text else 4)) for text in endpoint.addresses)
    return tuple(dict.fromkeys(found))


def routes(endpoint: Endpoint, place: Place, table: int = MAIN) -> list[Route]:
    """Return the routes that came with an endpoint's leases, but for default routes (RFC 3442)."""
    from containernet.plan.leasing import DEFAULT, used

    found: dict[str, Route] = {}
    connected = {prefix_of(text) for text in endpoint.addresses}  # the kernel has them with the addresses
    held = [lease for lease in endpoint.leases if used(endpoint, lease)]
    for one in (route for lease in held for route in lease.routes if route.prefix not in (DEFAULT, *connected)):
        whole = f"{one.via}/32"
        if one.onlink:
            found.setdefault(whole, Route(place, whole, "", endpoint.interface, table))
        if not (one.onlink and one.prefix == whole):
            found[one.prefix] = Route(place, one.prefix, one.via, endpoint.interface, table)
    return list(found.values())


def shared(endpoints: list[Endpoint], place: Place, taken: dict[str, Route]) -> list[Object]:
    """Return the routes of leases that endpoints share, the first of them first, beside those that are ``taken``.

    Of several to one destination the first holds, and so does the kernel's own to where an endpoint has an address.
    Without the way to its router that it needs, a route is none.
    """
    connected = {prefix_of(text) for one in endpoints for text in one.addresses}
    ways, found = dict(taken), list[Object]()
    for route in (route for one in endpoints for route in routes(one, place)):
        router = ways.get(f"{route.via}/32", route)
        if route.destination not in ways and route.destination not in connected and router.link == route.link:
            ways[route.destination] = route
            found.append(route)
    return found


def prefix_of(address: str) -> str:
    """Return the prefix that an address with a length is in."""
    return f"{from_number(first(address), address)}/{split(address)[1]}"


def gateway(endpoint: Endpoint, version: int) -> str:
    """Return where an endpoint's default route of an IP version leads, "" if that is not given."""
    return next((text for text in endpoint.gateways if (":" in text) == (version == 6)), "")
