"""A DHCPv6 message as a value, and its bytes (RFC 8415, sections 8 and 21; RFC 3646, RFC 4704, RFC 7083).

The rule of this file: pure; ``decode`` returns a :class:`Message` or raises :class:`Malformed`, whatever it is given.
An option that no rule here knows is never looked at; a wrong length spoils the message; of two alike the first counts.
"""

from __future__ import annotations

from struct import Struct

from containernet.model.address import packed, unpacked
from containernet.model.record import record
from containernet.services.dhcp4 import names
from containernet.services.dhcp4.malformed import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE = range(1, 10)
INFORM = 11
CLIENT, SERVER, IA, IA_ADDRESS, WANTED, PREFERENCE, ELAPSED = 1, 2, 3, 5, 6, 7, 8
STATUS, DNS, SEARCH, REFRESH, NAME, SOLICIT_LIMIT, INFORM_LIMIT = 13, 23, 24, 32, 39, 82, 83
FINE, NO_ADDRESS, NO_BINDING, NOT_ON_LINK = 0, 2, 3, 4  # status codes (section 21.13)
CLIENT_PORT, SERVER_PORT = 546, 547
SERVERS = "ff02::1:2"  # All_DHCP_Relay_Agents_and_Servers
LONGEST_DUID = 130  # bytes (section 11.1)

_OPTION = Struct("!HH")
_IA_HEAD = Struct("!III")
_ADDRESS = Struct("!16sII")
_MOST = 64  # addresses and associations that are looked at


@record
class Leased:
    """An address in an association; seconds for which it is preferred, and valid."""

    address: str
    preferred: int = 0
    valid: int = 0
    status: int = FINE


@record
class Association:
    """An identity association for addresses (IA_NA)."""

    iaid: int
    t1: int = 0
    t2: int = 0
    addresses: tuple[Leased, ...] = ()
    status: int = FINE


@record
class Message:
    """One message; what is empty, 0 or -1 is not there."""

    kind: int
    xid: int
    client: bytes = b""
    server: bytes = b""
    associations: tuple[Association, ...] = ()
    status: int = FINE
    text: str = ""
    preference: int = 0
    elapsed: int = -1  # hundredths of a second
    wanted: tuple[int, ...] = ()
    dns: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    refresh: int = 0
    hostname: str = ""
    solicit_limit: int = 0
    inform_limit: int = 0


# --- to bytes ---


def encode(m: Message) -> bytes:
    """Return the bytes of a message."""
    every = [
        (CLIENT, m.client),
        (SERVER, m.server),
        *((IA, _association(one)) for one in m.associations),
        (WANTED, b"".join(code.to_bytes(2, "big") for code in m.wanted)),
        (PREFERENCE, bytes((m.preference,)) if m.preference else b""),
        (ELAPSED, m.elapsed.to_bytes(2, "big") if m.elapsed >= 0 else b""),
        (STATUS, m.status.to_bytes(2, "big") + m.text.encode() if m.status else b""),
        (DNS, b"".join(map(packed, m.dns))),
        (SEARCH, names.pack_list(m.search)),
        *((code, _long(value)) for code, value in _limits(m)),
        (NAME, b"\1" + names.pack_list((m.hostname,)).removesuffix(b"\0") if m.hostname else b""),
    ]
    return m.kind.to_bytes(1, "big") + m.xid.to_bytes(3, "big") + _packed([one for one in every if one[1]])


def _limits(m: Message) -> tuple[tuple[int, int], ...]:
    return (REFRESH, m.refresh), (SOLICIT_LIMIT, m.solicit_limit), (INFORM_LIMIT, m.inform_limit)


def _long(value: int) -> bytes:
    return value.to_bytes(4, "big") if value else b""


def _packed(options: list[tuple[int, bytes]]) -> bytes:
    return b"".join(_OPTION.pack(code, len(value)) + value for code, value in options)


def _association(one: Association) -> bytes:
    inside = [(IA_ADDRESS, _leased(address)) for address in one.addresses]
    inside += [(STATUS, one.status.to_bytes(2, "big"))] if one.status else []
    return _IA_HEAD.pack(one.iaid, one.t1, one.t2) + _packed(inside)


def _leased(one: Leased) -> bytes:
    status = _packed([(STATUS, one.status.to_bytes(2, "big"))]) if one.status else b""
    return _ADDRESS.pack(packed(one.address), one.preferred, one.valid) + status


# --- from bytes ---


def decode(data: bytes) -> Message:
    """Return the message in the payload of a datagram."""
    if len(data) < 4:
        raise Malformed("the message is too short")
    found: dict[int, bytes] = {}
    associations: list[Association] = []
    for code, value in _options(data, 4):
        if code == IA and len(associations) < _MOST:
            associations.append(_to_association(value))
        found.setdefault(code, value)
    status, text = _to_status(found.get(STATUS))
    return Message(
        data[0], int.from_bytes(data[1:4], "big"), _duid(found.get(CLIENT)), _duid(found.get(SERVER)),
        tuple(associations), status, text, _sized(found, PREFERENCE, 1), _sized(found, ELAPSED, 2, -1), (),
        _addresses(found.get(DNS, b"")), names.unpack_list(found.get(SEARCH, b"")), _sized(found, REFRESH, 4), "",
        _sized(found, SOLICIT_LIMIT, 4), _sized(found, INFORM_LIMIT, 4),
    )  # fmt: skip


def _options(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    while offset < len(data):
        if offset + 4 > len(data):
            raise Malformed("an option is cut off")
        code, length = _OPTION.unpack_from(data, offset)
        offset += 4
        if offset + length > len(data):
            raise Malformed(f"option {code} is longer than the message")
        yield code, data[offset : offset + length]
        offset += length


def _sized(found: dict[int, bytes], code: int, size: int, absent: int = 0) -> int:
    """Return the number in an option, ``absent`` if it is not there."""
    if code not in found:
        return absent
    if len(found[code]) != size:
        raise Malformed(f"option {code} has {len(found[code])} bytes")
    return int.from_bytes(found[code], "big")


def _duid(value: bytes | None) -> bytes:
    if value is None:
        return b""
    if not 3 <= len(value) <= LONGEST_DUID:
        raise Malformed("a DUID is too short or too long")
    return value


def _to_status(value: bytes | None) -> tuple[int, str]:
    if value is None:
        return FINE, ""
    if len(value) < 2:
        raise Malformed("a status has no code")
    text = "".join(one for one in value[2:].decode("utf-8", "replace") if one.isprintable())
    return int.from_bytes(value[:2], "big"), text[:80]


def _addresses(raw: bytes) -> tuple[str, ...]:
    if len(raw) % 16:
        raise Malformed("a list of addresses has a wrong length")
    return tuple(dict.fromkeys(unpacked(raw[at : at + 16]) for at in range(0, len(raw), 16)))


def _to_association(value: bytes) -> Association:
    if len(value) < _IA_HEAD.size:
        raise Malformed("an association is too short")
    iaid, t1, t2 = _IA_HEAD.unpack_from(value)
    addresses: list[Leased] = []
    status = FINE
    for code, inside in _options(value, _IA_HEAD.size):
        if code == IA_ADDRESS and len(addresses) < _MOST:
            addresses.append(_to_leased(inside))
        elif code == STATUS:
            status = _to_status(inside)[0]
    return Association(iaid, t1, t2, tuple(addresses), status)


def _to_leased(value: bytes) -> Leased:
    if len(value) < _ADDRESS.size:
        raise Malformed("an address is too short")
    raw, preferred, valid = _ADDRESS.unpack_from(value)
    status = FINE
    for code, inside in _options(value, _ADDRESS.size):
        if code == STATUS:
            status = _to_status(inside)[0]
    return Leased(unpacked(raw), preferred, valid, status)
