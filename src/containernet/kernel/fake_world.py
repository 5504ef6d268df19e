"""What a kernel in memory holds, and the handles by which a test plays the rest of the world.

The rule of this file: state, and what goes with what when something goes; what is allowed is said in ``fake``.
"""

from __future__ import annotations

from containernet.kernel.door import ABSENT, VANISHED, Chain, KernelError, Surroundings
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
    Table,
    Up,
    Veth,
)
from containernet.plan.operations import Announce, Cut

LOOPBACK = "lo"


class FakeWorld:
    """Namespaces, links and settings, ours and others'."""

    def __init__(self, boot: str = "00000000-0000-0000-0000-000000000001") -> None:
        self.boot = boot
        self.objects: dict[tuple[object, ...], Object] = {}
        self.settings: dict[tuple[Place, str], str] = {}
        self.cuts: list[Cut] = []
        self.announced: list[Announce] = []
        self.foreign: dict[Place, Surroundings] = {HOST: Surroundings((), ())}
        self.foreign_chains: list[Chain] = []
        self.installed: list[str] = []
        self.strangers: dict[str, str] = {}  # links of the host that are not ours: name to kind
        self._namespaces: dict[str, Place] = {}
        self._bound: list[tuple[str, str, int, str]] = []
        self._cookie = 1
        self.closed = False

    def add_namespace(self, path: str) -> Place:
        """Make a namespace; one that stood at the path is gone."""
        self.remove_namespace(path)
        self._cookie += 1
        place = self._namespaces[path] = Place(path, self._cookie)
        self.foreign[place] = Surroundings((), ())
        return place

    def remove_namespace(self, path: str) -> None:
        """Remove a namespace and the veth pairs that reach into it."""
        place = self._namespaces.pop(path, None)
        if place is None:
            return
        for one in list(self.objects.values()):
            if place_of(one) == place:
                self.objects.pop(one.identity, None)
                if isinstance(one, Veth):
                    self._take_ends({(HOST, one.name)}, "")
        self.settings = {key: value for key, value in self.settings.items() if key[0] != place}

    def flush_ruleset(self) -> None:
        """Do what ``nft flush ruleset`` does."""
        self.objects = {key: one for key, one in self.objects.items() if not isinstance(one, Table | Element)}

    def damage_table(self) -> None:
        """Change a rule of our table behind our back."""
        table = self.objects[("table",)]
        assert isinstance(table, Table)
        self.objects["table",] = Table(table.mark, "")

    def delete_link(self, name: str) -> None:
        """Do what ``ip link delete`` does, whosever it is."""
        self.strangers.pop(name, None)
        if ("link", name) in self.objects:
            self._take_link(name)
        shim = self.objects.get(("macvlan", HOST, name))
        if isinstance(shim, Macvlan):
            self._take_macvlan(shim)

    def add_stranger(self, name: str, kind: str = "dummy") -> None:
        """Make a link of the host that is not ours."""
        self.strangers[name] = kind

    def set_setting(self, place: Place, key: str, value: str) -> None:
        """Make a setting exist, or change it."""
        self.settings[place, key] = value

    def bind_port(self, protocol: str, address: str, port: int, holder: str = "pid 1 (init)") -> None:
        """Have a process of the host bind a port; address "" is the wildcard."""
        self._bound.append((protocol, address, port, holder))

    def reboot(self) -> None:
        """Lose everything."""
        self.boot = self.boot[:-1] + format((int(self.boot[-1], 16) + 1) % 16, "x")
        self.objects.clear()
        self._namespaces.clear()
        self.settings = {key: value for key, value in self.settings.items() if key[0] == HOST}

    def _take_link(self, name: str) -> None:
        """Remove a link and what stands on either of its ends; a bridge's ports stay, without a bridge."""
        found = self.objects.pop(("link", name))
        ends = {(HOST, name)}
        if isinstance(found, Veth):
            ends.add((found.place, found.peer))
        self._take_ends(ends, name)

    def _take_macvlan(self, gone: Macvlan) -> None:
        del self.objects[gone.identity]
        self._take_ends({(gone.place, gone.name)}, "")

    def _take_ends(self, ends: set[tuple[Place, str]], name: str) -> None:
        for key, one in list(self.objects.items()):
            if key not in self.objects:
                continue
            here = (place_of(one), getattr(one, "link", "")) in ends
            if here or (isinstance(one, Port) and one.bridge == name):
                del self.objects[key]
            elif isinstance(one, Macvlan) and (HOST, one.parent) in ends:
                self._take_macvlan(one)
            elif isinstance(one, Veth) and name and one.bridge == name:
                self.objects[key] = Veth(one.name, one.place, one.peer, one.mac, one.mtu, "", one.group, one.alias)
        for place, key_name in list(self.settings):
            if any(place == where and f"/{link}/" in key_name for where, link in ends):
                del self.settings[place, key_name]

    def _set_down(self, up: Up) -> None:
        """Set a link down: its routes go, its neighbours, and its IPv6 addresses (ip-sysctl.rst, keep_addr_on_down)."""
        self.objects.pop(up.identity, None)
        for key, one in list(self.objects.items()):
            goes = isinstance(one, Route | Neighbour) or (isinstance(one, Address) and ":" in one.address)
            if goes and isinstance(one, Route | Neighbour | Address) and (one.place, one.link) == (up.place, up.link):
                del self.objects[key]

    def _leave_family(self, gone: Address) -> None:
        """With its last IPv4 address a link loses its IPv4 routes; IPv6 ones stay."""
        if ":" in gone.address or any(":" not in text for text in self._addresses(gone.place, gone.link)):
            return
        for key, one in list(self.objects.items()):
            here = isinstance(one, Route) and (one.place, one.link) == (gone.place, gone.link)
            if here and isinstance(one, Route) and ":" not in one.destination and one.destination != "default6":
                del self.objects[key]

    def _addresses(self, place: Place, link: str) -> tuple[str, ...]:
        every = (one for one in self.objects.values() if isinstance(one, Address))
        return tuple(one.address for one in every if (one.place, one.link) == (place, link))

    def _enter(self, place: Place) -> None:
        now = self._namespaces.get(place.path)
        if place != HOST and (now is None or place.cookie not in (0, now.cookie)):
            raise KernelError(VANISHED, f"There is no network namespace at {place.path} any more.")

    def _peer(self, place: Place, name: str) -> bool:
        pairs = (one for one in self.objects.values() if isinstance(one, Veth))
        return ("macvlan", place, name) in self.objects or any((one.place, one.peer) == (place, name) for one in pairs)

    def _routes_over(self, place: Place, link: str) -> list[Route]:
        every = (one for one in self.objects.values() if isinstance(one, Route))
        return [one for one in every if (one.place, one.link) == (place, link)]

    def _need_link(self, place: Place, name: str) -> None:
        self._enter(place)
        others = {*self.strangers, *(one.name for one in self.foreign[HOST].links)}
        on_host = place == HOST and (("link", name) in self.objects or name in others)
        if not (name == LOOPBACK or on_host or self._peer(place, name)):
            raise KernelError(ABSENT, f"There is no link {name}.")


def place_of(thing: Object) -> Place:
    nowhere = isinstance(thing, Bridge | Table | Element | Port | HeldAddress | HeldRoute | Resolver)
    return HOST if nowhere else thing.place  # type: ignore[union-attr]
