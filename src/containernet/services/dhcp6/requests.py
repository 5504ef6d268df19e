"""The messages that a client sends (RFC 8415, section 18.2).

The rule of this file: pure; one function for each message, its docstring says what it has and has not.
"""

from __future__ import annotations

from containernet.services.dhcp6 import message, options
from containernet.services.dhcp6.message import Message
from containernet.services.dhcp6.options import Association, Offered
from containernet.services.dhcp6.words import Setup6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WANTED = (options.DNS, options.SEARCH, options.SOL_MAX_RT)
WANTED_ALONE = (options.DNS, options.SEARCH, options.REFRESH, options.INF_MAX_RT)


def _asking(kind: int, setup: Setup6, address: str, **more: Any) -> Message:
    """Return a message about our one association, that is to be answered with parameters."""
    wanted = (*WANTED, options.FQDN) if setup.hostname else WANTED
    return Message(
        kind, 0, setup.duid, associations=_ours(setup, address), wanted=wanted, fqdn=setup.hostname, **more
    )  # fmt: skip


def _telling(kind: int, setup: Setup6, address: str, server: str = "") -> Message:
    return Message(kind, 0, setup.duid, bytes.fromhex(server), _ours(setup, address))


def _ours(setup: Setup6, address: str) -> tuple[Association]:
    """Return our association; a client says no times (sections 21.4 and 21.6)."""
    return (Association(setup.iaid, addresses=(Offered(address),) if address else ()),)


def solicit(setup: Setup6, hint: str = "") -> Message:
    """Is there a server? Without server, with the address that we had, if any (section 18.2.1)."""
    return _asking(message.SOLICIT, setup, hint, rapid=setup.rapid)


def request(setup: Setup6, server: str, address: str) -> Message:
    """I take this offer: with server and address (section 18.2.2)."""
    return _asking(message.REQUEST, setup, address, server=bytes.fromhex(server))


def confirm(setup: Setup6, address: str) -> Message:
    """Is this address still one of this link? Without server, and nothing is wanted (section 18.2.3)."""
    return _telling(message.CONFIRM, setup, address)


def renew(setup: Setup6, server: str, address: str) -> Message:
    """May I have it for longer? With server (section 18.2.4)."""
    return _asking(message.RENEW, setup, address, server=bytes.fromhex(server))


def rebind(setup: Setup6, address: str) -> Message:
    """May I, whoever hears it? Without server (section 18.2.5)."""
    return _asking(message.REBIND, setup, address)


def inform(setup: Setup6) -> Message:
    """What is there to be known without an address? Without association (section 18.2.6)."""
    return Message(message.INFORMATION_REQUEST, 0, setup.duid, wanted=WANTED_ALONE)


def release(setup: Setup6, server: str, address: str) -> Message:
    """I need it no longer: with server, and nothing is wanted (section 18.2.7)."""
    return _telling(message.RELEASE, setup, address, server)


def decline(setup: Setup6, server: str, address: str) -> Message:
    """Somebody else has it: with server, and nothing is wanted (section 18.2.8)."""
    return _telling(message.DECLINE, setup, address, server)
