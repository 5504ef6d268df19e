"""What a run prints: Markdown on standard output, progress on standard error.

The rule of this file: it knows tables and goals, and nothing of what they are about.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

Row = Sequence[str]


def say(text: str) -> None:
    """Tell the person who waits what happens."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Report:
    """The tables as they come, and the goals for the end."""

    def __init__(self, quick: bool = False) -> None:
        self.quick = quick
        self.goals: list[tuple[str, str, bool]] = []

    def table(self, title: str, head: Row, rows: Sequence[Row], note: str = "") -> None:
        """Print a table under its title."""
        _print(f"### {title}\n\n{aligned(head, rows)}" + (f"\n{note}\n" if note else ""))

    def goal(self, text: str, seen: str, met: bool) -> None:
        """Keep a goal for the last table."""
        self.goals.append((text, seen, met))

    def failed(self, stage: str, why: str) -> None:
        """Tell that a stage could not be measured; that is a goal not met."""
        _print(f"### Stage {stage}: not measured\n\n```\n{why}\n```\n")
        self.goal(f"stage {stage}", "not measured", False)

    def end(self) -> bool:
        """Print the goals; return whether all are met."""
        note = "A quick run: its sizes and rounds are not those that the goals are meant for." if self.quick else ""
        self.table(
            "Goals", ("goal", "seen", "met"), [(*goal, "yes" if met else "NO") for *goal, met in self.goals], note
        )
        return all(met for *_, met in self.goals)


def _print(text: str) -> None:
    print(text, flush=True)


def aligned(head: Row, rows: Sequence[Row]) -> str:
    """Return a Markdown table that can be read as it stands; all columns but the first hang to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "".join(f"| {' | '.join(_cells(row, widths))} |\n" for row in (head, rule, *rows))


def _cells(row: Row, widths: Sequence[int]) -> list[str]:
    first, *rest = row
    return [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
