"""A kernel in memory: for tests of ours and of whoever builds on us, and for ``--dry-run`` without a host.

The rule of this file: it refuses exactly what Linux refuses, for the same reason (``tests/contract`` holds both to the
same suite), and what goes with a thing when that is removed goes here too. Its helpers play the rest of the world.
"""

from __future__ import annotations

from containernet.kernel.door import (
    ABSENT,
    EXISTS,
    FULL,
    OTHER,
    UNSUPPORTED,
    Chain,
    Child,
    KernelError,
    Link,
    Surroundings,
    WayOut,
)
from containernet.kernel.fake_uplink import FakeUplinks
from containernet.kernel.fake_world import LOOPBACK, place_of
from containernet.model.address import contains, family
from containernet.model.network import BRIDGE_PORTS, HOST, Place
from containernet.plan.objects import (
    TABLE,
    Address,
    Bridge,
    Element,
    HeldAddress,
    HeldRoute,
    Macvlan,
    Neighbour,
    Object,
    Port,
    Resolver,
    Route,
    Sysctl,
    Table,
    Up,
    Veth,
)
from containernet.plan.operations import Add, Announce, Change, Cut, Elements, Operation, Remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class FakeKernel(FakeUplinks):
    """See :class:`containernet.kernel.door.Kernel`."""

    def world(self) -> str:
        """Return a word that changes with every start."""
        return f"{self.boot}:1"

    def identify(self, path: str) -> Place:
        """Return the place behind a path."""
        if path not in self._namespaces:
            raise KernelError(ABSENT, f"There is no network namespace at {path}.")
        return self._namespaces[path]

    def surroundings(self, place: Place) -> Surroundings:
        """Return what was put into ``foreign``, and our links."""
        self._enter(place)
        known = self.foreign.get(place, Surroundings((), ()))
        links = list(known.links)
        for one in self.objects.values():
            if isinstance(one, Veth) and one.place == place:
                up = Up(place, one.peer).identity in self.objects
                links.append(Link(one.peer, "veth", up, one.mtu, 0, self._addresses(place, one.peer)))
            if isinstance(one, Macvlan) and one.place == place:
                up = Up(place, one.name).identity in self.objects
                links.append(Link(one.name, "macvlan", up, one.mtu, one.group, self._addresses(place, one.name)))
            if place == HOST and isinstance(one, Bridge | Veth):
                kind = type(one).__name__.lower()
                links.append(Link(one.name, kind, True, one.mtu, one.group, self._addresses(HOST, one.name), one.alias))
        links += [Link(name, kind, True, 1500, 0, ()) for name, kind in self.strangers.items() if place == HOST]
        return Surroundings(tuple(links), known.routes, known.default4, known.default6, known.prefers)

    def way_out(self, link: str = "") -> WayOut:
        """Return what the host's default routes in ``foreign`` say."""
        known = self.foreign[HOST]
        links = {one.name: one for one in known.links}
        link4, link6 = (link, link) if link else (known.default4, known.default6)
        first = links.get(link4 or link6)
        return WayOut(
            link4 if _source(links, link4, known.prefers, 4) else "", _source(links, link4, known.prefers, 4),
            link6 if _source(links, link6, known.prefers, 6) else "", _source(links, link6, known.prefers, 6),
            first.mtu if first else 0,
        )  # fmt: skip

    def permit(self) -> None:
        """Everybody may."""

    def chains(self) -> tuple[Chain, ...]:
        """Return what was put into ``foreign_chains``."""
        return tuple(self.foreign_chains)

    def has_address(self, address: str) -> bool:
        """Tell whether a link of the host has an address."""
        held = (text for one in self.surroundings(HOST).links for text in one.addresses)
        return any(text.partition("/")[0] == address for text in held)

    def link_names(self) -> set[str]:
        """Return the names of the host's links."""
        return {one.name for one in self.surroundings(HOST).links}

    def exists(self, link: str) -> bool:
        """Tell whether the host has a link."""
        return link in self.link_names()

    def do(self, operation: Operation) -> None:
        """Do one operation: all of it or nothing."""
        match operation:
            case Add():
                self._add(operation.object)
            case Remove():
                self._remove(operation.object)
            case Change():
                self._change(operation.before, operation.after)
            case Elements():
                self._elements(operation.add, operation.remove)
            case Cut():
                self.cuts.append(operation)
            case Announce():
                self._need_link(operation.place, operation.link)
                self.announced.append(operation)

    def _add(self, thing: Object) -> None:
        if isinstance(thing, Element):
            return self._elements((thing,), ())
        if isinstance(thing, Sysctl):
            return self._set(thing)
        self._enter(place_of(thing))
        if thing.identity in self.objects and not isinstance(thing, Up):
            raise KernelError(EXISTS, f"The kernel refused to add {thing}: File exists.")
        self._allow(thing)
        self.objects[thing.identity] = thing
        return None

    def _allow(self, thing: Object) -> None:
        """Refuse what lacks something or stands in the way of something."""
        match thing:
            case Bridge() if thing.name in self.strangers:
                raise KernelError(EXISTS, f"The kernel refused to add bridge {thing.name}: File exists.")
            case Veth():
                self._allow_veth(thing)
            case Macvlan():
                self._allow_macvlan(thing)
            case Port():
                self._allow_port(thing)
            case HeldAddress() | HeldRoute():
                self._allow_held(thing)
            case Resolver():
                self._allow_resolver(thing)
            case Up() | Address() | Route() | Neighbour():
                self._need_link(thing.place, thing.link)
                if isinstance(thing, Route):
                    self._allow_route(thing)

    def _allow_veth(self, veth: Veth) -> None:
        if veth.name in self.strangers or self._peer(veth.place, veth.peer) or veth.peer == LOOPBACK:
            raise KernelError(EXISTS, f"The kernel refused to add veth {veth.name}: File exists.")
        if not veth.bridge:
            return
        if not isinstance(self.objects.get(("link", veth.bridge)), Bridge):
            raise KernelError(ABSENT, f"There is no bridge {veth.bridge}.")
        if sum(isinstance(one, Veth) and one.bridge == veth.bridge for one in self.objects.values()) >= BRIDGE_PORTS:
            raise KernelError(FULL, f"The bridge {veth.bridge} has no port left.")

    def _allow_route(self, route: Route) -> None:
        if route.place != HOST and Up(route.place, route.link).identity not in self.objects:
            raise KernelError(OTHER, f"The kernel refused to add route {route.destination}: Network is down.")
        near = {*self._addresses(route.place, route.link)}
        near |= {one.destination for one in self._routes_over(route.place, route.link) if not one.via}
        near |= {"fe80::/64"}  # an interface has a link-local address
        if route.via and not any(contains(prefix, route.via) for prefix in near):
            raise KernelError(OTHER, f"The kernel refused to add route {route.destination}: Network is unreachable.")

    def _remove(self, thing: Object) -> None:
        if isinstance(thing, Element):
            return self._elements((), (thing,))
        if isinstance(thing, Sysctl):
            return None
        self._enter(place_of(thing) if not isinstance(thing, Veth) else HOST)
        if isinstance(thing, Up):
            self._need_link(thing.place, thing.link)
            self._set_down(thing)
            return None
        if isinstance(thing, Bridge | Veth):
            self._ours(thing)
            return self._take_link(thing.name)
        if isinstance(thing, Macvlan | Resolver):
            return self._take_beside(thing)
        if thing.identity not in self.objects:
            raise KernelError(ABSENT, f"The kernel refused to remove {thing}: it is not there.")
        if isinstance(thing, Table):
            return self.flush_ruleset()
        del self.objects[thing.identity]
        if isinstance(thing, Address):
            self._leave_family(thing)
        if isinstance(thing, HeldAddress):
            self._without_address(thing)
        return None

    def _take_beside(self, thing: Macvlan | Resolver) -> None:
        if isinstance(thing, Resolver):
            return self._take_resolver(thing)
        self._our_macvlan(thing)
        return self._take_macvlan(thing)

    def _ours(self, thing: Bridge | Veth) -> None:
        found = self.objects.get(thing.identity)
        if thing.name in self.strangers or (isinstance(found, Bridge | Veth) and found.group != thing.group):
            raise KernelError(EXISTS, f"The link {thing.name} is somebody else's: it does not carry our mark.")
        if type(found) is not type(thing):
            raise KernelError(ABSENT, f"There is no link {thing.name}.")

    def _change(self, before: Object, after: Object) -> None:
        if isinstance(after, Element) and isinstance(before, Element):
            return self._elements((after,), (before,))
        if isinstance(after, Sysctl):
            return self._set(after)
        if isinstance(after, Resolver):
            return self._change_resolver(after)
        self._enter(place_of(after))
        if isinstance(after, Bridge | Veth):
            self._ours(after)
        elif isinstance(after, Macvlan):
            self._our_macvlan(after)
        elif isinstance(after, Route | Neighbour):
            self._allow(after)  # put in the place of another, or where there is none
        elif after.identity not in self.objects:
            raise KernelError(ABSENT, f"The kernel refused to change {after}: it is not there.")
        self.objects[after.identity] = after
        return None

    def _set(self, wanted: Sysctl) -> None:
        self.setting(wanted.place, wanted.key)
        self.settings[wanted.place, wanted.key] = wanted.value

    def _elements(self, add: Iterable[Element], remove: Iterable[Element]) -> None:
        """Remove, then add, on a copy: all or nothing."""
        add, remove = tuple(add), tuple(remove)
        if (add or remove) and ("table",) not in self.objects:
            raise KernelError(ABSENT, f"There is no table inet {TABLE}.")
        objects = dict(self.objects)
        for one in remove:
            if objects.pop(one.identity, None) is None:
                raise KernelError(ABSENT, f"There is no element {one.key} in {one.set}.")
        for one in add:
            if objects.setdefault(one.identity, one) != one:
                raise KernelError(EXISTS, f"The element {one.key} of {one.set} leads elsewhere already.")
        self.objects = objects

    def missing(self, objects: Iterable[Object]) -> list[Object]:
        """Return those of the objects that are not there exactly so."""
        return [one for one in objects if not self._has(one)]

    def _has(self, one: Object) -> bool:
        if isinstance(one, Sysctl):
            return self.settings.get((one.place, one.key)) == one.value
        found = self.objects.get(one.identity)
        return found is not None if isinstance(one, HeldAddress | HeldRoute) else found == one

    def read(self, places: Iterable[Place], sysctls: Iterable[Object]) -> set[Object]:
        """Return all of ours."""
        seen = {HOST, *places}
        held = HeldAddress | HeldRoute
        found: set[Object] = {
            one for one in self.objects.values() if place_of(one) in seen and not isinstance(one, held)
        }
        for one in self.objects.values():
            if isinstance(one, Veth) and one.place not in seen:
                found.add(Veth(one.name, HOST, "", "", one.mtu, one.bridge, one.group, one.alias, one.hairpin))
        states = [(one, self.settings.get((one.place, one.key))) for one in sysctls if isinstance(one, Sysctl)]
        found |= self._traces()
        return found | {Sysctl(one.place, one.key, value) for one, value in states if value is not None}

    def setting(self, place: Place, key: str) -> str:
        """Return the present value of a setting that ``set_setting`` made."""
        self._enter(place)
        if not key.startswith("net/"):
            raise KernelError(OTHER, f"{key!r} is not a network setting.")
        if (place, key) not in self.settings:
            raise KernelError(ABSENT, f"There is no setting {key}.")
        return self.settings[place, key]

    def owner(self) -> int:
        """Return the mark of our table."""
        table = self.objects.get(("table",))
        return table.mark if isinstance(table, Table) else 0

    def busy_port(self, protocol: str, address: str, first: int, last: int) -> tuple[int, str] | None:
        """Return the first port of the range that ``bind_port`` bound."""
        for bound, where, port, holder in sorted(self._bound, key=lambda one: one[2]):
            loopback = where.startswith("127.") or where == "::1"
            in_the_way = not where or (where == address if address else not loopback)
            if bound == protocol and first <= port <= last and in_the_way:
                return port, holder
        return None

    def take(self, pairs: Sequence[Veth], cuts: Sequence[Cut]) -> None:
        """Remove veth pairs, as far as they are there, and note the connections to forget."""
        for pair in pairs:
            try:
                self.do(Remove(pair))
            except KernelError as error:
                if error.reason != ABSENT:
                    raise
        for cut in cuts:
            self.do(cut)

    def flush_group(self, names: Iterable[str]) -> None:
        """Remove many links."""
        for name in names:
            self.delete_link(name)

    def start(self, command: tuple[str, ...], path: str, name: str = "") -> Child:  # noqa: ARG002
        """No process runs in memory."""
        raise KernelError(UNSUPPORTED, f"This kernel is in memory: {command[0]} cannot run in {path or 'it'}.")

    def install(self, package: str) -> None:
        """Note what was asked for."""
        self.installed.append(package)

    def close(self) -> None:
        """Note that it was called."""
        self.closed = True


def _source(links: dict[str, Link], name: str, prefers: tuple[str, ...], version: int) -> str:
    """Return the address that a link's traffic has: a preferred one, else its first."""
    own = [text for text in (links[name].addresses if name in links else ()) if family(text) == version]
    return next((text for text in own if text.partition("/")[0] in prefers), own[0] if own else "")
