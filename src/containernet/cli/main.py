"""The command `cnet`, and the cmdlets' commands: which spelling it is, and how a mistake is told.

The rule of this file: whatever happens, a person gets one sentence and one hint, a program a code and an exit status.
"""

from __future__ import annotations

import gc
import os
import sys

from containernet.cli import options, table
from containernet.cli.grammar import Command, Request, did_you_mean
from containernet.cli.output import as_json, emit, swallow
from containernet.cli.perform import perform
from containernet.model.errors import Bug, ContainerNetError, Usage
from containernet.model.names import shown
from containernet.model.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

INTERRUPTED = 130  # 128 + SIGINT, as a shell says it
BROKEN_PIPE = 141  # 128 + SIGPIPE


def main(argv: list[str] | None = None, program: str = "") -> int:
    """Do the command line ``argv``; ``program`` is the name it was called by. Return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    gc.disable()  # a command ends before there is garbage worth looking for (1.5 ms of its 25)
    name = os.path.basename(program or (sys.argv[0] if argv is None else "cnet"))
    if name.lower() in table.BY_CMDLET:
        words.insert(0, name)
    _usable_streams()
    try:
        return start(words)
    except ContainerNetError as error:
        return tell(error, words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        swallow()
        return BROKEN_PIPE
    except Exception as error:
        return tell(_bug(error, words), words)


def end(status: int) -> NoReturn:
    """End the process at once: what Python would still tidy up, the kernel frees faster (4 ms of a command's 25)."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        swallow()
    os._exit(status)


def _usable_streams() -> None:
    """Let text that the terminal cannot show be escaped instead of failing, and a closed stream swallow it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def start(words: list[str]) -> int:
    """Find the command that ``words`` name, read the rest by its grammar, and do it."""
    before, rest = options.leading(words)
    if not rest:
        return _alone(before)
    if rest[0].startswith("__"):
        from containernet.cli import local

        return local.hidden(rest[0], rest[1:])
    command, length, cmdlet = find(rest)
    if not cmdlet:
        request = options.read(command, before + rest[length:])
        return _version() if request.version else perform(request)
    from containernet.cli import powershell

    return perform(_with(powershell.read(command, rest[length:]), before))


def _alone(before: list[str]) -> int:
    """``cnet`` with options alone: the version or the overview."""
    request = options.read(Command("", "", local=True), before)
    return _version() if request.version else perform(request)


def _version() -> int:
    from containernet import __version__

    emit(f"cnet {__version__}\n")
    return 0


def _with(request: Request, before: list[str]) -> Request:
    """Return a cmdlet's request with the options that stood before it: ``cnet --json Get-ContainerNetwork``."""
    if not before:
        return request
    common = options.read(Command("", "", local=True), before)
    flags = {key: True for key in ("json", "dry_run", "verbose", "help") if getattr(common, key)}
    return replace(request, **flags, state_dir=request.state_dir or common.state_dir)


def find(words: list[str]) -> tuple[Command, int, bool]:
    """Return the command that ``words`` begin with, how many words name it, and whether it is the cmdlet."""
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in table.BY_VERB and len(words) >= length:
            return table.BY_VERB[name], length, False
    if words[0].lower() in table.BY_CMDLET:
        return table.BY_CMDLET[words[0].lower()], 1, True
    family = [verb for verb in table.BY_VERB if verb.startswith(words[0] + " ")]
    if family:
        raise Usage("usage", f"'cnet {words[0]}' needs one word more.", f"Say {_either(family)}.")
    raise Usage("usage", f"cnet has no command {shown(words[0])}.", _suggestion(words[0]))


def _either(verbs: list[str]) -> str:
    quoted = [f"'cnet {verb}'" for verb in verbs]
    return ", ".join(quoted[:-1]) + f" or {quoted[-1]}"


def _suggestion(word: str) -> str:
    meant = table.SYNONYMS.get(word.lower())
    if meant:
        return f"Did you mean '{meant}'?"
    known = (*table.BY_VERB, *table.CMDLETS) if "-" in word else table.BY_VERB
    return did_you_mean(word, known, "See 'cnet help'.")


def tell(error: ContainerNetError, words: list[str]) -> int:
    """Print ``error`` in the spelling that was used, and return its exit status."""
    _, rest = options.leading(words)
    cmdlet = table.BY_CMDLET.get(rest[0].lower()) if rest else None
    try:
        if _asked(words, "--json") or (cmdlet and _asked(words, "-json", "-js", "-j", "-json:$true")):
            told = {"code": error.code, "kind": error.kind, "sentence": error.sentence, "hint": error.hint}
            emit(as_json({"error": told}))
        else:
            head = f"{cmdlet.cmdlet} : " if cmdlet else "cnet: "
            hint = f"\n  {error.hint}" if error.hint else ""
            print(f"{head}{error.sentence}{hint}", file=sys.stderr)
    except (OSError, ContainerNetError):
        swallow()
    return error.exit_status


def _asked(words: list[str], *names: str) -> bool:
    """Whether one of ``names`` is among ``words``, before a ``--``."""
    ours = words[: words.index("--")] if "--" in words else words
    return any(word.lower() in names for word in ours)


def _bug(error: Exception, words: list[str]) -> Bug:
    verbose = _asked(words, "-v", "--verbose", "-verbose")
    if verbose:
        from traceback import print_exception

        print_exception(error)
    again = "" if verbose else "Run it again with -v for the traceback. "
    hint = again + "Please report it, with the traceback."
    return Bug("bug", f"This is a bug in ContainerNet: {type(error).__name__}: {error}", hint)
