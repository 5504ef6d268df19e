"""Which subnets networks get, and which addresses endpoints get.

The rule of this file: it is told what is taken and picks; next fit, so that what was freed is not handed out again at
once (a neighbour's cache or a connection may still mean the former holder). Pure.
"""

from __future__ import annotations

from containernet.model.address import first, from_number, last, number, overlap, packed, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

POOL = "192.168.0.0/16"  # the 2015 document: "a private IPv4 address from the 192.168/16 range"
LENGTH = 24
FIRST = 1  # the document's first network is 192.168.1.0/24: .0.0/24 is most routers' own


def free_subnet(taken: Iterable[str], pool: str = POOL) -> str:
    """Return the first /24 of a pool that overlaps none of these prefixes; "" if there is none."""
    known = [prefix for prefix in taken if ":" not in prefix and overlap(prefix, pool)]
    step, base = 1 << (32 - LENGTH), first(pool)
    count = (last(pool) - base + 1) // step
    for index in (*range(FIRST, count), *range(min(FIRST, count))):
        candidate = f"{from_number(base + index * step, pool)}/{LENGTH}"
        if not any(overlap(candidate, prefix) for prefix in known):
            return candidate
    return ""


def ula(site: int, network: int) -> str:
    """Return the IPv6 /64 of a network: the site's own 40 bits (RFC 4193, 3.1) and the network's number."""
    return from_number((0xFD << 120) | ((site & (1 << 40) - 1) << 80) | ((network & 0xFFFF) << 64), "::") + "/64"


def usable(prefix: str) -> tuple[int, int]:
    """Return the numbers of the first and last address that an interface may have.

    Not IPv4's network and broadcast addresses (RFC 1122, 3.2.1.3), not IPv6's subnet-router anycast (RFC 4291, 2.6.1).
    """
    low, high = first(prefix), last(prefix)
    if ":" in prefix:
        return low + 1, high
    return (low, high) if split(prefix)[1] >= 31 else (low + 1, high - 1)


def gateway(prefix: str) -> str:
    """Return the host's address in a subnet unless another is asked for: the first."""
    return from_number(usable(prefix)[0], prefix)


def next_address(prefix: str, cursor: str, own: Iterable[str], taken: Callable[[bytes], Iterator[bytes]]) -> str:
    """Return the first free address after ``cursor`` (the last one handed out), going round; "" if none is free.

    ``taken(raw)`` yields the taken addresses from ``raw`` on, in order; ``own`` are the host's in this subnet.
    """
    low, high = usable(prefix)
    reserved = {number(address) for address in own}
    start = number(cursor) + 1 if cursor else low
    for begin, end in ((max(start, low), high), (low, min(start - 1, high))):
        found = _first_gap(begin, end, prefix, reserved, taken)
        if found:
            return from_number(found, prefix)
    return ""


def _first_gap(begin: int, end: int, like: str, reserved: set[int], taken: Callable[[bytes], Iterator[bytes]]) -> int:
    if begin > end:
        return 0
    used = (int.from_bytes(raw, "big") for raw in taken(packed(from_number(begin, like))))
    upcoming = next(used, None)
    for candidate in range(begin, end + 1):
        if upcoming == candidate:
            upcoming = next(used, None)
        elif candidate not in reserved:
            return candidate
    return 0
