"""Help, in both spellings, from the command table.

The rule of this file: lines of at most 100 characters; the synopsis, names and texts come from the table, and what
`-?` says of a cmdlet is what `--help` says of its verb.
"""

from __future__ import annotations

from textwrap import wrap

from containernet.cli import table
from containernet.cli.grammar import ALWAYS, COMMAND, LIST, Command, Param
from containernet.cli.params import COMMON, DRY_RUN, VERSION
from containernet.cli.powershell import accepted
from containernet.cli.text import BOLD, painted

WIDTH = 100


def overview() -> str:
    """Return what `cnet help` prints: every command in one line, by group."""
    parts = ["cnet gives any Linux container a network.\n\n", _head("Usage"), "  cnet COMMAND [OPTIONS]\n"]
    for name, group in table.GROUPS:
        parts += ["\n", _head(name), *(_entry(command.verb, command.summary, 14) for command in group)]
    parts += ["\n", _head("Options of every command"), *(_entry(*names(param), 25) for param in _common(False))]
    parts += [_entry(*names(VERSION), 25), "\n", _head("Cmdlets"), _paragraph(_cmdlets())]
    parts += ["\nStart with: cnet create net1 --nat, then: cnet join CONTAINER net1. More: cnet help join\n"]
    return "".join(parts)


def _cmdlets() -> str:
    return f"The same, PowerShell's way ('cnet help {table.CMDLETS[0]}'): {', '.join(table.CMDLETS)}."


def explain(command: Command, cmdlet: bool = False) -> str:
    """Return the help on one command."""
    params = tuple(p for p in (accepted(command) if cmdlet else command.params) if p not in COMMON)
    shown = [(_posh(p) if cmdlet else names(p)) for p in params]
    offered = [p for p in _common(cmdlet) if command.changes or p is not DRY_RUN]
    common = [(_posh(p) if cmdlet else names(p)) for p in offered if not cmdlet or p in accepted(command)]
    width = min(34, max(len(name) for name, _ in shown + common) + 4)
    parts = [command.summary + "\n", f"{_paragraph(command.about, '')}" if command.about else "", "\n", _head("Usage")]
    parts += [_synopsis(command, cmdlet), _other(command, cmdlet)]
    for title, entries in (("Parameters", shown), ("Common parameters", common)):
        parts += ["\n", _head(title), *(_entry(*entry, width) for entry in entries)] if entries else []
    if command.examples and not cmdlet:
        parts += ["\n", _head("Examples"), *(f"  {line}\n      {text}\n" for line, text in command.examples)]
    return "".join(parts)


def _other(command: Command, cmdlet: bool) -> str:
    """Return how the command is said in the other spelling."""
    if not command.cmdlet:
        return ""
    return f"\nAlso: cnet {command.verb}\n" if cmdlet else f"\nAlso as a cmdlet: {command.cmdlet}\n"


def _synopsis(command: Command, cmdlet: bool) -> str:
    words = powershell_synopsis(command) if cmdlet else verb_synopsis(command)
    lines: list[str] = []
    for word in words:
        if not lines or len(lines[-1]) + 1 + len(word) > WIDTH:
            lines.append("  " if not lines else "      ")
        lines[-1] += ("" if lines[-1].isspace() else " ") + word
    return "\n".join(lines) + "\n"


def verb_synopsis(command: Command) -> list[str]:
    """Return the words of ``cnet join CONTAINER NETWORK [--ip IP]... ``."""
    places = [param for param in command.params if param.verb and not param.is_option and param.kind != COMMAND]
    options = [param for param in command.params if param.is_option]
    rest = [param for param in command.params if param.kind == COMMAND]
    words = [_bracketed(param.verb[0], param) for param in places]
    words += [_bracketed(f"{param.verb[0]} {_value(param)}".strip(), param) for param in options]
    return [f"cnet {command.verb}", *words, *(f"-- {param.verb[0]}..." for param in rest)]


def _bracketed(text: str, param: Param) -> str:
    return (text if param.required == ALWAYS else f"[{text}]") + ("..." if param.kind == LIST else "")


def powershell_synopsis(command: Command) -> list[str]:
    """Return the words of ``Join-ContainerNetwork [-ContainerName] <String> ...`` as PowerShell writes them."""
    words = [command.cmdlet]
    for param in (param for param in accepted(command) if param not in COMMON):
        name = f"[-{param.cmdlet[0]}]" if param.position else f"-{param.cmdlet[0]}"
        text = f"{name} {_type(param)}".strip()
        words.append(text if param.required == ALWAYS else f"[{text}]")
    return [*words, "[<CommonParameters>]"]


def _type(param: Param) -> str:
    types = {"text": "<String>", "list": "<String[]>", "number": "<UInt32>"}
    return types.get(param.kind, "")


def names(param: Param) -> tuple[str, str]:
    """Return how an option or argument is written, and what it is for."""
    many = " May be given many times." if param.kind == LIST else ""
    required = " Required." if param.required == ALWAYS and param.is_option else ""
    return f"{', '.join(param.verb)} {_value(param)}".strip(), param.help + many + required


def _value(param: Param) -> str:
    return param.value if param.is_option and param.takes_value else ""


def _posh(param: Param) -> tuple[str, str]:
    aliases = f" Also: {', '.join('-' + name for name in param.cmdlet[1:])}." if param.cmdlet[1:] else ""
    many = " Many are separated by commas." if param.kind == LIST else ""
    required = " Required." if param.required == ALWAYS else ""
    return f"-{param.cmdlet[0]} {_type(param)}".strip(), param.help + many + required + aliases


def _common(cmdlet: bool) -> tuple[Param, ...]:
    return tuple(param for param in COMMON if (param.cmdlet if cmdlet else param.verb))


def _head(text: str) -> str:
    return painted(f"{text}:", BOLD) + "\n"


def _entry(name: str, text: str, width: int) -> str:
    lines = wrap(text, WIDTH - width - 2) or [""]
    first = f"  {name.ljust(width)}{lines[0]}\n" if len(name) < width else f"  {name}\n{'':{width + 2}}{lines[0]}\n"
    return first + "".join(f"{'':{width + 2}}{line}\n" for line in lines[1:])


def _paragraph(text: str, indent: str = "  ") -> str:
    return "\n".join(wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)) + "\n"
