"""What all states of a client share: who it is, what it holds, and the exchange under way.

The rule of this file: pure. Everything is said to all servers, from the interface's own address of the link.
"""

from __future__ import annotations

from containernet.model.lease import Lease
from containernet.model.record import replace
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.holder import Holder
from containernet.services.dhcp6 import retry
from containernet.services.dhcp6.message import EVERYBODY, Message, encode
from containernet.services.dhcp6.options import NOT_ON_LINK, Status
from containernet.services.dhcp6.words import Setup6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LISTEN = 10.0  # seconds after a message for which its answer is awaited
LONGEST_WAIT = 300.0  # seconds after a refusal


class State:
    """One state of a client; what it does not define means nothing in it."""

    name = ""

    def __init__(self, core: Core) -> None:
        self.core = core

    def enter(self, now: float) -> None:
        """Do what is done on the way in."""

    def timer(self, now: float) -> None:
        """Go on: the time that was set is there."""

    def heard(self, reply: Message, now: float) -> None:
        """Take a reply to what was asked last."""

    def probed(self, owner: bytes, now: float) -> None:
        """Learn who has the address on the link, nobody if empty."""


class Core(Holder):
    """The client; see the rule of this file."""

    def __init__(self, setup: Setup6, chance: Callable[[], float]) -> None:
        super().__init__(chance)
        self.setup = setup
        self.state = State(self)
        self.xid = 0
        self.sol_max_rt = retry.SOLICIT.most
        self.inf_max_rt = retry.INFORMATION.most

    # --- to be done by the whole machine, which knows all states ---

    def afresh(self, now: float, delay: float = 0.0) -> None:
        """Begin anew after a while."""
        raise NotImplementedError

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

    def go(self, state: State, now: float) -> None:
        """Change to another state."""
        self.state, self.due = state, float("inf")
        state.enter(now)

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
        """Begin anew after a server has said no: soon at first, for it may be meant well, and then later and later."""
        why = f": {status.text[:80]}" if status.text else "."
        self.tell(words.WARNING, f"The DHCP server {server} gives no address (status {status.code}){why}")
        if self.lease is not None and status.code == NOT_ON_LINK:
            self.drop(words.REFUSED)
        self.hint = ""
        self.refusals += 1
        again = min(self.refusals - 2, 9)
        self.afresh(now, 0.0 if again < 0 else min(2.0**again, LONGEST_WAIT) * (0.5 + self.chance()))
