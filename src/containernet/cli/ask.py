"""Questions to a person, on standard error.

The rule of this file: only where somebody is there to answer; the answer that changes nothing is the default of our own
questions, and Yes that of PowerShell's ``-Confirm``, as there.
"""

from __future__ import annotations

import sys

from containernet.cli.grammar import Request
from containernet.cli.output import target
from containernet.model.errors import Usage


def somebody() -> bool:
    """Whether a person sits at the terminal."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty())


def yes(question: str) -> bool:
    """Ask, and return whether the answer was yes."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def confirmed(request: Request) -> bool:
    """Ask as PowerShell does for ``-Confirm``, and return whether to go on."""
    print("\nConfirm\nAre you sure you want to perform this action?", file=sys.stderr)
    print(f'Performing the operation "{request.name}" on target "{target(request)}".', file=sys.stderr)
    while True:
        print('[Y] Yes  [N] No  (default is "Y"): ', end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline() if sys.stdin else ""
        if not line:
            raise Usage("no-answer", "-Confirm asks, and nobody answers.", "Leave -Confirm out.")
        if line.strip().lower() in ("", "y", "yes", "n", "no"):
            return line.strip().lower() not in ("n", "no")
