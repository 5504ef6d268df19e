"""The DHCPv6 client of one interface (RFC 8415, section 18.2).

The rule of this file: pure; what is the same for both IP versions is in ``dhcp4.events`` and ``dhcp4.holder``.
``chance`` gives numbers from 0 up to 1.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import Lease
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.events import Events
from containernet.services.dhcp4.probe import OFF
from containernet.services.dhcp4.state import Down, Init, Stopped
from containernet.services.dhcp4.words import Effect
from containernet.services.dhcp6 import replies
from containernet.services.dhcp6.acquiring import Checking, Confirming, Informing, Requesting, Soliciting
from containernet.services.dhcp6.core import Core
from containernet.services.dhcp6.keeping import Bound, Declining, Extending, Informed, Releasing, Renewing
from containernet.services.dhcp6.message import Message
from containernet.services.dhcp6.words import Setup6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Machine(Events):
    """One client."""

    _core: _Whole

    def __init__(self, setup: Setup6, chance: Callable[[], float]) -> None:
        super().__init__(_Whole(setup, chance))

    def received(self, reply: Message, now: float) -> tuple[Effect, ...]:
        """Take a message off the wire; one that is not for us, or not to what we asked last, changes nothing."""
        core = self._core

        def act() -> None:
            if core.hush != inf and replies.is_for(core.setup, core.xid, reply):
                core.sol_max_rt = replies.limited(reply.sol_max_rt, core.sol_max_rt)
                core.inf_max_rt = replies.limited(reply.inf_max_rt, core.inf_max_rt)
                core.state.heard(reply, now)

        return self.did(now, act)

    def duplicate(self, now: float) -> tuple[Effect, ...]:
        """Learn that somebody else on the link has our address (the kernel looks for that when it is configured)."""
        return self.did(now, lambda: self._core.duplicate(now))


class _Whole(Core):
    """The client with all its states."""

    def seek(self, now: float) -> None:
        self.go(Soliciting(self) if self.setup.stateful else Informing(self), now)

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
            self.leased(lease)
        self.go(Bound(self, lease) if lease.address else Informed(self, lease), now)

    def verify(self, lease: Lease, now: float) -> None:
        # it has not ended, and is of the kind that is wanted now
        if not lease.address and not self.setup.stateful:
            self.go(Informing(self), now)
        elif lease.address and self.setup.stateful and now < lease.expiry:
            self.go(Confirming(self, lease), now)
        else:
            self.drop(words.EXPIRED)
            self.afresh(now)

    def hurry(self, now: float) -> None:
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
        if self.lease is not None and self.lease.address and not isinstance(self.state, Down | Stopped):
            self.go(Releasing(self, self.lease), now)
        else:
            if self.lease is not None:
                self.drop(words.RELEASED)
            self.go(Stopped(self), now)
