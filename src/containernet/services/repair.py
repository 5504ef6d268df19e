"""The service `repair`: what should be is made so again as soon as somebody has changed it.

The rule of this file: it does what the verbs do, and nothing else. A pass looks first, without the writer's lock, so
that nobody waits for it; where something is not as it should be, or a stranger is known to have been here, it runs the
ordinary `repair`, which waits its turn as every verb does. A pass that finds nothing is the end of it: changes of our
own, and those of verbs under way, cost one more look.
"""

from __future__ import annotations

from time import monotonic

from containernet.model.errors import Bug, ContainerNetError
from containernet.services.account import Account, Found
from containernet.services.door import STOPPED, Health
from containernet.services.shift import Shift
from containernet.services.shift import Watches as Watches  # what it is made with
from containernet.verbs.host import Silence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from containernet.model.views import RepairView, StatusView
    from containernet.services.door import Reactor, Reply
    from containernet.verbs.host import Host, Report
else:
    Protocol = object


DOUBTS = 3  # so many looks in a row are not believed, if the store has changed under them


class Net(Protocol):
    """The part of the Python API that is used here, from a thread of its own."""

    def status(self) -> StatusView:
        """Return what a repair would do, among other things."""

    def repair(self) -> RepairView:
        """Do it."""


class Notes(Silence):
    """Keeps the sentences that verbs say along the way."""

    def __init__(self) -> None:
        self._said: list[str] = []

    def note(self, sentence: str) -> None:
        """Keep a sentence."""
        self._said.append(sentence)

    def taken(self) -> tuple[str, ...]:
        """Return the sentences, and forget them."""
        said, self._said = self._said, []
        return tuple(said)


def paths(host: Host) -> frozenset[str]:
    """Return where our containers have their namespaces."""
    return frozenset(one.path for one in host.store.everything().compartments)


class Repair:
    """See :class:`containernet.services.door.Service`."""

    name = "repair"
    asks: tuple[str, ...] = ()

    def __init__(
        self, net: Callable[[Report], Net], paths: Callable[[], frozenset[str]], watches: Callable[[], Watches]
    ) -> None:
        """Take what gives the API that reports to us, where our containers are, and what opens the watches."""
        self._notes = Notes()
        self._net, self._paths, self._watches = net(self._notes), paths, watches
        self._account = Account()
        self._shift: Shift | None = None
        self._commits = self._doubts = 0  # changes of the store; looks in a row that were doubtful
        self._took = -1.0  # seconds to look at everything, when that was done last

    def start(self, reactor: Reactor) -> None:
        """Begin with a pass."""
        if self._shift is None:
            self._shift = Shift(reactor, self._watches(), self._pass, self._account)

    def stop(self) -> None:
        """Begin no more passes."""
        if self._shift is not None:
            self._shift.end()
            self._shift = None

    def health(self) -> Health:
        """Tell how it is."""
        return self._account.health(STOPPED if self._shift is None else "")

    def changed(self) -> None:
        """The store has changed."""
        self._commits += 1
        if self._shift is not None:
            self._shift.commit()

    def ask(self, do: str, name: str, wait: float, reply: Reply) -> None:
        """Nothing is asked of it."""

    def look(self) -> None:
        """Look at everything now."""
        if self._shift is not None:
            self._shift.urge()

    def _pass(self, at_once: bool) -> Found:
        """Look, and repair if need be or if that is known."""
        paths: frozenset[str] | None = None
        done: RepairView | None = None
        failure: ContainerNetError | None = None
        waiting = 0
        try:
            needed, waiting = (True, 0) if at_once else self._look()
            if needed:
                done = self._net.repair()
                waiting = len(done.waiting)
            paths = self._paths()
        except ContainerNetError as error:
            failure = error
        except Exception as error:
            failure = self._bug(error)
        return Found(paths, self._took, waiting, done, failure, self._notes.taken())

    def _look(self) -> tuple[bool, int]:
        """Return whether a repair would do something, and how many endpoints wait for their container."""
        began, commits = monotonic(), self._commits
        seen = self._net.status()
        self._took = monotonic() - began if self._took >= 0 else 0.0  # the first loads what it needs: it tells nothing
        if seen.drift and self._commits != commits and self._doubts < DOUBTS:
            self._doubts += 1  # what a verb has done meanwhile looks the same; its commit asks for another look
            return bool(seen.interrupted), seen.waiting
        self._doubts = 0
        return bool(seen.drift or seen.interrupted), seen.waiting

    def _bug(self, error: Exception) -> Bug:
        from traceback import format_exception

        for line in "".join(format_exception(error)).splitlines():
            self._notes.note(line)
        return Bug("bug", f"This is a bug in ContainerNet: {type(error).__name__}: {error}", "Please report it.")
