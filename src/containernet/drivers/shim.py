"""The host's own macvlan beside those of its containers: a macvlan and the link it is on do not hear each other.

The rule of this file: to everybody else the host stays at its uplink's MAC address. The shim has no address but its
link-local one; by IPv4 it answers for the host's own to containers only (``arp_filter``), by IPv6 containers have a
route to them; and it asks for nobody: where the containers are is known.
"""

from __future__ import annotations

from containernet.drivers.network import own_table
from containernet.model.address import contains, eui64, family, split, whole
from containernet.model.network import HOST, Endpoint, Network, Place
from containernet.plan.objects import MAIN, Macvlan, Neighbour, Object, Route, Sysctl, Up

BY_MAC = "0"  # IN6_ADDR_GEN_MODE_EUI64


def network(one: Network, mark: int) -> list[Object]:
    """Return the shim of a network that has one."""
    name = one.shim
    return [
        Macvlan(HOST, name, one.mac, one.mtu, one.uplink, mark, one.name),
        Sysctl(HOST, f"net/ipv4/conf/{name}/arp_filter", "1"),
        *_six(f"net/ipv6/conf/{name}", one.ipv6),
        Up(HOST, name),
    ]


def _six(path: str, ipv6: bool) -> list[Object]:
    if not ipv6:
        return [Sysctl(HOST, f"{path}/disable_ipv6", "1")]
    keys = {"disable_ipv6": "0", "addr_gen_mode": BY_MAC, "accept_ra": "0", "accept_dad": "0"}
    return [Sysctl(HOST, f"{path}/{key}", value) for key, value in keys.items()]


def beside(endpoint: Endpoint, place: Place, one: Network) -> list[Object]:
    """Return what leads from the host to an endpoint's addresses by the shim, and back."""
    hosts = [split(text)[0] for text in endpoint.addresses]
    found: list[Object] = [Route(HOST, whole(text), "", one.shim, source=_source(one, text)) for text in hosts]
    found += (Neighbour(HOST, one.shim, text, endpoint.mac) for text in hosts)
    return found + (_to_host(endpoint, place, one) if one.ipv6 else [])


def _to_host(endpoint: Endpoint, place: Place, one: Network) -> list[Object]:
    """Return the routes to the host's IPv6 addresses, for whichever of its own the container sends from."""
    six = [subnet.gateway for subnet in one.subnets if ":" in subnet.gateway]
    via, name = eui64(one.mac), endpoint.interface
    return [Route(place, whole(text), via, name, table) for text in six for table in (MAIN, own_table(endpoint))]


def _source(one: Network, address: str) -> str:
    """Return the host's address that a container is its neighbour by: of its subnet, else the first."""
    if ":" in address:
        return ""  # the kernel takes the one that is the most alike (RFC 6724)
    own = [subnet for subnet in one.subnets if family(subnet.prefix) == 4]
    near = next((subnet for subnet in own if contains(subnet.prefix, address)), own[0] if own else None)
    return near.gateway if near else ""
