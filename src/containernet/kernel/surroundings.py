"""What else stands in a namespace: links, routes, and how the host itself gets out.

The rule of this file: facts for choosing (names, prefixes, an uplink), nothing of ours or anybody's is judged here.
"""

from __future__ import annotations

from containernet.kernel import links, routes
from containernet.kernel.door import Link, Surroundings
from containernet.kernel.netlink import Netlink
from containernet.kernel.routes import FoundRoute
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
