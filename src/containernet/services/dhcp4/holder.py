"""What every client holds, of whatever IP version: a lease, and the effects of the event under way.

The rule of this file: pure. An address is never on the interface without its lease, nor a socket left open behind an
exchange that is over.
"""

from __future__ import annotations

from math import inf

from containernet.model.lease import Lease
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.words import Effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Holder:
    """See the rule of this file."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self.chance = chance
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

    def tell(self, level: str, sentence: str) -> None:
        """Say something."""
        self.out.append(words.Tell(level, sentence))

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
