"""The DHCPv4 client of one interface: events in, effects out (RFC 2131, section 4.4 and figure 5).

The rule of this file: pure. ``now`` is the boottime clock in seconds, ``chance`` gives numbers from 0 up to 1; every
event returns the effects that the shell does in their order (``words``). That a lease has ended comes before anything.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import FOREVER, Lease
from containernet.services.dhcp4 import replies, words
from containernet.services.dhcp4.acquiring import Checking, Init, Rebooting, Selecting
from containernet.services.dhcp4.core import Core
from containernet.services.dhcp4.keeping import Bound, Down, Extending, Releasing, Renewing, Stopped
from containernet.services.dhcp4.message import Message
from containernet.services.dhcp4.probe import OFF
from containernet.services.dhcp4.words import Effect, Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TROUBLE = 30.0  # seconds after the shell could not do what we wanted


class Machine:
    """One client. ``name`` is the state that it is in, ``lease`` what it holds."""

    def __init__(self, setup: Setup, chance: Callable[[], float]) -> None:
        self._core = _Whole(setup, chance)
        self._core.state = Stopped(self._core)
        self._told = inf  # the last Wait

    @property
    def name(self) -> str:
        """The name of the state."""
        return self._core.state.name

    @property
    def lease(self) -> Lease | None:
        """The lease that is held, on the interface or not."""
        return self._core.lease

    @property
    def configured(self) -> bool:
        """Whether the address is on the interface."""
        return self._core.configured

    # --- events ---

    def start(self, now: float) -> tuple[Effect, ...]:
        """Begin without a lease."""
        return self._do(now, lambda core: core.afresh(now))

    def restart(self, lease: Lease, now: float, *, configured: bool = False) -> tuple[Effect, ...]:
        """Begin with a lease from before (INIT-REBOOT); ``configured``: its address is still on the interface."""
        self._core.lease, self._core.configured, self._core.hint = lease, configured, lease.address
        return self._do(now, lambda core: core.verify(lease, now))

    def received(self, reply: Message, now: float) -> tuple[Effect, ...]:
        """Take a message off the wire; one that is not for us, or not to what we asked last, changes nothing."""

        def act(core: _Whole) -> None:
            if core.hush != inf and replies.is_for(core.setup, core.xid, reply):
                core.state.heard(reply, now)

        return self._do(now, act)

    def probed(self, owner: bytes, now: float) -> tuple[Effect, ...]:
        """Learn what a Probe has found: the MAC address of who has the address, b"" if nobody has it."""
        return self._do(now, lambda core: core.state.probed(owner, now))

    def sent(self, now: float) -> tuple[Effect, ...]:
        """Learn that the last message has left this host."""
        return self._do(now, lambda core: core.state.sent(now))

    def timer(self, now: float) -> tuple[Effect, ...]:
        """Go on: the time of the last Wait is there (or any other, which does no harm)."""
        self._told = -inf  # so that the next time is said in any case
        return self._do(now, lambda core: core.tick(now))

    def link(self, up: bool, now: float) -> tuple[Effect, ...]:
        """Learn that the link has lost its carrier, or has it again."""
        return self._do(now, lambda core: core.carrier(up, now))

    def renew(self, now: float) -> tuple[Effect, ...]:
        """Ask for more time now, or for an address at once if there is none."""
        return self._do(now, lambda core: core.hurry(now))

    def release(self, now: float) -> tuple[Effect, ...]:
        """Give the address back and end."""
        return self._do(now, lambda core: core.give_back(now))

    def stop(self, now: float) -> tuple[Effect, ...]:
        """End, and leave address and lease as they are, for a later ``restart``."""
        return self._do(now, lambda core: core.go(Stopped(core), now))

    def failed(self, now: float) -> tuple[Effect, ...]:
        """Learn that a Configure could not be done: begin again in a while."""
        return self._do(now, lambda core: core.failed(now))

    def _do(self, now: float, act: Callable[[_Whole], None]) -> tuple[Effect, ...]:
        core = self._core
        core.out = []
        if not core.ended(now):
            act(core)
        if (until := core.until()) != self._told:
            core.out.append(words.Wait(until))
            self._told = until
        return tuple(core.out)


class _Whole(Core):
    """The client with all its states."""

    def afresh(self, now: float, delay: float = 0.0) -> None:
        self.go(Init(self, delay), now)

    def hold(self, lease: Lease, now: float, *, confirmed: bool = True) -> None:
        fresh = not self.configured
        before = self.lease
        self.put(lease, confirmed=confirmed)
        if confirmed and (fresh or before is None or before.server != lease.server):
            length = "for ever" if lease.seconds == FOREVER else f"for {lease.seconds} seconds"
            self.tell(words.INFO, f"{lease.cidr} is leased by {lease.server} {length}.")
        if confirmed:
            self.go(Bound(self, lease, fresh=fresh), now)
        else:
            if fresh and self.setup.probe != OFF:
                self.on_the_wire(words.Announce(lease.address))
            self.go(Renewing(self, lease), now)

    def until(self) -> float:
        """Return when to come back."""
        expiry = self.lease.expiry if self.configured and self.lease is not None else inf
        return min(self.due, self.hush, expiry)

    def ended(self, now: float) -> bool:
        """See to a lease that has ended while its address is used; tell whether that was all there is to do."""
        leaving = isinstance(self.state, Stopped | Releasing)
        if leaving or not self.configured or self.lease is None or now < self.lease.expiry:
            return False
        self.expire(self.lease, now)
        return True

    def expire(self, lease: Lease, now: float) -> None:
        """Take an address away whose lease has ended, and ask for one (section 4.4.5)."""
        self.tell(words.ERROR, f"The lease of {lease.address} has ended and was not renewed.")
        self.drop(words.EXPIRED)
        if not isinstance(self.state, Down):
            self.afresh(now)

    def verify(self, lease: Lease, now: float) -> None:
        """Ask whether we may go on with a lease, if it has not ended."""
        if now >= lease.expiry:
            self.drop(words.EXPIRED)
            self.afresh(now)
        else:
            self.go(Rebooting(self, lease), now)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if now >= self.due:
            self.due = inf
            self.state.timer(now)
        if now >= self.hush:
            self.quiet()

    def carrier(self, up: bool, now: float) -> None:
        """Stop talking without a carrier; verify what we hold when it is back (section 4.4.2)."""
        down = isinstance(self.state, Down)
        if not up and not down and not isinstance(self.state, Stopped | Releasing):
            self.tell(words.INFO, "The link has no carrier.")
            self.go(Down(self), now)
        elif up and down and self.lease is None:
            self.afresh(now)
        elif up and down and self.lease is not None:
            self.verify(self.lease, now)

    def hurry(self, now: float) -> None:
        """Renew at once."""
        if self.lease is not None and isinstance(self.state, Bound | Extending):
            self.go(Renewing(self, self.lease), now)
        elif isinstance(self.state, Init | Selecting):
            self.afresh(now)

    def give_back(self, now: float) -> None:
        """Release what is held, if it can still be said from its address."""
        if self.configured and self.lease is not None and not isinstance(self.state, Down):
            self.go(Releasing(self), now)
        else:
            if self.lease is not None or isinstance(self.state, Checking):
                self.drop(words.RELEASED)
            self.go(Stopped(self), now)

    def failed(self, now: float) -> None:
        """Begin again later; the lease that could not be used is asked for again."""
        self.lease, self.configured = None, False
        self.afresh(now, TROUBLE)
