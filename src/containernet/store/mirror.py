"""The second memory of the store: a copy of the file, and the commits since, one line each.

The rule of this file: it is only ever read when the file itself is damaged or gone, so it is written without waiting
for the disk; a line that is not whole was never committed as far as a rebuild goes. Every commit has a number; if they
do not follow on one another, a new copy is taken.
"""

from __future__ import annotations

import os

from containernet.store.files import COPY, FILE, LOG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from containernet.store.changes import Statement

LONGEST = 1 << 20  # bytes of log before a new copy is taken


def append(where: str, sequence: int, statements: list[Statement]) -> None:
    """Add a commit to the log; where that cannot be, the next one takes a copy."""
    path = os.path.join(where, LOG)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size > LONGEST or _last(descriptor, size) != sequence - 1:
                _renew(where, descriptor, sequence)
            else:
                os.pwrite(descriptor, f"{statements!r} {sequence}\n".encode(), size)
        finally:
            os.close(descriptor)
    except OSError:  # no space: the commit is done, and that is what counts
        return


def _last(descriptor: int, size: int) -> int:
    """Return the number of the last whole commit in the log, 0 if there is none."""
    tail = os.pread(descriptor, 32, max(0, size - 32))
    if not tail.endswith(b"\n"):
        return -1 if size else 0
    number = tail.rstrip(b"\n").rpartition(b"\n")[2].rpartition(b" ")[2]
    return int(number) if number.isdigit() else -1


def _renew(where: str, descriptor: int, sequence: int) -> None:
    """Take a copy of the file as it is now and begin a new log."""
    from _sqlite3 import Error, connect

    fresh = os.path.join(where, COPY + ".new")
    try:
        if os.path.exists(fresh):
            os.unlink(fresh)
        source = connect(os.path.join(where, FILE), isolation_level=None)
        try:
            source.execute("VACUUM INTO ?", (fresh,))
        finally:
            source.close()
        os.replace(fresh, os.path.join(where, COPY))
    except Error as error:
        raise OSError(str(error)) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"[] {sequence}\n".encode(), 0)


def commits(where: str) -> Iterator[tuple[int, list[Any]]]:
    """Yield the number and the statements of each commit of the log, up to the first that is not whole."""
    from ast import literal_eval

    try:
        with open(os.path.join(where, LOG), encoding="utf-8", errors="replace") as lines:
            for line in lines:
                text, _, number = line.rstrip("\n").rpartition(" ")
                if not line.endswith("\n") or not number.isdigit():
                    return
                yield int(number), literal_eval(text)
    except (OSError, ValueError, SyntaxError):
        return
