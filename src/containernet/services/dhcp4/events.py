"""What a client of whatever IP version understands: events in, effects out.

The rule of this file: pure. ``now`` is the boottime clock in seconds; every event returns the effects that the shell
does in their order (``words``). That a lease has ended comes before anything.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import Lease
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.holder import Holder
from containernet.services.dhcp4.state import Stopped
from containernet.services.dhcp4.words import Effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Events:
    """One client. ``name`` is the state that it is in, ``lease`` what it holds."""

    def __init__(self, core: Holder) -> None:
        self._core = core
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

    def start(self, now: float) -> tuple[Effect, ...]:
        """Begin without a lease."""
        return self.did(now, lambda: self._core.afresh(now))

    def restart(self, lease: Lease, now: float, *, configured: bool = False) -> tuple[Effect, ...]:
        """Begin with a lease from before; ``configured``: what it says is still on the interface."""
        self._core.lease, self._core.configured, self._core.hint = lease, configured, lease.address
        return self.did(now, lambda: self._core.verify(lease, now))

    def probed(self, owner: bytes, now: float) -> tuple[Effect, ...]:
        """Learn what a Probe has found: the MAC address of who has the address, b"" if nobody has it."""
        return self.did(now, lambda: self._core.state.probed(owner, now))

    def timer(self, now: float) -> tuple[Effect, ...]:
        """Go on: the time of the last Wait is there (or any other, which does no harm)."""
        self._told = -inf  # so that the next time is said in any case
        return self.did(now, lambda: self._core.tick(now))

    def link(self, up: bool, now: float) -> tuple[Effect, ...]:
        """Learn that the link has lost its carrier, or has it again."""
        return self.did(now, lambda: self._core.carrier(up, now))

    def renew(self, now: float) -> tuple[Effect, ...]:
        """Ask for more time now, or for an address at once if there is none."""
        return self.did(now, lambda: self._core.hurry(now))

    def release(self, now: float) -> tuple[Effect, ...]:
        """Give the address back and end."""
        return self.did(now, lambda: self._core.give_back(now))

    def stop(self, now: float) -> tuple[Effect, ...]:
        """End, and leave address and lease as they are, for a later ``restart``."""
        return self.did(now, lambda: self._core.go(Stopped(self._core), now))

    def failed(self, now: float) -> tuple[Effect, ...]:
        """Learn that a Configure could not be done: begin again in a while."""
        return self.did(now, lambda: self._core.failed(now))

    def did(self, now: float, act: Callable[[], None]) -> tuple[Effect, ...]:
        """Let an event act, unless a lease has ended first; return what came of it."""
        core = self._core
        core.out = []
        if not core.ended(now):
            act()
        if (until := core.until()) != self._told:
            core.out.append(words.Wait(until))
            self._told = until
        return tuple(core.out)
