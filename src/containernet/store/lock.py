"""One writer at a time (flock(2)).

The rule of this file: the lock is the file's, not the process's: it ends with its holder, however that ends. The file
says who holds it, for the person who waits.
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
        try:
            os.pwrite(descriptor, f"{os.getpid():<12}\n".encode(), 0)
        except OSError:  # a full disk: the name is a courtesy, the lock holds without
            return

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
        holder = _holder(descriptor) or os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        try:
            with open(f"/proc/{holder}/comm") as name:
                who = f"process {holder} ({name.read().strip()})"
        except OSError:
            who = f"process {holder}" if holder.isdigit() else "another process"
        hint = f"Wait for it, or look why it hangs; if it must go: kill {holder}." if holder.isdigit() else "Try again."
        return Taken(
            "lock-taken", f"Another change is under way for more than {patience:.0f} seconds: {who} has the lock.", hint
        )

    def release(self) -> None:
        """Let the next one have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _holder(descriptor: int) -> str:
    """Return the process that holds the lock, as proc_locks(5) has it; "" if that does not say."""
    status = os.fstat(descriptor)
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        with open("/proc/locks") as lines:
            rows = [line.split() for line in lines]
    except OSError:
        return ""
    return next((row[4] for row in rows if row[1] == "FLOCK" and row[5] == file and row[4] != "-1"), "")
