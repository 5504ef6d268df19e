"""Forgetting tracked connections, by ctnetlink (linux/netfilter/nfnetlink_conntrack.h, conntrack(8)).

The rule of this file: the kernel filters as far as it can (CTA_FILTER, from 5.8), and what it returns is judged here
again, so that an older kernel cuts exactly the same.
"""

from __future__ import annotations

from errno import EINVAL, ENOENT, EOPNOTSUPP

from containernet.kernel.netlink import ACK, NESTED, Netlink, Refused, attribute, attributes, nest, u32
from containernet.kernel.tracked import DPORT, IP, NUM, ORIG, PROTO, PROTOCOLS, REPLY, SPORT, SRC, dumped, meant, parsed
from containernet.model.address import packed
from containernet.plan.operations import Cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from containernet.kernel.tracked import Tracked

GET, DELETE = 0x101, 0x102  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_*
_ID, _ZONE, _FILTER = 12, 18, 25  # CTA_*
_BY_SRC, _BY_DST, _BY_NUM = 1, 2, 8  # CTA_FILTER_FLAG(...)
_AT_ONCE = 256
_FAMILY = {4: 2, 6: 10}  # AF_INET, AF_INET6
_FEW = 500  # tracked connections, up to which the kernel's list is read


def cut(socket: Netlink, cuts: Sequence[Cut], is_local: Callable[[str], bool]) -> int:
    """Forget the connections that one of ``cuts`` means; return how many. ``is_local`` tells an address of the host."""
    tracked = _count()
    bodies = _named(cuts, is_local) if 0 < tracked <= _FEW else None
    if tracked and bodies is None:
        bodies = list(_searched(socket, cuts, is_local))
    bodies = bodies or []
    for start in range(0, len(bodies), _AT_ONCE):
        _forget(socket, bodies[start : start + _AT_ONCE])
    return len(bodies)


def _count() -> int:
    """Return how many connections this namespace tracks; a number above ``_FEW`` if the kernel does not say."""
    try:
        with open("/proc/sys/net/netfilter/nf_conntrack_count") as count:
            return int(count.read())
    except OSError:
        return _FEW + 1


def _named(cuts: Sequence[Cut], is_local: Callable[[str], bool]) -> list[bytes] | None:
    """Return the deletions from the kernel's own list; None if it is not to be had or does not name them."""
    try:
        with open("/proc/thread-self/net/nf_conntrack") as lines:
            doomed = [one for one in parsed(lines) if meant(cuts, one, is_local)]
    except (OSError, KeyError, ValueError):
        return None
    if any(one.protocol not in PROTOCOLS.values() or one.sport < 0 for one in doomed):
        return None
    return [_by_tuple(one) for one in doomed]


def _by_tuple(one: Tracked) -> bytes:
    first = SRC[one.family]
    ip = nest(IP, attribute(first, one.source), attribute(first + 1, one.destination))
    ports = attribute(SPORT, one.sport.to_bytes(2, "big")), attribute(DPORT, one.dport.to_bytes(2, "big"))
    proto = nest(PROTO, attribute(NUM, bytes((one.protocol,))), *ports)
    zone = attribute(_ZONE, one.zone.to_bytes(2, "big")) if one.zone else b""
    return bytes((_FAMILY[one.family], 0, 0, 0)) + nest(ORIG, ip, proto) + zone


def _searched(socket: Netlink, cuts: Sequence[Cut], is_local: Callable[[str], bool]) -> dict[bytes, None]:
    """Return the deletions from a dump for each cut, filtered by the kernel as far as it can."""
    doomed: dict[bytes, None] = {}
    for which in cuts:
        for body in _listed(socket, bytes((_FAMILY[which.family], 0, 0, 0)), which):
            has = attributes(body, 4)
            if meant((which,), dumped(which.family, has), is_local):
                zone = attribute(_ZONE, has[_ZONE]) if _ZONE in has else b""
                head = bytes((body[0], 0, 0, 0))
                doomed[head + attribute(ORIG | NESTED, has[ORIG]) + zone + attribute(_ID, has.get(_ID, b""))] = None
    return doomed


def _forget(socket: Netlink, bodies: list[bytes]) -> None:
    socket.room(len(bodies) * 2048)
    first = socket.send([(DELETE, ACK, body) for body in bodies])
    for _, _, refusal in socket.answers(first):
        if refusal and refusal.errno != ENOENT:  # it has ended by itself meanwhile
            raise refusal


def _listed(socket: Netlink, head: bytes, which: Cut) -> list[bytes]:
    try:
        return socket.dump(GET, head + _filter(which))
    except Refused as refusal:
        if refusal.errno not in (EINVAL, EOPNOTSUPP):
            raise
    return _dumped(socket, head)


def _dumped(socket: Netlink, head: bytes) -> list[bytes]:
    try:
        return socket.dump(GET, head)
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
        made += nest(IP, attribute(1, source) if source else b"", attribute(2, target) if target else b"")
    if which.protocol:
        made += nest(PROTO, attribute(NUM, bytes((PROTOCOLS[which.protocol],))))
    made = nest(ORIG, made) if made else b""
    if answers:
        made += nest(REPLY, nest(IP, attribute(1, answers)))
    return made + nest(_FILTER, u32(1, flags), u32(2, _BY_SRC if answers else 0))
