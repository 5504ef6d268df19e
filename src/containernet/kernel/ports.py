"""Which ports processes of the host hold (bind(2), ip(7), ipv6(7), proc_net(5)).

The rule of this file: a port is tried by binding it, in O(1); only when that fails are the kernel's lists read, to see
whether what holds the port is in the way, and whose it is. The port is free again when the answer is given.
"""

from __future__ import annotations

import os
from _socket import AF_INET, AF_INET6, SO_REUSEADDR, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET, socket
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT
from sys import byteorder

from containernet.model.address import unpacked

IPPROTO_IPV6, IPV6_V6ONLY, IPPROTO_SCTP = 41, 26, 132
_IMPOSSIBLE = (EADDRNOTAVAIL, EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT)
ANY4 = "0.0.0.0"
_LISTEN = "0A"  # TCP_LISTEN
_NOBODY = "0000"  # the remote port of a socket that takes from anyone


def busy(protocol: str, address: str, first: int, last: int) -> tuple[int, str] | None:
    """Return the first port of the range that is bound, and by whom."""
    holders: list[tuple[str, int, int]] | None = None
    for port in range(first, last + 1):
        if _free(protocol, address, port):
            continue
        if holders is None:
            holders = _holders(protocol)
        inode = next(
            (inode for where, number, inode in holders if number == port and _in_the_way(where, address)), None
        )
        if inode is not None:
            return port, _process(inode)
        if protocol == "sctp":  # it has no list of that form
            return port, ""
    return None


def _free(protocol: str, address: str, port: int) -> bool:
    """Tell whether a port can be bound, on every address of both families when none is given."""
    if address:
        return _binds(protocol, address, port) is not False
    both = _binds(protocol, "::", port)
    return (_binds(protocol, ANY4, port) if both is None else both) is not False


def _binds(protocol: str, address: str, port: int) -> bool | None:
    """Tell whether a port can be bound; None: nobody can, for want of the protocol, the family or the address."""
    try:
        return _bind(protocol, AF_INET6 if ":" in address else AF_INET, address, port)
    except OSError as error:
        if error.errno in (EADDRINUSE, EACCES):
            return False
        if error.errno in _IMPOSSIBLE:
            return None
        raise


def _bind(protocol: str, family: int, address: str, port: int) -> bool:
    kind = SOCK_DGRAM if protocol == "udp" else SOCK_STREAM
    probe = socket(family, kind, IPPROTO_SCTP if protocol == "sctp" else 0)
    try:
        if protocol == "tcp":  # so that only listeners are in the way, not what is closing
            probe.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        if family == AF_INET6:  # on "::" one bind tries IPv4 as well
            probe.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, int(address != "::"))
        probe.bind((address, port))
    finally:
        probe.close()
    return True


def _holders(protocol: str) -> list[tuple[str, int, int]]:
    """Return (address, port, inode) of the sockets that take what comes to a port."""
    found = []
    for name in (protocol, protocol + "6"):
        try:
            with open(f"/proc/thread-self/net/{name}") as lines:
                next(lines)
                rows = [line.split(None, 10) for line in lines]
        except OSError:
            continue
        for row in rows:
            if row[3] == _LISTEN if protocol == "tcp" else row[2].endswith(":" + _NOBODY):
                address, _, port = row[1].partition(":")
                found.append((_address(address), int(port, 16), int(row[9])))
    return found


def _address(text: str) -> str:
    """Return an address of /proc/net: words in the host's byte order; an IPv4 address mapped into IPv6 as IPv4."""
    raw = b"".join([int(text[i : i + 8], 16).to_bytes(4, byteorder) for i in range(0, len(text), 8)])
    return unpacked(raw[12:] if raw.startswith(b"\0" * 10 + b"\xff\xff") else raw)


def _in_the_way(where: str, address: str) -> bool:
    if where == "::" or (where == ANY4 and ":" not in address):
        return True
    if address:
        return where == address
    return not where.startswith("127.") and where != "::1"


def _process(inode: int) -> str:
    """Return ``pid 123 (nginx)`` of a socket's holder, "" if it cannot be found."""
    wanted = f"socket:[{inode}]"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if any(os.readlink(f"/proc/{pid}/fd/{name}") == wanted for name in os.listdir(f"/proc/{pid}/fd")):
                with open(f"/proc/{pid}/comm") as name_file:
                    return f"pid {pid} ({name_file.read().strip()})"
        except OSError:  # it ended, or is not ours to look into
            continue
    return ""
