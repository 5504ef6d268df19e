"""What services live on, made of asyncio.

The rule of this file: the door of ``services/door.py`` and nothing more; an error in what is called ends the agent, and
systemd starts it again: better than an agent that is half-alive.
"""

from __future__ import annotations

import asyncio
import ctypes
from contextlib import suppress
from threading import Thread

from containernet.agent import systemd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")


TIDY = 1.0  # seconds after the last work


def tidy() -> None:
    """Give memory back that the work has needed, and nobody needs now (malloc_trim(3))."""
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


class Asyncio:
    """See :class:`containernet.services.door.Reactor`."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._watched: set[int] = set()
        self._working = 0
        self._tidy: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self.changed = changed

    def now(self) -> float:
        """Return the time of clock_gettime(2), CLOCK_MONOTONIC."""
        return self._loop.time()

    def at(self, when: float, call: Callable[[], None]) -> Callable[[], None]:
        """Have something called at a time."""
        return self._loop.call_at(when, call).cancel

    def watch(self, descriptor: int, call: Callable[[], None]) -> None:
        """Have something called whenever a descriptor is readable."""
        self._loop.add_reader(descriptor, call)
        self._watched.add(descriptor)

    def unwatch(self, descriptor: int) -> None:
        """Undo that."""
        if descriptor in self._watched:
            self._watched.discard(descriptor)
            self._loop.remove_reader(descriptor)

    def work(self, function: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        """Have a function run in a thread of its own."""
        self._working += 1
        self._idle.clear()
        Thread(target=self._work, args=(function, done), name="work", daemon=True).start()

    def _work(self, function: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = function()
        except BaseException as error:
            failure = error
        try:
            self._loop.call_soon_threadsafe(self._worked, lambda: done(result, failure))
        except RuntimeError:  # the loop has ended meanwhile
            return

    def _worked(self, call: Callable[[], None]) -> None:
        self._working -= 1
        if not self._working:
            self._idle.set()
        if self._tidy is not None:
            self._tidy.cancel()
        self._tidy = self._loop.call_later(TIDY, tidy)
        call()

    def log(self, priority: int, line: str) -> None:
        """Write a line to the log."""
        systemd.log(priority, line)

    async def idle(self, patience: float) -> bool:
        """Wait for the work under way; tell whether it has ended."""
        try:
            async with asyncio.timeout(patience):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
