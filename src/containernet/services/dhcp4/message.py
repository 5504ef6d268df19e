"""A DHCP message as a value, and its bytes (RFC 2131, section 2; options of RFC 2132, 3397 and 3442).

The rule of this file: pure; ``decode`` returns a :class:`Message` or raises :class:`Malformed`, whatever it is given.
A name that is not proper and an unknown option are as if they were not there; a wrong length spoils the message.
"""

from __future__ import annotations

from struct import Struct

from containernet.model.address import packed, unpacked
from containernet.model.record import record
from containernet.services.dhcp4 import names, options
from containernet.services.dhcp4.malformed import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

REQUEST_OP, REPLY_OP = 1, 2
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
CLIENT_PORT, SERVER_PORT = 68, 67
NOWHERE, BROADCAST = "0.0.0.0", "255.255.255.255"

_FIXED = Struct("!BBBBIHHIIII16s64s128s4s")
_COOKIE = b"\x63\x82\x53\x63"
_SMALLEST = 300  # bytes of a BOOTP message: some relays drop shorter ones (RFC 1542, section 2.1)
_BROADCAST_FLAG = 0x8000
_ETHERNET = 1


@record
class Message:
    """One message. Empty text or tuple, None, and 0 for ``mtu`` and ``size`` mean that the option is not there."""

    op: int
    kind: int
    xid: int
    chaddr: bytes  # the client's MAC address
    secs: int = 0
    broadcast: bool = False
    ciaddr: str = NOWHERE
    yiaddr: str = NOWHERE
    siaddr: str = NOWHERE
    giaddr: str = NOWHERE
    requested: str = ""
    server: str = ""
    client_id: bytes = b""
    seconds: int | None = None
    t1: int | None = None
    t2: int | None = None
    prefix: int | None = None  # the length that the mask says
    routers: tuple[str, ...] = ()
    routes: tuple[tuple[str, str], ...] = ()  # (prefix, router), RFC 3442
    dns: tuple[str, ...] = ()
    hostname: str = ""
    domain: str = ""
    search: tuple[str, ...] = ()
    mtu: int = 0
    size: int = 0
    vendor: str = ""
    text: str = ""  # option 56: why there is a NAK
    parameters: bytes = b""


def encode(message: Message) -> bytes:
    """Return the bytes of a message, filled up to what a BOOTP message has at least."""
    m = message
    flags = _BROADCAST_FLAG if m.broadcast else 0
    places = [int.from_bytes(packed(text), "big") for text in (m.ciaddr, m.yiaddr, m.siaddr, m.giaddr)]
    fixed = _FIXED.pack(
        m.op, _ETHERNET, len(m.chaddr), 0, m.xid, m.secs, flags, *places, m.chaddr, b"", b"", _COOKIE
    )  # fmt: skip
    return (fixed + options.pack(_options(m))).ljust(_SMALLEST, b"\0")


def _options(m: Message) -> list[tuple[int, bytes]]:
    """Return the options that a message has; 53 goes first, and 121 before 3 (RFC 3442)."""
    number, one = options.pack_number, packed
    every = [
        (options.KIND, number(m.kind, 1)),
        (options.CLIENT_ID, m.client_id),
        (options.REQUESTED, one(m.requested) if m.requested else b""),
        (options.SERVER, one(m.server) if m.server else b""),
        *_times(m),
        (options.MASK, b"" if m.prefix is None else options.pack_mask(m.prefix)),
        (options.ROUTES, options.pack_routes(m.routes)),
        (options.ROUTERS, options.pack_addresses(m.routers)),
        (options.DNS, options.pack_addresses(m.dns)),
        (options.HOSTNAME, m.hostname.encode()),
        (options.DOMAIN, m.domain.encode()),
        (options.SEARCH, names.pack_list(m.search)),
        (options.MTU, number(m.mtu, 2) if m.mtu else b""),
        (options.SIZE, number(m.size, 2) if m.size else b""),
        (options.VENDOR, m.vendor.encode()),
        (options.TEXT, m.text.encode()),
        (options.PARAMETERS, m.parameters),
    ]
    return [(code, value) for code, value in every if value]


def _times(m: Message) -> list[tuple[int, bytes]]:
    times = ((options.SECONDS, m.seconds), (options.T1, m.t1), (options.T2, m.t2))
    return [(code, options.pack_number(value, 4)) for code, value in times if value is not None]


def decode(data: bytes) -> Message:
    """Return the message in the payload of a datagram."""
    if len(data) < _FIXED.size:
        raise Malformed("the message is too short")
    op, hardware, size, _, xid, secs, flags, *places, chaddr, sname, file, cookie = _FIXED.unpack_from(data)
    if hardware != _ETHERNET or size != 6 or cookie != _COOKIE:
        raise Malformed("the message is not DHCP for Ethernet")
    found = options.unpack(data[_FIXED.size :], file, sname)
    if options.KIND not in found:
        raise Malformed("the message does not say what it is (option 53)")
    ciaddr, yiaddr, siaddr, giaddr = [unpacked(place.to_bytes(4, "big")) for place in places]
    return Message(
        op, found[options.KIND][0], xid, chaddr[:6], secs, bool(flags & _BROADCAST_FLAG),
        ciaddr, yiaddr, siaddr, giaddr, **_values(found),
    )  # fmt: skip


def _values(found: dict[int, bytes]) -> dict[str, Any]:
    """Return the fields that options give."""
    fields: dict[str, Any] = {}
    for code, value in found.items():
        if code in _READERS:
            field, read = _READERS[code]
            fields[field] = read(value)
    return fields


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _printable(raw: bytes) -> str:
    return "".join(letter for letter in raw.decode("ascii", "replace") if letter.isprintable())[:255]


_READERS: dict[int, tuple[str, Callable[[bytes], object]]] = {
    options.MASK: ("prefix", options.unpack_mask),
    options.ROUTERS: ("routers", options.unpack_addresses),
    options.DNS: ("dns", options.unpack_addresses),
    options.HOSTNAME: ("hostname", names.from_bytes),
    options.DOMAIN: ("domain", names.from_bytes),
    options.MTU: ("mtu", _number),
    options.REQUESTED: ("requested", unpacked),
    options.SECONDS: ("seconds", _number),
    options.SERVER: ("server", unpacked),
    options.PARAMETERS: ("parameters", bytes),
    options.TEXT: ("text", _printable),
    options.SIZE: ("size", _number),
    options.T1: ("t1", _number),
    options.T2: ("t2", _number),
    options.VENDOR: ("vendor", _printable),
    options.CLIENT_ID: ("client_id", bytes),
    options.SEARCH: ("search", names.unpack_list),
    options.ROUTES: ("routes", options.unpack_routes),
}
