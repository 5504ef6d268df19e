"""The host's uplinks in a kernel in memory: what networks without NAT stand on, and who answers there.

The rule of this file: as ``fake``: it refuses what Linux refuses. ``hold`` gives the host addresses and routes that are
there again after a restart; ``silent`` are the addresses that nobody answers for; ``words`` what is confirmed.
"""

from __future__ import annotations

from containernet.kernel.door import ABSENT, EXISTS, OTHER, Guard, Heard, KernelError, Link, Present, Probe, Uplink
from containernet.kernel.fake_resolv import FakeResolvers
from containernet.model.address import contains, packed
from containernet.model.network import HOST, Place
from containernet.model.record import replace
from containernet.plan.objects import Bridge, Held, HeldAddress, HeldRoute, Macvlan, Port, Veth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from containernet.plan.operations import Operation

MAC = "02:00:00:00:0f:00"  # of every uplink


class FakeGuard:
    """See :class:`containernet.kernel.door.Guard`."""

    def __init__(self, kernel: FakeUplinks, word: str) -> None:
        self._kernel, self._word = kernel, word

    def confirmed(self, seconds: float) -> bool:  # noqa: ARG002
        """Tell whether the word has been given; no time passes here."""
        return self._word in self._kernel.words

    def release(self) -> None:
        """Nobody is there any more."""
        self._kernel.guards.pop()


class FakeUplinks(FakeResolvers):
    """Uplinks, macvlans and ports."""

    def __init__(self, boot: str = "00000000-0000-0000-0000-000000000001") -> None:
        super().__init__(boot)
        self.uplinks: dict[str, Uplink] = {}  # what is to be said of links, but for what the host holds on them
        self.silent: set[str] = set()
        self.words: set[str] = set()
        self.guards: list[tuple[Operation, ...]] = []  # what is to be undone if the one under way dies
        self.booted: list[Held] = []
        self.heard = Probe(True, "", "")
        self.told: dict[str, int] = {}  # what routers say of DHCPv6, by the path of a namespace

    def hold(self, *held: Held) -> None:
        """Give the host addresses and routes of its own, now and after each restart."""
        self.booted += held
        self.objects.update({one.identity: one for one in held})

    def reboot(self) -> None:
        """Lose everything but what the host is given at its start."""
        super().reboot()
        self.objects.update({one.identity: one for one in self.booted})

    def uplink(self, name: str) -> Uplink:
        """Return a link of the host."""
        base = self.uplinks.get(name) or self._known(name)
        port = self.objects.get(("port", name))
        master = port.bridge if isinstance(port, Port) else base.master
        return replace(base, master=master, held=self._held(name))

    def _held(self, name: str) -> tuple[Held, ...]:
        every = [one for one in self.objects.values() if isinstance(one, HeldAddress | HeldRoute) and one.link == name]
        return tuple(sorted(every, key=lambda one: isinstance(one, HeldRoute)))

    def _known(self, name: str) -> Uplink:
        bridge = self.objects.get(("link", name))
        if isinstance(bridge, Bridge):
            return Uplink(name, "bridge", bridge.mac, bridge.mtu, True, True, True)
        if name in self.strangers:
            return Uplink(name, self.strangers[name], MAC, 1500, True, True, True)
        link: Link | None = next((one for one in self.foreign[HOST].links if one.name == name), None)
        if link is None:
            raise KernelError(ABSENT, f"There is no link {name}.")
        return Uplink(name, link.kind, MAC, link.mtu, link.up, link.up, True)

    def present(self, place: Place, link: str) -> Present:
        """Return the addresses that are given: no router advertises in memory."""
        self._need_link(place, link)
        ends = [one for one in self.objects.values() if isinstance(one, Macvlan | Veth) and one.place == place]
        mtu = next((one.mtu for one in ends if link == (one.peer if isinstance(one, Veth) else one.name)), 1500)
        gateways = (one.via for one in self._routes_over(place, link) if one.destination.startswith("default"))
        return Present(self._addresses(place, link), tuple(gateways), mtu)

    def advertised(self, place: Place, link: str) -> Heard:
        """Return what was put into ``told``, by container."""
        self._need_link(place, link)
        return Heard(self.told.get(place.path, 0), place.cookie, 2)

    def answers(self, link: str, address: str) -> str:
        """Return a MAC address of each address its own, unless somebody has said that it is silent."""
        self.uplink(link)
        return "" if address in self.silent else f"02:00:{packed(address)[-4:].hex(':')}"

    def probe(self, link: str, gateway: str) -> Probe:  # noqa: ARG002
        """Return what was put into ``heard``."""
        self.uplink(link)
        return self.heard

    def guard(self, undoing: Sequence[Operation], note: str, word: str, seconds: float) -> Guard:  # noqa: ARG002
        """Note what is to be undone."""
        self.guards.append(tuple(undoing))
        return FakeGuard(self, word)

    def confirm(self, word: str) -> bool:
        """Nobody waits: no time passes here."""
        return word in self.words

    # --- what is refused ---

    def _allow_macvlan(self, thing: Macvlan) -> None:
        self.uplink(thing.parent)
        taken = thing.place == HOST and (thing.name in self.strangers or ("link", thing.name) in self.objects)
        if taken or self._peer(thing.place, thing.name) or thing.name == "lo":
            raise KernelError(EXISTS, f"The kernel refused to add macvlan {thing.name}: File exists.")

    def _allow_port(self, thing: Port) -> None:
        if self.uplink(thing.link).master:
            raise KernelError(EXISTS, f"The link {thing.link} has a master already.")
        if not isinstance(self.objects.get(("link", thing.bridge)), Bridge):
            raise KernelError(ABSENT, f"There is no link {thing.bridge}.")

    def _allow_held(self, thing: Held) -> None:
        own = [one for one in self._held(thing.link) if isinstance(one, HeldAddress)]
        self.uplink(thing.link)
        if isinstance(thing, HeldAddress) or not thing.via or ":" in thing.via:
            return
        if not any(contains(one.address, thing.via) for one in own):
            raise KernelError(OTHER, f"The kernel refused to add route {thing.destination}: Network is unreachable.")

    def _our_macvlan(self, thing: Macvlan) -> None:
        found = self.objects.get(thing.identity)
        if found is None and not self._peer(thing.place, thing.name):
            raise KernelError(ABSENT, f"There is no link {thing.name}.")
        if not isinstance(found, Macvlan) or found.group != thing.group:
            raise KernelError(EXISTS, f"The link {thing.name} is somebody else's: it does not carry our mark.")

    def _without_address(self, gone: HeldAddress) -> None:
        """With its last IPv4 address a link loses its IPv4 routes."""
        own = [one for one in self._held(gone.link) if isinstance(one, HeldAddress)]
        if ":" in gone.address or any(":" not in one.address for one in own):
            return
        for one in self._held(gone.link):
            if isinstance(one, HeldRoute) and ":" not in one.destination and one.destination != "default6":
                del self.objects[one.identity]
