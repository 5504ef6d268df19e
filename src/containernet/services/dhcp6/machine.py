"""The DHCPv6 client of one interface: events in, effects out (RFC 8415, section 18.2).

The rule of this file: pure. ``now`` is the boottime clock in seconds, ``chance`` gives numbers from 0 up to 1; every
event returns the effects that the shell does in their order (``dhcp4.words``). That a lease has ended comes first.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import FOREVER, Lease
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.probe import OFF
from containernet.services.dhcp4.words import Effect
from containernet.services.dhcp6 import replies
from containernet.services.dhcp6.acquiring import Checking, Confirming, Informing, Init, Requesting, Soliciting
from containernet.services.dhcp6.core import Core
from containernet.services.dhcp6.keeping import (
    Bound,
    Declining,
    Down,
    Extending,
    Informed,
    Releasing,
    Renewing,
    Stopped,
)  # fmt: skip
from containernet.services.dhcp6.message import Message
from containernet.services.dhcp6.words import Setup6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TROUBLE = 30.0  # seconds after the shell could not do what we wanted


class Machine:
    """One client. ``name`` is the state that it is in, ``lease`` what it holds."""

    def __init__(self, setup: Setup6, chance: Callable[[], float]) -> None:
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
        """Whether what the lease says is on the interface."""
        return self._core.configured

    # --- events ---

    def start(self, now: float) -> tuple[Effect, ...]:
        """Begin without a lease."""
        return self._do(now, lambda core: core.afresh(now))

    def restart(self, lease: Lease, now: float, *, configured: bool = False) -> tuple[Effect, ...]:
        """Begin with a lease from before; ``configured``: what it says is still on the interface."""
        self._core.lease, self._core.configured, self._core.hint = lease, configured, lease.address
        return self._do(now, lambda core: core.verify(lease, now))

    def received(self, reply: Message, now: float) -> tuple[Effect, ...]:
        """Take a message off the wire; one that is not for us, or not to what we asked last, changes nothing."""

        def act(core: _Whole) -> None:
            if core.hush != inf and replies.is_for(core.setup, core.xid, reply):
                core.sol_max_rt = replies.limited(reply.sol_max_rt, core.sol_max_rt)
                core.inf_max_rt = replies.limited(reply.inf_max_rt, core.inf_max_rt)
                core.state.heard(reply, now)

        return self._do(now, act)

    def probed(self, owner: bytes, now: float) -> tuple[Effect, ...]:
        """Learn what a Probe has found: the MAC address of who has the address, b"" if nobody has it."""
        return self._do(now, lambda core: core.state.probed(owner, now))

    def duplicate(self, now: float) -> tuple[Effect, ...]:
        """Learn that somebody else on the link has our address (the kernel looks for that when it is configured)."""
        return self._do(now, lambda core: core.duplicate(now))

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

    def ask(self, server: str, address: str, now: float) -> None:
        self.go(Requesting(self, server, address), now)

    def hold(self, lease: Lease, now: float, *, confirmed: bool = True) -> None:
        ours = self.configured and self.lease is not None and self.lease.address == lease.address
        if self.setup.probe == OFF or ours or not lease.address:
            self.use(lease, now, confirmed=confirmed)
        else:
            self.go(Checking(self, lease, confirmed=confirmed), now)

    def use(self, lease: Lease, now: float, *, confirmed: bool) -> None:
        before = self.lease if self.configured else None
        self.put(lease, confirmed=confirmed)
        new = before is None or (before.server, before.address) != (lease.server, lease.address)
        if confirmed and new and lease.address:
            length = "for ever" if lease.seconds == FOREVER else f"for {lease.seconds} seconds"
            self.tell(words.INFO, f"{lease.cidr} is leased by {lease.server} {length}.")
        self.go(Bound(self, lease) if lease.address else Informed(self, lease), now)

    def expiry(self) -> float:
        """Return when what is on the interface is to go; what came without an address stays till there is news."""
        held = self.configured and self.lease is not None and self.lease.address
        return self.lease.expiry if held and self.lease is not None else inf

    def until(self) -> float:
        """Return when to come back."""
        return min(self.due, self.hush, self.expiry())

    def ended(self, now: float) -> bool:
        """See to a lease that has ended while its address is used; tell whether that was all there is to do."""
        if isinstance(self.state, Stopped) or self.lease is None or now < self.expiry():
            return False
        self.tell(words.ERROR, f"The lease of {self.lease.address} has ended and was not renewed.")
        self.drop(words.EXPIRED)
        if not isinstance(self.state, Down):
            self.afresh(now)
        return True

    def verify(self, lease: Lease, now: float) -> None:
        """Ask whether we may go on with a lease, if it has not ended and is of the kind that is wanted."""
        if not lease.address and not self.setup.stateful:
            self.go(Informing(self), now)
        elif lease.address and self.setup.stateful and now < lease.expiry:
            self.go(Confirming(self, lease), now)
        else:
            self.drop(words.EXPIRED)
            self.afresh(now)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if now >= self.due:
            self.due = inf
            self.state.timer(now)
        if now >= self.hush:
            self.quiet()

    def carrier(self, up: bool, now: float) -> None:
        """Stop talking without a carrier; verify what we hold when it is back (section 18.2.12)."""
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
        elif isinstance(self.state, Init | Soliciting | Informing | Informed):
            self.afresh(now)

    def decline(self, lease: Lease, now: float) -> None:
        self.go(Declining(self, lease), now)

    def duplicate(self, now: float) -> None:
        """Decline our address."""
        if self.configured and self.lease is not None and self.lease.address:
            self.decline(self.lease, now)

    def give_back(self, now: float) -> None:
        """Release what is held, if it can still be said."""
        if self.lease is not None and self.lease.address and not isinstance(self.state, Down | Stopped):
            self.go(Releasing(self, self.lease), now)
        else:
            if self.lease is not None:
                self.drop(words.RELEASED)
            self.go(Stopped(self), now)

    def failed(self, now: float) -> None:
        """Begin again later; the lease that could not be used is asked for again."""
        self.lease, self.configured = None, False
        self.afresh(now, TROUBLE)
