"""What of ours is in the kernel, in the plan's words.

The rule of this file: it only reads. ``missing`` looks at what it is asked about, ``read`` at everything; both make the
objects from what the kernel says, so that a difference in any field shows.
"""

from __future__ import annotations

from containernet.kernel import links, routes, sysctl
from containernet.kernel.door import VANISHED, KernelError
from containernet.kernel.links import Found
from containernet.kernel.netns import Spaces
from containernet.model.network import HOST, Place
from containernet.plan.objects import (
    PREFIXES,
    ROUTE_PROTOCOL,
    Address,
    Beside,
    Bridge,
    Macvlan,
    Neighbour,
    Object,
    Port,
    Resolver,
    Route,
    Rule,
    Sysctl,
    Up,
    Veth,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

DOWN = "-"  # no bridge: of a link that is none's port and not up


class View:
    """A look at the kernel; what it has seen once it keeps, so it is made for one question and thrown away."""

    def __init__(self, spaces: Spaces) -> None:
        self._spaces = spaces
        self._links: dict[Place, dict[int, Found]] = {}
        self._names: dict[str, Found | None] = {}
        self._addresses: dict[tuple[Place, int], set[str]] = {}
        self._routes: dict[Place, set[Route]] = {}
        self._rules: dict[Place, set[Rule]] = {}

    def has(self, wanted: Object) -> bool:
        """Tell whether an object (no table, no element, no setting) is in the kernel exactly so."""
        try:
            return self._has_beside(wanted) if isinstance(wanted, Beside) else self._has(wanted)
        except KernelError as error:
            if error.reason == VANISHED:
                return False
            raise

    def _has(self, wanted: Object) -> bool:
        match wanted:
            case Bridge():
                found = self._host_link(wanted.name)
                return found is not None and bridge(found) == wanted
            case Veth():
                found = self._host_link(wanted.name)
                return found is not None and self.veth(found, wanted.place) == wanted
            case Up():
                link = self._link(wanted.place, wanted.link)
                return link is not None and link.up
            case Address():
                link = self._link(wanted.place, wanted.link)
                return link is not None and wanted.address in self.addresses(wanted.place, link.index)
            case Route():
                alone = wanted.place == HOST and wanted.destination.endswith(("/32", "/128"))
                return self._leads(wanted) if alone else wanted in self.routes(wanted.place)
            case Rule():
                return wanted in self.rules(wanted.place)
        raise TypeError(wanted)

    def _leads(self, wanted: Route) -> bool:
        """Tell whether a route of the host to one address is there; there are as many as endpoints."""
        one = routes.matched(self._spaces.route(HOST), wanted.destination)
        link = self._host_link(wanted.link)
        if one is None or link is None or one.protocol != ROUTE_PROTOCOL or one.oif != link.index:
            return False
        return Route(HOST, one.destination, one.via, link.name, one.table, one.source) == wanted

    def _has_beside(self, wanted: Beside) -> bool:
        match wanted:
            case Macvlan():
                link = self._link(wanted.place, wanted.name)
                return link is not None and self.macvlan(link, wanted.place) == wanted
            case Port():
                link = self._host_link(wanted.link)
                return link is not None and bool(link.master) and self._master(link) == wanted.bridge
            case Resolver():
                from containernet.kernel import resolv

                return resolv.has(wanted)
            case Neighbour():
                from containernet.kernel import neighbours

                return neighbours.has(self._spaces.route(wanted.place), wanted)
        from containernet.kernel import held

        return held.has(self._spaces.route(HOST), wanted)

    def _host_link(self, name: str) -> Found | None:
        if name not in self._names:
            self._names[name] = links.find(self._spaces.route(HOST), name)
        return self._names[name]

    def _link(self, place: Place, name: str) -> Found | None:
        if place == HOST:
            return self._host_link(name)
        return next((link for link in self.links(place).values() if link.name == name), None)

    def links(self, place: Place) -> dict[int, Found]:
        """Return all links of a place by index."""
        if place not in self._links:
            self._links[place] = {link.index: link for link in links.every(self._spaces.route(place))}
        return self._links[place]

    def addresses(self, place: Place, index: int) -> set[str]:
        """Return the addresses of a link."""
        if (place, 0) in self._addresses:
            return self._addresses.get((place, index), set())
        if place != HOST:
            return self._all_addresses(place).get((place, index), set())
        if (HOST, index) not in self._addresses:  # the host may have many that are none of ours
            self._addresses[HOST, index] = {text for _, text in routes.addresses(self._spaces.route(HOST), index)}
        return self._addresses[HOST, index]

    def _all_addresses(self, place: Place) -> dict[tuple[Place, int], set[str]]:
        """Read the addresses of all links of a place."""
        self._addresses[place, 0] = set()
        for link, text in routes.addresses(self._spaces.route(place)):
            self._addresses.setdefault((place, link), set()).add(text)
        return self._addresses

    def routes(self, place: Place) -> set[Route]:
        """Return our routes in a place."""
        if place not in self._routes:
            found = routes.routes(self._spaces.route(place), ROUTE_PROTOCOL)
            names = {index: link.name for index, link in self.links(place).items()} if found else {}
            self._routes[place] = {
                Route(place, one.destination, one.via, names.get(one.oif, ""), one.table, one.source) for one in found
            }
        return self._routes[place]

    def rules(self, place: Place) -> set[Rule]:
        """Return our routing rules in a place."""
        if place not in self._rules:
            self._rules[place] = set(routes.rules(self._spaces.route(place), place))
        return self._rules[place]

    def neighbours(self, place: Place) -> set[Neighbour]:
        """Return our entries among the neighbours in a place."""
        from containernet.kernel import neighbours

        names = {index: link.name for index, link in self.links(place).items()}
        return neighbours.neighbours(self._spaces.route(place), place, names)

    def sysctls(self, wanted: Iterable[Sysctl]) -> set[Sysctl]:
        """Return the present state of many settings, those of a place read in one go."""
        places: dict[Place, list[str]] = {}
        for one in wanted:
            places.setdefault(one.place, []).append(one.key)
        found: set[Sysctl] = set()
        for place, keys in places.items():
            try:
                states = self._spaces.call(place, lambda keys=keys: sysctl.read_many(keys))  # type: ignore[misc]
            except KernelError:
                continue
            found |= {Sysctl(place, key, value) for key, value in states.items()}
        return found

    def veth(self, host: Found, place: Place) -> Veth:
        """Return the pair of the host's end; if its other end is not in the place, with place HOST and no peer."""
        peer = None if place == HOST else self.links(place).get(host.other)
        hairpin = bool(host.hairpin) or not host.master  # what is no port has no such mode
        if host.kind != "veth" or peer is None or peer.other != host.index or peer.kind != "veth":
            return Veth(host.name, HOST, "", "", host.mtu, self._bridge_of(host), host.group, host.alias, hairpin)
        mtu = host.mtu if host.mtu == peer.mtu else 0  # two ends that differ are no pair of any object
        return Veth(host.name, place, peer.name, peer.mac, mtu, self._bridge_of(host), host.group, host.alias, hairpin)

    def _bridge_of(self, host: Found) -> str:
        """Return the bridge whose working port a link is, "" for a working link that is none's port."""
        if host.master:
            return self._master(host) if host.up else ""
        return "" if host.up else DOWN

    def _master(self, link: Found) -> str:
        if HOST in self._links:
            master = self._links[HOST].get(link.master)
        else:
            master = links.find(self._spaces.route(HOST), index=link.master)
        return master.name if master else ""

    def macvlan(self, link: Found, place: Place) -> Macvlan:
        """Return a macvlan; one that is of another kind or whose parent is not there has no parent."""
        parent = links.find(self._spaces.route(HOST), index=link.other) if link.kind == "macvlan" else None
        return Macvlan(place, link.name, link.mac, link.mtu, parent.name if parent else "", link.group, link.alias)

    def everything(self, places: Iterable[Place]) -> set[Object]:
        """Return all of ours on the host and in places, but for the table, its elements and the settings."""
        host = self.links(HOST)
        mine = {link.index: link for link in host.values() if link.name.startswith(PREFIXES)}
        found: set[Object] = {bridge(link) for link in mine.values() if link.kind == "bridge"}
        self._all_addresses(HOST)
        for link in mine.values():
            if link.kind == "bridge" or not link.master:
                found |= {Address(HOST, link.name, text) for text in self.addresses(HOST, link.index)}
        bridges = {link.index: link.name for link in mine.values() if link.kind == "bridge"}
        ports = (link for link in host.values() if link.master in bridges and link.index not in mine)
        found |= {Port(bridges[link.master], link.name) for link in ports}
        for link in mine.values():
            if link.kind == "macvlan":
                found |= {self.macvlan(link, HOST), *([Up(HOST, link.name)] if link.up else [])}
        found |= self.routes(HOST) | self.rules(HOST) | self.neighbours(HOST)
        ends = {link.index: link for link in mine.values() if link.kind == "veth"}
        placed: set[int] = set()
        for place in places:
            try:
                found |= self._place(place, ends, placed)
            except KernelError as error:
                if error.reason != VANISHED:
                    raise
        return found | {self.veth(ends[index], HOST) for index in ends.keys() - placed}

    def _place(self, place: Place, ends: dict[int, Found], placed: set[int]) -> set[Object]:
        found: set[Object] = {*self.routes(place), *self.rules(place), *self.neighbours(place)}
        for link in self.links(place).values():
            end = ends.get(link.other) if link.kind == "veth" else None
            if end is not None and end.other == link.index:
                placed.add(end.index)
                found.add(self.veth(end, place))
                found |= {Address(place, link.name, text) for text in self.addresses(place, link.index)}
            elif link.kind == "macvlan":
                found.add(self.macvlan(link, place))
                found |= {Address(place, link.name, text) for text in self.addresses(place, link.index)}
            elif link.name != "lo":
                continue
            if link.up:
                found.add(Up(place, link.name))
        return found


def bridge(found: Found) -> Bridge:
    """Return a bridge; one that is down or runs the spanning tree protocol has no MAC here: so it differs from any."""
    working = found.kind == "bridge" and found.up and not found.stp
    return Bridge(found.name, found.mac if working else "", found.mtu, found.group, found.alias, found.plain)
