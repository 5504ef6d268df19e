"""When a message is sent again (RFC 8415, section 15 and table 1 of section 7.6).

The rule of this file: pure; every time is a little more or less by chance, so that what began together goes apart.
"""

from __future__ import annotations

from math import inf

from containernet.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


@record
class Pattern:
    """How often, and how long, something is asked."""

    first: float  # IRT
    most: float = inf  # MRT
    tries: float = inf  # MRC
    seconds: float = inf  # MRD
    later: bool = False  # the first time is never less than IRT (section 18.2.1)


SOLICIT = Pattern(1, 3600, later=True)
REQUEST = Pattern(1, 30, tries=10)
CONFIRM = Pattern(1, 4, seconds=10)
RENEW, REBIND = Pattern(10, 600), Pattern(10, 600)  # till T2, and till the lease ends
INFORMATION = Pattern(1, 3600)
DECLINE = Pattern(1, tries=4)
RELEASE = Pattern(1, tries=2)  # and not 4: who leaves does not wait for 15 seconds, and the lease ends by itself


class Retry:
    """One message, from the first time that it is sent to the last."""

    def __init__(self, pattern: Pattern, now: float, chance: Callable[[], float], end: float = inf) -> None:
        self.tries = 0
        self._pattern, self._chance = pattern, chance
        self._end = min(end, now + pattern.seconds)
        self._pause = 0.0

    def sent(self, now: float) -> float:
        """Take note that it was sent; return when to come back."""
        pattern = self._pattern
        if not self.tries:
            share = self._chance() / 10 if pattern.later else self._chance() / 5 - 0.1
            self._pause = pattern.first * (1 + share)
        else:
            self._pause *= 2 + self._chance() / 5 - 0.1
        if self._pause > pattern.most:
            self._pause = pattern.most * (0.9 + self._chance() / 5)
        self.tries += 1
        return min(now + self._pause, self._end)

    def over(self, now: float) -> bool:
        """Tell whether it is not to be sent again."""
        return self.tries >= self._pattern.tries or now >= self._end
