"""What the command line answers by itself: help, completion, the man page; and what the project makes from the table.

The rule of this file: never loaded by a verb that touches the host.
"""

from __future__ import annotations

from containernet.cli import help as helping
from containernet.cli import table
from containernet.cli.grammar import Request, did_you_mean
from containernet.cli.output import emit
from containernet.model.errors import Usage
from containernet.model.names import shown


def answer(request: Request) -> str:
    """Return the text that a command of the command line itself prints."""
    if request.help:
        return helping.overview() if not request.command.verb else helping.explain(request.command, request.cmdlet)
    if request.command is table.COMPLETION:
        from containernet.cli import shells

        return shells.script(request.values["shell"])
    if request.command is table.MAN:
        from containernet.cli import manual

        return manual.page()
    return _topic(request.values.get("topic", ""))


def _topic(word: str) -> str:
    """Return the help on ``word``: a verb, a cmdlet, the first word of verbs, or nothing."""
    if not word:
        return helping.overview()
    if word.lower() in table.BY_CMDLET:
        return helping.explain(table.BY_CMDLET[word.lower()], cmdlet=True)
    found = [command for command in table.COMMANDS if word == command.verb or command.verb.startswith(word + " ")]
    if not found:
        raise Usage(
            "usage", f"There is no help on {shown(word)}.", did_you_mean(word, table.BY_VERB, "See 'cnet help'.")
        )
    return "\n".join(helping.explain(command) for command in found)


def hidden(word: str, rest: list[str]) -> int:
    """Do a command that people do not type: ``__complete WORD...``, ``__reference``, ``__share DIRECTORY``."""
    if word == "__complete":
        from containernet.cli import complete

        emit("".join(f"{name}\t{about}\n" for name, about in complete.candidates(rest)))
    elif word == "__reference":
        from containernet.cli import reference

        emit(reference.reference_markdown())
    elif word == "__share" and len(rest) == 1:
        from containernet.cli import share

        share.write(rest[0])
    else:
        raise Usage("usage", f"cnet has no command {shown(word)}.", "See 'cnet help'.")
    return 0
