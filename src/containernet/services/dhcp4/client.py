"""One client of DHCPv4: frames while it has no address, datagrams from it when it has, and looking for it on the link.

The rule of this file: how things are said and heard; when, the machine says, and what goes wrong, its base sees to.
"""

from __future__ import annotations

import socket

from containernet.model.network import Place
from containernet.services.dhcp4 import frame, wire, words
from containernet.services.dhcp4.looker import LINK, Looker
from containernet.services.dhcp4.machine import Machine
from containernet.services.dhcp4.message import ACK, CLIENT_PORT, NOWHERE, decode
from containernet.services.dhcp4.probe import Prober
from containernet.services.dhcp4.words import Effect, Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.services.dhcp4.shell import Shell

FRAMES, UDP = "frames", "udp"
MOST = 16  # servers whose MAC addresses are remembered


class Client(Looker):
    """See the rule of this file."""

    machine: Machine

    def __init__(self, shell: Shell, key: str, place: Place, interface: str, setup: Setup) -> None:
        self.setup = setup
        self._nearby: dict[str, bytes] = {}  # raw: by server, where its frames come from
        self._left = False  # raw: what was sent last has left
        super().__init__(shell, key, place, interface, Machine(setup, shell.chance))

    def take(self, kind: str, sock: socket.socket) -> None:
        now = self.shell.clock()
        if kind == UDP:
            if wire.has_left(sock):
                self.apply(self.machine.sent(now))
            else:
                self.apply(self.machine.received(decode(sock.recv(65536)), now))
            return
        data, summed = wire.read_frame(sock)
        if kind == LINK:
            self._heard(frame.parse_arp(data), now)
            return
        datagram = frame.parse(data, summed=summed)
        if datagram.destination_port == CLIENT_PORT:
            reply = decode(datagram.payload)
            if self.setup.raw and reply.kind == ACK and (len(self._nearby) < MOST or reply.server in self._nearby):
                self._nearby[reply.server] = datagram.source_mac
            self.apply(self.machine.received(reply, now))

    def apply(self, effects: tuple[Effect, ...]) -> None:
        super().apply(effects)
        if self._left:
            self._left = False
            self.apply(self.machine.sent(self.shell.clock()))

    def do(self, effect: Effect) -> None:
        if isinstance(effect, words.Announce):
            self.opened(LINK, effect.address).send(frame.arp_announcement(self.setup.mac, effect.address))
        else:
            super().do(effect)

    def send(self, effect: words.Send) -> None:
        if effect.source == NOWHERE or self.setup.raw:
            to, frames = self._nearby.get(effect.destination, frame.EVERYBODY), self.opened(FRAMES)
            wire.send_frame(frames, self.setup.mac, effect.source, effect.destination, effect.payload, to)
            self._left = effect.source != NOWHERE
        else:
            wire.send_datagram(self.opened(UDP), effect.source, effect.destination, effect.payload)

    def open(self, kind: str, address: str) -> socket.socket:
        if kind == UDP:
            return wire.open_udp(self.interface, self.setup.mac)
        if kind == LINK:
            return wire.open_packet(self.interface, frame.ARP, wire.arp_filter(address))
        return wire.open_packet(self.interface, frame.IPV4, wire.dhcp_filter(self.setup.mac))

    # --- looking for an address on the link ---

    def prober_of(self, address: str, now: float) -> Prober:
        return Prober(address, self.setup.mac, self.setup.probe, now, self.shell.chance)

    def _heard(self, arp: frame.ArpPacket, now: float) -> None:
        if self.prober:
            self.prober.heard(arp)
            self.judge(now)
