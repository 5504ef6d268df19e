"""What a client is told at first, and what it then wants done: the words between the machine and its shell.

The rule of this file: frozen values only. An effect says what, never how; the shell does them in their order.
"""

from __future__ import annotations

from containernet.model.lease import Lease
from containernet.model.record import record
from containernet.services.dhcp4.probe import FAST

DEBUG, INFO, WARNING, ERROR = "debug", "info", "warning", "error"  # levels of Tell
EXPIRED, REFUSED, RELEASED = "expired", "refused", "released"  # reasons of Unconfigure


@record
class Setup:
    """Who a client is, and how it shall behave."""

    mac: bytes
    client_id: bytes  # see ``identity``
    hostname: str = ""  # told to the server, which may put it into its DNS
    mtu: int = 1500  # of the uplink: a server cannot give more
    probe: str = FAST  # how an address is looked for on the link and announced, before its use (RFC 5227)
    broadcast: bool = False  # ask for broadcast answers: where frames to our MAC do not reach us
    vendor: str = ""
    raw: bool = False  # the address is not the interface's own, which answers for it: all goes and comes as frames


@record
class Send:
    """Send a DHCP message and hear what comes; from the address of nobody, or from the one on the interface."""

    destination: str
    source: str
    payload: bytes


@record
class Hush:
    """No answer is awaited for now: nothing of ours need stay open in the namespace."""


@record
class Probe:
    """Find out whether somebody else on the link has an address; the answer is ``Machine.probed``."""

    address: str


@record
class Announce:
    """Tell the neighbours whose an address is now (RFC 5227, section 2.3)."""

    address: str


@record
class Save:
    """Keep a lease so that it outlives this process; comes before its Configure."""

    lease: Lease


@record
class Forget:
    """There is no lease any more."""


@record
class Configure:
    """Bring the interface to what a lease says, from what an earlier one said, if any; it may be so already."""

    lease: Lease
    before: Lease | None = None


@record
class Unconfigure:
    """Take what a lease says off the interface."""

    lease: Lease
    reason: str  # EXPIRED, REFUSED or RELEASED


@record
class Wait:
    """Come back with ``Machine.timer`` at this boottime; ``math.inf``: not before something else happens."""

    until: float


@record
class Tell:
    """Say something to who looks after this host."""

    level: str
    sentence: str


Effect = Send | Hush | Probe | Announce | Save | Forget | Configure | Unconfigure | Wait | Tell
