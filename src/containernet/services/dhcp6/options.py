"""The options of a DHCPv6 message, as code and bytes (RFC 8415, section 21; RFC 3646, 4704, 7083), and their values.

The rule of this file: pure; a length that does not fit is :class:`Malformed`, and so is an option that comes twice
where there can be one only. What no rule here knows is never looked at.
"""

from __future__ import annotations

from struct import Struct

from containernet.model.address import packed, unpacked
from containernet.model.record import record
from containernet.services.dhcp4 import names
from containernet.services.dhcp4.malformed import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CLIENT_ID, SERVER_ID, IA_NA, IA_ADDRESS, WANTED, PREFERENCE, ELAPSED, STATUS, RAPID = 1, 2, 3, 5, 6, 7, 8, 13, 14
DNS, SEARCH, REFRESH, FQDN, SOL_MAX_RT, INF_MAX_RT = 23, 24, 32, 39, 82, 83
SUCCESS, UNSPECIFIED, NO_ADDRESSES, NO_BINDING, NOT_ON_LINK, USE_MULTICAST = range(6)  # of STATUS

LONGEST_DUID = 130  # bytes: 2 for its type and at most 128 more (section 11.1)
_EXACT = {PREFERENCE: 1, ELAPSED: 2, RAPID: 0, REFRESH: 4, SOL_MAX_RT: 4, INF_MAX_RT: 4}
_REPEATED = frozenset((IA_NA, IA_ADDRESS))
_HEAD, _IA, _LIFETIMES = Struct("!HH"), Struct("!III"), Struct("!II")
_BY_SERVER = 1  # flag S of FQDN: the server is to do the update of the AAAA record (RFC 4704, section 4.1)


@record
class Status:
    """What a server thinks of something, with its words."""

    code: int = SUCCESS
    text: str = ""


@record
class Offered:
    """One address of an association."""

    address: str
    preferred: int = 0  # seconds
    valid: int = 0
    status: Status = Status()


@record
class Association:
    """What an interface has from a server: IA_NA (section 21.4)."""

    iaid: int
    t1: int = 0
    t2: int = 0
    addresses: tuple[Offered, ...] = ()
    status: Status = Status()


def split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield options in their order."""
    offset, end = 0, len(data)
    while offset < end:
        if offset + _HEAD.size > end:
            raise Malformed("an option is cut off")
        code, length = _HEAD.unpack_from(data, offset)
        offset += _HEAD.size + length
        if offset > end:
            raise Malformed(f"option {code} is longer than what it is in")
        yield code, data[offset - length : offset]


def unpack(data: bytes) -> dict[int, list[bytes]]:
    """Return options by their codes, their lengths and numbers checked."""
    found: dict[int, list[bytes]] = {}
    for code, value in split(data):
        if code in found and code not in _REPEATED and code in KNOWN:
            raise Malformed(f"option {code} is there twice")
        if len(value) != _EXACT.get(code, len(value)):
            raise Malformed(f"option {code} has {len(value)} bytes")
        found.setdefault(code, []).append(value)
    return found


def pack(options: Iterable[tuple[int, bytes]]) -> bytes:
    """Return options one after another."""
    return b"".join(_HEAD.pack(code, len(value)) + value for code, value in options)


# --- values ---


def number(raw: bytes) -> int:
    """Return a number in network order."""
    return int.from_bytes(raw, "big")


def duid(raw: bytes) -> bytes:
    """Return a DUID."""
    if not 2 < len(raw) <= LONGEST_DUID:
        raise Malformed(f"a DUID has {len(raw)} bytes")
    return raw


def pack_addresses(addresses: tuple[str, ...]) -> bytes:
    """Return addresses one after another."""
    return b"".join(map(packed, addresses))


def addresses(raw: bytes) -> tuple[str, ...]:
    """Return the addresses in an option, each once."""
    if not raw or len(raw) % 16:
        raise Malformed(f"a list of addresses has {len(raw)} bytes")
    return tuple(dict.fromkeys(unpacked(raw[at : at + 16]) for at in range(0, len(raw), 16)))


def pack_codes(codes: tuple[int, ...]) -> bytes:
    """Return the codes of wanted options."""
    return b"".join(code.to_bytes(2, "big") for code in codes)


def codes(raw: bytes) -> tuple[int, ...]:
    """Return the codes of wanted options."""
    if len(raw) % 2:
        raise Malformed("half a code of a wanted option")
    return tuple(number(raw[at : at + 2]) for at in range(0, len(raw), 2))


def pack_status(status: Status) -> list[tuple[int, bytes]]:
    """Return the option that says a status; none, if all is well and there is nothing to say."""
    return [] if status == Status() else [(STATUS, status.code.to_bytes(2, "big") + status.text.encode())]


def status(raw: bytes) -> Status:
    """Return a status; its words are for a log, so only what can be printed is kept."""
    if len(raw) < 2:
        raise Malformed("a status without a code")
    text = raw[2:].decode("utf-8", "replace")
    return Status(number(raw[:2]), "".join(letter for letter in text if letter.isprintable())[:255])


def pack_fqdn(name: str) -> bytes:
    """Return a name to be put into the DNS: one without a dot is not whole, and has no end (RFC 4704, section 4.2)."""
    whole = names.pack_list((name,))
    return bytes((_BY_SERVER,)) + (whole if "." in name else whole[:-1])


def fqdn(raw: bytes) -> str:
    """Return the name in such an option, "" if it is not proper."""
    if not raw:
        raise Malformed("option 39 is empty")
    found = names.unpack_list(raw[1:] if raw.endswith(b"\0") else raw[1:] + b"\0")
    return found[0] if found else ""


def pack_association(one: Association) -> bytes:
    """Return what an IA_NA holds."""
    inside = [(IA_ADDRESS, _pack_offered(offered)) for offered in one.addresses]
    return _IA.pack(one.iaid, one.t1, one.t2) + pack([*inside, *pack_status(one.status)])


def _pack_offered(one: Offered) -> bytes:
    return packed(one.address) + _LIFETIMES.pack(one.preferred, one.valid) + pack(pack_status(one.status))


def association(raw: bytes) -> Association:
    """Return what an IA_NA holds."""
    if len(raw) < _IA.size:
        raise Malformed("an association is cut off")
    inside = unpack(raw[_IA.size :])
    given = tuple(map(_offered, inside.get(IA_ADDRESS, ())))
    iaid, t1, t2 = _IA.unpack_from(raw)
    return Association(iaid, t1, t2, given, _status_in(inside))


def _offered(raw: bytes) -> Offered:
    if len(raw) < 24:
        raise Malformed("an address of an association is cut off")
    preferred, valid = _LIFETIMES.unpack_from(raw, 16)
    return Offered(unpacked(raw[:16]), preferred, valid, _status_in(unpack(raw[24:])))


def _status_in(options: dict[int, list[bytes]]) -> Status:
    return status(options[STATUS][0]) if STATUS in options else Status()


KNOWN = frozenset(
    (
        CLIENT_ID, SERVER_ID, IA_NA, IA_ADDRESS, WANTED, PREFERENCE, ELAPSED, STATUS, RAPID,
        DNS, SEARCH, REFRESH, FQDN, SOL_MAX_RT, INF_MAX_RT,
    )
)  # fmt: skip
