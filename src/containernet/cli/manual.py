"""The man page cnet(1), in roff, from the command table.

The rule of this file: every verb, option and cmdlet comes from the table and every exit status from `model/errors.py`;
only the sections that no table has are written here.
"""

from __future__ import annotations

from containernet import __version__
from containernet.cli import table
from containernet.cli.grammar import Command, Param
from containernet.cli.help import names, powershell_synopsis, verb_synopsis
from containernet.cli.params import COMMON, VERSION
from containernet.model import errors

ENVIRONMENT = (
    ("CNET_STATE_DIR", "Where ContainerNet keeps its state, if --state-dir does not say."),
    ("CNET_RUN_DIR", "Where the host agent has its socket. Default: /run/containernet."),
    ("NO_COLOR", "If set, no colour."),
)
FILES = (
    ("/var/lib/containernet/", "Networks, endpoints, ports and settings."),
    ("/run/containernet/", "What a restart of the host may forget."),
)
ABOUT = (
    "cnet gives any Linux container a network: create it, join containers to it, open ports, take it all away again.",
    "A container is anything with a network namespace: a namespace by name, pid:N for a process, or its path.",
    "Every verb that changes something is done whole or not at all, and is there after a restart of the host.",
)
CMDLETS = (
    "The cmdlets of 2015, written PowerShell's way: parameters by name or position, in any case, by any prefix that "
    "is unambiguous; arrays by comma. They print what the PowerShell cmdlets printed. Help: -?. A plan only: -WhatIf. "
    "They hold external ports to the range of the setting port-range."
)


def page() -> str:
    """Return the whole page."""
    parts = [
        f'.TH CNET 1 "" "ContainerNet {escaped(__version__)}" "User Commands"\n',
        ".SH NAME\ncnet \\- a network for any Linux container\n",
    ]
    parts += [".SH SYNOPSIS\n.B cnet\n.I COMMAND\n[\\fIOPTIONS\\fR]\n", ".SH DESCRIPTION\n"]
    parts += [f"{escaped(text)}\n.PP\n" for text in ABOUT[:-1]] + [f"{escaped(ABOUT[-1])}\n"]
    parts += [".SH COMMANDS\n", *map(_group, table.GROUPS)]
    parts += [".SH OPTIONS OF EVERY COMMAND\n", *(_param(param) for param in (*COMMON, VERSION) if param.verb)]
    parts += [".SH CMDLETS\n", escaped(CMDLETS) + "\n", *(_cmdlet(c) for c in table.COMMANDS if c.cmdlet)]
    parts += [".SH ENVIRONMENT\n", *(_tagged(*row) for row in ENVIRONMENT)]
    parts += [".SH FILES\n", *(_tagged(*row) for row in FILES)]
    parts += [".SH EXIT STATUS\n", *(_tagged(str(status), text) for status, text in statuses())]
    return "".join(parts)


def _group(group: tuple[str, tuple[Command, ...]]) -> str:
    return "".join(map(_command, group[1]))


def _command(command: Command) -> str:
    text = [
        f".SS {escaped(' '.join(verb_synopsis(command)))}\n",
        escaped(f"{command.summary} {command.about}".strip()) + "\n",
    ]
    text += [_param(param) for param in command.params if param.verb]
    for line, what in command.examples:
        text.append(f".PP\n{escaped(what[0].upper() + what[1:])}:\n.PP\n.RS 4\n.nf\n{escaped(line)}\n.fi\n.RE\n")
    return "".join(text)


def _param(param: Param) -> str:
    return _tagged(*names(param))


def _cmdlet(command: Command) -> str:
    return _tagged(" ".join(powershell_synopsis(command)), f"As cnet {command.verb}. {command.summary}")


def _tagged(name: str, text: str) -> str:
    return f".TP\n.B {escaped(name)}\n{escaped(text)}\n"


def statuses() -> list[tuple[int, str]]:
    """Return every exit status and what it means, in order."""
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ContainerNetError)
    ]
    known = {
        kind.exit_status: (kind.__doc__ or "").partition("\n")[0]
        for kind in kinds
        if kind is not errors.ContainerNetError
    }
    found = {
        0: "Done, and read back.",
        1: "The result could not be written; of doctor: an error is left.",
        130: "Interrupted.",
        **known,
    }
    return sorted(found.items())


def escaped(text: str) -> str:
    """Return ``text`` as roff source that prints just that."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("'", "\\(aq")
    return "\\&" + safe if safe.startswith(".") else safe
