"""What the tests of the agent share: a reactor whose time the test makes, and watches that say what the test wants.

The rule of this file: it does what a service asks of it, when the test says so, and nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from containernet.model.views import RepairView, StatusView
from containernet.services.door import OK, STOPPED, Health

CALM = StatusView("0.1.0", "/s", 1, 1, 0, 0, True, (), ())
NOTHING = RepairView((), (), (), ())


class Hand:
    """A reactor turned by hand."""

    def __init__(self) -> None:
        self.time = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.watched: dict[int, Callable[[], None]] = {}
        self.works: list[tuple[Callable[[], Any], Callable[..., None]]] = []
        self.lines: list[tuple[int, str]] = []

    def now(self) -> float:
        return self.time

    def at(self, when: float, call: Callable[[], None]) -> Callable[[], None]:
        entry = (when, call)
        self.timers.append(entry)
        return lambda: self.timers.remove(entry) if entry in self.timers else None

    def watch(self, descriptor: int, call: Callable[[], None]) -> None:
        self.watched[descriptor] = call

    def unwatch(self, descriptor: int) -> None:
        self.watched.pop(descriptor, None)

    def work(self, function: Callable[[], Any], done: Callable[..., None]) -> None:
        self.works.append((function, done))

    def log(self, priority: int, line: str) -> None:
        self.lines.append((priority, line))

    def changed(self) -> None:
        pass

    # --- the test's hand ---

    def until(self, time: float) -> None:
        """Let time pass; what is due is called in its order."""
        while due := [entry for entry in self.timers if entry[0] <= time]:
            entry = min(due, key=lambda one: one[0])
            self.timers.remove(entry)
            self.time = max(self.time, entry[0])
            entry[1]()
        self.time = time

    def works_off(self) -> int:
        """Do the work that was asked for; return how much it was."""
        works, self.works = self.works, []
        for function, done in works:
            done(function(), None)
        return len(works)


class Said:
    """A watch that says what it is given."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.news_to_come, self.closed = descriptor, list[str](), False

    def fileno(self) -> int:
        return self.descriptor

    def news(self, most: int = 64) -> set[str]:
        assert not self.closed
        found, self.news_to_come = set(self.news_to_come[:most]), self.news_to_come[most:]
        return found

    def close(self) -> None:
        self.closed = True


class Net:
    """The Python API; a list of results is used up one by one, the last of it stays."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.seen: list[Any] = [CALM]
        self.done: list[Any] = [NOTHING]

    def status(self) -> StatusView:
        return self._next("status", self.seen)

    def repair(self) -> RepairView:
        return self._next("repair", self.done)

    def _next(self, name: str, results: list[Any]) -> Any:
        self.calls.append(name)
        result = results.pop(0) if len(results) > 1 else results[0]
        if isinstance(result, BaseException):
            raise result
        return result


class Quiet:
    """A service that keeps what it was told."""

    asks: tuple[str, ...] = ("lease", "renew", "release", "farewell", "leases")

    def __init__(self, name: str) -> None:
        self.name, self.told = name, list[str]()
        self.replies: list[Any] = []  # of those who wait for an answer

    def ask(self, do: str, name: str, wait: float, reply: Any) -> None:
        self.told.append(f"{do} {name} {wait}")
        if do == "leases":
            reply({"web_lan/4": "BOUND"})
        else:
            self.replies.append(reply)

    def start(self, _: Any) -> None:
        self.told.append("start")

    def stop(self) -> None:
        self.told.append("stop")

    def health(self) -> Health:
        return Health(STOPPED if self.told[-1:] == ["stop"] else OK, "", (("passes", 3),))

    def changed(self) -> None:
        self.told.append("changed")

    def look(self) -> None:
        self.told.append("look")
