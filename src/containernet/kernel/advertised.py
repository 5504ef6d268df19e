"""What routers advertise to our containers (RFC 4861, RFC 8106), heard from outside of them.

The rule of this file: no descriptor is open in a namespace: NETLINK_LISTEN_ALL_NSID (netlink(7)) brings what the kernel
tells there, if the namespace has a number here, which it is given once (ip-netns(8), set). It tells of two things: that
the flags M and O have changed, and of options that are not its own business, DNS servers and search lists. What is in
an option is for others to read: here it is bytes.
"""

from __future__ import annotations

from errno import EEXIST

from containernet.kernel.door import DHCPV6, DHCPV6_ONLY_MORE, Heard
from containernet.kernel.links import GETLINK, NEWLINK, index_of, info
from containernet.kernel.netlink import ROUTE, Netlink, attribute, attributes, number, u32
from containernet.kernel.watch import Message, Multicast

FLAGS, OPTION = "flags", "option"  # what the news begins with
AF_INET6 = 10
_IFINFO, _USEROPT = 12, 20  # RTNLGRP_IPV6_IFINFO, RTNLGRP_ND_USEROPT
_NEWNDUSEROPT, _OPTIONS = 68, 16  # RTM_NEWNDUSEROPT; the bytes of struct nduseroptmsg
_NEWNSID, _GETNSID = 88, 90  # RTM_*
_NSID, _FD = 1, 3  # NETNSA_*
_ANY = b"\xff\xff\xff\xff"  # NETNSA_NSID_NOT_ASSIGNED: the next free number
_PROTINFO, _AF_SPEC = 12, 26  # IFLA_*
_INET6_FLAGS = 1
_ADVERTISEMENT = 134


def heard(host: Netlink, inside: Netlink, descriptor: int, link: str) -> Heard:
    """Return what a container's interface has heard, and by which numbers the news about it can be known."""
    index = index_of(inside, link)
    body = inside.get(GETLINK, info(index))
    spec = attributes(attributes(body, 16).get(_AF_SPEC, b""))
    return Heard(_flags(attributes(spec.get(AF_INET6, b""))), _number(host, descriptor), index)


def _flags(six: dict[int, bytes]) -> int:
    """Return IF_RA_MANAGED and IF_RA_OTHERCONF (net/if_inet6.h)."""
    return number(six.get(_INET6_FLAGS, bytes(4))) & (DHCPV6 | DHCPV6_ONLY_MORE)


def _number(host: Netlink, descriptor: int) -> int:
    """Return the number of a namespace here; it is given one if it has none."""
    which = bytes(4) + u32(_FD, descriptor)  # struct rtgenmsg: AF_UNSPEC
    try:
        host.ask((_NEWNSID, 0, which + attribute(_NSID, _ANY)))
    except OSError as error:
        if error.errno != EEXIST:
            raise
    return number(attributes(host.get(_GETNSID, which), 4)[_NSID])


class Advertised(Multicast):
    """News: ``flags NAMESPACE INDEX NUMBER`` and ``option NAMESPACE INDEX HEX``."""

    def __init__(self) -> None:
        super().__init__(ROUTE, (_IFINFO, _USEROPT), all_namespaces=True)

    def _concern(self, message: Message) -> str:
        if message.where is None:
            return ""
        if message.kind == NEWLINK and message.body[0] == AF_INET6:
            six = attributes(attributes(message.body, 16).get(_PROTINFO, b""))
            return f"{FLAGS} {message.where} {message.index} {_flags(six)}" if _INET6_FLAGS in six else ""
        if message.kind == _NEWNDUSEROPT and len(message.body) >= _OPTIONS:
            return self._option(message)
        return ""

    @staticmethod
    def _option(message: Message) -> str:
        body = message.body
        length = number(body[2:4])
        fine = body[0] == AF_INET6 and body[8] == _ADVERTISEMENT
        return f"{OPTION} {message.where} {message.index} {body[_OPTIONS : _OPTIONS + length].hex()}" if fine else ""
