"""Read a verb's command line the GNU way: options anywhere, `--option=value`, `-pVALUE`, `--` ends them.

The rule of this file: the command table is the only source of what is accepted, every mistake is one sentence.
It is not argparse because that costs 7.5 ms of the 30 that a whole `cnet join` may take (`re`, `gettext`, `locale`).
"""

from __future__ import annotations

from containernet.cli.grammar import (
    ALWAYS,
    COMMAND,
    LIST,
    NEVER,
    OFF,
    Command,
    Param,
    Request,
    default,
    did_you_mean,
    value_of,
)
from containernet.cli.params import COMMON, VERSION
from containernet.model.errors import Usage
from containernet.model.names import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMMON_KEYS = tuple(param.key for param in COMMON)


def read(command: Command, words: list[str]) -> Request:
    """Return what ``words`` (the command line after the verb) ask of ``command``."""
    return Reader(command).read(list(words))


def leading(words: list[str]) -> tuple[list[str], list[str]]:
    """Split ``words`` into the options before the verb and the verb with all that follows it."""
    table, at = _names((*COMMON, VERSION)), 0
    while at < len(words) and words[at].startswith("-") and words[at] not in ("-", "--", "-?"):
        param = table.get(words[at])
        at += 2 if param and param.takes_value else 1
    return words[:at], words[at:]


class Reader:
    """Reads one command line; ``values`` holds what it has found."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.see = f"See 'cnet {command.verb} --help'." if command.verb else "See 'cnet help'."
        self.values: dict[str, Any] = {}
        self.options = _names((*command.params, *COMMON, VERSION))
        self.places = [param for param in command.params if param.verb and not param.is_option]

    def read(self, words: list[str]) -> Request:
        """Take ``words`` one by one, then judge the whole."""
        while words:
            word = words.pop(0)
            if word == "--":
                self.rest(words)
            elif word == "-?":
                self.values["help"] = True
            elif word.startswith("--"):
                self.long(word, words)
            elif word.startswith("-") and word != "-":
                self.short(word, words)
            else:
                self.place(word, words)
        return self.finish()

    def rest(self, words: list[str]) -> None:
        """After ``--``: nothing is an option, and a command to run is all of it."""
        command = next((param for param in self.places if param.kind == COMMAND), None)
        if command is None:
            while words:
                self.place(words.pop(0), words)
            return
        self.values[command.key] = tuple(words)
        words.clear()

    def long(self, word: str, words: list[str]) -> None:
        """``--option``, ``--option value`` or ``--option=value``."""
        name, equals, text = word.partition("=")
        param = self.option(name)
        if not param.takes_value:
            if equals:
                raise self.usage(f"{name} takes no value.")
            self.values[param.key] = param.kind != OFF
            return
        self.keep(param, name, text if equals else self.next(name, words))

    def short(self, word: str, words: list[str]) -> None:
        """``-v``, ``-pVALUE`` or ``-p VALUE``; switches may stand together."""
        param = self.option(word[:2])
        if param.takes_value:
            self.keep(param, word[:2], word[2:].removeprefix("=") or self.next(word[:2], words))
            return
        self.values[param.key] = True
        if word[2:]:
            self.short("-" + word[2:], words)

    def option(self, name: str) -> Param:
        """Return the option called ``name``."""
        if name not in self.options:
            known = [other for other in self.options if other.startswith("--")]
            where = f"'cnet {self.command.verb}'" if self.command.verb else "cnet"
            raise Usage("usage", f"{where} has no option {shown(name)}.", did_you_mean(name, known, self.see))
        return self.options[name]

    def next(self, name: str, words: list[str]) -> str:
        """Take the value that follows the option ``name``."""
        if not words or (words[0].startswith("-") and words[0] != "-"):
            raise self.usage(f"{name} needs a value.")
        return words.pop(0)

    def keep(self, param: Param, name: str, text: str) -> None:
        """Remember a value."""
        if param.kind == LIST:
            self.values[param.key] = (*self.values.get(param.key, ()), text)
        elif param.key in self.values:
            raise self.usage(f"{name} is given twice.")
        elif text == "":
            raise self.usage(f"{name} needs a value, and this one is empty.")
        else:
            self.values[param.key] = value_of(param, name, text, self.see)

    def place(self, word: str, words: list[str]) -> None:
        """A word that is no option: the next positional parameter."""
        param = next((param for param in self.places if param.key not in self.values), None)
        if param is None:
            raise self.usage(f"{shown(word)} is one word too many for 'cnet {self.command.verb}'.")
        if param.kind == COMMAND:
            self.values[param.key] = (word, *words)
            words.clear()
            return
        self.keep(param, param.verb[0], word)

    def finish(self) -> Request:
        """Judge the whole: what is missing, what is left at its default."""
        given = self.values
        common = {key: given.pop(key) for key in (*COMMON_KEYS, "version") if key in given}
        if not (common.get("help") or common.get("version")):
            self.complete()
        values = {param.key: given.get(param.key, default(param)) for param in self.command.params if param.verb}
        return Request(self.command, values, **common)

    def complete(self) -> None:
        """Raise :class:`Usage` if a parameter is missing."""
        for param in self.command.params:
            if missing(param, self.values):
                name = param.verb[-1] if not param.is_option else f"{param.verb[-1]} {param.value}"
                raise self.usage(f"'cnet {self.command.verb}' needs {name}.")

    def usage(self, sentence: str) -> Usage:
        """Return the error for ``sentence``, with where to read more."""
        return Usage("usage", sentence, self.see)


def missing(param: Param, given: dict[str, Any]) -> bool:
    """Whether ``param`` had to be given and was not."""
    if param.key in given and (param.kind != COMMAND or given[param.key]):
        return False
    return param.required != NEVER and (param.required == ALWAYS or param.required not in given)


def _names(params: tuple[Param, ...]) -> dict[str, Param]:
    return {name: param for param in params if param.is_option for name in param.verb}
