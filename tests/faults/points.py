"""The points at which a verb can be stopped: each call that changes something, counted, failed or killed.

The rule of this file: who is killed does nothing more: every later call on the kernel and every later write of the
store raises again, so that no undoing happens; lock and file are let go, as they are for a process that dies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import pytest

from containernet.kernel.door import OTHER, KernelError
from containernet.model.errors import Taken
from containernet.plan.intent import Intent
from containernet.plan.objects import Object, Veth
from containernet.plan.operations import Cut, Operation
from containernet.store import mirror, pool
from containernet.store.sqlite import Sqlite
from kit.memory import MemoryHost

T = TypeVar("T")
BEFORE, AFTER, DEAF = "fails before it is done", "fails after it is done", "fails, and all that comes after it"
STOP_AFTER = "Ctrl-C when it is done"
LIE = "is not done, and said to be"
KILL = "killed"
SAID = "A test said so"


class Killed(BaseException):
    """SIGKILL, as far as one process can play it to itself."""


class Points:
    """Counts calls; at one of them, stops the verb in one way."""

    def __init__(self, at: int = 0, how: str = KILL, reason: str = OTHER) -> None:
        self.at, self.how, self.reason = at, how, reason
        self.count = 0
        self.dead = False
        self.seen: list[str] = []

    def pass_by(self, what: str, call: Callable[[], T], error: Exception) -> T:
        """Do a call, unless it is the one to stop at."""
        self.live()
        self.count += 1
        self.seen.append(what)
        if self.how == DEAF and 0 < self.at <= self.count:
            raise error
        here = self.how if self.count == self.at else ""
        if here == KILL:
            self.dead = True
            self.live()
        if here == BEFORE:
            raise error
        if here == LIE:
            return None  # type: ignore[return-value]  # only asked of what returns nothing
        done = call()
        if here in (AFTER, STOP_AFTER):
            raise error if here == AFTER else KeyboardInterrupt
        return done

    def live(self) -> None:
        """Do nothing, if alive."""
        if self.dead:
            raise Killed


class Kernel:
    """A kernel whose changes are points; removing several things at once is a point for each."""

    def __init__(self, kernel: Any, points: Points) -> None:
        self._kernel, self._points = kernel, points

    def __getattr__(self, name: str) -> Any:
        if name != "close":
            self._points.live()
        return getattr(self._kernel, name)

    def _point(self, what: object, call: Callable[[], T]) -> T:
        return self._points.pass_by(str(what), call, KernelError(self._points.reason, f"{SAID}."))

    def do(self, operation: Operation) -> None:
        self._point(operation, lambda: self._kernel.do(operation))

    def take(self, pairs: Sequence[Veth], cuts: Sequence[Cut]) -> None:
        for pair in pairs:
            self._point(f"take {pair}", lambda: self._kernel.take([pair], []))  # noqa: B023
        for cut in cuts:
            self._point(f"take {cut}", lambda: self._kernel.take([], [cut]))  # noqa: B023

    def missing(self, objects: Iterable[Object]) -> list[Object]:
        wanted = list(objects)
        found: list[Object] = self._point(f"missing {len(wanted)}", lambda: self._kernel.missing(wanted))
        return found


class Store(Sqlite):
    """A store whose changes are points."""

    points: Points

    def _point(self, what: str, call: Callable[[], T]) -> T:
        return self.points.pass_by(what, call, Taken("store-busy", f"{SAID}.", "Wait."))

    def begin(self, verb: str, before: Intent, after: Intent, extra: tuple[Operation, ...]) -> int:
        start = super().begin
        return self._point(f"begin {verb}", lambda: start(verb, before, after, extra))

    def finish(self, number: int, before: Intent, after: Intent) -> None:
        end = super().finish
        self._point(f"finish {number}", lambda: end(number, before, after))

    def abandon(self, number: int) -> None:
        self.points.live()
        super().abandon(number)

    def lock(self) -> None:
        self.points.live()
        super().lock()

    def keep_room(self) -> None:
        self._point("keep_room", super().keep_room)

    def close(self) -> None:
        """Let go; who is dead keeps no connection for later."""
        super().close()
        if self.points.dead:
            pool.drain()


def stopped(host: MemoryHost, points: Points) -> Any:
    """Return the tool for a host, with points in it."""

    def store(check: bool) -> Store:
        made = Store(str(host.where), check=check)
        made.points = points
        return made

    return host.net(kernel=lambda: Kernel(host.kernel, points), store=store)


def between_commit_and_copy(monkeypatch: pytest.MonkeyPatch, points: Points) -> None:
    """Make one more point of each commit: when it is done, and its second memory has not been written yet."""
    append = mirror.append

    def late(where: str, sequence: int, statements: list[Any]) -> None:
        points.pass_by(f"mirror {sequence}", lambda: append(where, sequence, statements), OSError(SAID))

    monkeypatch.setattr(mirror, "append", late)
