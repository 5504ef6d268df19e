"""Addresses, routes and routing rules, as rtnetlink has them (rtnetlink(7), linux/if_addr.h, linux/fib_rules.h).

The rule of this file: between the plan's words and the kernel's messages, both ways. What we make
carries our protocol number, and only what carries it is read back or deleted.
"""

from __future__ import annotations

from _struct import Struct
from errno import EADDRNOTAVAIL, EAFNOSUPPORT, ENODEV, EOPNOTSUPP

from containernet.kernel.links import index_of
from containernet.kernel.netlink import CREATE, EXCL, REPLACE, Netlink, Refused, attribute, attributes, number, u32
from containernet.model.address import packed, split, unpacked
from containernet.model.network import HOST, Place
from containernet.plan.objects import GATEWAYS, LINK_LOCAL, ROUTE_PROTOCOL, Address, Route, Rule

NEWADDR, DELADDR, GETADDR = 20, 21, 22
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
NEWRULE, DELRULE, GETRULE = 32, 33, 34
FAMILIES = (2, 10)  # AF_INET, AF_INET6
UNIVERSE, LINK, NOWHERE = 0, 253, 255  # RT_SCOPE_*
FIB_MATCH = 0x2000  # RTM_F_FIB_MATCH
UNICAST, LOCAL, TO_TABLE = 1, 2, 1  # RTN_UNICAST, RTN_LOCAL, FR_ACT_TO_TBL

_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST, _IFA_FLAGS = 1, 2, 4, 8
_NODAD, _PERMANENT = 0x02, 0x80  # IFA_F_*
_DST, _OIF, _GATEWAY, _PRIORITY, _PREFSRC, _TABLE = 1, 4, 5, 6, 7, 15  # RTA_*
_FRA_SRC, _FRA_PRIORITY, _FRA_TABLE, _FRA_PROTOCOL = 2, 6, 15, 21
_IFADDR = Struct("=BBBBI")  # struct ifaddrmsg
_RTMSG = Struct("=BBBBBBBBI")  # struct rtmsg
_FIBRULE = Struct("=BBBBBBBBI")  # struct fib_rule_hdr


def _family(address: str) -> int:
    return 10 if ":" in address else 2


def add_address(socket: Netlink, address: Address) -> None:
    """Give a link an address. An IPv6 address is usable at once: no duplicate detection (RFC 4862, 5.4)."""
    socket.ask((NEWADDR, CREATE | EXCL, _address(socket, address)))


def remove_address(socket: Netlink, address: Address) -> None:
    """Take an address from a link."""
    socket.ask((DELADDR, 0, _address(socket, address)))


def forget_loopback(socket: Netlink) -> None:
    """Take 127.0.0.1/8 from the loopback link: the kernel gave it as that went up, and leaves it as it goes down."""
    raw = packed("127.0.0.1")
    body = _IFADDR.pack(2, 8, 0, NOWHERE - 1, index_of(socket, "lo"))
    try:
        socket.ask((DELADDR, 0, body + attribute(_IFA_LOCAL, raw) + attribute(_IFA_ADDRESS, raw)))
    except Refused as refusal:
        if refusal.errno != EADDRNOTAVAIL:
            raise


def _address(socket: Netlink, address: Address) -> bytes:
    host, length = split(address.address)
    raw, family = packed(host), _family(host)
    scope = LINK if host.startswith(LINK_LOCAL) else UNIVERSE
    body = _IFADDR.pack(family, length, 0, scope, index_of(socket, address.link))
    body += attribute(_IFA_LOCAL, raw) + attribute(_IFA_ADDRESS, raw)
    if family == 10:
        return body + u32(_IFA_FLAGS, _NODAD)
    if length < 31:  # RFC 3021: a /31 has no broadcast address
        body += attribute(_IFA_BROADCAST, (int.from_bytes(raw, "big") | (1 << (32 - length)) - 1).to_bytes(4, "big"))
    return body


def addresses(socket: Netlink, index: int = 0) -> list[tuple[int, str]]:
    """Return (link index, address) of the lasting addresses of global scope, and of ours, of one link or of all."""
    found = []
    for family in FAMILIES:
        for body in dump(socket, GETADDR, _IFADDR.pack(family, 0, 0, 0, index)):
            _, length, flags, scope, link = _IFADDR.unpack_from(body)
            if scope not in (UNIVERSE, LINK) or (index and link != index):
                continue
            has = attributes(body, 8)
            text = f"{unpacked(has.get(_IFA_LOCAL) or has[_IFA_ADDRESS])}/{length}"
            lasting = number(has.get(_IFA_FLAGS, bytes((flags,)))) & _PERMANENT  # not from router advertisements
            if lasting and (scope == UNIVERSE or text in GATEWAYS.values()):
                found.append((link, text))
    return found


def dump(socket: Netlink, kind: int, body: bytes) -> list[bytes]:
    """Return the bodies of a dump, none where the kernel lacks what is asked about."""
    try:
        return socket.dump(kind, body)
    except Refused as refusal:
        # no such link; or a kernel without IPv6 or routing rules
        if refusal.errno in (ENODEV, EOPNOTSUPP, EAFNOSUPPORT):
            return []
        raise


def add_route(socket: Netlink, route: Route) -> None:
    """Make a route that is not there."""
    socket.ask((NEWROUTE, CREATE | EXCL, _route(socket, route)))


def replace_route(socket: Netlink, route: Route) -> None:
    """Put a route in the place of the one of the same destination and table, in one go."""
    socket.ask((NEWROUTE, CREATE | REPLACE, _route(socket, route)))


def remove_route(socket: Netlink, route: Route) -> None:
    """Take away a route of ours: the protocol number has to fit."""
    socket.ask((DELROUTE, 0, _route(socket, route)))


def _route(socket: Netlink, route: Route) -> bytes:
    default = route.destination in ("default4", "default6")
    host, length = ("::" if route.destination == "default6" else "0.0.0.0", 0) if default else split(route.destination)
    scope = UNIVERSE if route.via or route.place == HOST else LINK  # the host does not send from the link's own address
    small = route.table if route.table < 256 else 0
    body = _RTMSG.pack(_family(host), length, 0, 0, small, ROUTE_PROTOCOL, scope, UNICAST, 0) + u32(_TABLE, route.table)
    body += b"" if default else attribute(_DST, packed(host))
    body += attribute(_GATEWAY, packed(route.via)) if route.via else b""
    body += attribute(_PREFSRC, packed(route.source)) if route.source else b""
    return body + u32(_OIF, index_of(socket, route.link))


class FoundRoute:
    """A unicast route as the kernel has it; ``destination`` as the plan writes it."""

    __slots__ = ("destination", "metric", "oif", "protocol", "source", "table", "via")

    def __init__(self, body: bytes) -> None:
        family, length, _, _, small, self.protocol, _, _, _ = _RTMSG.unpack_from(body)
        has = attributes(body, 12)
        self.table = number(has[_TABLE]) if _TABLE in has else small
        self.destination = f"{unpacked(has[_DST])}/{length}" if length else ("default6" if family == 10 else "default4")
        self.via = unpacked(has[_GATEWAY]) if _GATEWAY in has else ""
        self.oif = number(has.get(_OIF, b""))
        self.metric = number(has.get(_PRIORITY, b""))
        self.source = unpacked(has[_PREFSRC]) if _PREFSRC in has else ""


def routes(socket: Netlink, protocol: int = 0) -> list[FoundRoute]:
    """Return the unicast routes of all tables, of one protocol or of all."""
    found = []
    for family in FAMILIES:
        for body in dump(socket, GETROUTE, _RTMSG.pack(family, 0, 0, 0, 0, protocol, 0, 0, 0)):
            _, _, _, _, _, whose, _, kind, flags = _RTMSG.unpack_from(body)
            if kind == UNICAST and not flags & 0x200 and whose == (protocol or whose):  # RTM_F_CLONED: a cache entry
                found.append(FoundRoute(body))
    return found


def matched(socket: Netlink, destination: str) -> FoundRoute | None:
    """Return the route to just this address (with its whole length), as the table has it; None if there is none."""
    host, length = split(destination)
    body = _RTMSG.pack(_family(host), length, 0, 0, 0, 0, 0, 0, FIB_MATCH) + attribute(_DST, packed(host))
    try:
        found = FoundRoute(socket.get(GETROUTE, body))
    except Refused:
        return None
    return found if found.destination == destination else None


def towards(socket: Netlink, address: str) -> FoundRoute | None:
    """Return the route that the host itself would take to an address; None if it has none."""
    body = _RTMSG.pack(_family(address), 128 if ":" in address else 32, 0, 0, 0, 0, 0, 0, 0)
    try:
        return FoundRoute(socket.get(GETROUTE, body + attribute(_DST, packed(address))))
    except Refused:
        return None


def is_local(socket: Netlink, address: str) -> bool:
    """Tell whether an address is one of the host's own (RTN_LOCAL)."""
    body = _RTMSG.pack(_family(address), 128 if ":" in address else 32, 0, 0, 0, 0, 0, 0, 0)
    try:
        return socket.get(GETROUTE, body + attribute(_DST, packed(address)))[7] == LOCAL
    except Refused:
        return False


def add_rule(socket: Netlink, rule: Rule) -> None:
    """Make a routing rule that is not there."""
    socket.ask((NEWRULE, CREATE | EXCL, _rule(rule)))


def remove_rule(socket: Netlink, rule: Rule) -> None:
    """Take away a routing rule of ours."""
    socket.ask((DELRULE, 0, _rule(rule)))


def _rule(rule: Rule) -> bytes:
    host, length = split(rule.source)
    small = rule.table if rule.table < 256 else 0
    body = _FIBRULE.pack(_family(host), 0, length, 0, small, 0, 0, TO_TABLE, 0)
    body += attribute(_FRA_SRC, packed(host)) + u32(_FRA_TABLE, rule.table) + u32(_FRA_PRIORITY, rule.priority)
    return body + attribute(_FRA_PROTOCOL, bytes((ROUTE_PROTOCOL,)))


def rules(socket: Netlink, place: Place) -> list[Rule]:
    """Return our routing rules of a namespace."""
    found = []
    for family in FAMILIES:
        for body in dump(socket, GETRULE, _FIBRULE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
            length, has = body[2], attributes(body, 12)
            if number(has.get(_FRA_PROTOCOL, b"")) != ROUTE_PROTOCOL or _FRA_SRC not in has:
                continue
            whole = length == (128 if family == 10 else 32)
            source = unpacked(has[_FRA_SRC]) + ("" if whole else f"/{length}")
            found.append(Rule(place, source, number(has.get(_FRA_TABLE, b"")), number(has.get(_FRA_PRIORITY, b""))))
    return found
