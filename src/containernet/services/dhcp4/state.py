"""What a client of whatever IP version is at, and the states in which nothing is said.

The rule of this file: pure. A state changes the client only by the methods of ``Holder``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from containernet.services.dhcp4.holder import Holder


class State:
    """One state of RFC 2131, figure 5, or of RFC 8415; what it does not define means nothing in it."""

    name = ""
    leaving = False  # nothing is wanted any more: no news of the link, no end of a lease changes that

    def __init__(self, core: Holder) -> None:
        self.core = core

    def enter(self, now: float) -> None:
        """Do what is done on the way in."""

    def timer(self, now: float) -> None:
        """Go on: the time that was set is there."""

    def heard(self, reply: Any, now: float) -> None:
        """Take a reply to what was asked last, a message of the client's IP version."""

    def probed(self, owner: bytes, now: float) -> None:
        """Learn who has the address on the link, nobody if empty."""

    def sent(self, now: float) -> None:
        """Learn that the last message has left."""


class Init(State):
    """INIT: wait before the first message."""

    name = "INIT"

    def __init__(self, core: Holder, delay: float) -> None:
        super().__init__(core)
        self._delay = delay

    def enter(self, now: float) -> None:
        if self._delay <= 0:
            self.timer(now)
            return
        self.core.quiet()
        self.core.due = now + self._delay

    def timer(self, now: float) -> None:
        self.core.seek(now)


class Stopped(State):
    """Nothing is wanted: before the start, and after the end."""

    name, leaving = "STOPPED", True

    def enter(self, now: float) -> None:  # noqa: ARG002
        self.core.quiet()


class Down(State):
    """The link has no carrier: what we hold is kept, and verified when it is back."""

    name = "DOWN"

    def enter(self, now: float) -> None:  # noqa: ARG002
        self.core.quiet()
