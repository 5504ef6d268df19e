"""Addresses as text and as numbers.

The rule of this file: an address travels as its canonical text (RFC 5952 for IPv6); numbers are only for counting.
Prefixes that people typed are parsed with :mod:`ipaddress`, imported only there: it costs 2.6 ms.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from containernet.model.errors import Usage
from containernet.model.names import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


def packed(address: str) -> bytes:
    """Return the 4 or 16 bytes of an address; raise :class:`Usage` if it is none."""
    try:
        return inet_pton(AF_INET6 if ":" in address else AF_INET, address)
    except (OSError, ValueError):
        raise Usage(
            "address-invalid", f"{shown(address)} is not an IP address.", "Write it as 192.168.1.2 or fd00::2."
        ) from None


def unpacked(raw: bytes) -> str:
    """Return the canonical text of 4 or 16 bytes."""
    return inet_ntop(AF_INET if len(raw) == 4 else AF_INET6, raw)


def packed_mac(mac: str) -> bytes:
    """Return the 6 bytes of a MAC address; none of none."""
    return bytes.fromhex(mac.replace(":", ""))


def canonical(address: str) -> str:
    """Return an address in the one form in which it is stored and compared; raise :class:`Usage` if it is none."""
    return unpacked(packed(address))


def number(address: str) -> int:
    """Return an address as a number."""
    return int.from_bytes(packed(address), "big")


def from_number(value: int, like: str) -> str:
    """Return the address with this number, of the same family as ``like``."""
    return unpacked(value.to_bytes(16 if ":" in like else 4, "big"))


def family(address: str) -> int:
    """Return 4 or 6, for an address or a prefix."""
    return 6 if ":" in address else 4


def split(prefix: str) -> tuple[str, int]:
    """Return the address and the length of ``ADDRESS/LENGTH`` (already checked)."""
    address, _, length = prefix.partition("/")
    return address, int(length) if length else (128 if ":" in address else 32)


def whole(address: str) -> str:
    """Return an address with the length of itself alone, whatever its prefix is."""
    host = address.partition("/")[0]
    return f"{host}/{128 if ':' in host else 32}"


def first(prefix: str) -> int:
    """Return the number of the first address of a prefix."""
    address, length = split(prefix)
    bits = 128 if ":" in address else 32
    return number(address) >> (bits - length) << (bits - length)


def last(prefix: str) -> int:
    """Return the number of the last address of a prefix."""
    address, length = split(prefix)
    return first(prefix) | ((1 << ((128 if ":" in address else 32) - length)) - 1)


def contains(prefix: str, address: str) -> bool:
    """Tell whether an address lies in a prefix."""
    network, length = split(prefix)
    if (":" in address) != (":" in network):
        return False
    rest = (128 if ":" in network else 32) - length
    return number(address) >> rest == number(network) >> rest


def overlap(one: str, other: str) -> bool:
    """Tell whether two prefixes share an address."""
    return family(one) == family(other) and first(one) <= last(other) and first(other) <= last(one)


def parse_prefix(text: str) -> IPv4Network | IPv6Network:
    """Return a prefix that a person typed, host bits and all; raise :class:`Usage` if it is none."""
    import ipaddress

    try:
        return ipaddress.ip_network(text.replace("%", "/"), strict=False)  # a scope is no part of a prefix
    except ValueError:
        raise Usage(
            "prefix-invalid", f"{shown(text)} is not an address prefix.", "Write it as 192.168.7.0/24 or fd00:7::/64."
        ) from None


def merged(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """Return prefixes that people typed, without overlap, in order: v4 before v6."""
    import ipaddress

    parsed = [parse_prefix(text) for text in prefixes]
    four = [prefix for prefix in parsed if isinstance(prefix, ipaddress.IPv4Network)]
    six = [prefix for prefix in parsed if isinstance(prefix, ipaddress.IPv6Network)]
    return (*map(str, ipaddress.collapse_addresses(four)), *map(str, ipaddress.collapse_addresses(six)))


def eui64(mac: str) -> str:
    """Return the link-local address that the kernel makes of a MAC (RFC 4291, appendix A)."""
    raw = packed_mac(mac)
    return unpacked(b"\xfe\x80" + bytes(6) + bytes((raw[0] ^ 2,)) + raw[1:3] + b"\xff\xfe" + raw[3:]) if mac else ""
