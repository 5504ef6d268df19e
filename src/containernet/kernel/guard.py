"""The process that undoes what is done to the host's own addresses, when the one that does it cannot.

The rule of this file: it is there before the first operation, in a session of its own, and knows all it needs: no file
is read to undo. It acts when the pipe to it ends without a word, or when time is up: then it first ends the other.
With it goes the store's lock, which it has inherited: nobody begins anything before all is undone.
"""

from __future__ import annotations

import os
import select
import signal
from errno import ENXIO

from containernet.kernel.door import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from containernet.kernel.door import Kernel
    from containernet.plan.operations import Operation

DONE = b"d"
UNDONE = ".undone"  # the note's name ends so when its undoing is done; who finds that need not undo again


class Watchdog:
    """See :class:`containernet.kernel.door.Guard`."""

    def __init__(
        self, undoing: Sequence[Operation], note: str, word: str, seconds: float, kernel: Callable[[], Kernel]
    ) -> None:
        self._note, self._word = note, word
        _written(note, _text(undoing, note))
        os.mkfifo(_without(word), 0o600)
        self._heard = os.open(word, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        ending, self._pipe = os.pipe()
        parent = os.getpid()
        self._pid = os.fork()
        if not self._pid:
            os.close(self._pipe)
            self._watch(parent, ending, undoing, seconds, kernel)
        os.close(ending)

    def _watch(
        self, parent: int, ending: int, undoing: Sequence[Operation], seconds: float, kernel: Callable[[], Kernel]
    ) -> None:
        try:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_IGN)
            _let_go_of_the_terminal()
            in_time = bool(select.select([ending], [], [], seconds)[0])
            if not in_time:
                os.kill(parent, signal.SIGKILL)
            if os.read(ending, 1) != DONE:
                undo(kernel(), undoing)
                _without(self._word)
                os.replace(self._note, self._note + UNDONE)
        finally:
            os._exit(0)

    def confirmed(self, seconds: float) -> bool:
        """Wait for a word."""
        return bool(select.select([self._heard], [], [], seconds)[0])

    def release(self) -> None:
        """Let it go, and wait for its end."""
        os.write(self._pipe, DONE)
        os.close(self._pipe)
        os.waitpid(self._pid, 0)
        os.close(self._heard)
        _without(self._word)
        _without(self._note)


def undo(kernel: Kernel, undoing: Sequence[Operation]) -> None:
    """Do operations in order; one that cannot be done, because it need not, is passed over."""
    try:
        for operation in undoing:
            try:
                kernel.do(operation)
            except (KernelError, OSError):
                continue
    finally:
        kernel.close()


def _let_go_of_the_terminal() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def _text(undoing: Sequence[Operation], note: str) -> str:
    from containernet.plan.text import lines

    head = f"# This host's addresses are being moved. If it cannot be reached: sh {note}\n"
    return "#!/bin/sh\n" + head + "".join(f"{line}\n" for line in lines(undoing))


def _written(path: str, text: str) -> None:
    """Write a file, to the disk."""
    descriptor = os.open(_without(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _without(path: str) -> str:
    """Return a path at which nothing is any more."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return path
    return path


def confirm(word: str) -> bool:
    """Give the word to who waits for it; tell whether somebody does."""
    try:
        descriptor = os.open(word, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno != ENXIO:
            raise
        return False
    try:
        os.write(descriptor, b"y")
    finally:
        os.close(descriptor)
    return True
