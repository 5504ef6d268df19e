"""What all states of a client share: who it is, what it holds, and the exchange under way.

The rule of this file: pure. Everything is said to all servers, from the interface's own address of the link.
"""

from __future__ import annotations

from containernet.model.lease import Lease
from containernet.model.record import replace
from containernet.services.dhcp4 import state, words
from containernet.services.dhcp4.holder import LONGEST_WAIT, Holder
from containernet.services.dhcp6 import retry
from containernet.services.dhcp6.message import EVERYBODY, Message, encode
from containernet.services.dhcp6.options import NOT_ON_LINK, Status
from containernet.services.dhcp6.words import Setup6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LISTEN = 10.0  # seconds after a message for which its answer is awaited


class State(state.State):
    """One state of RFC 8415, section 18.2."""

    core: Core

    def __init__(self, core: Core) -> None:
        super().__init__(core)

    def heard(self, reply: Message, now: float) -> None:
        """Take a reply to what was asked last."""


class Core(Holder):
    """The client; see the rule of this file."""

    def __init__(self, setup: Setup6, chance: Callable[[], float]) -> None:
        super().__init__(chance)
        self.setup = setup
        self.xid = 0
        self.sol_max_rt = retry.SOLICIT.most
        self.inf_max_rt = retry.INFORMATION.most

    # --- to be done by the whole machine, which knows all states ---

    def hold(self, lease: Lease, now: float, *, confirmed: bool = True) -> None:
        """Use a lease, when nobody else on the link has its address."""
        raise NotImplementedError

    def use(self, lease: Lease, now: float, *, confirmed: bool) -> None:
        """Use a lease."""
        raise NotImplementedError

    def decline(self, lease: Lease, now: float) -> None:
        """Give back an address that somebody else has."""
        raise NotImplementedError

    def ask(self, server: str, address: str, now: float) -> None:
        """Ask a server for an address that we know of."""
        raise NotImplementedError

    # --- small things ---

    def exchange(self, now: float) -> None:
        """Begin a new exchange: its number, and what the elapsed time counts from."""
        self.xid = int(self.chance() * (1 << 24)) & 0xFFFFFF
        self.began = now

    def send(self, message: Message, now: float) -> None:
        """Send a message of the exchange, and await its answer."""
        elapsed = max(0, min(int((now - self.began) * 100), 0xFFFF))
        self.on_the_wire(words.Send(EVERYBODY, "", encode(replace(message, xid=self.xid, elapsed=elapsed))))
        self.hush = now + LISTEN

    # --- gaining and losing an address ---

    def put(self, lease: Lease, *, confirmed: bool) -> None:
        """Have a lease kept and used; that nobody else has its address, the kernel finds out only then."""
        proven = self.lease is not None and self.lease.address == lease.address
        before = self.declines, self.avoid
        super().put(lease, confirmed=confirmed)
        if not proven:
            self.declines, self.avoid = before

    def refused(self, server: str, status: Status, now: float) -> None:
        """Begin anew after a server has said no."""
        why = f": {status.text[:80]}" if status.text else "."
        self.tell(words.WARNING, f"The DHCP server {server} gives no address (status {status.code}){why}")
        if self.lease is not None and status.code == NOT_ON_LINK:
            self.drop(words.REFUSED)
        self.deny(now, LONGEST_WAIT)
