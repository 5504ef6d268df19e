"""What a DHCPv6 client asks, which answers count, and the lease in one (RFC 8415, sections 16, 18.2, 21).

The rule of this file: pure, and the first wrong thing in an answer is the end of it.
"""

from __future__ import annotations

from containernet.model.address import contains
from containernet.model.lease import FOREVER, Lease
from containernet.services.dhcp6 import message
from containernet.services.dhcp6.exchange import Exchange
from containernet.services.dhcp6.message import Association, Leased, Message
from containernet.services.dhcp6.words import Setup6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WANTED = (message.DNS, message.SEARCH, message.SOLICIT_LIMIT)
INFORMED = (message.DNS, message.SEARCH, message.REFRESH, message.INFORM_LIMIT)
ADDRESSLESS = (message.INFORM,)
FUZZ = 0.05  # T1 comes sooner by up to this share, so that many clients do not ask at once
NO_HOSTS = ("fe80::/10", "ff00::/8", "::/96")


def question(setup: Setup6, asked: Exchange, now: float, server: bytes, address: str) -> Message:
    """Return the message of an exchange."""
    kind = asked.kind
    plain = kind in (message.RELEASE, message.DECLINE, message.CONFIRM)
    mine = (Leased(address),) if address else ()
    return Message(
        kind, asked.xid, setup.duid, server,
        () if kind in ADDRESSLESS else (Association(setup.iaid, 0, 0, mine),),
        elapsed=asked.elapsed(now), wanted=() if plain else INFORMED if kind == message.INFORM else WANTED,
        hostname="" if plain or kind == message.INFORM else setup.hostname,
    )  # fmt: skip


def is_for(setup: Setup6, asked: Exchange, reply: Message, server: bytes) -> bool:
    """Tell whether an answer is to what we asked: our number, our identifier, and the server that was asked."""
    ours = reply.xid == asked.xid and reply.client == setup.duid and bool(reply.server)
    return ours and server in (b"", reply.server)


def _mine(setup: Setup6, reply: Message) -> Association | None:
    return next((one for one in reply.associations if one.iaid == setup.iaid), None)


def address_of(setup: Setup6, reply: Message) -> Leased | None:
    """Return the address that an answer gives; None: it gives none."""
    mine = _mine(setup, reply)
    if mine is None or message.FINE not in (reply.status,) or mine.status != message.FINE:
        return None
    return next((one for one in mine.addresses if _usable(one)), None)


def _usable(one: Leased) -> bool:
    return (
        one.status == message.FINE
        and one.valid > 0
        and one.preferred <= one.valid
        and not any(contains(prefix, one.address) for prefix in NO_HOSTS)
    )


def refusal(setup: Setup6, reply: Message) -> int:
    """Return the status code with which an answer refuses, FINE if it does not."""
    mine = _mine(setup, reply)
    return reply.status or (mine.status if mine else message.FINE)


def gone(setup: Setup6, reply: Message, address: str) -> bool:
    """Tell whether an answer ends an address: its valid lifetime is 0 (section 18.2.10.1)."""
    mine = _mine(setup, reply)
    return mine is not None and any(one.address == address and not one.valid for one in mine.addresses)


def lease_of(setup: Setup6, reply: Message, asked: float, chance: Callable[[], float]) -> Lease | None:
    """Return the lease in an answer, counted from when it was asked for; None if there is none."""
    found, mine = address_of(setup, reply), _mine(setup, reply)
    if found is None or mine is None:
        return None
    t1, t2 = times(found, mine.t1, mine.t2)
    return Lease(
        found.address, 128, reply.server.hex(), setup.duid.hex(), asked, found.valid, t1 * (1 - FUZZ * chance()), t2,
        dns=_servers(reply), search=reply.search, family=6, preferred=found.preferred,
    )  # fmt: skip


def times(found: Leased, t1: int, t2: int) -> tuple[float, float]:
    """Return T1 and T2: a half and four fifths of the preferred time where the server leaves them to us (21.4)."""
    if found.valid == FOREVER:
        return 0.0, 0.0
    base = found.preferred or found.valid
    base = found.valid if base == FOREVER else base
    rebind = float(t2) if 0 < t2 <= found.valid else base * 0.8
    renew = float(t1) if 0 < t1 <= rebind else min(base * 0.5, rebind * 5 / 8)
    return renew, rebind


def information(setup: Setup6, reply: Message, now: float) -> Lease:
    """Return what an answer to an information-request brings, as a lease without an address."""
    return Lease(
        "", 0, reply.server.hex(), setup.duid.hex(), now, FOREVER, 0.0, 0.0,
        dns=_servers(reply), search=reply.search, family=6,
    )  # fmt: skip


def _servers(reply: Message) -> tuple[str, ...]:
    return tuple(one for one in reply.dns if not contains("ff00::/8", one) and one != "::")
