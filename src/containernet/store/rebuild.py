"""Making the file of the store, bringing an old one forward, rebuilding a damaged one.

The rule of this file: done by the holder of the lock, and nothing is thrown away: a damaged file is moved aside and
said so; what takes its place is the last copy and the commits since, or nothing.
"""

from __future__ import annotations

import os
from _sqlite3 import Error, connect
from errno import ENOSPC
from time import strftime

from containernet.store import mirror
from containernet.store.files import BALLAST, COPY, LOG, VERSION
from containernet.store.schema import STEPS
from containernet.store.trouble import Damaged, translated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def made_or_mended(where: str, path: str, ballast_size: int) -> str:
    """See to it that there is a whole file of our version; return what the user should know of it, "" for nothing."""
    version = _version(path)
    if version == VERSION:
        return ""  # another process was faster
    if version == 0 and not _has_mirror(where):
        _advance(path, 0)
        ballast(where, ballast_size)
        return ""
    if 0 < version < VERSION:
        _advance(path, version)
        return f"The store {path} was brought forward to version {VERSION}."
    return _rebuilt(where, path)


def _version(path: str) -> int:
    """Return the version of the file, 0 if there is none, -1 if it is damaged."""
    try:
        db = _opened(path)
        try:
            whole = db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            return int(db.execute("PRAGMA user_version").fetchone()[0]) if whole else -1
        finally:
            db.close()
    except Error as error:
        if isinstance(translated(error, path), Damaged):
            return -1
        raise translated(error, path) from None


def _opened(path: str) -> Any:
    db: Any = connect(path, isolation_level=None)
    return db


def _has_mirror(where: str) -> bool:
    return any(os.path.exists(os.path.join(where, name)) for name in (COPY, LOG))


def _advance(path: str, version: int) -> None:
    """Bring a file from a version to ours, in one transaction."""
    try:
        db = _opened(path)
        try:
            os.chmod(path, 0o600)
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(f"BEGIN IMMEDIATE; {''.join(STEPS[version:])} PRAGMA user_version = {VERSION}; COMMIT;")
        finally:
            db.close()
    except Error as error:
        raise translated(error, path) from None


def _rebuilt(where: str, path: str) -> str:
    aside = _moved_aside(path)
    copy = os.path.join(where, COPY)
    if os.path.exists(copy) and _version(copy) > 0:
        _copied(copy, path)
    version = _version(path)
    if version < VERSION:
        _advance(path, version)
    _replay(where, path)
    kept = f"; the damaged file is kept as {aside}" if aside else ""
    return f"The store {path} was damaged and has been rebuilt from its last copy and log{kept}."


def _moved_aside(path: str) -> str:
    """Move the file out of the way, if it holds anything; return its new name."""
    for extra in ("-wal", "-shm"):
        if os.path.exists(path + extra):
            os.unlink(path + extra)
    if not os.path.exists(path):
        return ""
    if not os.path.getsize(path):
        os.unlink(path)
        return ""
    aside = f"{path}.damaged-{strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    os.replace(path, aside)
    return aside


def _copied(source: str, target: str) -> None:
    with open(source, "rb") as old, open(target, "wb") as new:
        new.write(old.read())
    os.chmod(target, 0o600)


def _replay(where: str, path: str) -> None:
    """Do the commits of the log again that follow on what the file holds, up to the first that cannot be."""
    db = _opened(path)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        done = int(db.execute("SELECT value FROM memos WHERE key = 'sequence'").fetchone()[0])
        for number, statements in mirror.commits(where):
            if number <= done:
                continue  # the copy was taken later
            if number != done + 1:
                return  # the log follows on a copy that is gone
            done = number
            db.execute("BEGIN IMMEDIATE")
            try:
                for sql, values in statements:
                    db.execute(sql, values)
            except Error:
                db.execute("ROLLBACK")
                return
            db.execute("COMMIT")
    except Error as error:
        raise translated(error, path) from None
    finally:
        db.close()


def ballast(where: str, size: int) -> None:
    """Keep space that a `leave` on a full disk can have; without space for it there is none."""
    path = os.path.join(where, BALLAST)
    if os.path.exists(path):
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        os.unlink(path)
        if error.errno != ENOSPC:
            raise
    finally:
        os.close(descriptor)
