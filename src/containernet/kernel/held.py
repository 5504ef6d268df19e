"""The host's own addresses and routes on one link, with all that belongs to them (rtnetlink(7), ip-address(8)).

The rule of this file: what is read can be given back such that ``ip address`` and ``ip route`` print the same. What the
kernel makes by itself is left out (routes of addresses, link-local addresses of a MAC); what it cannot give back is
said, never dropped.
"""

from __future__ import annotations

from struct import Struct

from containernet.kernel.door import ABSENT, EXISTS, KernelError
from containernet.kernel.links import index_of
from containernet.kernel.netlink import CREATE, EXCL, Netlink, Refused, attribute, attributes, nest, number, text, u32
from containernet.kernel.routes import (
    DELADDR,
    DELROUTE,
    FAMILIES,
    GETADDR,
    GETROUTE,
    NEWADDR,
    NEWROUTE,
    UNICAST,
    dump,
)
from containernet.model.address import eui64, packed, split, unpacked
from containernet.plan.objects import Held, HeldAddress, HeldRoute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

EXPIRY, HZ = Struct("=i"), 100  # of struct rta_cacheinfo, in USER_HZ
IFADDR, RTMSG, CACHE = Struct("=BBBBI"), Struct("=BBBBBBBBI"), Struct("=IIII")
ADDRESS, LOCAL, LABEL, BROADCAST, CACHEINFO, FLAGS, METRIC, PROTO = 1, 2, 3, 4, 6, 8, 9, 11  # IFA_*
KEPT = 0x100 | 0x200 | 0x400  # IFA_F_MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN: those that can be given
NODAD = 0x02
DST, OIF, GATEWAY, PRIORITY, PREFSRC, METRICS, MULTIPATH, CACHED = 1, 4, 5, 6, 7, 8, 9, 12  # RTA_*
TABLE, VIA, PREF, ENCAP, EXPIRES, NH_ID = 15, 18, 20, 22, 23, 30  # RTA_*
LOCAL_TABLE, BY_KERNEL, ONLINK, CLONED, LINK_SCOPE = 255, 2, 4, 0x200, 253
APPEND = 0x800  # NLM_F_APPEND


def held(socket: Netlink, name: str, index: int, mac: str) -> tuple[Held, ...]:
    """Return the host's own addresses and routes on a link, in the order in which they are to be given."""
    four = list(_addresses(socket, name, index, mac, 2))
    six = list(_addresses(socket, name, index, mac, 10))[::-1]  # the kernel puts the youngest first
    routes = [one for one in _routes(socket, name, index) if isinstance(one, HeldRoute)]
    return (*four, *six, *routes)


def odd(socket: Netlink, name: str, index: int) -> str:
    """Return what of a link's routes cannot be given to another, "" for nothing."""
    return next((one for one in _routes(socket, name, index) if isinstance(one, str)), "")


def _addresses(socket: Netlink, name: str, index: int, mac: str, family: int) -> Iterator[HeldAddress]:
    for body in dump(socket, GETADDR, IFADDR.pack(family, 0, 0, 0, index)):
        _, length, flags, scope, link = IFADDR.unpack_from(body)
        has = attributes(body, 8)
        host = unpacked(has.get(LOCAL) or has[ADDRESS])
        kernels = scope == LINK_SCOPE and family == 10 and (number(has.get(PROTO, b"")) or host == eui64(mac))
        if link == index and not kernels:
            yield _address(name, host, length, scope, number(has.get(FLAGS, bytes((flags,)))), has)


def _address(name: str, host: str, length: int, scope: int, flags: int, has: dict[int, bytes]) -> HeldAddress:
    preferred, valid, _, _ = CACHE.unpack_from(has[CACHEINFO])
    far = unpacked(has[ADDRESS]) if has.get(LOCAL, has[ADDRESS]) != has[ADDRESS] else ""
    label = has.get(LABEL, b"").split(b"\0")[0].decode()
    return HeldAddress(
        name, f"{host}/{length}", f"{far}/{length}" if far else "",
        unpacked(has[BROADCAST]) if BROADCAST in has else "", label.removeprefix(name), scope, flags & KEPT, valid,
        preferred, number(has.get(METRIC, b"")), number(has.get(PROTO, b"")),
    )  # fmt: skip


def _routes(socket: Netlink, name: str, index: int) -> Iterator[HeldRoute | str]:
    for family in FAMILIES:
        for body in dump(socket, GETROUTE, RTMSG.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
            _, length, _, tos, small, protocol, scope, kind, flags = RTMSG.unpack_from(body)
            has = attributes(body, 12)
            table = number(has[TABLE]) if TABLE in has else small
            if protocol == BY_KERNEL or table == LOCAL_TABLE or flags & CLONED:
                continue
            where = f"{unpacked(has[DST])}/{length}" if length else f"default{6 if family == 10 else 4}"
            if MULTIPATH in has and index in _hops(has[MULTIPATH]):
                yield f"the route {where} has several ways"
            elif number(has.get(OIF, b"")) == index:
                odd = kind != UNICAST or {VIA, ENCAP, NH_ID} & has.keys()
                yield (
                    f"the route {where} is of an uncommon kind"
                    if odd
                    else _route(name, where, table, protocol, scope, tos, flags, has)
                )


def _hops(data: bytes) -> list[int]:
    """Return the links of a route of several ways (struct rtnexthop)."""
    found, offset = [], 0
    while offset + 8 <= len(data):
        found.append(number(data[offset + 4 : offset + 8]))
        offset += max(8, number(data[offset : offset + 2]) + 3 & ~3)
    return found


def _route(
    name: str, where: str, table: int, protocol: int, scope: int, tos: int, flags: int, has: dict[int, bytes]
) -> HeldRoute:
    expires = EXPIRY.unpack_from(has[CACHED], 8)[0] // HZ if CACHED in has else 0
    metrics = attributes(has.get(METRICS, b""))
    return HeldRoute(
        name, where, unpacked(has[GATEWAY]) if GATEWAY in has else "",
        unpacked(has[PREFSRC]) if PREFSRC in has else "", table, number(has.get(PRIORITY, b"")), protocol, scope, tos,
        flags & ONLINK, number(has[PREF]) if PREF in has else -1, max(expires, 0),
        tuple((key, number(value)) for key, value in sorted(metrics.items())),
    )  # fmt: skip


def has(socket: Netlink, wanted: Held) -> bool:
    """Tell whether a link has an address or a route; what runs out may have less time left."""
    try:
        index = index_of(socket, wanted.link)
    except KernelError:
        return False
    if isinstance(wanted, HeldAddress):
        family = 10 if ":" in wanted.address else 2
        return any(one.identity == wanted.identity for one in _addresses(socket, wanted.link, index, "", family))
    return any(isinstance(one, HeldRoute) and _same(one, wanted) for one in _routes(socket, wanted.link, index))


def _same(one: HeldRoute, other: HeldRoute) -> bool:
    return (one.identity, one.protocol, one.source, one.scope) == (
        other.identity, other.protocol, other.source, other.scope
    )  # fmt: skip


def add(socket: Netlink, one: Held) -> None:
    """Give an address or a route to a link; raise EXISTS if it has it."""
    if isinstance(one, HeldAddress):
        socket.ask((NEWADDR, CREATE | EXCL, _address_message(socket, one, whole=True)))
        return
    if has(socket, one):
        raise KernelError(EXISTS, f"The route {one.destination} over {one.link} is there.")
    six = ":" in one.destination or one.destination == "default6"
    # IPv4: before others to the same place, as it was; IPv6: beside them, or it would be refused
    socket.ask((NEWROUTE, CREATE | (APPEND if six else 0), _route_message(socket, one, whole=True)))


def remove(socket: Netlink, one: Held) -> None:
    """Take an address or a route from a link."""
    if isinstance(one, HeldAddress):
        socket.ask((DELADDR, 0, _address_message(socket, one, whole=False)))
        return
    try:
        socket.ask((DELROUTE, 0, _route_message(socket, one, whole=False)))
    except Refused as refusal:
        raise KernelError(ABSENT, f"The route {one.destination} over {one.link} is not there.") from refusal


def _address_message(socket: Netlink, one: HeldAddress, *, whole: bool) -> bytes:
    host, length = split(one.address)
    raw = packed(host)
    far = packed(one.peer.partition("/")[0]) if one.peer else raw
    body = IFADDR.pack(10 if len(raw) == 16 else 2, length, 0, one.scope, index_of(socket, one.link))
    body += attribute(LOCAL, raw) + attribute(ADDRESS, far)
    if not whole:
        return body
    body += attribute(BROADCAST, packed(one.broadcast)) if one.broadcast else b""
    body += text(LABEL, one.link + one.label) if len(raw) == 4 else b""
    body += u32(FLAGS, one.flags | (NODAD if len(raw) == 16 else 0)) + u32(METRIC, one.metric)
    body += attribute(PROTO, bytes((one.protocol,))) if one.protocol else b""
    return body + attribute(CACHEINFO, CACHE.pack(one.preferred, one.valid, 0, 0))


def _route_message(socket: Netlink, one: HeldRoute, *, whole: bool) -> bytes:
    six = one.destination == "default6" or ":" in one.destination
    host, length = ("", 0) if one.destination.startswith("default") else split(one.destination)
    small = one.table if one.table < 256 else 0
    flags = one.flags if whole else 0
    body = RTMSG.pack(10 if six else 2, length, 0, one.tos, small, one.protocol, one.scope, UNICAST, flags)
    body += attribute(DST, packed(host)) if host else b""
    body += attribute(GATEWAY, packed(one.via)) if one.via else b""
    body += u32(OIF, index_of(socket, one.link)) + u32(TABLE, one.table)
    body += u32(PRIORITY, one.metric) if one.metric else b""
    body += attribute(PREFSRC, packed(one.source)) if one.source else b""
    if not whole:
        return body
    body += nest(METRICS, *(u32(key, value) for key, value in one.metrics)) if one.metrics else b""
    body += attribute(PREF, bytes((one.preference,))) if one.preference >= 0 else b""
    return body + (u32(EXPIRES, one.expires) if one.expires else b"")
