"""One client of DHCPv6: a socket at the interface's address of the link, as soon as that can be used.

The rule of this file: how things are said and heard; when, the machine says, and what goes wrong, its base sees to. A
new interface has its address only after a second or two, in which the kernel looks for it on the link (RFC 4862): what
is to be said waits for that, but no longer than until it is to be said again.
"""

from __future__ import annotations

import socket
from errno import EADDRNOTAVAIL
from math import inf

from containernet.model.errors import ContainerNetError
from containernet.model.network import Place
from containernet.services.dhcp4 import wire as frames
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.looker import LINK, Looker
from containernet.services.dhcp6 import neighbour, wire
from containernet.services.dhcp6.machine import Machine
from containernet.services.dhcp6.message import decode
from containernet.services.dhcp6.neighbour import Prober6
from containernet.services.dhcp6.words import Setup6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.services.dhcp4.shell import Shell

UDP = "udp"
PAUSE, LOOKS = 0.1, 30  # seconds between two looks at whether there is an address of the link yet; how many


class Client6(Looker):
    """See the rule of this file."""

    machine: Machine

    def __init__(self, shell: Shell, key: str, place: Place, interface: str, setup: Setup6) -> None:
        self.setup = setup
        self._unsaid: words.Send | None = None
        self._looks = 0
        self._look = inf
        super().__init__(shell, key, place, interface, Machine(setup, shell.chance))

    def duplicate(self) -> None:
        """Learn that somebody else on the link has our address."""
        self.apply(self.machine.duplicate(self.shell.clock()))

    def take(self, kind: str, sock: socket.socket) -> None:
        if kind == LINK:
            said = neighbour.claim(frames.read_frame(sock)[0])
            if isinstance(self.prober, Prober6):
                self.prober.told(*said)
                self.judge(self.shell.clock())
            return
        message = decode(wire.read(sock))
        self.apply(self.machine.received(message, self.shell.clock()))

    def prober_of(self, address: str, now: float) -> Prober6:
        return Prober6(address, self.setup.mac, self.setup.probe, now, self.shell.chance)

    def open(self, kind: str, address: str) -> socket.socket:  # noqa: ARG002 - of the link all is heard
        if kind == LINK:
            return frames.open_packet(self.interface, neighbour.IPV6, neighbour.DISCOVERY)
        return wire.open_udp(self.interface)

    def send(self, effect: words.Send) -> None:
        self._unsaid, self._looks = effect, 0
        self._say()

    def _say(self) -> None:
        """Say it, or look again in a moment."""
        if self._unsaid is None:
            return
        self._look = inf
        try:
            wire.send(self.opened(UDP), self._unsaid.payload)
            self._unsaid = None
        except OSError as error:
            self._looks += 1
            if error.errno != EADDRNOTAVAIL or self._looks > LOOKS:
                raise
            super().close()
            self._look = self.shell.clock() + PAUSE

    def also_due(self) -> float:
        return min(self._look, super().also_due())

    def also(self, now: float) -> None:
        super().also(now)
        if now < self._look:
            return
        effect = self._unsaid
        try:
            self._say()
        except (ContainerNetError, OSError) as error:
            if effect is not None:
                self.failed(effect, error)

    def close(self) -> None:
        self._unsaid, self._look = None, inf
        super().close()
