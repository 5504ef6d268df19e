"""What every client holds and does, of whatever IP version: a lease, a state, and the effects of the event under way.

The rule of this file: pure. An address is never on the interface without its lease, nor a socket left open behind an
exchange that is over.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import FOREVER, Lease
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.state import Down, Init, State, Stopped
from containernet.services.dhcp4.words import Effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TROUBLE = 30.0  # seconds after the shell could not do what we wanted
DECLINED = 10.0  # seconds to wait after a DECLINE, at least (RFC 2131, section 3.1, step 5)
SOON = 3  # so many DECLINEs in a row are followed by that wait, then it grows
LONGEST_WAIT = 300.0
MOST_STEPS = 9  # that a wait grows twice as long: no further, so that no number is too large


class Holder:
    """See the rule of this file."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self.chance = chance
        self.state: State = Stopped(self)
        self.lease: Lease | None = None
        self.configured = False  # what the lease says is on the interface
        self.due = inf  # when the state wants its timer
        self.hush = inf  # when no answer is awaited any more; inf: none is awaited now
        self.open = False  # the shell may have sockets open for us
        self.began = 0.0  # when this acquisition or renewal began
        self.hint = ""  # the address that we had
        self.avoid = ""  # the address that somebody else has
        self.declines = self.refusals = 0  # in a row
        self.out: list[Effect] = []

    # --- what each IP version does its own way ---

    def seek(self, now: float) -> None:
        """Look for a server."""
        raise NotImplementedError

    def verify(self, lease: Lease, now: float) -> None:
        """Ask whether we may go on with a lease."""
        raise NotImplementedError

    def hurry(self, now: float) -> None:
        """Renew at once."""
        raise NotImplementedError

    def give_back(self, now: float) -> None:
        """Release what is held, if it can still be said."""
        raise NotImplementedError

    # --- from state to state ---

    def go(self, state: State, now: float) -> None:
        """Change to another state."""
        self.state, self.due = state, inf
        state.enter(now)

    def afresh(self, now: float, delay: float = 0.0) -> None:
        """Begin at INIT after a while."""
        self.go(Init(self, delay), now)

    def expiry(self) -> float:
        """Return when an address is to go from the interface; what came without one stays till there is news."""
        if not self.configured or self.lease is None or not self.lease.address:
            return inf
        return self.lease.expiry

    def until(self) -> float:
        """Return when to come back."""
        return min(self.due, self.hush, self.expiry())

    def ended(self, now: float) -> bool:
        """See to a lease that has ended while its address is used; tell whether that was all there is to do."""
        if self.state.leaving or self.lease is None or now < self.expiry():
            return False
        self.tell(words.ERROR, f"The lease of {self.lease.address} has ended and was not renewed.")
        self.drop(words.EXPIRED)
        if not isinstance(self.state, Down):
            self.afresh(now)
        return True

    def tick(self, now: float) -> None:
        """Do what is due."""
        if now >= self.due:
            self.due = inf
            self.state.timer(now)
        if now >= self.hush:
            self.quiet()

    def carrier(self, up: bool, now: float) -> None:
        """Stop talking without a carrier; verify what we hold when it is back (RFC 2131, 4.4.2; RFC 8415, 18.2.12)."""
        down = isinstance(self.state, Down)
        if not up and not down and not self.state.leaving:
            self.tell(words.INFO, "The link has no carrier.")
            self.go(Down(self), now)
        elif up and down and self.lease is None:
            self.afresh(now)
        elif up and down and self.lease is not None:
            self.verify(self.lease, now)

    def failed(self, now: float) -> None:
        """Begin again later; the lease that could not be used is asked for again."""
        self.lease, self.configured = None, False
        self.afresh(now, TROUBLE)

    # --- what is said, and what is open for it ---

    def tell(self, level: str, sentence: str) -> None:
        """Say something."""
        self.out.append(words.Tell(level, sentence))

    def leased(self, lease: Lease) -> None:
        """Say what was got."""
        length = "for ever" if lease.seconds == FOREVER else f"for {lease.seconds} seconds"
        self.tell(words.INFO, f"{lease.cidr} is leased by {lease.server} {length}.")

    def on_the_wire(self, effect: words.Send | words.Probe | words.Announce) -> None:
        """Have something done that needs a socket."""
        self.out.append(effect)
        self.open = True

    def quiet(self) -> None:
        """Await no answer, and have the sockets closed."""
        self.hush = inf
        if self.open:
            self.out.append(words.Hush())
            self.open = False

    # --- gaining and losing an address ---

    def put(self, lease: Lease, *, confirmed: bool) -> None:
        """Have a lease kept, and what it says on the interface."""
        before = self.lease if self.configured else None
        self.lease, self.hint = lease, lease.address
        if confirmed:
            self.declines = self.refusals = 0
            self.avoid = ""
            self.out.append(words.Save(lease))
        self.out.append(words.Configure(lease, before))
        self.configured = True

    def take_off(self, reason: str) -> None:
        """Have what the lease says taken off the interface."""
        if self.configured and self.lease is not None:
            self.out.append(words.Unconfigure(self.lease, reason))
        self.configured = False

    def drop(self, reason: str) -> None:
        """Have the address taken off the interface, and the lease forgotten."""
        self.take_off(reason)
        self.out.append(words.Forget())
        self.lease = None

    def deny(self, now: float, longest: float) -> None:
        """Begin anew after a server has said no: soon at first, for it may be meant well, and then later and later."""
        self.hint = ""
        self.refusals += 1
        again = min(self.refusals - 2, MOST_STEPS)
        self.afresh(now, 0.0 if again < 0 else min(2.0**again, longest) * (0.5 + self.chance()))

    def shun(self, address: str) -> None:
        """Take note that somebody else has an address."""
        self.hint, self.avoid = "", address
        self.declines += 1

    def patience(self) -> float:
        """Return the seconds to wait after a DECLINE."""
        beyond = self.declines - SOON
        return DECLINED if beyond <= 0 else min(DECLINED * 6 * 2.0 ** min(beyond - 1, MOST_STEPS), LONGEST_WAIT)
