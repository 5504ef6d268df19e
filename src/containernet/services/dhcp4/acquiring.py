"""The states that lead to a lease: INIT, SELECTING, REQUESTING, REBOOTING (RFC 2131, sections 3.1, 3.2, 4.4.1, 4.4.2).

The rule of this file: pure; no address is used in any of these states but the one that was there before.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import Lease
from containernet.services.dhcp4 import replies, requests, words
from containernet.services.dhcp4.core import Core, State
from containernet.services.dhcp4.message import ACK, NAK, OFFER, Message
from containernet.services.dhcp4.probe import OFF

GATHER = 1.0  # seconds to wait for a better offer, if the first one is not what was wished for
QUIET_TRIES = 3  # DISCOVERs without an answer before that is told
REQUESTS = 4  # tries at one offer: 60 seconds (section 3.1, step 5)
VERIFIES = 2  # tries of INIT-REBOOT: 12 seconds
PROBE_ENDS = 30.0  # seconds; a probe takes 7 at most


class Selecting(State):
    """SELECTING: a DISCOVER is out, and offers come in."""

    name = "SELECTING"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._tries = 0
        self._secs = 0
        self._offers: list[Message] = []

    def enter(self, now: float) -> None:
        self.core.draw()
        self.core.began = now
        self._discover(now)

    def timer(self, now: float) -> None:
        if self._offers:
            self._take(now)
        else:
            self._discover(now)

    def _discover(self, now: float) -> None:
        core = self.core
        if self._tries == QUIET_TRIES:
            core.tell(words.WARNING, "No DHCP server answers; the search goes on.")
        self._secs = core.secs(now)
        core.send(requests.discover(core.setup, core.xid, self._secs, core.hint), now)
        core.due = now + core.pause(self._tries)
        self._tries += 1

    def heard(self, reply: Message, now: float) -> None:
        if reply.kind != OFFER:
            return
        if why := replies.unusable(reply):
            self.core.tell(words.DEBUG, f"An offer of {reply.server or 'nobody'} is not taken: {why}.")
            return
        self._offers.append(reply)
        if self._wished(reply):
            self._take(now)
        else:
            self.core.due = min(self.core.due, now + GATHER)

    def _wished(self, offer: Message) -> bool:
        hint, avoid = self.core.hint, self.core.avoid
        return offer.yiaddr == hint if hint else offer.yiaddr != avoid

    def _take(self, now: float) -> None:
        """Take the best offer: the address that was wished for, else the first that is not known to be in use."""
        best = min(self._offers, key=lambda offer: (not self._wished(offer), offer.yiaddr == self.core.avoid))
        self.core.go(Requesting(self.core, best, self._secs), now)


class Requesting(State):
    """REQUESTING: an offer is taken, and the server has not said yes yet."""

    name = "REQUESTING"

    def __init__(self, core: Core, offer: Message, secs: int) -> None:
        super().__init__(core)
        self._offer, self._secs = offer, secs
        self._tries = 0
        self._asked = 0.0

    def enter(self, now: float) -> None:
        self._asked = now
        self._request(now)

    def timer(self, now: float) -> None:
        if self._tries < REQUESTS:
            self._request(now)
        else:
            self.core.tell(words.WARNING, f"The DHCP server {self._offer.server} does not keep to its offer.")
            self.core.afresh(now)

    def _request(self, now: float) -> None:
        core, offer = self.core, self._offer
        core.send(requests.take(core.setup, core.xid, self._secs, offer.yiaddr, offer.server), now)
        core.due = now + core.pause(self._tries)
        self._tries += 1

    def heard(self, reply: Message, now: float) -> None:
        core, offer = self.core, self._offer
        if reply.server != offer.server:
            return
        if reply.kind == NAK:
            core.refused(reply, offer.yiaddr, now)
        elif reply.kind == ACK and reply.yiaddr == offer.yiaddr and not replies.unusable(reply):
            core.go(Checking(core, replies.lease_of(reply, core.setup, self._asked, core.chance)), now)


class Rebooting(State):
    """REBOOTING: may we go on with the address of a lease that was ours before a restart, or before the link went?"""

    name = "REBOOTING"

    def __init__(self, core: Core, lease: Lease) -> None:
        super().__init__(core)
        self._lease = lease
        self._tries = 0

    def enter(self, now: float) -> None:
        core = self.core
        core.lease, core.hint = self._lease, self._lease.address
        core.draw()
        core.began = now
        self._verify(now)

    def timer(self, now: float) -> None:
        if self._tries < VERIFIES:
            self._verify(now)
        else:
            self._unanswered(now)

    def _verify(self, now: float) -> None:
        core = self.core
        core.send(requests.verify(core.setup, core.xid, core.secs(now), self._lease.address), now)
        core.due = now + core.pause(self._tries)
        self._tries += 1

    def _unanswered(self, now: float) -> None:
        """Go on with the address while its lease lasts (section 3.2, step 4): silence is what some servers say."""
        core = self.core
        if now >= self._lease.expiry:
            core.drop(words.EXPIRED)
            core.afresh(now)
            return
        core.tell(words.INFO, f"No DHCP server answers about {self._lease.address}; it is kept while its lease lasts.")
        if core.configured:
            core.hold(self._lease, now, confirmed=False)
        else:
            core.go(Checking(core, self._lease, confirmed=False), now)

    def heard(self, reply: Message, now: float) -> None:
        core = self.core
        if reply.kind == NAK and replies.is_host(reply.server):
            core.refused(reply, self._lease.address, now)
        elif reply.kind == ACK and reply.yiaddr == self._lease.address and not replies.unusable(reply):
            lease = replies.lease_of(reply, core.setup, core.began, core.chance)
            if core.configured:
                core.hold(lease, now)
            else:
                core.go(Checking(core, lease), now)


class Checking(State):
    """A lease is given, and its address is looked for on the link before it is used (section 3.1 step 5; RFC 5227)."""

    name = "CHECKING"

    def __init__(self, core: Core, lease: Lease, *, confirmed: bool = True) -> None:
        super().__init__(core)
        self._lease, self._confirmed = lease, confirmed

    def enter(self, now: float) -> None:
        if self.core.setup.probe == OFF:
            self.probed(b"", now)
            return
        self.core.hush = inf  # the probe has the wire until it ends
        self.core.due = now + PROBE_ENDS
        self.core.on_the_wire(words.Probe(self._lease.address))

    def timer(self, now: float) -> None:
        self.core.afresh(now)

    def probed(self, owner: bytes, now: float) -> None:
        if owner:
            self.core.decline(self._lease, owner, now)
        elif now >= self._lease.expiry:
            self.core.tell(words.WARNING, f"The lease of {self._lease.address} ends before it can be used.")
            self.core.afresh(now, self.core.pause(self.core.refusals))
        else:
            self.core.hold(self._lease, now, confirmed=self._confirmed)
