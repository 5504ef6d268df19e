"""What routers advertise to our containers (RFC 4861, RFC 8106), heard from outside of them.

The rule of this file: no descriptor is open in a namespace: NETLINK_LISTEN_ALL_NSID (netlink(7)) brings what the kernel
tells there. It tells of two things: that the flags M and O have changed, and of options that are not its own business,
DNS servers and search lists. What is in an option is for others to read: here it is bytes.
"""

from __future__ import annotations

from containernet.kernel.door import DHCPV6, DHCPV6_ONLY_MORE
from containernet.kernel.links import DELLINK, GETLINK, NEWLINK, index_of, info
from containernet.kernel.netlink import ROUTE, Netlink, attributes, number, string
from containernet.kernel.watch import END, LINKS, Message, Multicast, links

FLAGS, OPTION = "flags", "option"  # what the news about a link begins with
AF_INET6, AF_BRIDGE = 10, 7
_IFINFO, _USEROPT = 18, 20  # RTNLGRP_IPV6_IFINFO, RTNLGRP_ND_USEROPT
_NEWNDUSEROPT, _OPTIONS = 68, 16  # RTM_NEWNDUSEROPT; the bytes of struct nduseroptmsg
_IFNAME, _LINK, _PROTINFO, _AF_SPEC, _LINK_NETNSID = 3, 5, 12, 26, 37  # IFLA_*
_INET6_FLAGS = 1
_ADVERTISEMENT = 134


def flags(inside: Netlink, link: str) -> int:
    """Return the flags M and O as a container's interface has heard them, 0 if no router has spoken."""
    body = inside.get(GETLINK, info(index_of(inside, link)))
    spec = attributes(attributes(body, 16).get(_AF_SPEC, b""))
    return _flags(attributes(spec.get(AF_INET6, b"")))


def _flags(six: dict[int, bytes]) -> int:
    """Return IF_RA_MANAGED and IF_RA_OTHERCONF (net/if_inet6.h)."""
    return number(six.get(_INET6_FLAGS, bytes(4))) & (DHCPV6 | DHCPV6_ONLY_MORE)


class Advertised(Multicast):
    """News: ``flags LINK NUMBER`` and ``option LINK HEX``, by the host's end of a container's pair."""

    def __init__(self) -> None:
        super().__init__(ROUTE, (LINKS, _IFINFO, _USEROPT), all_namespaces=True)
        self._ends: dict[tuple[int, int], str] = {}  # by namespace and the index inside
        self._names: dict[int, tuple[int, int]] = {}  # by the index of the host's end
        self._again()

    def _again(self) -> None:
        self._ends.clear()
        self._names.clear()
        for one in links():
            self._link(one)

    def _concern(self, message: Message) -> str:
        if message.where is None:
            if message.kind in (NEWLINK, DELLINK) and message.body[0] != AF_BRIDGE:
                self._link(message)
            return ""
        if message.kind == NEWLINK and message.body[0] == AF_INET6:
            end = self._ends.get((message.where, message.index), "")
            six = attributes(attributes(message.body, 16).get(_PROTINFO, b""))
            return f"{FLAGS} {end} {_flags(six)}" if end and _INET6_FLAGS in six else ""
        if message.kind == _NEWNDUSEROPT and len(message.body) >= _OPTIONS:
            return self._option(message)
        return ""

    def _option(self, message: Message) -> str:
        body = message.body
        end = self._ends.get((message.where or 0, message.index), "")
        length = int.from_bytes(body[2:4], "little")
        fine = body[0] == AF_INET6 and body[8] == _ADVERTISEMENT
        return f"{OPTION} {end} {body[_OPTIONS : _OPTIONS + length].hex()}" if end and fine else ""

    def _link(self, message: Message) -> None:
        """Note which interface, in which namespace, the other end of a pair of ours is."""
        has = attributes(message.body, 16)
        name = string(has.get(_IFNAME, b""))
        if not name.startswith(END):
            return
        if message.kind == DELLINK:
            self._ends.pop(self._names.pop(message.index, (0, 0)), None)
        elif _LINK_NETNSID in has and _LINK in has:
            where = number(has[_LINK_NETNSID]), number(has[_LINK])
            self._names[message.index] = where
            self._ends[where] = name
