"""One writer at a time (flock(2)).

The rule of this file: the lock is the file's, not the process's: it ends with its holder, however that ends. Who has
waited too long is told who that is.
"""

from __future__ import annotations

import os
from fcntl import LOCK_EX, LOCK_NB, flock
from time import monotonic, sleep

from containernet.model.errors import Taken

PATIENCE = 20.0  # seconds; a verb takes some thousandths of one
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02


class Lock:
    """The writer's lock of a state directory."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1

    @property
    def held(self) -> bool:
        """Whether it is ours now."""
        return self._descriptor >= 0

    def acquire(self, patience: float = PATIENCE) -> None:
        """Take the lock; raise :class:`Taken` with the holder's name after ``patience`` seconds."""
        if self._descriptor >= 0:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait(descriptor, patience)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _wait(self, descriptor: int, patience: float) -> None:
        deadline, pause = monotonic() + patience, _FIRST_PAUSE
        while True:
            try:
                flock(descriptor, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                if monotonic() > deadline:
                    raise self._taken(descriptor, patience) from None
                sleep(pause)
                pause = min(pause * 1.5, _LONGEST_PAUSE)
            else:
                return

    @staticmethod
    def _taken(descriptor: int, patience: float) -> Taken:
        holder = _holder(descriptor)
        try:
            with open(f"/proc/{holder}/comm") as name:
                who = f"process {holder} ({name.read().strip()})"
        except OSError:
            who = "a process that cannot be seen from here"
        hint = f"Wait for it, or look why it hangs; if it must go: kill {holder}." if holder else "Try again."
        sentence = f"Another change is under way for more than {patience:.0f} seconds: {who} has the lock."
        return Taken("lock-taken", sentence, hint)

    def release(self) -> None:
        """Let the next one have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _holder(descriptor: int) -> int:
    """Return the process whose descriptor of the file has the lock (proc_pid_fdinfo(5), lock), 0 if none is seen."""
    file = os.fstat(descriptor)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                if os.path.samestat(os.stat(f"/proc/{pid}/fd/{name}"), file) and _locks(pid, name):
                    return int(pid)
        except OSError:  # it has ended, or is not ours to look into
            continue
    return 0


def _locks(pid: str, descriptor: str) -> bool:
    with open(f"/proc/{pid}/fdinfo/{descriptor}") as lines:
        return any(line.startswith("lock:") for line in lines)
