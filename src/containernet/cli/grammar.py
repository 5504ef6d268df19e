"""What a command is, and what reading one gives: the words the command table is written in.

The rule of this file: shapes only. The commands themselves are in `table.py`; both parsers and every generated text
(help, completion, man page, reference) see nothing but these shapes.
"""

from __future__ import annotations

from containernet.model.errors import Usage
from containernet.model.names import shown
from containernet.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

TEXT = "text"  # one text
LIST = "list"  # may be given many times; a tuple of texts
NUMBER = "number"  # a whole number from 0
SWITCH = "switch"  # True if given
OFF = "off"  # False if given, else True
COMMAND = "command"  # all the rest: a command and its arguments

NEVER = "no"
ALWAYS = "yes"


@record
class Param:
    """One parameter: its keyword in the Python API and its name in each spelling (``""``: that spelling has none)."""

    key: str
    verb: tuple[str, ...]  # ("CONTAINER",) is positional; ("-p", "--publish") an option
    cmdlet: tuple[str, ...]  # the name, then its aliases
    help: str
    kind: str = TEXT
    value: str = ""  # what the value is called in help: "CIDR"
    required: str = NEVER  # NEVER, ALWAYS, or the key of the parameter that makes it needless
    choices: tuple[str, ...] = ()
    complete: str = ""  # what completion offers: see complete.py
    position: bool = False  # in the cmdlet it may be given without its name

    @property
    def is_option(self) -> bool:
        """Whether it is written with a dash in the verb."""
        return bool(self.verb) and self.verb[0].startswith("-")

    @property
    def takes_value(self) -> bool:
        """Whether a value follows it."""
        return self.kind not in (SWITCH, OFF)


@record
class Command:
    """One command: a verb, perhaps a cmdlet, both meaning one method of the Python API."""

    verb: str  # one word, or two: "config get"
    summary: str
    params: tuple[Param, ...] = ()
    cmdlet: str = ""
    about: str = ""
    examples: tuple[tuple[str, str], ...] = ()  # (command line, what it does)
    stages: tuple[tuple[str, str], ...] = ()  # (the API's stage key, the cmdlet's progress line), in order
    changes: bool = False  # whether it changes the host: -WhatIf, -Confirm and the word "plan" are for these
    local: bool = False  # answered by the command line itself, without the API


@record
class Request:
    """One command line, read: what to do and with which values. The same from either spelling."""

    command: Command
    values: dict[str, Any]
    cmdlet: bool = False
    json: bool = False
    dry_run: bool = False
    verbose: bool = False
    state_dir: str = ""
    confirm: bool = False
    help: bool = False
    version: bool = False

    @property
    def name(self) -> str:
        """The command as it was spelled."""
        return self.command.cmdlet if self.cmdlet else self.command.verb

    @property
    def see(self) -> str:
        """Where its help is."""
        return f"See '{self.name} -?'." if self.cmdlet else f"See 'cnet {self.name} --help'."


def default(param: Param) -> Any:
    """Return what an absent parameter means."""
    return {TEXT: "", LIST: (), COMMAND: (), NUMBER: 0, SWITCH: False, OFF: True}[param.kind]


def value_of(param: Param, name: str, text: str, see: str) -> str | int:
    """Return the value that ``text`` is for ``param``, which was written as ``name``."""
    if param.kind == NUMBER:
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise Usage("usage", f"{name} needs a whole number, not {shown(text)}.", see)
        return int(text)
    if param.choices and text.lower() not in param.choices:
        raise Usage("usage", f"{name} is one of {', '.join(param.choices)}, not {shown(text)}.", see)
    return text.lower() if param.choices else text


def did_you_mean(word: str, words: Iterable[str], else_say: str) -> str:
    """Return the hint for a word that is none of ``words``."""
    from difflib import get_close_matches

    known = {known.lower(): known for known in words}
    found = get_close_matches(word.lower()[:64], known, 1, 0.6)
    return f"Did you mean '{known[found[0]]}'?" if found else else_say
