"""What is said while a verb works: the cmdlets' stages, the operations of -v, a bar for long work, notes.

The rule of this file: standard output belongs to the result (and to a cmdlet's transcript, which is its result);
everything else goes to standard error, and the bar only to a terminal.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.cli.grammar import Request

BAR = 30


class Progress:
    """What a verb reports, for ``cnet``."""

    def __init__(self, request: Request) -> None:
        self.verbose = request.verbose
        self.bar = False

    def skip(self, *keys: str) -> None:
        """Stages are for cmdlets."""

    def stage(self, key: str) -> None:
        """A stage begins: of interest to cmdlets only."""

    def operation(self, line: str) -> None:
        """Print an operation that is about to be done."""
        if self.verbose:
            self.say(f"+ {line}")

    def count(self, what: str, done: int, total: int) -> None:
        """Draw how far long work is."""
        if total < 1 or not sys.stderr.isatty():
            return
        filled = BAR * min(done, total) // total
        print(
            f"\r{what} [{'#' * filled}{'.' * (BAR - filled)}] {done}/{total}\033[K", end="", file=sys.stderr, flush=True
        )
        self.bar = done < total
        if not self.bar:
            self.clear()

    def note(self, sentence: str) -> None:
        """Print something the user should know."""
        self.say(f"cnet: note: {sentence}")

    def wait(self, sentence: str) -> None:
        """Print why it takes a while."""
        self.say(f"cnet: {sentence}")

    def say(self, line: str) -> None:
        """Print a line on standard error, not through the bar."""
        if self.bar:
            self.clear()
        print(line, file=sys.stderr)

    def clear(self) -> None:
        """Wipe the bar off its line."""
        self.bar = False
        print("\r\033[K", end="", file=sys.stderr, flush=True)

    def succeed(self) -> None:
        """The verb is done."""

    def fail(self) -> None:
        """The verb has failed; what it was doing was not done."""
        if self.bar:
            self.clear()


class Stages(Progress):
    """What a verb reports, for a cmdlet: ``Creating endpoint...done.``, every stage of it, in the table's order."""

    def __init__(self, request: Request, stages: tuple[tuple[str, str], ...]) -> None:
        super().__init__(request)
        self.name = request.name
        self.waiting = list(stages)
        self.under_way = False

    def stage(self, key: str) -> None:
        """Print that the earlier stages are done and this one begins."""
        if not any(name == key for name, _ in self.waiting):
            return
        while self.waiting:
            name, text = self.waiting.pop(0)
            self.end("done.")
            print(f"{text}...", end="", flush=True)
            self.under_way = True
            if name == key:
                return

    def end(self, word: str) -> None:
        """Print how the stage under way ended."""
        if self.under_way:
            print(word, flush=True)
        self.under_way = False

    def succeed(self) -> None:
        """Print the stages that had nothing to do, and that the last is done."""
        if self.waiting:
            self.stage(self.waiting[-1][0])
        self.end("done.")

    def fail(self) -> None:
        """Print that the stage under way failed."""
        super().fail()
        self.end("failed.")

    def skip(self, *keys: str) -> None:
        """Print nothing of these."""
        self.waiting = [stage for stage in self.waiting if stage[0] not in keys]

    def operation(self, line: str) -> None:
        """Print an operation as PowerShell prints verbose lines."""
        if self.verbose:
            self.say(f"VERBOSE: {line}")

    def note(self, sentence: str) -> None:
        """Print something the user should know, as PowerShell prints warnings."""
        self.say(f"WARNING: {sentence}")

    def wait(self, sentence: str) -> None:
        """Print why it takes a while, to who wants to know: a stage is under way all the same."""
        self.operation(sentence)

    def say(self, line: str) -> None:
        """Print a line on standard error; on a terminal, not in the middle of a stage's line."""
        if self.under_way and sys.stdout.isatty():
            print(flush=True)
        super().say(line)
