"""The DHCPv6 client of one interface: events in, effects out (RFC 8415, section 18.2).

The rule of this file: pure. ``now`` is the boottime clock in seconds; every event returns the effects that the shell
does in their order (``dhcp4/words.py``). That a lease has ended comes before anything.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import FOREVER, Lease
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.probe import OFF
from containernet.services.dhcp4.words import Effect
from containernet.services.dhcp6 import message, replies
from containernet.services.dhcp6.exchange import Exchange
from containernet.services.dhcp6.message import Message
from containernet.services.dhcp6.words import Setup6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STOPPED, INIT, SOLICITING, REQUESTING, CHECKING = "STOPPED", "INIT", "SOLICITING", "REQUESTING", "CHECKING"
BOUND, RENEWING, REBINDING, CONFIRMING = "BOUND", "RENEWING", "REBINDING", "CONFIRMING"
RELEASING, INFORMING, INFORMED, DOWN = "RELEASING", "INFORMING", "INFORMED", "DOWN"
LISTEN = 10.0  # seconds after a message for which its answer is awaited
AGAIN, TROUBLE = 10.0, 30.0  # seconds after a DECLINE, and after the shell could not do what we wanted
PROBE_ENDS = 30.0  # seconds; a probe takes one at most
REFRESH, LEAST_REFRESH = 86400.0, 600.0  # seconds (section 21.23)
LEAST_LIMIT, MOST_LIMIT = 60, 86400  # of what a server may say in place of SOL_MAX_RT (section 21.24)
QUIET_TRIES = 3
HURRIED = frozenset((SOLICITING, CONFIRMING))  # states that wait for a first answer
NAMES = {
    message.SOLICIT: SOLICITING, message.REQUEST: REQUESTING, message.RENEW: RENEWING, message.REBIND: REBINDING,
    message.CONFIRM: CONFIRMING, message.RELEASE: RELEASING, message.INFORM: INFORMING,
}  # fmt: skip


class Machine6:
    """One client. ``name`` is the state that it is in, ``lease`` what it holds."""

    def __init__(self, setup: Setup6, chance: Callable[[], float]) -> None:
        self._setup, self._chance = setup, chance
        self.name = STOPPED
        self.lease: Lease | None = None
        self.configured = False
        self._exchange: Exchange | None = None
        self._offers: list[Message] = []
        self._server = b""  # whose answer is awaited; nobody's in particular if empty
        self._candidate: Lease | None = None  # a lease whose address is looked for on the link
        self._hint = self._avoid = ""
        self._limits: dict[int, float] = {}  # what servers said in place of SOL_MAX_RT and INF_MAX_RT
        self._due = self._hush = inf
        self._told = inf
        self._open = False
        self._out: list[Effect] = []

    # --- events ---

    def start(self, now: float) -> tuple[Effect, ...]:
        """Begin without a lease."""
        return self._do(now, lambda: self._afresh(now))

    def restart(self, lease: Lease, now: float, *, configured: bool = False) -> tuple[Effect, ...]:
        """Begin with a lease from before; ``configured``: its address is still on the interface."""
        self.lease, self.configured = lease, configured
        return self._do(now, lambda: self._verify(now))

    def received(self, reply: Message, now: float) -> tuple[Effect, ...]:
        """Take a message off the wire; one that is not for us, or not to what we asked last, changes nothing."""

        def act() -> None:
            asked = self._exchange
            if asked is None or self._hush == inf or not replies.is_for(self._setup, asked, reply, self._server):
                return
            self._heed_limits(reply)
            getattr(self, f"_heard_{self.name.lower()}")(reply, now)

        return self._do(now, act)

    def probed(self, owner: bytes, now: float) -> tuple[Effect, ...]:
        """Learn what a Probe has found: the MAC address of who has the address, b"" if nobody has it."""
        return self._do(now, lambda: self._probed(owner, now))

    def sent(self, now: float) -> tuple[Effect, ...]:
        """Nothing waits for a message to leave."""
        return self._do(now, lambda: None)

    def timer(self, now: float) -> tuple[Effect, ...]:
        """Go on: the time of the last Wait is there (or any other, which does no harm)."""
        self._told = -inf
        return self._do(now, lambda: self._tick(now))

    def link(self, up: bool, now: float) -> tuple[Effect, ...]:
        """Learn that the link has lost its carrier, or has it again."""
        return self._do(now, lambda: self._carrier(up, now))

    def renew(self, now: float) -> tuple[Effect, ...]:
        """Ask for more time now, or for an address at once if there is none."""

        def act() -> None:
            if self.name in (BOUND, RENEWING, REBINDING):
                self._ask(message.RENEW, now, self._duid())
            elif self.name == INFORMED:
                self._ask(message.INFORM, now)
            elif self.name in (INIT, SOLICITING):
                self._afresh(now)

        return self._do(now, act)

    def release(self, now: float) -> tuple[Effect, ...]:
        """Give the address back and end."""

        def act() -> None:
            if self.configured and self.lease and self.lease.address and self.name != DOWN:
                self._ask(message.RELEASE, now, self._duid())
            else:
                self._end(words.RELEASED)

        return self._do(now, act)

    def stop(self, now: float) -> tuple[Effect, ...]:
        """End, and leave address and lease as they are, for a later ``restart``."""
        return self._do(now, lambda: self._rest(STOPPED))

    def failed(self, now: float) -> tuple[Effect, ...]:
        """Learn that a Configure could not be done: begin again in a while."""

        def act() -> None:
            self.lease, self.configured = None, False
            self._rest(INIT, now + TROUBLE)

        return self._do(now, act)

    def _do(self, now: float, act: Callable[[], None]) -> tuple[Effect, ...]:
        self._out = []
        if not self._ended(now):
            act()
        expiry = self.lease.expiry if self.configured and self.lease else inf
        if (until := min(self._due, self._hush, expiry)) != self._told:
            self._out.append(words.Wait(until))
            self._told = until
        return tuple(self._out)

    # --- what all states share ---

    def _ended(self, now: float) -> bool:
        """See to a lease that has ended while its address is used; tell whether that was all there is to do."""
        if self.name in (STOPPED, RELEASING) or not self.configured or not self.lease or now < self.lease.expiry:
            return False
        self._out.append(words.Tell(words.ERROR, f"The lease of {self.lease.address} has ended and was not renewed."))
        self._drop(words.EXPIRED)
        if self.name != DOWN:
            self._afresh(now)
        return True

    def _duid(self) -> bytes:
        return bytes.fromhex(self.lease.server) if self.lease else b""

    def _rest(self, name: str, due: float = inf) -> None:
        """Be in a state in which nothing is awaited from a server."""
        self.name, self._due, self._hush, self._exchange = name, due, inf, None
        if self._open:
            self._out.append(words.Hush())
            self._open = False

    def _ask(self, kind: int, now: float, server: bytes = b"", end: float = inf) -> None:
        """Begin an exchange."""
        self._exchange = Exchange(kind, now, self._chance, self._limits.get(kind, 0.0), end)
        self._server, self._offers = server, []
        self.name = NAMES[kind]
        self._send(now)

    def _send(self, now: float) -> None:
        asked = self._exchange
        assert asked is not None
        text = replies.question(self._setup, asked, now, self._server, self._wished(asked.kind))
        self._out.append(words.Send(message.SERVERS, "", message.encode(text)))
        self._open = True
        self._due, self._hush = asked.next(now), now + LISTEN

    def _wished(self, kind: int) -> str:
        """Return the address that a message is about."""
        if kind == message.REQUEST:
            return self._candidate.address if self._candidate else ""
        return self.lease.address if self.lease and kind != message.SOLICIT else self._hint

    def _tick(self, now: float) -> None:
        if now >= self._due:
            self._due = inf
            self._time_is_up(now)
        if now >= self._hush:
            self._hush = inf
            if self._open:
                self._out.append(words.Hush())
                self._open = False

    def _time_is_up(self, now: float) -> None:
        asked = self._exchange
        if self.name == BOUND and self.lease:
            self._ask(message.RENEW, now, self._duid(), self.lease.rebind_at)
        elif self.name == INFORMED:
            self._ask(message.INFORM, now)
        elif self.name in (INIT, CHECKING) or asked is None:
            self._afresh(now)
        elif self._offers:
            self._take(max(self._offers, key=lambda one: one.preference), now)
        elif asked.over(now):
            self._given_up(now)
        else:
            if asked.sent == QUIET_TRIES and self.name in (SOLICITING, INFORMING):
                self._out.append(words.Tell(words.WARNING, "No DHCPv6 server answers; the search goes on."))
            self._send(now)

    def _given_up(self, now: float) -> None:
        """An exchange has come to nothing."""
        lease = self.lease
        if self.name == RELEASING:
            self._end(words.RELEASED)
        elif self.name == RENEWING and lease:
            self._out.append(words.Tell(words.WARNING, f"The DHCPv6 server of {lease.address} does not answer."))
            self._ask(message.REBIND, now, b"", lease.expiry)
        elif self.name == CONFIRMING and lease:
            self._held(lease, now)
        else:
            self._afresh(now)

    def _afresh(self, now: float) -> None:
        self._candidate = None
        self._ask(message.SOLICIT if self._setup.stateful else message.INFORM, now)

    def _verify(self, now: float) -> None:
        """Ask whether a lease still holds on this link."""
        lease = self.lease
        if lease is None or now >= lease.expiry or bool(lease.address) != self._setup.stateful:
            self._drop(words.EXPIRED)
            self._afresh(now)
        elif lease.address:
            self._ask(message.CONFIRM, now)
        else:
            self._ask(message.INFORM, now)

    def _carrier(self, up: bool, now: float) -> None:
        if not up and self.name not in (DOWN, STOPPED, RELEASING):
            self._rest(DOWN)
        elif up and self.name == DOWN:
            self._verify(now) if self.lease else self._afresh(now)

    def _drop(self, reason: str) -> None:
        """Have the address taken off the interface, and the lease forgotten."""
        if self.configured and self.lease:
            self._out.append(words.Unconfigure(self.lease, reason))
        if self.lease:
            self._out.append(words.Forget())
        self.lease, self.configured = None, False

    def _end(self, reason: str) -> None:
        self._drop(reason)
        self._rest(STOPPED)

    def _heed_limits(self, reply: Message) -> None:
        for kind, seconds in ((message.SOLICIT, reply.solicit_limit), (message.INFORM, reply.inform_limit)):
            if LEAST_LIMIT <= seconds <= MOST_LIMIT:
                self._limits[kind] = float(seconds)

    # --- answers, by state ---

    def _heard_soliciting(self, reply: Message, now: float) -> None:
        if reply.kind != message.ADVERTISE or not reply.server:
            return
        found = replies.address_of(self._setup, reply)
        if found is None or found.address == self._avoid:
            self._out.append(words.Tell(words.DEBUG, f"A DHCPv6 server has no address: {reply.text or 'no reason'}."))
            return
        asked = self._exchange
        if reply.preference == 255 or (asked is not None and asked.sent > 1):
            self._take(reply, now)
        else:
            self._offers.append(reply)

    def _take(self, offer: Message, now: float) -> None:
        self._candidate = replies.lease_of(self._setup, offer, now, self._chance)
        self._ask(message.REQUEST, now, offer.server)

    def _heard_requesting(self, reply: Message, now: float) -> None:
        asked = self._exchange
        if reply.kind != message.REPLY or asked is None:
            return
        lease = replies.lease_of(self._setup, reply, asked.began, self._chance)
        if lease is not None:
            self._check(lease, now)
        elif replies.refusal(self._setup, reply) in (message.NO_ADDRESS, message.NOT_ON_LINK, message.NO_BINDING):
            self._rest(INIT, now + AGAIN)

    def _check(self, lease: Lease, now: float) -> None:
        """Look for an address on the link before it is used (RFC 4862, section 5.4)."""
        if (self.configured and self.lease and self.lease.address == lease.address) or self._setup.probe == OFF:
            self._hold(lease, now)
            return
        self._candidate, self.name, self._exchange = lease, CHECKING, None
        self._hush, self._due = inf, now + PROBE_ENDS
        self._out.append(words.Probe(lease.address))
        self._open = True

    def _probed(self, owner: bytes, now: float) -> None:
        lease = self._candidate
        if self.name != CHECKING or lease is None:
            return
        if not owner:
            self._hold(lease, now)
            return
        self._out.append(words.Tell(words.WARNING, f"{lease.address} is in use by {owner.hex(':')}; it is declined."))
        self._drop(words.REFUSED)
        decline = Exchange(message.DECLINE, now, self._chance)
        text = replies.question(self._setup, decline, now, bytes.fromhex(lease.server), lease.address)
        self._out.append(words.Send(message.SERVERS, "", message.encode(text)))
        self._open = True
        self._avoid, self._hint = lease.address, ""
        self._rest(INIT, now + AGAIN)

    def _hold(self, lease: Lease, now: float) -> None:
        """Use a lease."""
        fresh = not self.configured or not self.lease or self.lease.address != lease.address
        if fresh and lease.address:
            length = "for ever" if lease.seconds == FOREVER else f"for {lease.seconds} seconds"
            self._out.append(words.Tell(words.INFO, f"{lease.cidr} is leased by DHCPv6 {length}."))
        self._out += [words.Save(lease), words.Configure(lease, self.lease if self.configured else None)]
        self._avoid, self._hint = "", lease.address
        self._held(lease, now)

    def _held(self, lease: Lease, now: float) -> None:
        """Be bound to a lease; it may be one that nobody has confirmed."""
        if not self.configured and self.lease is lease:
            self._out.append(words.Configure(lease))
        self.lease, self.configured, self._candidate = lease, True, None
        self._rest(BOUND, max(lease.renew_at, now))

    def _heard_confirming(self, reply: Message, now: float) -> None:
        lease = self.lease
        if reply.kind != message.REPLY or lease is None:
            return
        if reply.status == message.FINE:
            self._held(lease, now)
        elif reply.status == message.NOT_ON_LINK:
            self._out.append(words.Tell(words.WARNING, f"{lease.address} is not for this link any more."))
            self._drop(words.REFUSED)
            self._afresh(now)

    def _heard_renewing(self, reply: Message, now: float) -> None:
        self._heard_extending(reply, now)

    def _heard_rebinding(self, reply: Message, now: float) -> None:
        self._heard_extending(reply, now)

    def _heard_extending(self, reply: Message, now: float) -> None:
        asked, held = self._exchange, self.lease
        if reply.kind != message.REPLY or asked is None or held is None:
            return
        lease = replies.lease_of(self._setup, reply, asked.began, self._chance)
        if lease is not None:
            self._check(lease, now)
        elif replies.refusal(self._setup, reply) == message.NO_BINDING:
            self._candidate = held
            self._ask(message.REQUEST, now, reply.server)
        elif replies.gone(self._setup, reply, held.address):
            self._out.append(words.Tell(words.WARNING, f"The DHCPv6 server takes {held.address} back."))
            self._drop(words.REFUSED)
            self._afresh(now)

    def _heard_releasing(self, reply: Message, now: float) -> None:  # noqa: ARG002
        if reply.kind == message.REPLY:
            self._end(words.RELEASED)

    def _heard_informing(self, reply: Message, now: float) -> None:
        if reply.kind != message.REPLY:
            return
        lease = replies.information(self._setup, reply, now)
        self._out += [words.Save(lease), words.Configure(lease, self.lease)]
        self.lease, self.configured = lease, True
        refresh = max(float(reply.refresh), LEAST_REFRESH) if reply.refresh else REFRESH
        self._rest(INFORMED, inf if reply.refresh == FOREVER else now + refresh)
