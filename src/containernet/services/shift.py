"""The time from the start of `repair` to its stop: watches in, passes out.

The rule of this file: the machine of ``passes.py`` decides, this only carries: from descriptors to it, and from it to a
thread. While a pass is due on behalf of containers, they are not listened to: they could say nothing new, however much
they have to say.
"""

from __future__ import annotations

import os

from containernet.model.record import record
from containernet.services.passes import HOST, INSIDE, MEND, Passes, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from containernet.services.account import Account, Found
    from containernet.services.door import Reactor, Watch

DRAIN = 4096  # messages that are read away as a pass begins


@record
class Watches:
    """What tells of changes: on the host, inside containers, and where namespaces have their names."""

    host: tuple[Watch, ...]
    inside: tuple[Watch, ...]
    names: Watch
    folder: str  # that `names` watches

    @property
    def voices(self) -> tuple[tuple[str, Watch], ...]:
        """The watches that ask for a pass whatever they say, and on whose behalf."""
        return tuple((HOST, one) for one in self.host) + tuple((INSIDE, one) for one in self.inside)


class Shift:
    """One shift; when it has ended, another may begin."""

    def __init__(self, reactor: Reactor, watches: Watches, work: Callable[[bool], Found], account: Account) -> None:
        self._reactor, self._watches, self._work, self._account = reactor, watches, work, account
        self._passes = Passes(reactor.now())
        self._paths: frozenset[str] = frozenset()
        self._over = False
        self._cancel: Callable[[], None] = lambda: None
        reactor.watch(watches.names.fileno(), self._named)
        self._listen()
        self._arm()

    def end(self) -> None:
        """Begin no more passes; what is under way ends by itself, and nobody hears of it."""
        self._over = True
        self._cancel()
        for one in (*(one for _, one in self._watches.voices), self._watches.names):
            self._reactor.unwatch(one.fileno())
            one.close()

    def tell(self, voice: str, *, again: bool = False) -> None:
        """Something has changed."""
        self._passes.tell(self._reactor.now(), voice, again=again)
        self._arm()

    def commit(self) -> None:
        """The store has changed."""
        self._passes.commit(self._reactor.now())
        self._arm()

    def urge(self) -> None:
        """A pass is wanted now."""
        self._passes.urge()
        self._arm()

    def _listen(self) -> None:
        for voice, one in self._watches.voices:
            self._reactor.watch(one.fileno(), lambda voice=voice, one=one: self._heard(voice, one))  # type: ignore[misc]

    def _heard(self, voice: str, watch: Watch) -> None:
        if watch.news():
            self.tell(voice)
            for one in self._watches.inside if voice == INSIDE else ():
                self._reactor.unwatch(one.fileno())

    def _named(self) -> None:
        """Names of namespaces have come or gone: are they of our containers?"""
        news = self._watches.names.news()
        ours = {path for path in news if path in self._paths or not path.startswith(f"{self._watches.folder}/")}
        if ours:
            self.tell(HOST, again=any(os.path.exists(path) for path in ours))

    def _arm(self) -> None:
        self._cancel()
        self._cancel = lambda: None
        if not self._passes.running:
            self._cancel = self._reactor.at(self._passes.due(), self._due)

    def _due(self) -> None:
        if kind := self._passes.begin(self._reactor.now()):
            for _, one in self._watches.voices:
                one.news(DRAIN)  # before it looks: what comes later is news again
            self._listen()
            self._reactor.work(lambda: self._work(kind == MEND), self._done)
        else:
            self._arm()

    def _done(self, found: Found | None, error: BaseException | None) -> None:
        if self._over:
            return
        if found is None:
            raise error or AssertionError("neither a result nor an error")
        if found.paths is not None:
            self._paths = found.paths
        failed = found.error is not None and not found.stuck
        now = self._reactor.now()
        self._passes.end(now, Result(found.took, found.fought, failed, found.stuck))
        for priority, line in self._account.enter(found, self._passes.held_back(now)):
            self._reactor.log(priority, line)
        self._reactor.changed()
        self._arm()
