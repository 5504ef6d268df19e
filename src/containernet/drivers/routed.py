"""Networks that this host routes for: to the outside there is its own MAC address only (clouds, Wi-Fi).

The rule of this file: the host answers on the uplink for exactly the addresses that its containers have, never for all
(``proxy_arp``), and nothing of its own moves. Inside there is no neighbour but the host: each address is put on whole
(/32, /128), and the way to everything is by the host's link-local address, which is the same in every container and
does not change with the host's own.
"""

from __future__ import annotations

from containernet.drivers.nat import FORWARD4, FORWARD6
from containernet.drivers.network import link_mtu
from containernet.model.address import family, split, whole
from containernet.model.network import HOST, Endpoint, Network, Place, Subnet
from containernet.plan.objects import (
    GATEWAY4,
    GATEWAY6,
    GATEWAYS,
    Address,
    Neighbour,
    Object,
    Route,
    Sysctl,
    Up,
    Veth,
)


def network(one: Network) -> list[Object]:
    """Return the settings of the host: it forwards, and answers for others on the uplink, at once."""
    found: list[Object] = [Sysctl(HOST, FORWARD4, "1")]
    if one.ipv6:
        found.append(Sysctl(HOST, FORWARD6, "1"))
    return [*found, *answering(one)]


def answering(one: Network) -> list[Sysctl]:
    """Return the settings of the uplink, which are its own again when nobody is routed for any more."""
    found = [Sysctl(HOST, f"net/ipv4/neigh/{one.uplink}/proxy_delay", "0")]
    if one.ipv6:
        found.append(Sysctl(HOST, f"net/ipv6/neigh/{one.uplink}/proxy_delay", "0"))
        found.append(Sysctl(HOST, f"net/ipv6/conf/{one.uplink}/proxy_ndp", "1"))
    return found


def subnets(endpoint: Endpoint) -> tuple[Subnet, ...]:
    """Return the subnets that an endpoint is in: each address alone, with the host as its gateway."""
    own = (whole(text) for text in endpoint.addresses)
    return tuple(Subnet(text, GATEWAY6 if ":" in text else GATEWAY4) for text in own)


def link(endpoint: Endpoint, place: Place, one: Network, mark: int) -> list[Object]:
    """Return an endpoint's links, settings, addresses, the host's route to them, and what the host answers for."""
    name, end = endpoint.interface, endpoint.link
    own = [whole(text) for text in endpoint.addresses]
    return [
        Veth(end, place, name, endpoint.mac, link_mtu(endpoint, one), "", mark, endpoint.name),
        *_settings(name, end, place, one),
        *(Address(HOST, end, GATEWAYS[version]) for version in dict.fromkeys(map(family, own))),
        Up(place, name),
        *(Address(place, name, text) for text in own),
        *(Route(HOST, text, "", end) for text in own),
        *(Neighbour(HOST, one.uplink, split(text)[0]) for text in own),
    ]


def _settings(interface: str, end: str, place: Place, one: Network) -> list[Object]:
    """Return the settings of both ends: neither configures the other by router advertisements."""
    four, six = f"net/ipv4/conf/{interface}", f"net/ipv6/conf/{interface}"
    found: list[Object] = [Sysctl(place, f"{four}/arp_ignore", "1"), Sysctl(place, f"{four}/arp_announce", "2")]
    outside = f"net/ipv6/conf/{end}"
    if not one.ipv6:
        return [*found, Sysctl(place, f"{six}/disable_ipv6", "1"), Sysctl(HOST, f"{outside}/disable_ipv6", "1")]
    for where, path in ((place, six), (HOST, outside)):
        found += [Sysctl(where, f"{path}/{key}", "0") for key in ("disable_ipv6", "accept_ra", "accept_dad")]
    return found
