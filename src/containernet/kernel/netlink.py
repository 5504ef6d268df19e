"""Netlink: how a program talks to the kernel's network (netlink(7), RFC 3549, linux/netlink.h).

The rule of this file: bytes and their order, nothing of what they mean. A refusal is an :class:`OSError` with the
kernel's number and, where the kernel says more (NETLINK_EXT_ACK), its sentence and the place in the message it means.
The kernel works in the caller's ``send``: when that returns, every answer waits in the socket.
"""

from __future__ import annotations

import os
from _socket import SO_RCVBUF, SO_SNDBUF, SOCK_RAW, SOL_SOCKET, socket
from _struct import Struct
from errno import EAGAIN, EINTR, ENOBUFS
from sys import byteorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AF_NETLINK = 16
ROUTE, NETFILTER = 0, 12  # the protocols NETLINK_ROUTE and NETLINK_NETFILTER
REQUEST, ACK, REPLACE, EXCL, CREATE, DUMP = 0x1, 0x4, 0x100, 0x200, 0x400, 0x300
NESTED = 0x8000
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_NETNS_COOKIE = 32, 33, 71

_SOL_NETLINK, _CAP_ACK, _EXT_ACK, _STRICT = 270, 10, 11, 12
_ERROR, _DONE = 2, 3
_CAPPED, _ACK_TLVS, _INTERRUPTED = 0x100, 0x200, 0x10
_MESSAGE = 1  # NLMSGERR_ATTR_MSG
_OFFSET = 2  # NLMSGERR_ATTR_OFFS
_ROOM = 1 << 17  # for one recv; the kernel fills at most 32 KiB of a dump at once
_ATTEMPTS = 20  # at a dump that others' changes interrupt

HEADER = Struct("=IHHII")
ATTRIBUTE = Struct("=HH")
U32 = Struct("=I")
_INT = Struct("=i")


class Refused(OSError):
    """The kernel's "no": ``errno``, ``detail`` (its sentence, may be empty), and which message and byte it means."""

    def __init__(self, number: int, detail: str = "", message: int = 0, offset: int = 0) -> None:
        super().__init__(number, os.strerror(number))
        self.detail = detail
        self.message = message  # the index of the message in its send
        self.offset = offset


def attribute(kind: int, value: bytes) -> bytes:
    """Return one attribute (struct nlattr), padded to four bytes."""
    return ATTRIBUTE.pack(len(value) + 4, kind) + value + b"\0" * (-len(value) & 3)


def text(kind: int, value: str) -> bytes:
    """Return an attribute that holds a NUL-terminated string."""
    return attribute(kind, value.encode() + b"\0")


def u32(kind: int, value: int) -> bytes:
    """Return an attribute that holds a number in the host's byte order."""
    return attribute(kind, U32.pack(value))


def nest(kind: int, *inner: bytes) -> bytes:
    """Return an attribute that holds attributes."""
    return attribute(kind | NESTED, b"".join(inner))


def attributes(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """Return the attributes that begin at ``offset``, by kind; of several of one kind the last."""
    found = {}
    end = len(data) - 4
    while offset <= end:
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[offset + 4 : offset + length]
        offset += length + 3 & ~3
    return found


def listed(data: bytes) -> list[bytes]:
    """Return the contents of a list of attributes, whatever their kinds."""
    found, offset, end = [], 0, len(data) - 4
    while offset <= end:
        length = ATTRIBUTE.unpack_from(data, offset)[0]
        if length < 4:
            break
        found.append(data[offset + 4 : offset + length])
        offset += length + 3 & ~3
    return found


def string(value: bytes) -> str:
    """Return the string in an attribute."""
    return value.split(b"\0", 1)[0].decode(errors="replace")


def number(value: bytes) -> int:
    """Return the number in the host's byte order in an attribute of one, two, four or eight bytes."""
    return int.from_bytes(value, byteorder)


class Netlink:
    """One socket; it belongs for good to the network namespace of the thread that opened it."""

    def __init__(self, protocol: int, groups: int = 0) -> None:
        self.socket = socket(AF_NETLINK, SOCK_RAW, protocol)  # Python sets SOCK_CLOEXEC
        self._sequence = 0
        for option in (_CAP_ACK, _EXT_ACK, _STRICT):
            self._try(_SOL_NETLINK, option, 1)
        if groups:
            self.socket.bind((0, groups))

    def _try(self, level: int, option: int, value: int) -> bool:
        try:
            self.socket.setsockopt(level, option, value)
        except OSError:  # an older kernel, or no CAP_NET_ADMIN in the first user namespace
            return False
        return True

    def close(self) -> None:
        """Let go of the socket."""
        self.socket.close()

    def cookie(self) -> int:
        """Return the number of the socket's network namespace (socket(7), SO_NETNS_COOKIE)."""
        return number(self.socket.getsockopt(SOL_SOCKET, SO_NETNS_COOKIE, 8))

    def room(self, size: int) -> None:
        """See to it that a message, or its answers, of this size fit."""
        if size > self.socket.getsockopt(SOL_SOCKET, SO_SNDBUF) // 2:
            self._try(SOL_SOCKET, SO_SNDBUFFORCE, 2 * size) or self._try(SOL_SOCKET, SO_SNDBUF, 2 * size)
        if size > self.socket.getsockopt(SOL_SOCKET, SO_RCVBUF) // 2:
            self._try(SOL_SOCKET, SO_RCVBUFFORCE, 2 * size) or self._try(SOL_SOCKET, SO_RCVBUF, 2 * size)

    def send(self, messages: Sequence[tuple[int, int, bytes]]) -> int:
        """Send (type, flags, body) messages in one go; return the sequence number of the first."""
        first = self._sequence + 1
        self._sequence += len(messages)
        packed: list[bytes] = []
        for sequence, (kind, flags, body) in enumerate(messages, first):
            packed += HEADER.pack(16 + len(body), kind, flags | REQUEST, sequence, 0), body, b"\0" * (-len(body) & 3)
        data = b"".join(packed)
        self.room(len(data))
        self.socket.send(data)
        return first

    def ask(self, *messages: tuple[int, int, bytes]) -> None:
        """Have each message done and acknowledged; raise the first refusal after all were tried."""
        first = self.send([(kind, flags | ACK, body) for kind, flags, body in messages])
        waiting, refusal = len(messages), None
        while waiting:
            for kind, flags, sequence, body in self._received(first):
                if kind == _ERROR:
                    waiting -= 1
                    refusal = refusal or refused(body, flags, sequence - first)
        if refusal:
            raise refusal

    def get(self, kind: int, body: bytes) -> bytes:
        """Return the kernel's one answer."""
        first = self.send([(kind, 0, body)])
        while True:
            for answer, flags, _, data in self._received(first):
                if answer != _ERROR:
                    return data
                raise refused(data, flags, 0) or Refused(ENOBUFS)

    def answers(self, first: int) -> Iterable[tuple[int, bytes, Refused | None]]:
        """Return all that waits by now: (index of the message, body, or its refusal or None for an acknowledgement)."""
        self.socket.setblocking(False)
        try:
            while True:
                for kind, flags, sequence, body in self._received(first):
                    index = sequence - first
                    yield (index, b"", refused(body, flags, index)) if kind == _ERROR else (index, body, None)
        except BlockingIOError:
            return
        finally:
            self.socket.setblocking(True)

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """Return the bodies of a whole dump, taken again when the kernel says that it changed meanwhile."""
        for _ in range(_ATTEMPTS):
            found, whole = self._dump(kind, body)
            if whole:
                return found
        raise Refused(EAGAIN, "the list changes faster than it can be read")

    def _dump(self, kind: int, body: bytes) -> tuple[list[bytes], bool]:
        first = self.send([(kind, DUMP, body)])
        found: list[bytes] = []
        whole = True
        while True:
            for answer, flags, _, data in self._received(first):
                whole = whole and not flags & _INTERRUPTED
                if answer in (_DONE, _ERROR):
                    refusal = refused(data, flags, 0)
                    if refusal and refusal.errno != EINTR:
                        raise refusal
                    return found, whole and not refusal
                found.append(data)

    def _received(self, first: int) -> list[tuple[int, int, int, bytes]]:
        """Return (type, flags, sequence, body) of the messages of one ``recv``, but not answers to older requests."""
        data = self.socket.recv(_ROOM)
        found: list[tuple[int, int, int, bytes]] = []
        offset, end = 0, len(data)
        while offset < end:
            length, kind, flags, sequence, _ = HEADER.unpack_from(data, offset)
            if sequence >= first or not sequence:
                found.append((kind, flags, sequence, data[offset + 16 : offset + length]))
            offset += length + 3 & ~3
        return found


def refused(body: bytes, flags: int, message: int) -> Refused | None:
    """Return the refusal in the body of an NLMSG_ERROR or NLMSG_DONE; None if it says that all is well."""
    code = _INT.unpack_from(body)[0] if len(body) >= 4 else 0
    if not code:
        return None
    if not flags & _ACK_TLVS:
        return Refused(-code, "", message)
    # after the number, the header of the refused message, and its body unless NETLINK_CAP_ACK cut that off
    start = 20 if flags & _CAPPED else 4 + (U32.unpack_from(body, 4)[0] + 3 & ~3)
    more = attributes(body, start)
    return Refused(-code, string(more.get(_MESSAGE, b"")), message, number(more.get(_OFFSET, b"")))
