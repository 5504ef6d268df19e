"""Connections to stores, kept by this process from one verb to the next.

The rule of this file: a kept connection is nobody's until it is taken, by one user at a time; it is taken only by the
process that opened it, and only if the file is still the same. Closing the last connection would write the log back
into the file, 1 ms of waiting for the disk, each time.
"""

from __future__ import annotations

import atexit
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST = 4
_idle: list[tuple[int, str, tuple[int, int], Any]] = []


def take(path: str) -> Any:
    """Return a kept connection to a file, None if there is none."""
    for one in list(_idle):
        pid, where, file, connection = one
        if pid == os.getpid() and where == path:
            try:
                _idle.remove(one)
            except ValueError:  # another thread was faster
                continue
            if file == identity(path):
                return connection
            connection.close()
    return None


def put(path: str, connection: Any, file: tuple[int, int]) -> None:
    """Keep a connection to a file that no transaction is open on."""
    if len(_idle) >= MOST or connection.in_transaction:
        connection.close()
        return
    if not _idle:
        atexit.register(drain)
    _idle.append((os.getpid(), path, file, connection))


def drain() -> None:
    """Close what this process has kept."""
    while _idle:
        pid, _, _, connection = _idle.pop()
        if pid == os.getpid():
            connection.close()


def identity(path: str) -> tuple[int, int]:
    """Return which file stands at a path: device and inode."""
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return status.st_dev, status.st_ino
