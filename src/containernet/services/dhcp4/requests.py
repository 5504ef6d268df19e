"""The messages that a client sends (RFC 2131, table 5).

The rule of this file: pure; one function for each message, its docstring says which fields it must and must not have.
"""

from __future__ import annotations

from containernet.services.dhcp4 import message, options
from containernet.services.dhcp4.message import Message
from containernet.services.dhcp4.words import Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Classless routes before routers (RFC 3442); without T1 and T2 in the list no server need send them.
WANTED = bytes(
    (
        options.MASK, options.ROUTES, options.ROUTERS, options.DNS, options.DOMAIN, options.SEARCH, options.MTU,
        options.HOSTNAME, options.SECONDS, options.SERVER, options.T1, options.T2,
    )
)  # fmt: skip
LEAST_SIZE, MOST_SIZE = 576, 1500  # of a message that we can take (RFC 2132, section 9.10)


def _made(kind: int, setup: Setup, xid: int, secs: int = 0, **fields: Any) -> Message:
    return Message(message.REQUEST_OP, kind, xid, setup.mac, secs, client_id=setup.client_id, **fields)


def _asking(kind: int, setup: Setup, xid: int, secs: int, **fields: Any) -> Message:
    """Return a message that is to be answered with parameters."""
    size = max(LEAST_SIZE, min(setup.mtu, MOST_SIZE))
    return _made(
        kind, setup, xid, secs,
        size=size, hostname=setup.hostname, vendor=setup.vendor, parameters=WANTED, **fields,
    )  # fmt: skip


def discover(setup: Setup, xid: int, secs: int, hint: str = "") -> Message:
    """Is there a server? With the address that we had, if any (section 3.1, step 1)."""
    return _asking(message.DISCOVER, setup, xid, secs, requested=hint, broadcast=setup.broadcast)


def take(setup: Setup, xid: int, secs: int, address: str, server: str) -> Message:
    """I take this offer: with 50 and 54, ciaddr is zero, xid and secs as in the DISCOVER (section 4.3.2, SELECTING)."""
    return _asking(
        message.REQUEST, setup, xid, secs, requested=address, server=server, broadcast=setup.broadcast
    )  # fmt: skip


def verify(setup: Setup, xid: int, secs: int, address: str) -> Message:
    """May I go on with this address? With 50, without 54, ciaddr is zero (section 4.3.2, INIT-REBOOT)."""
    return _asking(message.REQUEST, setup, xid, secs, requested=address, broadcast=setup.broadcast)


def extend(setup: Setup, xid: int, secs: int, address: str) -> Message:
    """May I have it for longer? With ciaddr, without 50 and 54 (section 4.3.2, RENEWING and REBINDING)."""
    return _asking(message.REQUEST, setup, xid, secs, ciaddr=address)


def decline(setup: Setup, xid: int, address: str, server: str) -> Message:
    """Somebody else has it: with 50 and 54, ciaddr is zero, no parameters (section 4.4.1)."""
    return _made(message.DECLINE, setup, xid, requested=address, server=server)


def release(setup: Setup, xid: int, address: str, server: str) -> Message:
    """I need it no longer: with ciaddr and 54, without 50 (section 4.4.6)."""
    return _made(message.RELEASE, setup, xid, ciaddr=address, server=server)
