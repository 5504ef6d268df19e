"""How many clients ask for their first answer at once.

The rule of this file: pure. A DISCOVER is copied to every port of a bridge: with 200 of them at the same time the
kernel's queue (net.core.netdev_max_backlog) or the server's socket overflows, and who is not heard tries again after 4
seconds. So a few go out at once, the next when one is answered, or soon if the server takes its time; and a window of
them waits at most, of which each leaves after a second, so that one dead link does not hold up the others.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from math import inf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

AT_ONCE, SOON = 2, 0.05  # so many may wait that asked within so many seconds
PATIENCE = 1.0  # seconds that one waits for the first answer, as far as the others are concerned


class Pace:
    """Who waits for its turn, and who has it."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._waiting: deque[Hashable] = deque()
        self._begun: dict[Hashable, float] = {}  # since when; the oldest first

    def ask(self, key: Hashable) -> None:
        """Wait for one's turn."""
        self._waiting.append(key)

    def done(self, key: Hashable) -> None:
        """Give back one's turn, or wait no longer."""
        if self._begun.pop(key, None) is None and key in self._waiting:
            self._waiting.remove(key)

    def answered(self, key: Hashable) -> None:
        """Give back one's turn."""
        self._begun.pop(key, None)

    def next(self, now: float) -> Hashable | None:
        """Return who has its turn now; None: nobody, for now."""
        while self._begun and now >= next(iter(self._begun.values())) + PATIENCE:
            self._begun.pop(next(iter(self._begun)))
        if not self._waiting or self.due > now:
            return None
        key = self._waiting.popleft()
        self._begun[key] = now
        return key

    @property
    def due(self) -> float:
        """When to ask for the next one again, if nobody is answered before."""
        if not self._waiting:
            return inf
        lately = next(islice(reversed(self._begun.values()), AT_ONCE - 1, None), -inf)
        oldest = next(iter(self._begun.values())) if len(self._begun) >= self._window else -inf
        return max(lately + SOON, oldest + PATIENCE)
