"""Hearing of files that come, change and go in a directory (inotify(7)).

The rule of this file: paths and nothing of what is in the files. A directory that is not there yet is waited for.
"""

from __future__ import annotations

import os
from errno import ENOENT, ENOTDIR
from struct import Struct

from containernet.kernel.watch import EVERYTHING

_CHANGED, _ONLYDIR = 0x2 | 0x40 | 0x80 | 0x100 | 0x200, 0x01000000  # IN_MODIFY, IN_MOVED_*, IN_CREATE, IN_DELETE
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_EVENT = Struct("=iIII")  # struct inotify_event
_ROOM = 1 << 16


class Files:
    """The files of a directory, or those of certain names."""

    def __init__(self, directory: str, names: tuple[str, ...] = ()) -> None:
        import ctypes

        self._libc = ctypes.CDLL(None, use_errno=True)
        self._errno = ctypes.get_errno
        self._directory, self._names = directory, names
        self._watched = -1
        self._inotify = self._call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)
        self._begin()

    def _call(self, name: str, *arguments: object) -> int:
        result: int = getattr(self._libc, name)(*arguments)
        if result < 0:
            raise OSError(self._errno(), os.strerror(self._errno()))
        return result

    def _begin(self) -> None:
        """Watch the directory, or else the one above it, where it will be made."""
        try:
            self._watched = self._watch(self._directory)
        except OSError as error:
            if error.errno not in (ENOENT, ENOTDIR):
                raise
            self._watched = -1
            self._watch(os.path.dirname(self._directory))

    def _watch(self, directory: str) -> int:
        return self._call("inotify_add_watch", self._inotify, os.fsencode(directory), _CHANGED | _ONLYDIR)

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something new."""
        return self._inotify

    def close(self) -> None:
        """Watch no more."""
        os.close(self._inotify)

    def news(self, most: int = 64) -> set[str]:
        """Return the paths of files that have come, changed or gone, by at most so many reads; never waits."""
        found: set[str] = set()
        for _ in range(most):
            try:
                data = os.read(self._inotify, _ROOM)
            except BlockingIOError:
                break
            offset = 0
            while offset < len(data):
                watched, mask, _, length = _EVENT.unpack_from(data, offset)
                start, offset = offset + _EVENT.size, offset + _EVENT.size + length
                found.add(self._event(watched, mask, os.fsdecode(data[start:offset].rstrip(b"\0"))))
        return found - {""}

    def _event(self, watched: int, mask: int, name: str) -> str:
        """Return the path that an event is about, "" if it does not matter."""
        if mask & _OVERFLOW:
            return EVERYTHING
        if watched == self._watched:
            if mask & _IGNORED:  # the directory itself is gone
                self._begin()
                return self._directory
            return f"{self._directory}/{name}" if not self._names or name in self._names else ""
        if self._watched >= 0 or mask & _IGNORED or name != os.path.basename(self._directory):
            return ""
        self._begin()
        if self._watched >= 0:  # it has come
            self._libc.inotify_rm_watch(self._inotify, watched)
        return self._directory
