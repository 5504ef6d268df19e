"""The kernel of this host, behind the door.

The rule of this file: it only hands each question and each operation to the part that knows the kernel's words for it,
and turns every refusal into a :class:`KernelError`. Sockets are opened when first needed, and all let go by ``close``.
"""

from __future__ import annotations

import os
from _socket import if_nametoindex

from containernet.kernel import links, routes, surroundings, sysctl
from containernet.kernel.announce import announce
from containernet.kernel.door import (
    DENIED,
    Chain,
    Child,
    Guard,
    KernelError,
    Present,
    Probe,
    Surroundings,
    Uplink,
    WayOut,
)
from containernet.kernel.netlink import NETFILTER, Netlink
from containernet.kernel.netns import Spaces
from containernet.kernel.refusals import action, explained
from containernet.kernel.view import View
from containernet.model.network import HOST, Place
from containernet.plan.objects import (
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
    Rule,
    Sysctl,
    Table,
    Up,
    Veth,
)
from containernet.plan.operations import Add, Announce, Change, Cut, Elements, Operation, Remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    from containernet.kernel.beside import Beside
    from containernet.kernel.door import Heard
    from containernet.kernel.elements import Sets

    T = TypeVar("T")


_NEEDED = 1 << 12 | 1 << 21  # CAP_NET_ADMIN, CAP_SYS_ADMIN


def powers() -> int:
    """Return the effective capabilities of this process, as proc(5) has them."""
    with open("/proc/self/status", "rb") as lines:
        return next((int(line.split()[1], 16) for line in lines if line.startswith(b"CapEff:")), 0)


class Linux:
    """See :class:`containernet.kernel.door.Kernel`. One thread uses one of these."""

    def __init__(self) -> None:
        self._spaces = Spaces()
        self._filter: Netlink | None = None
        self._elements: Sets | None = None

    def world(self) -> str:
        """Return ``<boot id>:<cookie of the host's namespace>``."""
        with open("/proc/sys/kernel/random/boot_id") as boot:
            started = boot.read().strip()
        return f"{started}:{_guarded('number namespaces', lambda: self._spaces.route(HOST).cookie())}"

    def identify(self, path: str) -> Place:
        """Return the place behind a path."""
        return _guarded(f"open the namespace {path}", lambda: self._spaces.identify(path))

    def surroundings(self, place: Place) -> Surroundings:
        """Return what else stands in a namespace."""
        return _guarded("show its links", lambda: surroundings.read(self._spaces.route(place)))

    def way_out(self, link: str = "") -> WayOut:
        """Return how the host reaches the outside."""
        return _guarded("show its way out", lambda: surroundings.way_out(self._spaces.route(HOST), link))

    def permit(self) -> None:
        """Raise DENIED if this process lacks a capability (capabilities(7))."""
        if powers() & _NEEDED != _NEEDED:
            raise KernelError(
                DENIED, "Only root may change the network of this host.",
                "Run it as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN.",
            )  # fmt: skip

    def chains(self) -> tuple[Chain, ...]:
        """Return the base chains of others that see forwarded packets."""
        from containernet.kernel import strangers

        return _guarded("show its firewall", lambda: strangers.chains(self._netfilter()))

    def has_address(self, address: str) -> bool:
        """Tell whether an address is one of the host's own."""
        return _guarded("show a route", lambda: routes.is_local(self._spaces.route(HOST), address))

    def link_names(self) -> set[str]:
        """Return the names of the host's links."""
        from _socket import if_nameindex

        return {name for _, name in if_nameindex()}

    def exists(self, link: str) -> bool:
        """Tell whether the host has a link of this name."""
        return _guarded("show its links", lambda: links.find(self._spaces.route(HOST), link) is not None)

    def do(self, operation: Operation) -> None:
        """Do one operation."""
        try:
            self._do(operation)
        except OSError as error:
            raise explained(action(operation), error) from error

    def _do(self, operation: Operation) -> None:
        match operation:
            case Add(Macvlan() | Port() | Neighbour() | HeldAddress() | HeldRoute() | Resolver()):
                self._beside().add(operation.object)
            case Remove(Macvlan() | Port() | Neighbour() | HeldAddress() | HeldRoute() | Resolver()):
                self._beside().remove(operation.object)
            case Change(_, Macvlan() | Neighbour() | Resolver()):
                self._beside().change(operation.after)
            case Add():
                self._add(operation.object)
            case Remove():
                self._remove(operation.object)
            case Change():
                self._change(operation.before, operation.after)
            case Elements():
                self._sets().change(operation.add, operation.remove)
            case Cut():
                from containernet.kernel.conntrack import cut

                cut(self._netfilter(), [operation], self.has_address)
            case Announce():
                self._announce(operation)

    def _announce(self, wanted: Announce) -> None:
        if wanted.place != HOST:
            return announce(self._spaces, wanted)
        from containernet.kernel.tell import tell

        return tell(self._spaces.route(HOST), wanted.link, wanted.addresses)

    def _add(self, thing: Object) -> None:
        route = self._spaces.route
        match thing:
            case Bridge():
                links.add_bridge(route(HOST), thing)
            case Veth():
                self._add_veth(thing)
            case Up():
                links.set_up(route(thing.place), thing.link, True)
            case Address():
                routes.add_address(route(thing.place), thing)
            case Route():
                routes.add_route(route(thing.place), thing)
            case Rule():
                routes.add_rule(route(thing.place), thing)
            case Sysctl():
                self._spaces.call(thing.place, lambda: sysctl.write(thing.key, thing.value))
            case Element():
                self._sets().change((thing,), ())
            case Table():
                from containernet.kernel import table

                table.add(thing)

    def _remove(self, thing: Object) -> None:
        route = self._spaces.route
        match thing:
            case Bridge() | Veth():
                links.remove(route(HOST), thing)
            case Up():
                links.set_up(route(thing.place), thing.link, False)
                if thing.link == "lo":
                    routes.forget_loopback(route(thing.place))
            case Address():
                routes.remove_address(route(thing.place), thing)
            case Route():
                routes.remove_route(route(thing.place), thing)
            case Rule():
                routes.remove_rule(route(thing.place), thing)
            case Sysctl():
                pass  # a setting has no absence; who wants its former value back asks for a Change
            case Element():
                self._sets().change((), (thing,))
            case Table():
                from containernet.kernel import table

                table.remove()

    def _change(self, before: Object, after: Object) -> None:
        match after:
            case Bridge():
                links.change_bridge(self._spaces.route(HOST), after)
            case Veth():
                links.change_veth(self._spaces.route(HOST), after)
                index = if_nametoindex(after.name)
                links.change_peer(self._spaces.route(after.place), index, after)
            case Sysctl():
                self._spaces.call(after.place, lambda: sysctl.write(after.key, after.value))
            case Element() if isinstance(before, Element):
                self._sets().change((after,), (before,))
            case Table():
                from containernet.kernel import table

                table.repair(self._netfilter(), after, self._sets())
            case Route():
                routes.replace_route(self._spaces.route(after.place), after)
            case _:
                self._remove(before)
                self._add(after)

    def _add_veth(self, veth: Veth) -> None:
        descriptor = self._spaces.open(veth.place)
        try:
            links.add_veth(self._spaces.route(HOST), veth, descriptor)
        finally:
            os.close(descriptor)

    def _beside(self) -> Beside:
        from containernet.kernel.beside import Beside

        return Beside(self._spaces)

    def missing(self, objects: Iterable[Object]) -> list[Object]:
        """Return those of the objects that are not there exactly so, in their order."""
        wanted = list(objects)
        elements = [one for one in wanted if isinstance(one, Element)]
        return _guarded("show what is there", lambda: self._missing(wanted, elements))

    def _missing(self, wanted: list[Object], elements: list[Element]) -> list[Object]:
        gone: set[Object] = set(self._sets().missing(elements)) if elements else set()
        view = View(self._spaces)
        settings = [one for one in wanted if isinstance(one, Sysctl)]
        gone |= set(settings) - view.sysctls(settings)  # together: each change of threads costs 40 us
        known = Element | Sysctl
        return [one for one in wanted if (one in gone if isinstance(one, known) else not self._has(view, one))]

    def _has(self, view: View, one: Object) -> bool:
        if not isinstance(one, Table):
            return view.has(one)
        from containernet.kernel import table

        socket = self._netfilter()
        expected = table.expected(one.text)  # first: it says so if libnftables is missing
        return table.mark(socket) == one.mark and table.shape(socket) == expected

    def read(self, places: Iterable[Place], sysctls: Iterable[Object]) -> set[Object]:
        """Return all of ours."""
        return _guarded("show what is there", lambda: self._read(places, sysctls))

    def _read(self, places: Iterable[Place], sysctls: Iterable[Object]) -> set[Object]:
        from containernet.kernel import resolv, table
        from containernet.plan.ruleset import SETS

        view = View(self._spaces)
        found = view.everything(places) | resolv.read()
        found |= view.sysctls(one for one in sysctls if isinstance(one, Sysctl))
        self._spaces.leave()  # no namespace is kept alive by having been looked at
        ours = table.present(self._netfilter())
        if ours is None:
            return found
        found.add(ours)
        for name in SETS:
            found |= set(self._sets().read(name))
        return found

    def setting(self, place: Place, key: str) -> str:
        """Return the present value of a sysctl."""
        return _guarded(f"show the setting {key}", lambda: self._spaces.call(place, lambda: sysctl.read(key)))

    def owner(self) -> int:
        """Return the mark of the table of our name."""
        from containernet.kernel import table

        return _guarded("show our table", lambda: table.mark(self._netfilter()))

    def busy_port(self, protocol: str, address: str, first: int, last: int) -> tuple[int, str] | None:
        """Return the first port of the range that a process of the host has bound, and what is known of it."""
        from containernet.kernel.ports import busy

        return _guarded(f"try {protocol} ports", lambda: busy(protocol, address, first, last))

    def take(self, pairs: Sequence[Veth], cuts: Sequence[Cut]) -> None:
        """Remove pairs, then forget connections."""
        route = self._spaces.route(HOST)
        there = _guarded("show links", lambda: [pair for pair in pairs if links.is_there(route, pair)])
        if len(there) == 1:
            _guarded(f"remove {there[0].name}", lambda: links.remove(route, there[0]))
        elif there:
            self.flush_group(pair.name for pair in there)
        if cuts:
            from containernet.kernel.conntrack import cut

            _guarded("forget connections", lambda: cut(self._netfilter(), cuts, self.has_address))

    def flush_group(self, names: Iterable[str]) -> None:
        """Remove many links in one go."""
        group = 0x40000000 | int.from_bytes(os.urandom(3), "big")  # nobody else's: it is chosen now
        _guarded("remove links", lambda: links.remove_together(self._spaces.route(HOST), list(names), group))

    def start(self, command: tuple[str, ...], path: str, name: str = "") -> Child:
        """Return a process that waits in a namespace."""
        from containernet.kernel.child import Process

        return _guarded("start a process", lambda: Process(command, path, name))

    def uplink(self, name: str) -> Uplink:
        """Return a link of the host with all that is to be known of it."""
        from containernet.kernel import uplink

        return _guarded(f"show the link {name}", lambda: uplink.read(self._spaces.route(HOST), name))

    def present(self, place: Place, link: str) -> Present:
        """Return what a container's interface has now."""
        from containernet.kernel import uplink

        return _guarded(f"show the link {link}", lambda: uplink.present(self._spaces.route(place), link))

    def advertised(self, place: Place, link: str) -> Heard:
        """Return what routers have told a container's interface."""
        return _guarded(f"show the link {link}", lambda: self._beside().advertised(place, link))

    def answers(self, link: str, address: str) -> str:
        """Return the MAC address of who answers for an address on a link of the host."""
        from containernet.kernel import reach

        return _guarded(f"ask for {address} on {link}", lambda: reach.answers(self._spaces.route(HOST), link, address))

    def probe(self, link: str, gateway: str) -> Probe:
        """Ask what answers a MAC address that is not the host's."""
        from containernet.kernel.probe import probe

        return _guarded(f"ask on {link}", lambda: probe(self._spaces.route(HOST), link, gateway))

    def guard(self, undoing: Sequence[Operation], note: str, word: str, seconds: float) -> Guard:
        """Return a process that undoes what this one may not come to undo."""
        from containernet.kernel.guard import Watchdog

        return _guarded("start a watchdog", lambda: Watchdog(undoing, note, word, seconds, Linux))

    def confirm(self, word: str) -> bool:
        """Give the word that somebody waits for."""
        from containernet.kernel import guard

        return _guarded("give the word", lambda: guard.confirm(word))

    def install(self, package: str) -> None:
        """Install a package of the system (apt-get(8))."""
        from containernet.kernel import packages

        packages.install(package)

    def close(self) -> None:
        """Let go of every socket and thread."""
        self._spaces.close()
        if self._filter is not None:
            self._filter.close()
            self._filter = self._elements = None

    def _netfilter(self) -> Netlink:
        if self._filter is None:
            self._filter = Netlink(NETFILTER)
        return self._filter

    def _sets(self) -> Sets:
        if self._elements is None:
            from containernet.kernel.elements import Sets

            self._elements = Sets(self._netfilter())
        return self._elements


def _guarded(what: str, function: Callable[[], T]) -> T:
    try:
        return function()
    except OSError as error:
        raise explained(what, error) from error
