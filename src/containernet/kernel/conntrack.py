"""Forgetting tracked connections, by ctnetlink (linux/netfilter/nfnetlink_conntrack.h, conntrack(8)).

The rule of this file: the kernel filters as far as it can (CTA_FILTER, from 5.8), and what it returns is judged here
again, so that an older kernel cuts exactly the same.
"""

from __future__ import annotations

from errno import EINVAL, ENOENT, EOPNOTSUPP

from containernet.kernel.netlink import ACK, NESTED, Netlink, Refused, attribute, attributes, nest, u32
from containernet.model.address import packed
from containernet.plan.operations import Cut

GET, DELETE = 0x101, 0x102  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_*
_ORIG, _REPLY, _ID, _ZONE, _FILTER = 1, 2, 12, 18, 25  # CTA_*
_IP, _PROTO, _NUM, _DPORT = 1, 2, 1, 3  # CTA_TUPLE_*, CTA_PROTO_*
_SRC = {4: 1, 6: 3}  # CTA_IP_V4_SRC, CTA_IP_V6_SRC; the destination is the next number
_BY_SRC, _BY_DST, _BY_NUM = 1, 2, 8  # CTA_FILTER_FLAG(...)
_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
_AT_ONCE = 256


def cut(socket: Netlink, which: Cut) -> int:
    """Forget the connections that fit; return how many."""
    head = bytes((2 if which.family == 4 else 10, 0, 0, 0))
    doomed = []
    for body in _listed(socket, head, which):
        has = attributes(body, 4)
        if _fits(which, has):
            zone = attribute(_ZONE, has[_ZONE]) if _ZONE in has else b""
            doomed.append(head + attribute(_ORIG | NESTED, has[_ORIG]) + zone + attribute(_ID, has.get(_ID, b"")))
    for start in range(0, len(doomed), _AT_ONCE):
        _forget(socket, doomed[start : start + _AT_ONCE])
    return len(doomed)


def _forget(socket: Netlink, bodies: list[bytes]) -> None:
    socket.room(len(bodies) * 2048)
    first = socket.send([(DELETE, ACK, body) for body in bodies])
    for _, _, refusal in socket.answers(first):
        if refusal and refusal.errno != ENOENT:  # it has ended by itself meanwhile
            raise refusal


def _listed(socket: Netlink, head: bytes, which: Cut) -> list[bytes]:
    for body in (head + _filter(which), head):
        try:
            return socket.dump(GET, body)
        except Refused as refusal:
            if refusal.errno not in (EINVAL, EOPNOTSUPP):
                raise
    return []  # this kernel tracks nothing


def _filter(which: Cut) -> bytes:
    """Return the filter for the kernel: protocol and IPv4 addresses.

    Not IPv6 addresses: ctnetlink_filter_match_tuple has the comparison upside down and returns all but the one that is
    asked for (seen on 6.18).
    """
    given = which.source, which.destination, which.answers
    source, target, answers = (packed(text) if text and which.family == 4 else b"" for text in given)
    flags = (_BY_SRC if source else 0) | (_BY_DST if target else 0) | (_BY_NUM if which.protocol else 0)
    made = b""
    if source or target:
        made += nest(_IP, attribute(1, source) if source else b"", attribute(2, target) if target else b"")
    if which.protocol:
        made += nest(_PROTO, attribute(_NUM, bytes((_PROTOCOLS[which.protocol],))))
    made = nest(_ORIG, made) if made else b""
    if answers:
        made += nest(_REPLY, nest(_IP, attribute(1, answers)))
    return made + nest(_FILTER, u32(1, flags), u32(2, _BY_SRC if answers else 0))


def _fits(which: Cut, has: dict[int, bytes]) -> bool:
    first = _SRC[which.family]
    orig, reply = attributes(has.get(_ORIG, b"")), attributes(has.get(_REPLY, b""))
    ip, proto, back = attributes(orig.get(_IP, b"")), attributes(orig.get(_PROTO, b"")), attributes(reply.get(_IP, b""))
    port = int.from_bytes(proto.get(_DPORT, b""), "big")
    straight = ip.get(first) == back.get(first + 1) and ip.get(first + 1) == back.get(first)
    return (
        (not which.protocol or proto.get(_NUM) == bytes((_PROTOCOLS[which.protocol],)))
        and (not which.source or ip.get(first) == packed(which.source))
        and (not which.destination or ip.get(first + 1) == packed(which.destination))
        and (not which.answers or back.get(first) == packed(which.answers))
        and (straight or not which.untranslated)
        and which.ports[0] <= port <= which.ports[1]
    )
