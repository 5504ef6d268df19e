"""A DHCPv6 message as a value, and its bytes (RFC 8415, section 8).

The rule of this file: pure; ``decode`` returns a :class:`Message` or raises :class:`Malformed`, whatever it is given.
A name that is not proper and an unknown option are as if they were not there; a wrong length spoils the message.
"""

from __future__ import annotations

from containernet.model.record import record
from containernet.services.dhcp4 import names
from containernet.services.dhcp4.malformed import Malformed
from containernet.services.dhcp6 import options
from containernet.services.dhcp6.options import Association, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE = range(1, 10)
INFORMATION_REQUEST = 11
CLIENT_PORT, SERVER_PORT = 546, 547
EVERYBODY = "ff02::1:2"  # All_DHCP_Relay_Agents_and_Servers (section 7.1)

_KINDS = frozenset((*range(SOLICIT, DECLINE + 1), INFORMATION_REQUEST))
_FIXED = 4  # bytes: the kind, and the number of the exchange


@record
class Message:
    """One message. Empty text, bytes or tuple, and None, mean that the option is not there."""

    kind: int
    xid: int  # 24 bits
    client: bytes = b""  # DUID
    server: bytes = b""  # DUID
    associations: tuple[Association, ...] = ()
    wanted: tuple[int, ...] = ()  # codes of options
    preference: int = 0
    elapsed: int | None = None  # hundredths of a second
    status: Status = Status()
    rapid: bool = False
    dns: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    refresh: int | None = None  # seconds
    fqdn: str = ""
    sol_max_rt: int | None = None  # seconds
    inf_max_rt: int | None = None


def encode(message: Message) -> bytes:
    """Return the bytes of a message."""
    m = message
    head = bytes((m.kind,)) + m.xid.to_bytes(3, "big")
    return head + options.pack([*_filled(m), *_numbers(m), *options.pack_status(m.status)])


def _filled(m: Message) -> list[tuple[int, bytes]]:
    """Return the options whose value is not empty; RAPID is all there is to it."""
    every = [
        (options.CLIENT_ID, m.client),
        (options.SERVER_ID, m.server),
        *((options.IA_NA, options.pack_association(one)) for one in m.associations),
        (options.WANTED, options.pack_codes(m.wanted)),
        (options.DNS, options.pack_addresses(m.dns)),
        (options.SEARCH, names.pack_list(m.search)),
        (options.FQDN, options.pack_fqdn(m.fqdn) if m.fqdn else b""),
        (options.PREFERENCE, bytes((m.preference,)) if m.preference else b""),
    ]
    rapid = [(options.RAPID, b"")] if m.rapid else []
    return [*((code, value) for code, value in every if value), *rapid]


def _numbers(m: Message) -> list[tuple[int, bytes]]:
    every = (
        (options.ELAPSED, m.elapsed, 2),
        (options.REFRESH, m.refresh, 4),
        (options.SOL_MAX_RT, m.sol_max_rt, 4),
        (options.INF_MAX_RT, m.inf_max_rt, 4),
    )
    return [(code, value.to_bytes(size, "big")) for code, value, size in every if value is not None]


def decode(data: bytes) -> Message:
    """Return the message in the payload of a datagram."""
    if len(data) < _FIXED or data[0] not in _KINDS:
        raise Malformed("the message is none of a client or a server")
    fields: dict[str, Any] = {}
    for code, values in options.unpack(data[_FIXED:]).items():
        if code == options.IA_NA:
            fields["associations"] = tuple(map(options.association, values))
        elif code in _READERS:
            field, read = _READERS[code]
            fields[field] = read(values[0])
    return Message(data[0], options.number(data[1:_FIXED]), **fields)


_READERS: dict[int, tuple[str, Callable[[bytes], object]]] = {
    options.CLIENT_ID: ("client", options.duid),
    options.SERVER_ID: ("server", options.duid),
    options.WANTED: ("wanted", options.codes),
    options.PREFERENCE: ("preference", options.number),
    options.ELAPSED: ("elapsed", options.number),
    options.STATUS: ("status", options.status),
    options.RAPID: ("rapid", lambda _: True),
    options.DNS: ("dns", options.addresses),
    options.SEARCH: ("search", names.unpack_list),
    options.REFRESH: ("refresh", options.number),
    options.FQDN: ("fqdn", options.fqdn),
    options.SOL_MAX_RT: ("sol_max_rt", options.number),
    options.INF_MAX_RT: ("inf_max_rt", options.number),
}
