"""One exchange with servers: how often a message is sent again, and when to give up (RFC 8415, sections 7.6 and 15).

The rule of this file: pure; times are seconds of the boottime clock, ``chance`` gives numbers from 0 up to 1.
"""

from __future__ import annotations

from math import inf

from containernet.model.record import record
from containernet.services.dhcp6 import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


@record
class Timing:
    """The constants of one kind of message; 0: no limit."""

    first: float  # IRT
    longest: float = 0.0  # MRT
    times: int = 0  # MRC
    lasting: float = 0.0  # MRD


TIMINGS = {
    message.SOLICIT: Timing(1, 3600),
    message.REQUEST: Timing(1, 30, 10),
    message.CONFIRM: Timing(1, 4, 0, 10),
    message.RENEW: Timing(10, 600),
    message.REBIND: Timing(10, 600),
    message.INFORM: Timing(1, 3600),
    message.RELEASE: Timing(1, 0, 1),  # 4 times in the RFC: nobody waits so long for somebody to leave
    message.DECLINE: Timing(1, 0, 1),
}
SPREAD = 0.2  # from -0.1 to 0.1


class Exchange:
    """One message, sent until it is answered."""

    def __init__(
        self, kind: int, now: float, chance: Callable[[], float], longest: float = 0.0, end: float = inf
    ) -> None:
        """``longest``: what the server said in place of MRT; ``end``: when it makes no sense any more."""
        timing = TIMINGS[kind]
        self.kind, self.began, self.sent = kind, now, 0
        self.xid = int(chance() * (1 << 24)) & 0xFFFFFF
        self._timing, self._chance = timing, chance
        self._longest = longest or timing.longest
        self._end = min(end, now + timing.lasting if timing.lasting else inf)
        self._pause = 0.0

    def elapsed(self, now: float) -> int:
        """Return the hundredths of a second since the first message."""
        return max(0, min(int((now - self.began) * 100), 0xFFFF)) if self.sent else 0

    def over(self, now: float) -> bool:
        """Tell whether nothing is sent any more."""
        return bool(self._timing.times and self.sent >= self._timing.times) or now >= self._end

    def next(self, now: float) -> float:
        """Note that the message is sent now; return when to come back."""
        self.sent += 1
        spread = (self._chance() - 0.5) * SPREAD
        if not self._pause:
            if self.kind == message.SOLICIT:
                spread = abs(spread)
            self._pause = self._timing.first * (1 + spread)
        else:
            self._pause = self._pause * (2 + spread)
        if self._longest and self._pause > self._longest:
            self._pause = self._longest * (1 + spread)
        return min(now + self._pause, self._end)
