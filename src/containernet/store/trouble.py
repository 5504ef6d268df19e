"""What SQLite says is wrong, as our errors (sqlite.org/rescode.html).

The rule of this file: the only place where SQLite's numbers become errors of ours.
"""

from __future__ import annotations

import os
from _sqlite3 import Error
from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS

from containernet.model.errors import ContainerNetError, Different, Missing, NotPermitted, Taken, Usage

_PERM, _BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 3, 5, 6, 8, 10, 11, 13, 14, 26


class Damaged(Different):
    """The file of the store is not what we wrote: it has to be rebuilt."""


class Full(Missing):
    """The disk is full."""


def translated(error: Error, where: str) -> ContainerNetError:
    """Return what an error of SQLite means for the one who asked."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (_CORRUPT, _NOTADB):
        return Damaged("store-damaged", f"The store {where} is damaged: {error}.", "Run 'cnet repair'.")
    if code in (_FULL, _IOERR):
        return full(where)
    if code in (_BUSY, _LOCKED):
        return Taken(
            "store-busy", f"Another program holds the store {where}.", "Find out which: fuser -v on that file."
        )
    if code in (_READONLY, _CANTOPEN, _PERM):
        return read_only(where) if os.access(where, os.R_OK) else directory(OSError(EACCES, ""), where)
    return ContainerNetError("store-error", f"The store {where} refused: {error}.", "Run 'cnet repair'.")


def full(where: str) -> Full:
    """Return the error for a disk without space."""
    return Full(
        "disk-full", f"There is no space left for {where}.", "Make room; 'leave', 'close' and 'destroy' still work."
    )


def read_only(where: str) -> ContainerNetError:
    """Return the error for a place that cannot be written."""
    return Missing("state-read-only", f"{where} cannot be written.", "Mount it writable, or say --state-dir DIRECTORY.")


def directory(error: OSError, where: str) -> ContainerNetError:
    """Return what it means that the state directory cannot be made or opened."""
    if error.errno in (EPERM, EACCES):
        return NotPermitted("state-not-permitted", f"You may not use {where}.", "Run it as root.")
    if error.errno in (ENOSPC, EDQUOT):
        return full(where)
    if error.errno == EROFS:
        return read_only(where)
    sentence = f"The state directory {where} cannot be used: {error.strerror}."
    return Usage("state-dir-invalid", sentence, "Give a directory with --state-dir or CNET_STATE_DIR.")
