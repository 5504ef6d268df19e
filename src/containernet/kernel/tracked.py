"""Tracked connections, from /proc/net/nf_conntrack's lines or ctnetlink's attributes, and whether a cut means them.

The rule of this file: pure, from words or bytes to values. The list in /proc is 20 times faster than a dump where
little is tracked: a dump locks each of the table's buckets (262,144 on a host with 16 GiB, 9 ms), this only looks.
"""

from __future__ import annotations

from containernet.kernel.netlink import attributes
from containernet.model.address import packed, unpacked
from containernet.plan.operations import Cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

FAMILIES = {"ipv4": 4, "ipv6": 6}
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
ORIG, REPLY = 1, 2  # CTA_TUPLE_*
IP, PROTO, NUM, SPORT, DPORT = 1, 2, 1, 2, 3  # CTA_TUPLE_*, CTA_PROTO_*
SRC = {4: 1, 6: 3}  # CTA_IP_V4_SRC, CTA_IP_V6_SRC; the destination is the next number


class Tracked:
    """One connection: addresses as bytes, ports as numbers (-1: its protocol has none)."""

    __slots__ = ("answers", "destination", "dport", "family", "protocol", "source", "sport", "zone")

    def __init__(
        self, family: int, protocol: int, addresses: tuple[bytes, bytes, bytes], ports: tuple[int, int], zone: int
    ) -> None:
        self.family, self.protocol, self.zone = family, protocol, zone
        self.source, self.destination, self.answers = addresses
        self.sport, self.dport = ports


def parsed(lines: Iterable[str]) -> Iterator[Tracked]:
    """Yield the connections; raise ValueError or KeyError for a line of another form."""
    for line in lines:
        words = line.split()
        pairs = [word.split("=", 1) for word in words if "=" in word]
        source, answers = [packed(value) for key, value in pairs if key == "src"]
        destination, _ = [packed(value) for key, value in pairs if key == "dst"]
        ports = _number(pairs, "sport"), _number(pairs, "dport")
        zone = max(_number(pairs, "zone"), 0)
        yield Tracked(FAMILIES[words[0]], int(words[3]), (source, destination, answers), ports, zone)


def _number(pairs: list[list[str]], wanted: str) -> int:
    return next((int(value) for key, value in pairs if key == wanted), -1)


def dumped(family: int, has: dict[int, bytes]) -> Tracked:
    """Return the connection of a ctnetlink message."""
    orig, reply = attributes(has.get(ORIG, b"")), attributes(has.get(REPLY, b""))
    ip, proto, back = attributes(orig.get(IP, b"")), attributes(orig.get(PROTO, b"")), attributes(reply.get(IP, b""))
    first = SRC[family]
    addresses = ip.get(first, b""), ip.get(first + 1, b""), back.get(first, b"")
    ports = [int.from_bytes(proto[kind], "big") if kind in proto else -1 for kind in (SPORT, DPORT)]
    return Tracked(family, (proto.get(NUM) or b"\0")[0], addresses, (ports[0], ports[1]), 0)


def meant(cuts: Sequence[Cut], one: Tracked, is_local: Callable[[str], bool]) -> bool:
    """Tell whether one of ``cuts`` means a connection; ``is_local`` tells an address of the host itself."""
    return any(_meant(which, one, is_local) for which in cuts)


def _meant(which: Cut, one: Tracked, is_local: Callable[[str], bool]) -> bool:
    return (
        which.family == one.family
        and (not which.protocol or PROTOCOLS[which.protocol] == one.protocol)
        and (not which.source or packed(which.source) == one.source)
        and (not which.destination or packed(which.destination) == one.destination)
        and (not which.answers or packed(which.answers) == one.answers)
        and which.ports[0] <= max(one.dport, 0) <= which.ports[1]
        and (not which.local or (one.answers == one.destination and is_local(unpacked(one.destination))))
    )
