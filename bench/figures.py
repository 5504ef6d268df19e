"""Samples, and what is said of them.

The rule of this file: pure; no figure without its spread, no ratio but of medians of one run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median
from typing import TypeVar

T = TypeVar("T")


class Samples:
    """What was measured, by name, in milliseconds unless said otherwise."""

    def __init__(self) -> None:
        self.of: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: float) -> None:
        """Keep one more."""
        self.of[name].append(value)

    def median(self, name: str) -> float:
        """Return the median."""
        return median(self.of[name])

    def ratio(self, name: str, other: str) -> float:
        """Return how many times the median of ``other`` it is."""
        return self.median(name) / self.median(other)

    def shown(self, name: str) -> str:
        """Return ``median [p10..p90]``."""
        return spread(self.of[name])


def spread(values: Sequence[float]) -> str:
    """Return ``median [p10..p90]``."""
    ordered = sorted(values)
    tenth = len(ordered) // 10
    return f"{digits(median(ordered))} [{digits(ordered[tenth])}..{digits(ordered[-tenth - 1])}]"


def digits(value: float) -> str:
    """Return a figure with as many digits as it deserves."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(ratio: float) -> str:
    """Return a ratio as text."""
    return f"{ratio:.2f}"


def alternating(rounds: int, things: Sequence[T]) -> Iterator[T]:
    """Yield all things once a round, each round beginning with another one."""
    for number in range(rounds):
        first = number % len(things)
        yield from things[first:]
        yield from things[:first]
