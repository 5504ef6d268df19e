"""The reference of every command, in Markdown, from the command table: docs/reference-commands.md.

The rule of this file: the document is this function's value; nobody edits it by hand.
"""

from __future__ import annotations

from containernet.cli import table
from containernet.cli.grammar import Command
from containernet.cli.help import names, powershell_synopsis, verb_synopsis
from containernet.cli.manual import statuses
from containernet.cli.params import COMMON, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = """# Commands

Made by `cnet __reference` from the command table (`src/containernet/cli/table.py`); do not edit.
"""


def reference_markdown() -> str:
    """Return docs/reference-commands.md."""
    parts = [HEAD]
    for name, group in table.GROUPS:
        parts += [f"\n## {name}\n", *map(_command, group)]
    common = [
        (names(param)[0] if param.verb else "", _cmdlet(param.cmdlet), param.help) for param in (*COMMON, VERSION)
    ]
    parts += ["\n## Options of every command\n\n", _table(("option", "cmdlet", "meaning"), common)]
    parts += [
        "\n## Exit status\n\n",
        _table(("status", "meaning"), [(str(status), text) for status, text in statuses()]),
    ]
    return "".join(parts)


def _command(command: Command) -> str:
    text = [f"\n### cnet {command.verb}\n\n{command.summary} {command.about}".rstrip() + "\n"]
    text.append(f"\n    {' '.join(verb_synopsis(command))}\n")
    if command.cmdlet:
        text.append(f"    {' '.join(powershell_synopsis(command))}\n")
    if command.params:
        rows = [(names(p)[0] if p.verb else "", _cmdlet(p.cmdlet), names(p)[1]) for p in command.params]
        text += ["\n", _table(("parameter", "cmdlet", "meaning"), rows)]
    text += [f"\n`{line}`: {what}.\n" for line, what in command.examples]
    return "".join(text)


def _cmdlet(cmdlet: tuple[str, ...]) -> str:
    return ", ".join(f"-{name}" for name in cmdlet)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *(_code(row) for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in lines)


def _code(row: tuple[str, ...]) -> tuple[str, ...]:
    return (*(f"`{cell}`" if cell else "" for cell in row[:-1]), row[-1])
