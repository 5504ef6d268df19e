"""The sockets of an exchange, opened in a client's namespace and gone when it is over (packet(7), udp(7), bpf(4)).

The rule of this file: opened by a thread that is in the namespace, never blocking, and with a filter in the kernel
before the first frame can come, so that of 200 clients on one bridge each sees only what is for it. A packet socket is
made with protocol 0 and bound afterwards: 11 microseconds instead of 2 milliseconds.
"""

from __future__ import annotations

import socket
from array import array
from struct import Struct, pack

from containernet.model.address import packed
from containernet.services.dhcp4 import frame
from containernet.services.dhcp4.message import CLIENT_PORT, SERVER_PORT

SOL_PACKET, PACKET_AUXDATA = 263, 8
CSUM_NOT_READY = 1 << 3  # TP_STATUS_CSUMNOTREADY
SO_ATTACH_FILTER, SO_TIMESTAMPING = 26, 37
IP_PKTINFO = 8
PASSED_TO_DRIVER = 1 << 8 | 1 << 4 | 1 << 11  # SOF_TIMESTAMPING_TX_SCHED, _SOFTWARE, _OPT_TSONLY
_ROOM = 65536
_AUXDATA = Struct("=IIIHHHH")

_LOAD4, _LOAD2, _LOAD1 = 0x20, 0x28, 0x30  # BPF_LD | BPF_ABS
_FROM_X = 0x20  # more: BPF_IND instead of BPF_ABS
_HEADER_INTO_X = 0xB1  # BPF_LDX | BPF_B | BPF_MSH
_EQUAL, _ANY_BIT, _RETURN = 0x15, 0x45, 0x06


def _program(*tests: tuple[int, int, int | None]) -> list[tuple[int, int, int, int]]:
    """Return a filter that takes what passes all tests: a load, its offset, and what is there; None: no test."""
    code: list[tuple[int, int, int, int]] = []
    length = sum(1 if value is None else 2 for _, _, value in tests)
    for load, offset, value in tests:
        code.append((load, 0, 0, offset))
        if value is not None:
            code.append((_EQUAL, 0, length - len(code), value))
    return [*code, (_RETURN, 0, 0, _ROOM), (_RETURN, 0, 0, 0)]


def dhcp_filter(mac: bytes) -> list[tuple[int, int, int, int]]:
    """Return the filter for frames: whole UDP datagrams to port 68 that answer this MAC address."""
    first, last = int.from_bytes(mac[:4], "big"), int.from_bytes(mac[4:], "big")
    program = _program(
        (_LOAD1, 23, frame.UDP),
        (_LOAD2, 20, 0x3FFF),
        (_HEADER_INTO_X, 14, None),
        (_LOAD2 + _FROM_X, 16, CLIENT_PORT),
        (_LOAD1 + _FROM_X, 22, 2),
        (_LOAD4 + _FROM_X, 50, first),
        (_LOAD2 + _FROM_X, 54, last),
    )
    code, _, refuse, mask = program[3]
    assert (code, mask) == (_EQUAL, 0x3FFF)
    program[3] = (_ANY_BIT, refuse, 0, mask)  # a fragment is refused, not looked for
    return program


def udp_filter(mac: bytes) -> list[tuple[int, int, int, int]]:
    """Return the filter for a UDP socket, which begins at the UDP header."""
    first, last = int.from_bytes(mac[:4], "big"), int.from_bytes(mac[4:], "big")
    return _program((_LOAD1, 8, 2), (_LOAD4, 36, first), (_LOAD2, 40, last))


def arp_filter(address: str) -> list[tuple[int, int, int, int]]:
    """Return the filter for ARP: whatever names an address as its sender's or its target's."""
    value = int.from_bytes(packed(address), "big")
    return [
        (_LOAD4, 0, 0, 28), (_EQUAL, 2, 0, value),
        (_LOAD4, 0, 0, 38), (_EQUAL, 0, 1, value),
        (_RETURN, 0, 0, _ROOM), (_RETURN, 0, 0, 0),
    ]  # fmt: skip


def _attach(sock: socket.socket, program: list[tuple[int, int, int, int]]) -> None:
    code = array("B", b"".join(pack("=HBBI", *one) for one in program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pack("@HP", len(program), code.buffer_info()[0]))


def open_packet(interface: str, protocol: int, program: list[tuple[int, int, int, int]]) -> socket.socket:
    """Return a packet socket on an interface, in the namespace of the thread that calls."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    try:
        _attach(sock, program)
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        sock.bind((interface, protocol))
    except BaseException:
        sock.close()
        raise
    return sock


def open_udp(interface: str, mac: bytes) -> socket.socket:
    """Return a UDP socket at the client's port of an interface; it also tells when what it sends has left."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        _attach(sock, udp_filter(mac))
        for option in (socket.SO_REUSEADDR, socket.SO_BROADCAST):
            sock.setsockopt(socket.SOL_SOCKET, option, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, PASSED_TO_DRIVER)
        sock.bind(("", CLIENT_PORT))
    except BaseException:
        sock.close()
        raise
    return sock


def send_frame(
    sock: socket.socket, mac: bytes, source: str, destination: str, payload: bytes, to: bytes = frame.EVERYBODY
) -> None:
    """Send a DHCP message to all on the link, or to one MAC address there, from whatever address, nobody's perhaps."""
    sock.send(frame.build(frame.Datagram(source, CLIENT_PORT, destination, SERVER_PORT, payload, mac, to)))


def send_datagram(sock: socket.socket, source: str, destination: str, payload: bytes) -> None:
    """Send a DHCP message the kernel's way, from an address that the interface has."""
    chosen = pack("=i4s4s", 0, packed(source), b"")  # struct in_pktinfo
    sock.sendmsg([payload], [(socket.IPPROTO_IP, IP_PKTINFO, chosen)], 0, (destination, SERVER_PORT))


def read_frame(sock: socket.socket) -> tuple[bytes, bool]:
    """Return the next frame, and whether its checksums are filled in; raise BlockingIOError if there is none."""
    data, extra, _, _ = sock.recvmsg(_ROOM, socket.CMSG_SPACE(_AUXDATA.size))
    status = 0
    for level, kind, value in extra:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA) and len(value) >= _AUXDATA.size:
            status = _AUXDATA.unpack_from(value)[0]
    return data, not status & CSUM_NOT_READY


def has_left(sock: socket.socket) -> bool:
    """Tell whether something that was sent has been passed on to the link since the last call (its time stamp)."""
    left = False
    while True:
        try:
            _, extra, _, _ = sock.recvmsg(0, 256, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            return left
        left = left or bool(extra)
