"""Hearing of changes in the kernel as they happen: links, addresses, routes, our nftables table.

The rule of this file: it tells *that* something of ours may have changed, never what to do about it; who is told looks
for himself. These are the multicast groups of rtnetlink(7) and of nfnetlink. What happens inside containers is heard
from outside: NETLINK_LISTEN_ALL_NSID (netlink(7)) brings the messages of every namespace that has a number here, as one
with the other end of a veth pair of the host has; so no descriptor is ever open in one.
"""

from __future__ import annotations

from errno import ENOBUFS
from operator import attrgetter
from struct import Struct

from containernet.kernel.links import DELLINK, GETLINK, NEWLINK, Found
from containernet.kernel.netlink import HEADER, NETFILTER, ROUTE, Netlink, attributes, number, string
from containernet.kernel.routes import DELADDR, DELROUTE, DELRULE, NEWROUTE
from containernet.plan.objects import MAIN, PREFIXES, ROUTE_PROTOCOL, TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYTHING = "everything"  # more has happened than could be told
BRIDGE, END = PREFIXES

_ROOM, _BUFFER = 1 << 16, 1 << 20
_SOL_NETLINK, _ALL_NSID = 270, 8  # SOL_NETLINK, NETLINK_LISTEN_ALL_NSID
LINKS, _ADDRESS4, _ROUTE4, _RULE4, _ADDRESS6, _ROUTE6, _RULE6 = 1, 5, 7, 8, 9, 11, 19  # RTNLGRP_*
_NETCONF4, _NETCONF6 = 24, 25
_NFTABLES = 7  # NFNLGRP_NFTABLES
_NEWNETCONF, _REPLACE = 80, 0x100  # RTM_NEWNETCONF, NLM_F_REPLACE
_LINK_NETNSID, _PROTINFO, _PORT_HAIRPIN, _AF_BRIDGE = 37, 12, 4, 7
_ALL_LINKS, _FORWARDING = 0xFFFFFFFF, 2  # NETCONFA_IFINDEX_ALL, NETCONFA_FORWARDING
_INDEX = Struct("=I")
_MATTERS = attrgetter("name", "hairpin", "master", "mtu", "up", "group", "alias", "mac", "stp")  # of a link
_INET = 1  # NFPROTO_INET
_NEWGEN = 15  # NFT_MSG_NEWGEN


class Message:
    """One message of the kernel; ``where`` is the number of the other namespace that it comes from, None: this one."""

    __slots__ = ("body", "flags", "kind", "where")

    def __init__(self, kind: int, flags: int, body: bytes, where: int | None) -> None:
        self.kind, self.flags, self.body, self.where = kind, flags, body, where

    @property
    def index(self) -> int:
        """The index of the link that a message on links or addresses is about."""
        return int(_INDEX.unpack_from(self.body, 4)[0])


class Multicast:
    """A socket that hears of changes; what of them concerns us, the classes below say."""

    def __init__(self, protocol: int, groups: tuple[int, ...], *, all_namespaces: bool = False) -> None:
        self._netlink = Netlink(protocol, sum(1 << group - 1 for group in groups))
        self._netlink.room(_BUFFER)
        self._netlink.socket.setblocking(False)
        if all_namespaces:
            self._netlink.socket.setsockopt(_SOL_NETLINK, _ALL_NSID, 1)

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something new."""
        return self._netlink.socket.fileno()

    def close(self) -> None:
        """Hear no more."""
        self._netlink.close()

    def news(self, most: int = 64) -> set[str]:
        """Return what has happened, by at most so many datagrams; never waits."""
        found: set[str] = set()
        for _ in range(most):
            try:
                data, extra, _, _ = self._netlink.socket.recvmsg(_ROOM, 64)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != ENOBUFS:
                    raise
                self._again()
                found.add(EVERYTHING)
                continue
            where = next((number(value) for _, kind, value in extra if kind == _ALL_NSID), None)
            found.update(what for one in _messages(data, where) if (what := self._concern(one)))
        return found

    def _again(self) -> None:
        """Learn anew what is known of the kernel, after messages were lost."""

    def _concern(self, message: Message) -> str:
        """Return what of ours a message is about, "" if nothing."""
        raise NotImplementedError


def _messages(data: bytes, where: int | None) -> Iterator[Message]:
    offset = 0
    while offset + HEADER.size <= len(data):
        length, kind, flags, _, _ = HEADER.unpack_from(data, offset)
        yield Message(kind, flags, data[offset + HEADER.size : offset + length], where)
        offset += max(length, HEADER.size) + 3 & ~3


def links() -> list[Message]:
    """Return all links of this namespace, as if they had come just now."""
    socket = Netlink(ROUTE)
    try:
        return [Message(NEWLINK, 0, body, None) for body in socket.dump(GETLINK, bytes(16))]
    finally:
        socket.close()


class Host(Multicast):
    """Changes on the host: our links and their ports, addresses and routes; its default routes, forwarding, MTUs."""

    def __init__(self) -> None:
        super().__init__(ROUTE, (LINKS, _ADDRESS4, _ROUTE4, _ADDRESS6, _ROUTE6, _NETCONF4, _NETCONF6))
        self._known: dict[int, Found] = {}  # all links, as they were told of last
        self._again()

    def _again(self) -> None:
        self._known.clear()
        for one in links():
            self._link(one)

    def _concern(self, message: Message) -> str:
        if message.kind in (NEWLINK, DELLINK):
            return self._link(message)
        if message.kind == DELADDR:
            name = self._name(message.index)
            return f"an address of {name}" if name.startswith(PREFIXES) else ""
        if message.kind in (NEWROUTE, DELROUTE):
            return self._route(message)
        if message.kind == _NEWNETCONF:
            has = attributes(message.body, 4)
            return "forwarding" if _FORWARDING in has and number(has.get(1, b"")) == _ALL_LINKS else ""
        return ""

    def _name(self, index: int) -> str:
        return self._known[index].name if index in self._known else ""

    def _link(self, message: Message) -> str:
        """Compare a link with what it was: packets, carriers and ports that come and go change nothing of ours."""
        link = Found(message.body)
        before = self._known.get(link.index)
        if message.body[0] == _AF_BRIDGE:
            return self._port(message, before)
        ours = self._ours(link) or (before is not None and self._ours(before))
        if message.kind == DELLINK:
            self._known.pop(link.index, None)
            return link.name if ours and not link.name.startswith(END) else ""  # of pairs, Inside tells
        self._known[link.index] = link
        if before is not None and _MATTERS(before) == _MATTERS(link):
            return ""
        return link.name if ours or (before is not None and before.mtu != link.mtu) else ""

    def _ours(self, link: Found) -> bool:
        """Tell whether a link is one of ours, or a port of our bridge."""
        return link.name.startswith(PREFIXES) or self._name(link.master).startswith(BRIDGE)

    def _port(self, message: Message, link: Found | None) -> str:
        """A message of a bridge about its port: all that it alone tells is the port's hairpin mode."""
        port = attributes(attributes(message.body, 16).get(_PROTINFO, b""))
        if message.kind != NEWLINK or link is None or _PORT_HAIRPIN not in port:
            return ""
        before, link.hairpin = link.hairpin, number(port[_PORT_HAIRPIN])
        return link.name if before != link.hairpin and self._ours(link) else ""

    def _route(self, message: Message) -> str:
        has = attributes(message.body, 12)
        length, small, protocol = message.body[1], message.body[4], message.body[5]
        if not length and (number(has[15]) if 15 in has else small) == MAIN:  # RTA_TABLE
            return "a default route"
        name = self._name(number(has.get(4, b"")))  # RTA_OIF
        if message.kind == DELROUTE and (protocol == ROUTE_PROTOCOL or name.startswith(BRIDGE)):
            return f"a route by {name}"
        return ""


class Inside(Multicast):
    """Changes inside our containers, and pairs that are gone; a container can bring these about at will."""

    def __init__(self) -> None:
        groups = (LINKS, _ADDRESS4, _ROUTE4, _RULE4, _ADDRESS6, _ROUTE6, _RULE6)
        super().__init__(ROUTE, groups, all_namespaces=True)
        self._numbers: dict[int, int] = {}  # of namespaces, by the index of the host's end of the pair
        self._again()

    def _again(self) -> None:
        self._numbers.clear()
        self._ours: frozenset[int] = frozenset()
        for one in links():
            self._end(one)

    def _concern(self, message: Message) -> str:
        kind = message.kind
        if message.where is None:
            return self._end(message) if kind in (NEWLINK, DELLINK) and message.body[0] != _AF_BRIDGE else ""
        if message.where not in self._ours:
            return ""
        taken = kind in (NEWLINK, DELLINK, DELADDR, DELROUTE, DELRULE)
        return f"inside {message.where}" if taken or (kind == NEWROUTE and message.flags & _REPLACE) else ""

    def _end(self, message: Message) -> str:
        """Note which namespace the other end of a pair of ours is in."""
        has = attributes(message.body, 16)
        name = string(has.get(3, b""))  # IFLA_IFNAME
        if not name.startswith(END):
            return ""
        if message.kind == DELLINK:
            self._numbers.pop(message.index, None)
        elif _LINK_NETNSID in has:
            self._numbers[message.index] = number(has[_LINK_NETNSID])
        self._ours = frozenset(self._numbers.values())
        return name if message.kind == DELLINK else ""


class Firewall(Multicast):
    """Changes of our nftables table, whoever makes them."""

    def __init__(self) -> None:
        super().__init__(NETFILTER, (_NFTABLES,))

    def _concern(self, message: Message) -> str:
        if message.kind & 0xFF == _NEWGEN or message.body[0] != _INET:
            return ""
        table = string(attributes(message.body, 4).get(1, b""))  # NFTA_*_TABLE: of all kinds the first
        return "our table" if table == TABLE else ""
