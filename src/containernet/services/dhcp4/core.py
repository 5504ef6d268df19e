"""What all states of a client share: who it is, what it holds, and the effects of the event under way.

The rule of this file: pure. A state changes the client only by the methods here, so that an address is never without
its lease, and no socket is left open behind an exchange that is over.
"""

from __future__ import annotations

from containernet.model.lease import Lease
from containernet.services.dhcp4 import requests, state, words
from containernet.services.dhcp4.holder import Holder
from containernet.services.dhcp4.message import BROADCAST, NOWHERE, Message, encode
from containernet.services.dhcp4.words import Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LISTEN = 10.0  # seconds after a message for which its answer is awaited: servers take 0 to 3
FIRST_RETRY, LONGEST_RETRY = 4.0, 64.0  # section 4.1: 4, 8, 16, 32, 64 seconds, each a second more or less


class State(state.State):
    """One state of RFC 2131, figure 5."""

    core: Core

    def __init__(self, core: Core) -> None:
        super().__init__(core)

    def heard(self, reply: Message, now: float) -> None:
        """Take a reply to what was asked last."""


class Core(Holder):
    """The client; see the rule of this file."""

    def __init__(self, setup: Setup, chance: Callable[[], float]) -> None:
        super().__init__(chance)
        self.setup = setup
        self.xid = 0

    # --- to be done by the whole machine, which knows all states ---

    def hold(self, lease: Lease, now: float, *, confirmed: bool = True) -> None:
        """Use a lease: BOUND, or RENEWING if its server did not answer."""
        raise NotImplementedError

    # --- small things ---

    def draw(self) -> None:
        """Choose the number of a new exchange."""
        self.xid = int(self.chance() * (1 << 32)) & 0xFFFFFFFF

    def secs(self, now: float) -> int:
        """Return for how long we have been at it."""
        return max(0, min(int(now - self.began), 0xFFFF))

    def pause(self, tries: int) -> float:
        """Return the seconds to wait after so many tries before this one."""
        return min(FIRST_RETRY * 2.0 ** min(tries, 9), LONGEST_RETRY) + 2 * self.chance() - 1

    def send(self, message: Message, now: float, destination: str = BROADCAST, source: str = NOWHERE) -> None:
        """Send a message and await its answer."""
        self.on_the_wire(words.Send(destination, source, encode(message)))
        self.hush = now + LISTEN

    # --- losing an address ---

    def refused(self, reply: Message, address: str, now: float) -> None:
        """Obey a NAK: the address is gone, another one is asked for (sections 3.1 step 4 and 4.4.5)."""
        why = f": {reply.text[:80]}" if reply.text else ""
        self.tell(words.WARNING, f"The DHCP server {reply.server} refuses the address {address}{why}.")
        self.drop(words.REFUSED)
        self.deny(now, LONGEST_RETRY)

    def decline(self, lease: Lease, owner: bytes, now: float) -> None:
        """Give back an address that somebody else has (RFC 2131, section 3.1 step 5; RFC 5227, section 2.1.1)."""
        self.tell(
            words.WARNING, f"{lease.address}, leased by {lease.server}, is in use by {owner.hex(':')}; it is declined."
        )
        self.draw()
        self.send(requests.decline(self.setup, self.xid, lease.address, lease.server), now)
        self.drop(words.REFUSED)
        self.shun(lease.address)
        self.afresh(now, self.patience())
