"""What else stands in a namespace: links, routes, and how the host itself gets out.

The rule of this file: facts for choosing (names, prefixes, an uplink), nothing of ours or anybody's is judged here.
"""

from __future__ import annotations

from containernet.kernel import links, routes
from containernet.kernel.door import Link, Surroundings, WayOut
from containernet.kernel.netlink import Netlink
from containernet.kernel.routes import FoundRoute
from containernet.model.address import whole
from containernet.plan.objects import MAIN

ANYWHERE = {"default4": "192.0.2.1", "default6": "2001:db8::1"}  # RFC 5737, RFC 3849: nobody has a route just for these
LOCAL_TABLE = 255


def read(socket: Netlink) -> Surroundings:
    """Return the surroundings in the namespace of a socket."""
    names: dict[int, str] = {}
    addresses: dict[int, list[str]] = {}
    for index, text in routes.addresses(socket):
        addresses.setdefault(index, []).append(text)
    found = []
    for link in links.every(socket):
        names[link.index] = link.name
        own = tuple(addresses.get(link.index, ()))
        found.append(Link(link.name, link.kind, link.up, link.mtu, link.group, own, link.alias))
    every = routes.routes(socket)
    return Surroundings(
        links=tuple(found),
        routes=tuple(dict.fromkeys(route.destination for route in every if _specific(route))),
        default4=_default(every, "default4", names),
        default6=_default(every, "default6", names),
        prefers=_preferred(socket, every),
    )


def _specific(route: FoundRoute) -> bool:
    return not route.destination.startswith(("default", "fe80:", "ff")) and route.table != LOCAL_TABLE


def _default(every: list[FoundRoute], which: str, names: dict[int, str]) -> str:
    """Return the link of the default route that the main table prefers."""
    leading = [route for route in every if route.destination == which and route.table == MAIN and route.oif]
    return names.get(min(leading, key=lambda route: route.metric).oif, "") if leading else ""


def _preferred(socket: Netlink, every: list[FoundRoute]) -> tuple[str, ...]:
    """Return the addresses that the host sends from by its default routes."""
    there = [which for which in ANYWHERE if any(route.destination == which for route in every)]
    taken = [routes.towards(socket, ANYWHERE[which]) for which in there]
    return tuple(route.source for route in taken if route and route.source)


def way_out(socket: Netlink, link: str) -> WayOut:
    """Return how the host reaches the outside: by its routes, or by a link that is given."""
    if link:
        found = links.find(socket, link)
        if found is None:
            return WayOut()
        four, six = (_first(socket, found.index, version) for version in (4, 6))
        return WayOut(link if four else "", four, link if six else "", six, found.mtu)
    ways = [routes.towards(socket, ANYWHERE[which]) for which in ("default4", "default6")]
    named = [_link_of(socket, way) for way in ways]
    sources = [_with_length(socket, way) for way in ways]
    mtu = next((one.mtu for one in named if one), 0)
    names = [one.name if one else "" for one in named]
    return WayOut(names[0], sources[0], names[1], sources[1], mtu)


def _link_of(socket: Netlink, way: FoundRoute | None) -> links.Found | None:
    found = links.find(socket, index=way.oif) if way and way.oif else None
    return None if found is None or found.name == "lo" else found


def _first(socket: Netlink, index: int, version: int) -> str:
    own = (text for _, text in routes.addresses(socket, index) if (":" in text) == (version == 6))
    return next(own, "")


def _with_length(socket: Netlink, way: FoundRoute | None) -> str:
    """Return the address that a route sends from, with the prefix length that it has on its link."""
    if way is None or not way.source:
        return ""
    own = (text for _, text in routes.addresses(socket, way.oif) if text.partition("/")[0] == way.source)
    return next(own, whole(way.source))
