"""The states that lead to a lease: SOLICITING, REQUESTING, CONFIRMING, INFORMING (RFC 8415, sections 18.2.1 to 18.2.6).

The rule of this file: pure; no address is used in any of these states but the one that was there before.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import Lease
from containernet.model.record import replace
from containernet.services.dhcp4 import words
from containernet.services.dhcp6 import options, replies, requests, retry
from containernet.services.dhcp6.core import Core, State
from containernet.services.dhcp6.message import ADVERTISE, REPLY, Message
from containernet.services.dhcp6.retry import Retry

PROBE_ENDS = 30.0  # seconds; a probe takes one at most
QUIET_TRIES = 4  # messages without an answer before that is told
AT_ONCE = 255  # the preference of a server that is not compared with others (section 18.2.1)
REFUSING = (options.NO_ADDRESSES, options.NO_BINDING, options.NOT_ON_LINK)


class Soliciting(State):
    """SOLICITING: who has an address? That many begin at the same time, the engine's pace prevents."""

    name = "SOLICITING"

    def enter(self, now: float) -> None:
        core = self.core
        self._offers: list[Message] = []
        self._denied: set[bytes] = set()
        self._retry = Retry(replace(retry.SOLICIT, most=core.sol_max_rt), now, core.chance)
        core.exchange(now)
        self._solicit(now)

    def timer(self, now: float) -> None:
        if self._offers:
            self._take(now)
        else:
            self._solicit(now)

    def _solicit(self, now: float) -> None:
        core = self.core
        if self._retry.tries == QUIET_TRIES and not self._denied:
            core.tell(words.WARNING, "No DHCPv6 server answers; the search goes on.")
        core.send(requests.solicit(core.setup, core.hint), now)
        core.due = self._retry.sent(now)

    def heard(self, reply: Message, now: float) -> None:
        core = self.core
        given = replies.offered(reply, core.setup, core.hint, core.avoid)
        if given is None:
            self._nothing(reply)
        elif reply.kind == REPLY and reply.rapid and core.setup.rapid:
            core.hold(replies.lease_of(reply, core.setup, given, core.began), now)
        elif reply.kind == ADVERTISE:
            self._offers.append(reply)
            if reply.preference == AT_ONCE or self._retry.tries > 1:
                self._take(now)

    def _nothing(self, reply: Message) -> None:
        """Say once for each server that it has nothing for us; it may have something another time."""
        text = replies.status(reply, self.core.setup).text
        if reply.server in self._denied or len(self._denied) >= QUIET_TRIES:
            return
        self._denied.add(reply.server)
        why = f": {text[:80]}" if text else "."
        self.core.tell(words.WARNING, f"The DHCP server {reply.server.hex()} has no address for us{why}")

    def _take(self, now: float) -> None:
        """Take the best offer: the most preferred, then the one with the address that is wished for."""
        core = self.core
        best = max(self._offers, key=lambda one: (one.preference, self._address(one) == core.hint, -self._at(one)))
        core.ask(best.server.hex(), self._address(best), now)

    def _at(self, offer: Message) -> int:
        return next(number for number, one in enumerate(self._offers) if one is offer)

    def _address(self, offer: Message) -> str:
        given = replies.offered(offer, self.core.setup, self.core.hint, self.core.avoid)
        return given.address if given else ""


class Requesting(State):
    """REQUESTING: an offer is taken, or what a server has forgotten is asked of it anew."""

    name = "REQUESTING"

    def __init__(self, core: Core, server: str, address: str) -> None:
        super().__init__(core)
        self._server, self._address = server, address

    def enter(self, now: float) -> None:
        self._retry = Retry(retry.REQUEST, now, self.core.chance)
        self.core.exchange(now)
        self._request(now)

    def timer(self, now: float) -> None:
        if not self._retry.over(now):
            self._request(now)
            return
        self.core.tell(words.WARNING, f"The DHCP server {self._server} does not keep to its offer.")
        self.core.afresh(now)

    def _request(self, now: float) -> None:
        core = self.core
        core.send(requests.request(core.setup, self._server, self._address), now)
        core.due = self._retry.sent(now)

    def heard(self, reply: Message, now: float) -> None:
        core = self.core
        if reply.kind != REPLY or reply.server.hex() != self._server:
            return
        if given := replies.offered(reply, core.setup, self._address, core.avoid):
            core.hold(replies.lease_of(reply, core.setup, given, core.began), now)
            return
        status = replies.status(reply, core.setup)
        if status.code in REFUSING:  # after any other the request is repeated, in its time (section 18.2.10)
            core.refused(self._server, status, now)


class Checking(State):
    """CHECKING: an address is given, and looked for on the link before it is used (RFC 4862, section 5.4)."""

    name = "CHECKING"

    def __init__(self, core: Core, lease: Lease, *, confirmed: bool) -> None:
        super().__init__(core)
        self._lease, self._confirmed = lease, confirmed

    def enter(self, now: float) -> None:
        self.core.hush = inf  # the probe has the wire until it ends
        self.core.due = now + PROBE_ENDS
        self.core.on_the_wire(words.Probe(self._lease.address))

    def timer(self, now: float) -> None:
        self.core.afresh(now)

    def probed(self, owner: bytes, now: float) -> None:
        core, lease = self.core, self._lease
        if owner:
            core.lease = lease
            core.decline(lease, now)
        elif now >= lease.expiry:
            core.afresh(now)
        else:
            core.use(lease, now, confirmed=self._confirmed)


class Confirming(State):
    """CONFIRMING: is the address of a lease from before still one of the link that we are on?"""

    name = "CONFIRMING"

    def __init__(self, core: Core, lease: Lease) -> None:
        super().__init__(core)
        self._lease = lease

    def enter(self, now: float) -> None:
        core = self.core
        core.lease, core.hint = self._lease, self._lease.address
        self._retry = Retry(retry.CONFIRM, now, core.chance)
        core.exchange(now)
        self._confirm(now)

    def timer(self, now: float) -> None:
        if not self._retry.over(now):
            self._confirm(now)
            return
        address = self._lease.address
        self.core.tell(words.INFO, f"No DHCPv6 server answers about {address}; it is kept while its lease lasts.")
        self._keep(now, confirmed=False)

    def _confirm(self, now: float) -> None:
        core = self.core
        core.send(requests.confirm(core.setup, self._lease.address), now)
        core.due = self._retry.sent(now)

    def _keep(self, now: float, *, confirmed: bool) -> None:
        core = self.core
        if now < self._lease.expiry:
            core.hold(self._lease, now, confirmed=confirmed)
            return
        core.drop(words.EXPIRED)
        core.afresh(now)

    def heard(self, reply: Message, now: float) -> None:
        core = self.core
        if reply.kind != REPLY:
            return
        status = replies.status(reply, core.setup)
        if status.code == options.SUCCESS:
            self._keep(now, confirmed=True)
        elif status.code == options.NOT_ON_LINK:
            core.refused(reply.server.hex(), status, now)


class Informing(State):
    """INFORMING: what is there to be known? What was known before is used meanwhile."""

    name = "INFORMING"

    def enter(self, now: float) -> None:
        core = self.core
        self._retry = Retry(replace(retry.INFORMATION, most=core.inf_max_rt), now, core.chance)
        core.exchange(now)
        self.timer(now)

    def timer(self, now: float) -> None:
        core = self.core
        if self._retry.tries == QUIET_TRIES:
            core.tell(words.WARNING, "No DHCPv6 server answers; the search goes on.")
        core.send(requests.inform(core.setup), now)
        core.due = self._retry.sent(now)

    def heard(self, reply: Message, now: float) -> None:
        core = self.core
        if reply.kind == REPLY and reply.status.code == options.SUCCESS:
            core.hold(replies.known_of(reply, core.setup, core.began), now)
