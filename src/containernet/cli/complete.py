"""What may stand where the cursor is: (candidate, description) pairs for the shells.

The rule of this file: all knowledge is the command table's; the scripts in `shells.py` only carry words here and
candidates back. Names of networks and the like are asked of the API, and whatever goes wrong there offers nothing.
"""

from __future__ import annotations

import os

from containernet.cli import table
from containernet.cli.grammar import COMMAND, LIST, Command, Param
from containernet.cli.params import COMMON, VERSION
from containernet.cli.powershell import accepted, is_parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.bootstrap import ContainerNet

Pairs = list[tuple[str, str]]
FILES, DIRECTORIES, NAMESPACES, LINKS = ":files", ":directories", "/run/netns", "/sys/class/net"


def candidates(words: list[str]) -> Pairs:
    """Return what may replace the last of ``words``: the command's name and what was typed after it."""
    if len(words) < 2:
        return []
    name, *before, current = words
    name = os.path.basename(name)
    if name.lower() in table.BY_CMDLET:
        before.insert(0, name)
    found = _offered(before, current)
    return [pair for pair in found if pair[0].lower().startswith(current.lower()) or pair[0].startswith(":")]


def _offered(before: list[str], current: str) -> Pairs:
    command, rest, cmdlet = _command(before)
    if command is None:
        return _verbs(rest) if not current.startswith("-") else _options((*COMMON, VERSION), [])
    if "--" in rest and command.params and command.params[-1].kind == COMMAND:
        return [(FILES, "")]
    return _posh(command, rest, current) if cmdlet else _verb(command, rest, current)


def _command(before: list[str]) -> tuple[Command | None, list[str], bool]:
    """Return the command that has been typed, or None and the words of an unfinished one."""
    from containernet.cli.options import leading

    _, rest = leading(before)
    for length in (2, 1):
        verb = " ".join(rest[:length])
        if verb in table.BY_VERB:
            return table.BY_VERB[verb], rest[length:], False
    if rest and rest[0].lower() in table.BY_CMDLET:
        return table.BY_CMDLET[rest[0].lower()], rest[1:], True
    return None, rest, False


def _verbs(typed: list[str]) -> Pairs:
    """The first words of commands, or the second ones: ``config`` then ``get``."""
    start = "".join(f"{word} " for word in typed)
    following = [(c.verb.removeprefix(start), c.summary) for c in table.COMMANDS if c.verb.startswith(start)]
    found: dict[str, str] = {}
    for verb, summary in following:
        found.setdefault(verb.partition(" ")[0], summary if " " not in verb else "Settings.")
    return list(found.items())


def _verb(command: Command, rest: list[str], current: str) -> Pairs:
    options = {name: param for param in (*command.params, *COMMON) if param.is_option for name in param.verb}
    before = options.get(rest[-1]) if rest else None
    if before is not None and before.takes_value:
        return _values(before)
    if current.startswith("-"):
        return _options((*command.params, *COMMON), rest)
    second = _verbs([command.verb]) if not rest else []  # `agent` is a command, and so is `agent status`
    return second + _places([p for p in command.params if p.verb and not p.is_option], _plain(rest, options))


def _plain(rest: list[str], options: dict[str, Param]) -> list[str]:
    """Return the words that are neither options nor their values."""
    taking = {name for name, param in options.items() if param.takes_value}
    return [w for i, w in enumerate(rest) if not w.startswith("-") and not (i and rest[i - 1] in taking)]


def _places(places: list[Param], given: list[str]) -> Pairs:
    """Offer values for the next positional parameter."""
    if len(given) >= len(places):
        return [(FILES, "")] if places and places[-1].kind == COMMAND else []
    return _values(places[len(given)])


def _options(params: tuple[Param, ...], rest: list[str]) -> Pairs:
    """The long options that are not given yet."""
    free = (param for param in params if param.is_option and (param.kind == LIST or not set(param.verb) & set(rest)))
    return [(param.verb[-1], param.help) for param in free]


def _posh(command: Command, rest: list[str], current: str) -> Pairs:
    params = accepted(command)
    named = {name.lower(): param for param in params for name in param.cmdlet}
    before = named.get(rest[-1][1:].lower()) if rest and is_parameter(rest[-1]) else None
    if before is not None and before.takes_value:
        return _values(before)
    if current.startswith("-"):
        return [(f"-{param.cmdlet[0]}", param.help) for param in params]
    taking = {f"-{name}" for name, param in named.items() if param.takes_value}
    given = [w for i, w in enumerate(rest) if not is_parameter(w) and not (i and rest[i - 1].lower() in taking)]
    return _places([param for param in params if param.position], given)


def _values(param: Param) -> Pairs:
    """What a parameter's value may be."""
    if param.choices:
        return [(choice, "") for choice in param.choices]
    fixed = {"directory": [(DIRECTORIES, "")], "command": [(FILES, "")], "link": _listed(LINKS)}
    if param.complete in fixed:
        return fixed[param.complete]
    if param.complete == "verb":
        return _verbs([]) + [(cmdlet, "cmdlet") for cmdlet in table.CMDLETS]
    try:
        return _asked(param.complete)
    except Exception:  # completion never disturbs the line that is being typed
        return []


def _listed(directory: str) -> Pairs:
    try:
        return [(name, "") for name in sorted(os.listdir(directory))]
    except OSError:
        return []


def _asked(what: str) -> Pairs:
    """Ask the API for names."""
    from containernet.bootstrap import ContainerNet

    net = ContainerNet("")
    if what == "network":
        return [(view.name, ", ".join(view.subnets)) for view in net.get()]
    if what == "container":
        return _containers(net)
    if what == "endpoint":
        return [(view.name, ", ".join(view.addresses)) for view in net.endpoint()]
    if what == "mapping":
        return [(str(view.id), f"{view.container} {view.external_first}/{view.protocol}") for view in net.ports()]
    return [(row[0], row[-1]) for row in net.config_list()] if what == "key" else []


def _containers(net: ContainerNet) -> Pairs:
    """Containers on networks, and the named namespaces of this host."""
    found = {view.container: view.network for view in net.endpoint()}
    return list({**dict(_listed(NAMESPACES)), **found}.items())
