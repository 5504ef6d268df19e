"""The states in which an address is used: BOUND, RENEWING, REBINDING; and its end (RFC 2131, sections 4.4.5, 4.4.6).

The rule of this file: pure; every message goes out from the address itself. That a lease has ended is not for these
states to see: the machine looks at that first, whatever the state.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import Lease
from containernet.services.dhcp4 import replies, requests, words
from containernet.services.dhcp4.core import Core, State
from containernet.services.dhcp4.message import ACK, BROADCAST, NAK, Message
from containernet.services.dhcp4.probe import FAST, OFF, STRICT
from containernet.services.dhcp4.state import Stopped

SPACING = 60.0  # seconds between two tries to renew or rebind, at least (section 4.4.5)
ANNOUNCEMENTS = {OFF: 0, FAST: 1, STRICT: 2}  # of an address that is new on the link
ANNOUNCE_AGAIN = 2.0  # seconds (RFC 5227, section 1.1, ANNOUNCE_INTERVAL)
LEAVING = 1.0  # seconds that a RELEASE has to find its way to the server


class Bound(State):
    """BOUND: the lease is good, and nothing is to be said until T1."""

    name = "BOUND"

    def __init__(self, core: Core, lease: Lease, *, fresh: bool) -> None:
        super().__init__(core)
        self._lease = lease
        self._announcements = ANNOUNCEMENTS[core.setup.probe] if fresh else 0

    def enter(self, now: float) -> None:
        if self._announcements:
            self._announce(now)
        else:
            self._settle()

    def timer(self, now: float) -> None:
        if self._announcements:
            self._announce(now)
        else:
            self.core.go(Renewing(self.core, self._lease), now)

    def _announce(self, now: float) -> None:
        self._announcements -= 1
        self.core.on_the_wire(words.Announce(self._lease.address))
        if self._announcements:
            self.core.hush, self.core.due = inf, now + ANNOUNCE_AGAIN
        else:
            self._settle()

    def _settle(self) -> None:
        self.core.quiet()
        self.core.due = self._lease.renew_at


class Extending(State):
    """What RENEWING and REBINDING have in common: one try, and half of the time that is left to the next."""

    def __init__(self, core: Core, lease: Lease) -> None:
        super().__init__(core)
        self.lease = lease
        self._asked = 0.0

    def attempt(self, now: float, destination: str, end: float) -> None:
        """Ask for more time; come back when half of what is left till ``end`` is over."""
        core, address = self.core, self.lease.address
        core.draw()
        self._asked = now
        core.send(requests.extend(core.setup, core.xid, core.secs(now), address), now, destination, address)
        core.due = min(end, now + max(SPACING, (end - now) / 2))

    def heard(self, reply: Message, now: float) -> None:
        if not self.counts(reply):
            return
        if reply.kind == NAK:
            self.core.refused(reply, self.lease.address, now)
        elif reply.kind == ACK and reply.yiaddr == self.lease.address and not replies.unusable(reply):
            self.core.hold(replies.lease_of(reply, self.core.setup, self._asked, self.core.chance), now)

    def counts(self, reply: Message) -> bool:
        """Tell whether this server may answer."""
        raise NotImplementedError


class Renewing(Extending):
    """RENEWING: from T1 on the server that gave the lease is asked, and nobody else's word counts."""

    name = "RENEWING"

    def enter(self, now: float) -> None:
        self.core.began = now
        self.timer(now)

    def timer(self, now: float) -> None:
        if now >= self.lease.rebind_at:
            self.core.go(Rebinding(self.core, self.lease), now)
        else:
            self.attempt(now, self.lease.server, self.lease.rebind_at)

    def counts(self, reply: Message) -> bool:
        return reply.server == self.lease.server


class Rebinding(Extending):
    """REBINDING: from T2 on every server is asked."""

    name = "REBINDING"

    def enter(self, now: float) -> None:
        self.core.tell(
            words.WARNING,
            f"The DHCP server {self.lease.server} does not answer; any other is asked for {self.lease.address}.",
        )
        self.timer(now)

    def timer(self, now: float) -> None:
        self.attempt(now, BROADCAST, self.lease.expiry)

    def counts(self, reply: Message) -> bool:
        return replies.is_host(reply.server)


class Releasing(State):
    """The RELEASE is on its way: the address goes when it has left, or after a second (section 4.4.6)."""

    name, leaving = "RELEASING", True

    def enter(self, now: float) -> None:
        core = self.core
        assert core.lease is not None
        core.draw()
        message = requests.release(core.setup, core.xid, core.lease.address, core.lease.server)
        core.send(message, now, core.lease.server, core.lease.address)
        core.due = now + LEAVING

    def timer(self, now: float) -> None:
        self.core.drop(words.RELEASED)
        self.core.go(Stopped(self.core), now)

    def sent(self, now: float) -> None:
        self.timer(now)
