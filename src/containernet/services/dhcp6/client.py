"""One DHCPv6 client: its machine, and its sockets while an exchange is under way.

The rule of this file: as in ``dhcp4/client.py``; only what is sent, and by which socket, is different.
"""

from __future__ import annotations

import socket
from array import array
from struct import pack

from containernet.services.dhcp4 import wire, words
from containernet.services.dhcp4.client import ARP, UDP, Client
from containernet.services.dhcp4.shell import Shell
from containernet.services.dhcp6 import neighbour
from containernet.services.dhcp6.machine import Machine6
from containernet.services.dhcp6.message import CLIENT_PORT, SERVER_PORT, decode
from containernet.services.dhcp6.neighbour import Prober6

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

DISCOVERY = [  # a filter for frames: neighbour solicitations and advertisements
    (0x30, 0, 0, 20), (0x15, 0, 4, neighbour.ICMPV6),
    (0x30, 0, 0, 54), (0x15, 1, 0, neighbour.ASKS), (0x15, 0, 1, neighbour.ANSWERS),
    (0x06, 0, 0, 65536), (0x06, 0, 0, 0),
]  # fmt: skip


class Client6(Client):
    """See the rule of this file."""

    def _machine(self, shell: Shell) -> object:
        return Machine6(self.setup, shell.chance)

    def _take(self, kind: str, sock: socket.socket) -> None:
        now = self._shell.clock()
        if kind == UDP:
            self.apply(self.machine.received(decode(sock.recv(65536)), now))
            return
        said = neighbour.claim(wire.read_frame(sock)[0])
        if isinstance(self._prober, Prober6):
            self._prober.told(*said)
            self._judge(now)

    def _prober_of(self, address: str, now: float) -> Prober6:
        return Prober6(address, self.setup.mac, self.setup.probe, now, self._shell.chance)

    def _send(self, effect: words.Send) -> None:
        self._socket(UDP).sendto(effect.payload, (effect.destination, SERVER_PORT))

    def _open(self, kind: str, address: str) -> socket.socket:  # noqa: ARG002 - its frames are told apart here
        if kind == ARP:
            return wire.open_packet(self.interface, neighbour.IPV6, DISCOVERY)
        return open_udp(self.interface)


def open_udp(interface: str) -> socket.socket:
    """Return a UDP socket at the client's port of an interface, in the namespace of the thread that calls."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        index = array("i", [socket.if_nametoindex(interface)])
        for option, value in ((socket.IPV6_V6ONLY, pack("i", 1)), (socket.IPV6_MULTICAST_IF, index.tobytes())):
            sock.setsockopt(socket.IPPROTO_IPV6, option, value)
        sock.bind(("::", CLIENT_PORT))
    except BaseException:
        sock.close()
        raise
    return sock
