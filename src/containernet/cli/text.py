"""Text on a screen: aligned tables, `Name : value` lists, colour where a person looks.

The rule of this file: it knows widths and terminals and nothing of networks. A column is as wide as its widest cell;
no line is cut or wrapped. Colour only on a terminal, never with NO_COLOR or TERM=dumb, and only around padded cells.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

BOLD, RED, GREEN, YELLOW, DIM = "1", "31", "32", "33", "2"
COLOURS = {"active": GREEN, "ok": GREEN, "waiting": YELLOW, "warning": YELLOW, "gone": RED, "error": RED, "note": DIM}


def colourful(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal whose person wants colour."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("", "dumb")


def painted(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Return ``text`` in ``colour``, if the stream (standard output) shows colour."""
    return f"\033[{colour}m{text}\033[0m" if colour and colourful(stream or sys.stdout) else text


def table(head: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> str:
    """Return ``rows`` under ``head``, aligned; columns named in ``right`` to the right; an empty cell is ``-``."""
    cells = [[str(cell) if cell not in ("", None) else "-" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    lines = [_line(head, widths, head, right, BOLD)]
    lines += [_line(row, widths, head, right, "") for row in cells]
    return "".join(lines)


def _line(cells: Sequence[str], widths: list[int], head: Sequence[str], right: Sequence[str], colour: str) -> str:
    padded = []
    for cell, width, name in zip(cells, widths, head, strict=True):
        text = cell.rjust(width) if name in right else cell.ljust(width)
        padded.append((text, colour or (COLOURS.get(cell, "") if name in ("STATE", "SEVERITY") else "")))
    padded[-1] = (padded[-1][0].rstrip(), padded[-1][1])
    return "  ".join(painted(*pair) for pair in padded) + "\n"


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Return ``name  value`` lines, the values under one another; a row without a value is left out."""
    shown = [(name, value) for name, value in rows if value]
    width = max((len(name) for name, _ in shown), default=0)
    return "".join(f"{painted(name.ljust(width), DIM)}  {value}\n" for name, value in shown)


def properties(rows: Sequence[tuple[str, object]], width: int = 0) -> str:
    """Return PowerShell's Format-List of one object: names padded to the longest, `` : ``, the value."""
    widest = max(width, *(len(name) for name, _ in rows))
    return "".join(f"{name.ljust(widest)} : {_posh(value)}".rstrip() + "\n" for name, value in rows)


def _posh(value: object) -> str:
    return "{" + ", ".join(map(str, value)) + "}" if isinstance(value, tuple | list) else str(value)


def columns(head: Sequence[str], rows: Sequence[Sequence[object]], ends: Sequence[int], right: Sequence[str]) -> str:
    """Return PowerShell's Format-Table: column ``i`` ends at ``ends[i]``; what is longer pushes the rest."""
    return "".join(_posh_line(row, head, ends, right) for row in (head, *rows))


def _posh_line(row: Sequence[object], head: Sequence[str], ends: Sequence[int], right: Sequence[str]) -> str:
    line = ""
    for cell, name, end in zip(row, head, ends, strict=True):
        start = len(line) + 1 if line else 0
        text = str(cell)
        line = line.ljust(start) + (text.rjust(end - start) if name in right else text.ljust(end - start))
    return line.rstrip() + "\n"


def counted(number: int, one: str, many: str = "") -> str:
    """Return ``1 port`` or ``2 ports``."""
    return f"{number} {one if number == 1 else many or one + 's'}"
