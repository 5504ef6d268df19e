"""One client of whatever IP version: its machine, and its sockets while an exchange is under way.

The rule of this file: it does effects in their order and brings back events, and decides nothing. A socket is opened,
and a message sent again, only after its namespace was seen to be the one that is meant.
"""

from __future__ import annotations

import socket
from errno import ENODEV, ENXIO
from math import inf

from containernet.kernel.door import VANISHED, KernelError
from containernet.model.errors import ContainerNetError
from containernet.model.lease import Lease
from containernet.model.network import Place
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.malformed import Malformed
from containernet.services.dhcp4.words import Effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.services.dhcp4.events import Events
    from containernet.services.dhcp4.shell import Shell

FRESH = 1.0  # seconds for which a namespace that was entered counts as there
MOST = 64  # datagrams taken at once, so that a flood for one client does not starve the others
FAILED: dict[type, str] = {
    words.Send: "The DHCP message could not be sent",
    words.Probe: "The address could not be looked for on the link",
    words.Announce: "The address could not be announced",
    words.Save: "The lease could not be stored",
    words.Forget: "The lease could not be taken out of the store",
    words.Configure: "The lease could not be configured",
    words.Unconfigure: "The address could not be taken away",
}


def explained(error: ContainerNetError | OSError) -> str:
    """Return what an error says, without a full stop."""
    said = error.sentence if isinstance(error, ContainerNetError) else error.strerror or str(error)
    return said.removesuffix(".")


class Runner:
    """See the rule of this file."""

    def __init__(self, shell: Shell, key: str, place: Place, interface: str, machine: Events) -> None:
        self.key, self.place, self.interface = key, place, interface
        self.machine = machine
        self.due = inf  # when to call ``timer``
        self.queued = inf  # the last ``due`` that the engine took note of
        self.ended = False
        self.malformed = 0  # packets that were thrown away
        self.shell = shell
        self.sockets: dict[str, socket.socket] = {}
        self._entered = -inf
        self._wait = inf
        self._complaint = ""

    # --- what each IP version does its own way ---

    def take(self, kind: str, sock: socket.socket) -> None:
        """Take one thing that a socket has; raise BlockingIOError if it has nothing."""
        raise NotImplementedError

    def send(self, effect: words.Send) -> None:
        """Send a message."""
        raise NotImplementedError

    def open(self, kind: str, address: str) -> socket.socket:
        """Return a socket; called in the namespace."""
        raise NotImplementedError

    def duplicate(self) -> None:
        """Learn that somebody else on the link has our address; of an address of IPv4 the machine finds out itself."""

    def also_due(self) -> float:
        """Return when there is something to do of which the machine knows nothing."""
        return inf

    def also(self, now: float) -> None:
        """Do it."""

    # --- events ---

    def begin(self, lease: Lease | None, configured: bool) -> None:
        """Start, with a lease from before if there is one."""
        now = self.shell.clock()
        self.apply(self.machine.restart(lease, now, configured=configured) if lease else self.machine.start(now))

    def timer(self, now: float) -> None:
        """Do what is due."""
        if now >= self.also_due():
            self.also(now)
        if now >= self._wait:
            self._wait = inf
            self.apply(self.machine.timer(now))
        self._reckon()

    def ready(self, sock: socket.socket) -> None:
        """Take what a socket has."""
        kind = next((kind for kind, one in self.sockets.items() if one is sock), "")
        for _ in range(MOST):
            if self.sockets.get(kind) is not sock:  # closed by what came before
                return
            try:
                self.take(kind, sock)
            except BlockingIOError:
                return
            except Malformed:
                self.malformed += 1
            except OSError:  # the link went down, or away: the next message finds out
                self.close()
                return

    # --- effects ---

    def apply(self, effects: tuple[Effect, ...]) -> None:
        """Do effects in their order; when a Configure fails, or the namespace is gone, the rest is void."""
        for effect in effects:
            try:
                self.do(effect)
            except (ContainerNetError, OSError) as error:
                self.failed(effect, error)
                if self.ended or isinstance(effect, words.Configure):
                    break
        self._reckon()

    def failed(self, effect: Effect, error: ContainerNetError | OSError) -> None:
        """See to what could not be done."""
        gone = isinstance(error, KernelError) and error.reason == VANISHED
        absent = isinstance(error, OSError) and error.errno in (ENODEV, ENXIO)
        if isinstance(effect, words.Unconfigure) and (gone or absent):
            return  # nothing is configured in what is not there
        if gone or absent:
            self.shell.lost(self, str(error) if gone else f"There is no interface {self.interface} any more.")
            return
        self.complain(f"{FAILED[type(effect)]}: {explained(error)}.")
        if isinstance(effect, words.Send | words.Probe | words.Announce):
            self.close()  # the next message finds out what has become of the interface
        elif isinstance(effect, words.Configure):
            self.close()
            self.apply(self.machine.failed(self.shell.clock()))

    def complain(self, sentence: str) -> None:
        """Say what is wrong; what is said again and again, as the tries go on, is only for who looks closely."""
        level = words.DEBUG if sentence == self._complaint else words.WARNING
        self._complaint = sentence
        self.shell.lasting(self, words.Tell(level, sentence))

    def do(self, effect: Effect) -> None:
        """Do one effect."""
        match effect:
            case words.Send():
                self.send(effect)
            case words.Wait():
                self._wait = effect.until
            case words.Hush():
                self.close()
            case _:
                self.shell.lasting(self, effect)

    def opened(self, kind: str, address: str = "") -> socket.socket:
        """Return an open socket, made if need be; before, see that the namespace is still there."""
        now = self.shell.clock()
        sock = self.sockets.get(kind)
        if sock is None or not 0 <= now - self._entered < FRESH:
            there = self.shell.inside(self.place, lambda: sock or self.open(kind, address))
            self._entered = now
            if sock is None:
                self.sockets[kind] = sock = there
                self.shell.watch(sock, self)
        return sock

    def end(self) -> None:
        """Be no more."""
        self.ended = True
        self.close()
        self._reckon()

    def close(self) -> None:
        """Leave the namespace alone."""
        self._entered = -inf
        while self.sockets:
            self.shell.let_go(self.sockets.popitem()[1])

    def _reckon(self) -> None:
        self.due = inf if self.ended else min(self._wait, self.also_due())
