"""The DHCPv4 client of one interface (RFC 2131, section 4.4 and figure 5).

The rule of this file: pure; what is the same for both IP versions is in ``events`` and ``holder``. ``chance`` gives
numbers from 0 up to 1.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import Lease
from containernet.services.dhcp4 import replies, words
from containernet.services.dhcp4.acquiring import Checking, Rebooting, Selecting
from containernet.services.dhcp4.core import Core
from containernet.services.dhcp4.events import Events
from containernet.services.dhcp4.keeping import Bound, Extending, Releasing, Renewing
from containernet.services.dhcp4.message import Message
from containernet.services.dhcp4.probe import OFF
from containernet.services.dhcp4.state import Down, Init, Stopped
from containernet.services.dhcp4.words import Effect, Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Machine(Events):
    """One client."""

    _core: _Whole

    def __init__(self, setup: Setup, chance: Callable[[], float]) -> None:
        super().__init__(_Whole(setup, chance))

    def received(self, reply: Message, now: float) -> tuple[Effect, ...]:
        """Take a message off the wire; one that is not for us, or not to what we asked last, changes nothing."""
        core = self._core

        def act() -> None:
            if core.hush != inf and replies.is_for(core.setup, core.xid, reply):
                core.state.heard(reply, now)

        return self.did(now, act)

    def sent(self, now: float) -> tuple[Effect, ...]:
        """Learn that the last message has left this host."""
        return self.did(now, lambda: self._core.state.sent(now))


class _Whole(Core):
    """The client with all its states."""

    def seek(self, now: float) -> None:
        self.go(Selecting(self), now)

    def hold(self, lease: Lease, now: float, *, confirmed: bool = True) -> None:
        fresh = not self.configured
        before = self.lease
        self.put(lease, confirmed=confirmed)
        if confirmed and (fresh or before is None or before.server != lease.server):
            self.leased(lease)
        if confirmed:
            self.go(Bound(self, lease, fresh=fresh), now)
        else:
            if fresh and self.setup.probe != OFF:
                self.on_the_wire(words.Announce(lease.address))
            self.go(Renewing(self, lease), now)

    def verify(self, lease: Lease, now: float) -> None:
        if now >= lease.expiry:
            self.drop(words.EXPIRED)
            self.afresh(now)
        else:
            self.go(Rebooting(self, lease), now)

    def hurry(self, now: float) -> None:
        if self.lease is not None and isinstance(self.state, Bound | Extending):
            self.go(Renewing(self, self.lease), now)
        elif isinstance(self.state, Init | Selecting):
            self.afresh(now)

    def give_back(self, now: float) -> None:
        # a RELEASE is said from the address itself
        if self.configured and self.lease is not None and not isinstance(self.state, Down):
            self.go(Releasing(self), now)
        else:
            if self.lease is not None or isinstance(self.state, Checking):
                self.drop(words.RELEASED)
            self.go(Stopped(self), now)
