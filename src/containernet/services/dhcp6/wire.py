"""The socket of an exchange of DHCPv6, opened in a client's namespace and gone when it is over (ipv6(7)).

The rule of this file: opened by a thread that is in the namespace, never blocking, and at the interface's own address
of the link: that is the one that servers answer. Until the kernel has seen that nobody else has it, there is no socket.
"""

from __future__ import annotations

import socket
from errno import EADDRNOTAVAIL
from os import strerror

from containernet.services.dhcp6.message import CLIENT_PORT, EVERYBODY, SERVER_PORT

OWN_ADDRESSES = "/proc/thread-self/net/if_inet6"  # address, index, length, scope, flags (if_inet6 of proc(5)), name
OF_THE_LINK = 0x20  # IPV6_ADDR_LINKLOCAL
NOT_USABLE = 0x40 | 0x08  # IFA_F_TENTATIVE, IFA_F_DADFAILED
OPTIMISTIC = 0x04  # IFA_F_OPTIMISTIC: usable although tentative (RFC 4429)
ROOM = 65536


def usable(lines: str, interface: str) -> str:
    """Return the interface's address of the link that can be used, "" if there is none yet."""
    for line in lines.splitlines():
        raw, _, _, scope, flags, name = line.split()
        state = int(flags, 16)
        ready = not state & NOT_USABLE or bool(state & OPTIMISTIC)
        if name == interface and int(scope, 16) == OF_THE_LINK and ready:
            return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(raw))
    return ""


def open_udp(interface: str) -> socket.socket:
    """Return a UDP socket at the client's port of an interface; EADDRNOTAVAIL if it has no address of the link yet."""
    index = socket.if_nametoindex(interface)
    with open(OWN_ADDRESSES) as lines:
        address = usable(lines.read(), interface)
    if not address:
        raise OSError(EADDRNOTAVAIL, strerror(EADDRNOTAVAIL))
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sock.bind((address, CLIENT_PORT, 0, index))
    except BaseException:
        sock.close()
        raise
    return sock


def send(sock: socket.socket, payload: bytes) -> None:
    """Send a message to all servers and relays of the link that the socket is bound to."""
    sock.sendto(payload, (EVERYBODY, SERVER_PORT, 0, sock.getsockname()[3]))


def read(sock: socket.socket) -> bytes:
    """Return the next message; raise BlockingIOError if there is none."""
    return sock.recv(ROOM)
