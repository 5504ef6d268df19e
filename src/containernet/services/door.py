"""The doors of services: what each of them has, and what it lives on.

The rule of this file: a service never waits and knows no event loop. It is called when something happens, and asks for
the rest: the time, a call at a time, a call when a descriptor is readable, a thread for work that takes long.
"""

from __future__ import annotations

from containernet.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, TypeVar

    T = TypeVar("T")
    Reply = Callable[[object], None]  # a record, or an error: ContainerNetError
else:
    Protocol = object

ERROR, WARNING, NOTICE, INFO = 3, 4, 5, 6  # priorities of syslog(3)

OK = "ok"
FAILING = "failing"  # what it does fails; it tries again
HELD_BACK = "held-back"  # it works, but others make so much of it that it takes its time
STOPPED = "stopped"
OFF = "off"  # nobody has switched it on


@record
class Health:
    """How a service is: one of the words above, a sentence if there is something to say, and its figures."""

    state: str
    sentence: str
    figures: tuple[tuple[str, int], ...]


class Watch(Protocol):
    """Something that tells of changes."""

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something new."""

    def news(self, most: int = 64) -> set[str]:
        """Return what has happened, by at most so many reads; never waits."""

    def close(self) -> None:
        """Watch no more."""


class Reactor(Protocol):
    """What a service lives on. Everything that it is given to call is called one after another, in one thread."""

    def now(self) -> float:
        """Return the time, in seconds that never go back."""

    def at(self, when: float, call: Callable[[], None]) -> Callable[[], None]:
        """Have something called at a time; return what cancels it."""

    def watch(self, descriptor: int, call: Callable[[], None]) -> None:
        """Have something called whenever a descriptor is readable."""

    def unwatch(self, descriptor: int) -> None:
        """Undo :meth:`watch`, if it was asked for."""

    def work(self, function: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        """Have a function run in a thread of its own, and ``done`` called with what it returned or raised."""

    def log(self, priority: int, line: str) -> None:
        """Write a line to the log."""

    def changed(self) -> None:
        """Note that the health of a service has changed."""


class Service(Protocol):
    """A long-running part of the agent."""

    name: str
    asks: tuple[str, ...]  # what the agent's socket passes on to it (agent/protocol.py)

    def start(self, reactor: Reactor) -> None:
        """Begin; raise :class:`containernet.model.errors.ContainerNetError` if that cannot be."""

    def stop(self) -> None:
        """Begin nothing more, and let go of everything; work under way may end later."""

    def health(self) -> Health:
        """Tell how it is."""

    def changed(self) -> None:
        """The store has changed, by whomever: what of it, the store says. Told twice or late, nothing is lost."""

    def look(self) -> None:
        """Look at everything now, whatever was decided before: somebody asks for it."""

    def ask(self, do: str, name: str, wait: float, reply: Reply) -> None:
        """Answer one of ``asks``, once, now or later; ``wait``: for so many seconds at most."""
