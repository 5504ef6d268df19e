"""One client: its machine, and its sockets while an exchange is under way.

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
from containernet.services.dhcp4 import frame, wire, words
from containernet.services.dhcp4.machine import Machine
from containernet.services.dhcp4.malformed import Malformed
from containernet.services.dhcp4.message import ACK, CLIENT_PORT, NOWHERE, decode
from containernet.services.dhcp4.probe import Prober
from containernet.services.dhcp4.words import Effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from containernet.services.dhcp4.shell import Shell

FRAMES, ARP, UDP = "frames", "arp", "udp"
MOST = 16  # servers whose MAC addresses are remembered
FRESH = 1.0  # seconds for which a namespace that was entered counts as there
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


class Client:
    """See the rule of this file."""

    machine: Any  # a Machine; of a kind of client with words of its own, its Machine6

    def __init__(self, shell: Shell, key: str, place: Place, interface: str, setup: Any) -> None:
        self.key, self.place, self.interface, self.setup = key, place, interface, setup
        self.machine = self._machine(shell)
        self.due = inf  # when to call ``timer``
        self.queued = inf  # the last ``due`` that the engine took note of
        self.ended = False
        self.malformed = 0  # packets that were thrown away
        self._shell = shell
        self._sockets: dict[str, socket.socket] = {}
        self._entered = -inf
        self._wait = inf
        self._prober: Prober | None = None
        self._complaint = ""
        self._nearby: dict[str, bytes] = {}  # raw: by server, where its frames come from
        self._left = False  # raw: what was sent last has left

    def _machine(self, shell: Shell) -> object:
        return Machine(self.setup, shell.chance)

    # --- events ---

    def begin(self, lease: Lease | None, configured: bool) -> None:
        """Start, with a lease from before if there is one."""
        now = self._shell.clock()
        self.apply(self.machine.restart(lease, now, configured=configured) if lease else self.machine.start(now))

    def timer(self, now: float) -> None:
        """Do what is due."""
        if self._prober and now >= self._prober.due:
            self._probe(now)
        if now >= self._wait:
            self._wait = inf
            self.apply(self.machine.timer(now))
        self._reckon()

    def ready(self, sock: socket.socket) -> None:
        """Take what a socket has."""
        kind = next((kind for kind, one in self._sockets.items() if one is sock), "")
        for _ in range(wire.MOST):
            if self._sockets.get(kind) is not sock:  # closed by what came before
                return
            try:
                self._take(kind, sock)
            except BlockingIOError:
                return
            except Malformed:
                self.malformed += 1
            except OSError:  # the link went down, or away: the next message finds out
                self.close()
                return

    def _take(self, kind: str, sock: socket.socket) -> None:
        now = self._shell.clock()
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
            reply = decode(datagram.payload)
            if self.setup.raw and reply.kind == ACK and (len(self._nearby) < MOST or reply.server in self._nearby):
                self._nearby[reply.server] = datagram.source_mac
            self.apply(self.machine.received(reply, now))

    # --- effects ---

    def apply(self, effects: tuple[Effect, ...]) -> None:
        """Do effects in their order; when a Configure fails, or the namespace is gone, the rest is void."""
        for effect in effects:
            try:
                self._do(effect)
            except (ContainerNetError, OSError) as error:
                self._failed(effect, error)
                if self.ended or isinstance(effect, words.Configure):
                    break
        if self._left:
            self._left = False
            self.apply(self.machine.sent(self._shell.clock()))
        self._reckon()

    def _failed(self, effect: Effect, error: ContainerNetError | OSError) -> None:
        gone = isinstance(error, KernelError) and error.reason == VANISHED
        absent = isinstance(error, OSError) and error.errno in (ENODEV, ENXIO)
        if isinstance(effect, words.Unconfigure) and (gone or absent):
            return  # nothing is configured in what is not there
        if gone or absent:
            self._shell.lost(self, str(error) if gone else f"There is no interface {self.interface} any more.")
            return
        self._complain(f"{FAILED[type(effect)]}: {explained(error)}.")
        if isinstance(effect, words.Send | words.Probe | words.Announce):
            self.close()  # the next message finds out what has become of the interface
        elif isinstance(effect, words.Configure):
            self.close()
            self.apply(self.machine.failed(self._shell.clock()))

    def _complain(self, sentence: str) -> None:
        """Say what is wrong; what is said again and again, as the tries go on, is only for who looks closely."""
        level = words.DEBUG if sentence == self._complaint else words.WARNING
        self._complaint = sentence
        self._shell.lasting(self, words.Tell(level, sentence))

    def _do(self, effect: Effect) -> None:
        match effect:
            case words.Send():
                self._send(effect)
            case words.Wait():
                self._wait = effect.until
            case words.Hush():
                self.close()
            case words.Probe():
                now = self._shell.clock()
                self._prober = self._prober_of(effect.address, now)
                self._socket(ARP, effect.address)
                self._probe(now)
            case words.Announce():
                self._socket(ARP, effect.address).send(frame.arp_announcement(self.setup.mac, effect.address))
            case _:
                self._shell.lasting(self, effect)

    def _send(self, effect: words.Send) -> None:
        if effect.source == NOWHERE or self.setup.raw:
            to, frames = self._nearby.get(effect.destination, frame.EVERYBODY), self._socket(FRAMES)
            wire.send_frame(frames, self.setup.mac, effect.source, effect.destination, effect.payload, to)
            self._left = effect.source != NOWHERE
        else:
            wire.send_datagram(self._socket(UDP), effect.source, effect.destination, effect.payload)

    def _socket(self, kind: str, address: str = "") -> socket.socket:
        """Return an open socket, made if need be; before, see that the namespace is still there."""
        now = self._shell.clock()
        sock = self._sockets.get(kind)
        if sock is None or not 0 <= now - self._entered < FRESH:
            there = self._shell.inside(self.place, lambda: sock or self._open(kind, address))
            self._entered = now
            if sock is None:
                self._sockets[kind] = sock = there
                self._shell.watch(sock, self)
        return sock

    def _open(self, kind: str, address: str) -> socket.socket:
        if kind == UDP:
            return wire.open_udp(self.interface, self.setup.mac)
        if kind == ARP:
            return wire.open_packet(self.interface, frame.ARP, wire.arp_filter(address))
        return wire.open_packet(self.interface, frame.IPV4, wire.dhcp_filter(self.setup.mac))

    def end(self) -> None:
        """Be no more."""
        self.ended = True
        self.close()
        self._reckon()

    def close(self) -> None:
        """Leave the namespace alone."""
        self._prober = None
        self._entered = -inf
        while self._sockets:
            self._shell.let_go(self._sockets.popitem()[1])

    # --- looking for an address on the link ---

    def _prober_of(self, address: str, now: float) -> Prober:
        return Prober(address, self.setup.mac, self.setup.probe, now, self._shell.chance)

    def _probe(self, now: float) -> None:
        prober = self._prober
        if prober is None or now < prober.due:
            return
        if question := prober.step(now):
            try:
                self._socket(ARP, prober.address).send(question)
            except (ContainerNetError, OSError) as error:
                self._failed(words.Probe(prober.address), error)
        else:
            self._verdict(b"", now)

    def _heard(self, arp: frame.ArpPacket, now: float) -> None:
        if self._prober:
            self._prober.heard(arp)
            self._judge(now)

    def _judge(self, now: float) -> None:
        """Tell the machine who has the address, if somebody has said so."""
        if self._prober and self._prober.owner:
            self._verdict(self._prober.owner, now)

    def _verdict(self, owner: bytes, now: float) -> None:
        self._prober = None
        self.apply(self.machine.probed(owner, now))

    def _reckon(self) -> None:
        self.due = inf if self.ended else min(self._wait, self._prober.due if self._prober else inf)
