"""Neighbours that nobody is asked for: at a MAC address that is known, or answered for (ip-neighbour(8)).

The rule of this file: what we make is permanent and carries our protocol number, and only what carries it is read back
or deleted. The kernel puts an entry in the place of another without a word, so it is asked before.
"""

from __future__ import annotations

from _struct import Struct
from errno import ENOENT

from containernet.kernel.door import ABSENT, EXISTS, KernelError
from containernet.kernel.links import index_of
from containernet.kernel.netlink import CREATE, REPLACE, Netlink, Refused, attribute, attributes, number
from containernet.kernel.routes import FAMILIES, dump
from containernet.model.address import packed, packed_mac, unpacked
from containernet.model.network import Place
from containernet.plan.objects import ROUTE_PROTOCOL, Neighbour

NEWNEIGH, DELNEIGH, GETNEIGH = 28, 29, 30
PERMANENT, PROXY = 0x80, 0x08  # NUD_PERMANENT, NTF_PROXY

_DST, _LLADDR, _PROTOCOL = 1, 2, 12  # NDA_*
_NDMSG = Struct("=BxxxiHBB")  # struct ndmsg


def _head(one: Neighbour, index: int, state: int = 0) -> bytes:
    family = 10 if ":" in one.address else 2
    head = _NDMSG.pack(family, index, state, 0 if one.mac else PROXY, 0)
    return head + attribute(_DST, packed(one.address))


def add(socket: Netlink, one: Neighbour) -> None:
    """Make an entry; one that was only found out gives way, one that somebody has made does not."""
    index = index_of(socket, one.link)
    there = _there(socket, one, index)
    if there is not None and (not one.mac or there[0] & PERMANENT):
        whose = "there already" if there[1] == ROUTE_PROTOCOL else "somebody else's"
        raise KernelError(EXISTS, f"The entry for {one.address} among the neighbours on {one.link} is {whose}.")
    put(socket, one)


def put(socket: Netlink, one: Neighbour) -> None:
    """Make an entry, or put it in the place of the one that is there."""
    known = attribute(_LLADDR, packed_mac(one.mac)) if one.mac else b""
    body = _head(one, index_of(socket, one.link), PERMANENT) + known + attribute(_PROTOCOL, bytes((ROUTE_PROTOCOL,)))
    socket.ask((NEWNEIGH, CREATE | REPLACE, body))


def remove(socket: Netlink, one: Neighbour) -> None:
    """Delete an entry of ours."""
    index = index_of(socket, one.link)
    there = _there(socket, one, index)
    if there is None or there[1] != ROUTE_PROTOCOL:
        raise KernelError(ABSENT, f"There is no entry of ours for {one.address} among the neighbours on {one.link}.")
    socket.ask((DELNEIGH, 0, _head(one, index)))


def has(socket: Netlink, one: Neighbour) -> bool:
    """Tell whether an entry is there exactly so."""
    try:
        there = _there(socket, one, index_of(socket, one.link))
    except KernelError:
        return False
    return there is not None and there[1] == ROUTE_PROTOCOL and (not one.mac or there == (PERMANENT, there[1], one.mac))


def _there(socket: Netlink, one: Neighbour, index: int) -> tuple[int, int, str] | None:
    """Return the state, the protocol and the MAC address of an entry; None if there is none."""
    try:
        body = socket.get(GETNEIGH, _head(one, index))
    except Refused as refusal:
        if refusal.errno == ENOENT:
            return None
        raise
    known = attributes(body, 12)
    return _NDMSG.unpack_from(body)[2], number(known.get(_PROTOCOL, b"")), known.get(_LLADDR, b"").hex(":")


def neighbours(socket: Netlink, place: Place, names: dict[int, str]) -> set[Neighbour]:
    """Return our entries in a namespace; ``names`` are those of its links."""
    found: set[Neighbour] = set()
    for family in FAMILIES:
        for flags in (0, PROXY):
            for body in dump(socket, GETNEIGH, _NDMSG.pack(family, 0, 0, flags, 0)):
                _, index, state, _, _ = _NDMSG.unpack_from(body)
                known = attributes(body, 12)
                if number(known.get(_PROTOCOL, b"")) == ROUTE_PROTOCOL and (flags or state & PERMANENT):
                    mac = "" if flags else known.get(_LLADDR, b"").hex(":")
                    found.add(Neighbour(place, names.get(index, ""), unpacked(known[_DST]), mac))
    return found
