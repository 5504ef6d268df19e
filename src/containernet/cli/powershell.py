"""Read a cmdlet's command line the PowerShell way.

The rule of this file: `-Name value`, `-Name:value`, by position, in any case, any prefix that only one name has, arrays
by comma; the sentences of mistakes are PowerShell's own. A dash may be the en dash and a parameter may end in a
backslash, because the 2015 document has both.
"""

from __future__ import annotations

from containernet.cli.grammar import LIST, OFF, Command, Param, Request, default, value_of
from containernet.cli.options import COMMON_KEYS, missing
from containernet.cli.params import COMMON, CONFIRM, DRY_RUN
from containernet.model.errors import Usage
from containernet.model.names import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DASHES = "-\u2013\u2014\u2015"  # what PowerShell takes for a dash: hyphen, en dash, em dash, horizontal bar
TRUE, FALSE = ("$true", "true", "1"), ("$false", "false", "0")


def read(command: Command, words: list[str]) -> Request:
    """Return what ``words`` (the command line after the cmdlet's name) ask of ``command``."""
    return Reader(command).read(list(words))


def accepted(command: Command) -> tuple[Param, ...]:
    """Return the parameters that the cmdlet of ``command`` has."""
    common = (param for param in COMMON if command.changes or param not in (DRY_RUN, CONFIRM))
    return tuple(param for param in (*command.params, *common) if param.cmdlet)


class Reader:
    """Reads one command line; ``values`` holds what it has found."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.see = f"See '{command.cmdlet} -?'."
        self.params = accepted(command)
        self.values: dict[str, Any] = {}
        self.loose: list[str] = []

    def read(self, words: list[str]) -> Request:
        """Take ``words`` one by one: first those with a name, then the others by position."""
        while words:
            word = words.pop(0)
            if word in ("--", "--%"):
                self.loose += words
                break
            if word in ("--help", "/?"):
                self.values["help"] = True
            elif is_parameter(word):
                self.named(word[1:].rstrip("\\"), words)
            else:
                self.loose.append(self.array(word, words))
        if not self.values.get("help"):
            self.positions()
        return self.finish()

    def named(self, word: str, words: list[str]) -> None:
        """``-Name``, ``-Name value`` or ``-Name:value``."""
        name, colon, text = word.partition(":")
        param = self.find(name)
        if param.key in self.values and param.key != "help":
            sentence = f"Cannot bind parameter because parameter '{param.cmdlet[0]}' is specified more than once."
            raise self.usage(sentence)
        if colon and not text and words and not is_parameter(words[0]):
            text = words.pop(0)
        if param.takes_value:
            self.keep(param, self.array(text, words) if text else self.next(param, words))
        else:
            self.values[param.key] = self.truth(param, text if colon else "$true") != (param.kind == OFF)

    def find(self, name: str) -> Param:
        """Return the parameter whose name or alias is ``name``, or the only one that begins with it."""
        wanted = name.lower()
        names = [(other, param) for param in self.params for other in param.cmdlet]
        exact = [param for other, param in names if other.lower() == wanted]
        found = exact or [param for other, param in names if other.lower().startswith(wanted)]
        if not found:
            raise self.usage(f"A parameter cannot be found that matches parameter name {shown(name)}.")
        if any(param != found[0] for param in found):
            matches = " ".join(f"-{other}" for other, _ in names if other.lower().startswith(wanted))
            sentence = f"Parameter cannot be processed because the parameter name {shown(name)} is ambiguous."
            raise self.usage(f"{sentence} Possible matches include: {matches}.")
        return found[0]

    def next(self, param: Param, words: list[str]) -> str:
        """Take the value that follows the name of ``param``."""
        if not words or is_parameter(words[0]):
            raise self.usage(f"Missing an argument for parameter '{param.cmdlet[0]}'.")
        return self.array(words.pop(0), words)

    def array(self, text: str, words: list[str]) -> str:
        """Return ``text`` with the words that a comma ties to it: ``a, b`` and ``a ,b`` are one value."""
        while words and (text.endswith(",") or (words[0].startswith(",") and not is_parameter(words[0]))):
            text += words.pop(0)
        return text

    def truth(self, param: Param, text: str) -> bool:
        """Return what ``-Switch:text`` means."""
        if text.lower() not in TRUE + FALSE:
            sentence = f"Cannot convert {shown(text)} to the type that parameter '{param.cmdlet[0]}' requires"
            raise self.usage(f"{sentence}: $true or $false.")
        return text.lower() in TRUE

    def positions(self) -> None:
        """Give the words without a name to the parameters that take one by position."""
        open_ = [param for param in self.params if param.position and param.key not in self.values]
        for word in self.loose:
            if not open_:
                raise self.usage(f"A positional parameter cannot be found that accepts argument {shown(word)}.")
            self.keep(open_.pop(0), word)

    def keep(self, param: Param, text: str) -> None:
        """Remember a value."""
        name = param.cmdlet[0]
        if param.kind == LIST:
            self.values[param.key] = tuple(part.strip() for part in text.split(",") if part.strip())
        elif not text:
            raise self.usage(f"Cannot bind argument to parameter '{name}' because it is an empty string.")
        else:
            self.values[param.key] = value_of(param, f"-{name}", text, self.see)

    def finish(self) -> Request:
        """Judge the whole: what is missing, what is left at its default."""
        given = self.values
        common = {key: given.pop(key) for key in COMMON_KEYS if key in given}
        absent = [param.cmdlet[0] for param in self.params if missing(param, given)]
        if absent and not common.get("help"):
            names = " ".join(absent)
            raise self.usage(f"Cannot process command because of one or more missing mandatory parameters: {names}.")
        values = {param.key: given.get(param.key, default(param)) for param in self.command.params if param.cmdlet}
        return Request(self.command, values, cmdlet=True, **common)

    def usage(self, sentence: str) -> Usage:
        """Return the error for ``sentence``, with where to read more."""
        return Usage("usage", sentence, self.see)


def is_parameter(word: str) -> bool:
    """Whether ``word`` is the name of a parameter rather than a value: a dash and then a letter, ``?`` or a dash."""
    return len(word) > 1 and word[0] in DASHES and (word[1].isalpha() or word[1] in "?-_")
