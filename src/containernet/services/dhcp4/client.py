"""One client of DHCPv4: frames while it has no address, datagrams from it when it has, and looking for it on the link.

The rule of this file: how things are said and heard; when, the machine says, and what goes wrong, its base sees to.
"""

from __future__ import annotations

import socket
from math import inf

from containernet.model.errors import ContainerNetError
from containernet.model.network import Place
from containernet.services.dhcp4 import frame, wire, words
from containernet.services.dhcp4.machine import Machine
from containernet.services.dhcp4.message import CLIENT_PORT, NOWHERE, decode
from containernet.services.dhcp4.probe import Prober
from containernet.services.dhcp4.runner import Runner
from containernet.services.dhcp4.words import Effect, Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.services.dhcp4.shell import Shell

FRAMES, ARP, UDP = "frames", "arp", "udp"


class Client(Runner):
    """See the rule of this file."""

    def __init__(self, shell: Shell, key: str, place: Place, interface: str, setup: Setup) -> None:
        self.setup = setup
        self.machine = Machine(setup, shell.chance)
        self._prober: Prober | None = None
        super().__init__(shell, key, place, interface, self.machine)

    def take(self, kind: str, sock: socket.socket) -> None:
        now = self.shell.clock()
        if kind == UDP:
            if wire.has_left(sock):
                self.apply(self.machine.sent(now))
            else:
                self.apply(self.machine.received(decode(sock.recv(65536)), now))
            return
        data, summed = wire.read_frame(sock)
        if kind == ARP:
            self._heard(frame.parse_arp(data), now)
            return
        datagram = frame.parse(data, summed=summed)
        if datagram.destination_port == CLIENT_PORT:
            self.apply(self.machine.received(decode(datagram.payload), now))

    def do(self, effect: Effect) -> None:
        match effect:
            case words.Probe():
                now = self.shell.clock()
                self._prober = Prober(effect.address, self.setup.mac, self.setup.probe, now, self.shell.chance)
                self.opened(ARP, effect.address)
                self.also(now)
            case words.Announce():
                self.opened(ARP, effect.address).send(frame.arp_announcement(self.setup.mac, effect.address))
            case _:
                super().do(effect)

    def send(self, effect: words.Send) -> None:
        if effect.source == NOWHERE:
            wire.send_frame(self.opened(FRAMES), self.setup.mac, effect.destination, effect.payload)
        else:
            wire.send_datagram(self.opened(UDP), effect.source, effect.destination, effect.payload)

    def open(self, kind: str, address: str) -> socket.socket:
        if kind == UDP:
            return wire.open_udp(self.interface, self.setup.mac)
        if kind == ARP:
            return wire.open_packet(self.interface, frame.ARP, wire.arp_filter(address))
        return wire.open_packet(self.interface, frame.IPV4, wire.dhcp_filter(self.setup.mac))

    def close(self) -> None:
        self._prober = None
        super().close()

    # --- looking for an address on the link ---

    def also_due(self) -> float:
        return self._prober.due if self._prober else inf

    def also(self, now: float) -> None:
        prober = self._prober
        if prober is None or now < prober.due:
            return
        if question := prober.step(now):
            try:
                self.opened(ARP, prober.address).send(question)
            except (ContainerNetError, OSError) as error:
                self.failed(words.Probe(prober.address), error)
        else:
            self._verdict(b"", now)

    def _heard(self, arp: frame.ArpPacket, now: float) -> None:
        if self._prober:
            self._prober.heard(arp)
            if self._prober.owner:
                self._verdict(self._prober.owner, now)

    def _verdict(self, owner: bytes, now: float) -> None:
        self._prober = None
        self.apply(self.machine.probed(owner, now))
