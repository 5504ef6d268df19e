"""Closing packet sockets without waiting: each close waits 5 to 30 ms for RCU (packet_release, synchronize_net).

The rule of this file: a few threads, which share those waits, and end when nothing is left to close.
"""

from __future__ import annotations

from _thread import start_new_thread
from collections import deque
from threading import Condition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket import socket

THREADS = 16
LINGER = 1.0  # seconds that a thread waits for more
PATIENCE = 5.0  # seconds


class Closer:
    """Sockets that are not needed any more."""

    def __init__(self) -> None:
        self._left: deque[socket] = deque()
        self._news = Condition()
        self._threads = self._idle = 0
        self._over = False

    def take(self, sock: socket) -> None:
        """Have a socket closed soon."""
        with self._news:
            self._left.append(sock)
            if self._idle >= len(self._left):
                self._news.notify()
            elif self._threads < THREADS:
                self._threads += 1
                start_new_thread(self._work, ())

    def _work(self) -> None:
        while (sock := self._next()) is not None:
            sock.close()

    def _next(self) -> socket | None:
        """Return a socket to close; None: this thread is not needed any more."""
        with self._news:
            self._idle += 1
            self._news.wait_for(lambda: self._left or self._over, LINGER)
            self._idle -= 1
            if self._left:
                return self._left.popleft()
            self._threads -= 1
            self._news.notify_all()
            return None

    def wait(self) -> bool:
        """Wait until all are closed, and take no more; False if that takes too long."""
        with self._news:
            self._over = True
            self._news.notify_all()
            return self._news.wait_for(lambda: not self._threads, PATIENCE)
