"""Many DHCP clients of both IP versions in one process: one epoll, one alarm, sockets only while something is said.

The rule of this file: one thread uses an engine, and only ``turn`` waits. A plain epoll and not asyncio: that would
cost 40 ms and 5 MB at import, and the engine is itself a descriptor (``fileno``), which any loop can watch.
"""

from __future__ import annotations

import os
import time
from heapq import heappop, heappush
from math import inf
from select import EPOLLIN, epoll

from containernet.model.lease import Lease, dated, recalled
from containernet.model.network import Place
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.alarm import Alarm, boot_id, boottime
from containernet.services.dhcp4.client import Client
from containernet.services.dhcp4.closer import Closer
from containernet.services.dhcp4.pace import Pace
from containernet.services.dhcp4.runner import Runner
from containernet.services.dhcp4.words import Effect, Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from containernet.services.dhcp4.hands import Hands, Spaces
    from containernet.services.dhcp6.words import Setup6

WINDOW = 32  # clients that wait for their first answer at once
WAITING = frozenset(("SELECTING", "REBOOTING", "SOLICITING", "CONFIRMING", "INFORMING"))  # for it


def urandom() -> float:
    """Return a number from 0 up to 1 that nobody can guess."""
    return int.from_bytes(os.urandom(6), "big") / (1 << 48)


class Engine:
    """See the rule of this file."""

    def __init__(
        self,
        hands: Hands,
        spaces: Spaces,
        *,
        clock: Callable[[], float] = boottime,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = urandom,
        boot: str = "",
        window: int = WINDOW,
    ) -> None:
        self.clock, self.chance = clock, chance
        self._hands, self._spaces, self._wall = hands, spaces, wall
        self._boot = boot or boot_id()
        self._clients: dict[str, Runner] = {}
        self._starts: dict[str, tuple[Lease | None, bool]] = {}
        self._pace = Pace(window)
        self._timers: list[tuple[float, int, Runner]] = []
        self._count = 0
        self._alarm, self._closer = Alarm(), Closer()
        self._poll = epoll()
        self._poll.register(self._alarm.descriptor, EPOLLIN)
        self._watched: dict[int, tuple[socket.socket, Runner]] = {}

    # --- what to lease for ---

    def add(
        self,
        key: str,
        place: Place,
        interface: str,
        setup: Setup | Setup6,
        lease: Lease | None = None,
        configured: bool = False,
    ) -> None:
        """Lease for an interface from its turn on; go on with a stored lease, whose address may be there still."""
        if key in self._clients:
            raise ValueError(f"there is a client {key!r} already")
        recent = lease and recalled(lease, self._boot, self.clock(), self._wall())
        self._clients[key] = self._made(key, place, interface, setup)
        self._starts[key] = recent, configured
        self._pace.ask(key)
        self._alarm.set(0)

    def _made(self, key: str, place: Place, interface: str, setup: Setup | Setup6) -> Runner:
        if isinstance(setup, Setup):
            return Client(self, key, place, interface, setup)
        from containernet.services.dhcp6.client import Client6

        return Client6(self, key, place, interface, setup)

    def __contains__(self, key: str) -> bool:
        """Tell whether we lease for somebody."""
        return key in self._clients

    def keys(self) -> list[str]:
        """Return whom we lease for."""
        return list(self._clients)

    def state(self, key: str) -> tuple[str, Lease | None]:
        """Return the state of a client, by its name in RFC 2131 or of the message of RFC 8415, and its lease."""
        machine = self._clients[key].machine
        return machine.name, machine.lease and self._dated(machine.lease)

    def sockets(self) -> int:
        """Return how many sockets are open in namespaces now."""
        return len(self._watched)

    def malformed(self, key: str) -> int:
        """Return how many packets for a client were thrown away because they were not what they claimed to be."""
        return self._clients[key].malformed

    def renew(self, key: str) -> None:
        """Ask for more time now."""
        client = self._begun(key)
        self._event(client, client.machine.renew(self.clock()))

    def release(self, key: str) -> None:
        """Give the address back and end; the address is off the interface when ``forget`` was called."""
        client = self._begun(key)
        self._event(client, client.machine.release(self.clock()))

    def link(self, key: str, up: bool) -> None:
        """Learn that an interface has lost its carrier, or has it again."""
        client = self._begun(key)
        self._event(client, client.machine.link(up, self.clock()))

    def failed(self, key: str) -> None:
        """Learn that what ``Hands.configure`` took on could not be done: begin again in a while."""
        client = self._begun(key)
        self._event(client, client.machine.failed(self.clock()))

    def duplicate(self, key: str) -> None:
        """Learn that somebody else on the link has the address of a client of DHCPv6: it is given back as in use."""
        client = self._begun(key)
        client.duplicate()
        self._after(client)
        self._settle()

    def remove(self, key: str) -> None:
        """Lease no longer, and leave the address and the lease as they are."""
        client = self._clients[key]
        self._starts.pop(key, None)
        self._event(client, client.machine.stop(self.clock()))

    # --- the loop ---

    def fileno(self) -> int:
        """Return a descriptor that is readable when ``turn`` has something to do."""
        return self._poll.fileno()

    def turn(self, wait: float = 0.0) -> None:
        """Do what there is to do; wait for it so many seconds at most, -1 for ever."""
        for descriptor, _ in self._poll.poll(wait):
            if descriptor == self._alarm.descriptor:
                self._alarm.heard()
            elif descriptor in self._watched:
                sock, client = self._watched[descriptor]
                client.ready(sock)
                self._after(client)
        self._ring(self.clock())
        self._admit()
        self._settle()

    def close(self) -> None:
        """End; every address and every lease stays as it is."""
        for key in self.keys():
            self.remove(key)
        self._closer.wait()
        self._spaces.leave()
        self._poll.close()
        self._alarm.close()

    def _event(self, client: Runner, effects: tuple[Effect, ...]) -> None:
        client.apply(effects)
        self._after(client)
        self._settle()

    def _settle(self) -> None:
        """Set the alarm, and be in no namespace."""
        self._alarm.set(min(self._due(), self._pace.due) - self.clock())
        self._spaces.leave()

    def _after(self, client: Runner) -> None:
        """Do what every event asks for: a timer, the turn of another, the end."""
        if client.machine.name == "STOPPED":
            self._drop(client)
        elif client.machine.name not in WAITING:
            self._pace.answered(client.key)
        if client.due not in (inf, client.queued):
            self._count += 1
            heappush(self._timers, (client.due, self._count, client))
        client.queued = client.due

    def _drop(self, client: Runner) -> None:
        client.end()
        if self._clients.get(client.key) is not client:
            return
        self._pace.done(client.key)
        self._starts.pop(client.key, None)
        del self._clients[client.key]

    def _due(self) -> float:
        """Return when the next client is due, and forget times that do not hold any more."""
        while self._timers and self._timers[0][0] != self._timers[0][2].due:
            heappop(self._timers)
        return self._timers[0][0] if self._timers else inf

    def _ring(self, now: float) -> None:
        while self._due() <= now:
            client = heappop(self._timers)[2]
            client.queued = inf
            client.timer(now)
            self._after(client)

    def _admit(self) -> None:
        while (key := self._pace.next(self.clock())) is not None:
            self._begun(str(key))

    def _begun(self, key: str) -> Runner:
        """Return a client, begun if it was not its turn yet."""
        client = self._clients[key]
        if key in self._starts:
            client.begin(*self._starts.pop(key))
            self._after(client)
        return client

    # --- what clients need (client.Shell) ---

    def inside(self, place: Place, function: Callable[[], socket.socket]) -> socket.socket:
        """Return a socket of a namespace."""
        return self._spaces.call(place, function)

    def watch(self, sock: socket.socket, client: Runner) -> None:
        """Have a client called when a socket has something."""
        self._watched[sock.fileno()] = sock, client
        self._poll.register(sock.fileno(), EPOLLIN)

    def let_go(self, sock: socket.socket) -> None:
        """Have a socket closed."""
        self._poll.unregister(sock.fileno())
        del self._watched[sock.fileno()]
        self._closer.take(sock)

    def lost(self, client: Runner, sentence: str) -> None:
        """End a client whose namespace or interface is gone."""
        self._hands.tell(client.key, words.WARNING, f"{sentence} Its lease is kept.")
        self._drop(client)
        self._hands.lost(client.key)

    def lasting(self, client: Runner, effect: Effect) -> None:
        """Have the hands do what outlives an exchange."""
        key, hands = client.key, self._hands
        match effect:
            case words.Configure():
                hands.configure(key, self._dated(effect.lease), effect.before)
            case words.Unconfigure():
                hands.unconfigure(key, effect.lease, effect.reason)
            case words.Save():
                hands.save(key, self._dated(effect.lease))
            case words.Forget():
                hands.forget(key)
            case words.Tell():
                hands.tell(key, effect.level, effect.sentence)

    def _dated(self, lease: Lease) -> Lease:
        return dated(lease, self._boot, self.clock(), self._wall())
