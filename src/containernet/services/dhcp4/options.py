"""The options of a message, as code and bytes (RFC 2131 section 4.1, RFC 2132), and the kinds of value in them.

The rule of this file: pure; a length that does not fit is :class:`Malformed`. Options that come in several parts are
one (RFC 3396), also over the fields that option 52 adds; what no rule here knows is kept as bytes and never looked at.
"""

from __future__ import annotations

from containernet.model.address import packed, unpacked
from containernet.services.dhcp4.malformed import Malformed

PAD, END = 0, 255
MASK, ROUTERS, DNS, HOSTNAME, DOMAIN, MTU = 1, 3, 6, 12, 15, 26
REQUESTED, SECONDS, OVERLOAD, KIND, SERVER, PARAMETERS, TEXT, SIZE = 50, 51, 52, 53, 54, 55, 56, 57
T1, T2, VENDOR, CLIENT_ID, SEARCH, ROUTES = 58, 59, 60, 61, 119, 121

_EXACT = {MASK: 4, MTU: 2, REQUESTED: 4, SECONDS: 4, OVERLOAD: 1, KIND: 1, SERVER: 4, SIZE: 2, T1: 4, T2: 4}
_LISTS = frozenset((ROUTERS, DNS))  # of addresses
_FILLED = frozenset((CLIENT_ID, ROUTES))  # never empty
_PART = 255  # bytes that one option can hold


def unpack(field: bytes, file: bytes, sname: bytes) -> dict[int, bytes]:
    """Return the options of a message by code: from the options field, and where it says so from the other two."""
    found: dict[int, bytearray] = {}
    _read(field, found)
    overload = found.get(OVERLOAD, b"\0")
    if len(overload) != 1 or overload[0] > 3:
        raise Malformed("option 52 says what it cannot say")
    for bit, more in ((1, file), (2, sname)):
        if overload[0] & bit:
            _read(more, found, OVERLOAD)
    return {code: _checked(code, bytes(value)) for code, value in found.items()}


def _read(data: bytes, into: dict[int, bytearray], skipped: int = -1) -> None:
    offset, end = 0, len(data)
    while offset < end and (code := data[offset]) != END:
        if code == PAD:
            offset += 1
            continue
        start = offset + 2
        if start > end or start + data[offset + 1] > end:
            raise Malformed(f"option {code} is longer than the message")
        offset = start + data[offset + 1]
        if code != skipped:
            into.setdefault(code, bytearray()).extend(data[start:offset])


def _checked(code: int, value: bytes) -> bytes:
    length = len(value)
    wrong = (
        length != _EXACT.get(code, length)
        or (code in _LISTS and (not length or length % 4))
        or (code in _FILLED and not length)
    )
    if wrong:
        raise Malformed(f"option {code} has {length} bytes")
    return value


def pack(options: list[tuple[int, bytes]]) -> bytes:
    """Return options in their order, long ones in parts, with the end option."""
    found = bytearray()
    for code, value in options:
        for start in range(0, len(value) or 1, _PART):
            part = value[start : start + _PART]
            found += bytes((code, len(part))) + part
    found.append(END)
    return bytes(found)


# --- values ---


def pack_number(value: int, size: int) -> bytes:
    """Return a number in network order."""
    return value.to_bytes(size, "big")


def pack_addresses(addresses: tuple[str, ...]) -> bytes:
    """Return addresses one after another."""
    return b"".join(map(packed, addresses))


def unpack_addresses(raw: bytes) -> tuple[str, ...]:
    """Return the addresses in an option, each once."""
    return tuple(dict.fromkeys(unpacked(raw[at : at + 4]) for at in range(0, len(raw), 4)))


def pack_mask(length: int) -> bytes:
    """Return the mask of a prefix length."""
    return ((1 << 32) - (1 << (32 - length))).to_bytes(4, "big")


def unpack_mask(raw: bytes) -> int:
    """Return the prefix length of a mask (RFC 2132, section 3.3)."""
    rest = ~int.from_bytes(raw, "big") & 0xFFFFFFFF
    if rest & (rest + 1):
        raise Malformed("the subnet mask has holes")
    return 32 - rest.bit_length()


def pack_routes(routes: tuple[tuple[str, str], ...]) -> bytes:
    """Return routes as (prefix, router) in the form of RFC 3442."""
    found = bytearray()
    for prefix, router in routes:
        address, _, length = prefix.partition("/")
        found += bytes((int(length),)) + packed(address)[: (int(length) + 7) // 8] + packed(router)
    return bytes(found)


def unpack_routes(raw: bytes) -> tuple[tuple[str, str], ...]:
    """Return routes as (prefix, router); bits that are no part of a prefix are cleared."""
    found: list[tuple[str, str]] = []
    offset = 0
    while offset < len(raw):
        length = raw[offset]
        size = (length + 7) // 8
        router = raw[offset + 1 + size : offset + 5 + size]
        if length > 32 or len(router) != 4:
            raise Malformed("option 121 is cut off or has too long a prefix")
        network = (
            int.from_bytes(raw[offset + 1 : offset + 1 + size].ljust(4, b"\0"), "big") >> 32 - length << 32 - length
        )
        found.append((f"{unpacked(network.to_bytes(4, 'big'))}/{length}", unpacked(router)))
        offset += 5 + size
    return tuple(found)
