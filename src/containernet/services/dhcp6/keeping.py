"""The states in which a lease is used: BOUND, RENEWING, REBINDING, INFORMED; and its end (RFC 8415, section 18.2).

The rule of this file: pure. That a lease has ended is not for these states to see: the machine looks at that first,
whatever the state.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import FOREVER, Lease
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.state import Stopped
from containernet.services.dhcp6 import options, replies, requests, retry
from containernet.services.dhcp6.acquiring import Informing
from containernet.services.dhcp6.core import Core, State
from containernet.services.dhcp6.message import REPLY, Message
from containernet.services.dhcp6.retry import Pattern, Retry


class Bound(State):
    """BOUND: the lease is good, and nothing is to be said until T1."""

    name = "BOUND"

    def __init__(self, core: Core, lease: Lease) -> None:
        super().__init__(core)
        self._lease = lease

    def enter(self, now: float) -> None:  # noqa: ARG002
        self.core.quiet()
        self.core.due = self._lease.renew_at

    def timer(self, now: float) -> None:
        self.core.go(Renewing(self.core, self._lease), now)


class Informed(State):
    """INFORMED: all is known that a server tells without an address, until it is to be asked again."""

    name = "INFORMED"

    def __init__(self, core: Core, lease: Lease) -> None:
        super().__init__(core)
        self._lease = lease

    def enter(self, now: float) -> None:  # noqa: ARG002
        self.core.quiet()
        self.core.due = inf if self._lease.seconds == FOREVER else self._lease.renew_at

    def timer(self, now: float) -> None:
        self.core.go(Informing(self.core), now)


class Extending(State):
    """What RENEWING and REBINDING have in common."""

    pattern: Pattern

    def __init__(self, core: Core, lease: Lease) -> None:
        super().__init__(core)
        self.lease = lease

    def enter(self, now: float) -> None:
        self._retry = Retry(self.pattern, now, self.core.chance, self.end())
        self.core.exchange(now)
        self.timer(now)

    def attempt(self, message: Message, now: float) -> None:
        """Ask for more time."""
        self.core.send(message, now)
        self.core.due = self._retry.sent(now)

    def heard(self, reply: Message, now: float) -> None:
        core, address = self.core, self.lease.address
        if reply.kind != REPLY or not self.counts(reply):
            return
        if given := replies.offered(reply, core.setup, address, core.avoid):
            core.hold(replies.lease_of(reply, core.setup, given, core.began), now)
        elif replies.status(reply, core.setup).code == options.NO_BINDING:  # it has forgotten us (section 18.2.10.1)
            core.ask(reply.server.hex(), address, now)
        elif replies.taken_away(reply, core.setup, address):
            core.tell(words.WARNING, f"The DHCP server {reply.server.hex()} takes {address} away.")
            core.drop(words.REFUSED)
            core.afresh(now)

    def end(self) -> float:
        """Return till when it is asked."""
        raise NotImplementedError

    def counts(self, reply: Message) -> bool:
        """Tell whether this server may answer."""
        raise NotImplementedError


class Renewing(Extending):
    """RENEWING: from T1 on the server that gave the lease is asked, and nobody else's word counts."""

    name, pattern = "RENEWING", retry.RENEW

    def end(self) -> float:
        return self.lease.rebind_at

    def timer(self, now: float) -> None:
        if now >= self.end():
            self.core.go(Rebinding(self.core, self.lease), now)
        else:
            self.attempt(requests.renew(self.core.setup, self.lease.server, self.lease.address), now)

    def counts(self, reply: Message) -> bool:
        return reply.server.hex() == self.lease.server


class Rebinding(Extending):
    """REBINDING: from T2 on every server is asked."""

    name, pattern = "REBINDING", retry.REBIND

    def enter(self, now: float) -> None:
        self.core.tell(
            words.WARNING,
            f"The DHCP server {self.lease.server} does not answer; any other is asked for {self.lease.address}.",
        )
        super().enter(now)

    def end(self) -> float:
        return self.lease.expiry

    def timer(self, now: float) -> None:
        self.attempt(requests.rebind(self.core.setup, self.lease.address), now)

    def counts(self, reply: Message) -> bool:  # noqa: ARG002
        return True


class Telling(State):
    """What RELEASING and DECLINING have in common: the server of a lease is told, until it has answered, or not."""

    pattern: Pattern

    def __init__(self, core: Core, lease: Lease) -> None:
        super().__init__(core)
        self.lease = lease

    def enter(self, now: float) -> None:
        self._retry = Retry(self.pattern, now, self.core.chance)
        self.core.exchange(now)
        self.timer(now)

    def timer(self, now: float) -> None:
        if self._retry.over(now):
            self.done(now)
        else:
            self.core.send(self.message(), now)
            self.core.due = self._retry.sent(now)

    def heard(self, reply: Message, now: float) -> None:
        if reply.kind == REPLY and reply.server.hex() == self.lease.server:
            self.done(now)

    def message(self) -> Message:
        """Return what the server is told."""
        raise NotImplementedError

    def done(self, now: float) -> None:
        """Go on: the server knows, or is not to be reached."""
        raise NotImplementedError


class Releasing(Telling):
    """RELEASING: the address is off; the lease is forgotten when its server knows."""

    name, leaving, pattern = "RELEASING", True, retry.RELEASE

    def enter(self, now: float) -> None:
        self.core.take_off(words.RELEASED)
        super().enter(now)

    def message(self) -> Message:
        return requests.release(self.core.setup, self.lease.server, self.lease.address)

    def done(self, now: float) -> None:
        self.core.drop(words.RELEASED)
        self.core.go(Stopped(self.core), now)


class Declining(Telling):
    """DECLINING: somebody else on the link has the address; it is off, and its server is told (section 18.2.8)."""

    name, pattern = "DECLINING", retry.DECLINE

    def enter(self, now: float) -> None:
        core, lease = self.core, self.lease
        core.tell(words.WARNING, f"{lease.address}, leased by {lease.server}, is in use by another; it is declined.")
        core.drop(words.REFUSED)
        core.shun(lease.address)
        super().enter(now)

    def message(self) -> Message:
        return requests.decline(self.core.setup, self.lease.server, self.lease.address)

    def done(self, now: float) -> None:
        self.core.afresh(now, self.core.patience())
