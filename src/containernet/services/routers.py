"""What routers tell our containers, followed as it comes and goes.

The rule of this file: it hears, and passes on what has changed: that there is DHCPv6 now or none, and which DNS servers
and domains hold. It writes nothing, and knows nothing of clients.
"""

from __future__ import annotations

from containernet.services.advertised import Advertisements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from containernet.model.lease import Lease
    from containernet.services.door import Reactor, Watch

    Where = tuple[int, int]  # the number of a namespace, and the index of an interface in it

MOST = 4096  # interfaces of which is kept what routers said


class Routers:
    """See the rule of this file."""

    def __init__(
        self,
        reactor: Reactor,
        clock: Callable[[], float],
        watch: Watch,
        flags: Callable[[Where, int], None],
        names: Callable[[Where, Lease | None], None],
    ) -> None:
        """``flags`` is told where a router says what of DHCPv6, ``names`` what it says of DNS."""
        self._reactor, self._clock, self._watch = reactor, clock, watch
        self._flags, self._names = flags, names
        self._held: dict[Where, Advertisements] = {}
        self._cancels: dict[Where, Callable[[], None]] = {}  # the one time at which something of a place ends
        reactor.watch(watch.fileno(), self._heard)

    def end(self) -> None:
        """Hear no more."""
        for cancel in self._cancels.values():
            cancel()
        self._reactor.unwatch(self._watch.fileno())
        self._watch.close()

    def follow(self, fresh: Iterable[tuple[Where, Lease | None]]) -> None:
        """Tell what was said already where somebody has just come; what was written once holds for a while yet."""
        for where, written in fresh:
            if where in self._held:
                self._tell(where)
            elif written is not None:
                self._held[where] = Advertisements(written, self._clock())
                self._await(where)

    def forget(self, where: Where) -> None:
        """Forget what was said to who has gone: the numbers are given to others."""
        self._held.pop(where, None)
        self._await(where)

    def _await(self, where: Where) -> None:
        """Come back when the next thing ends that was said there, and not before."""
        self._cancels.pop(where, lambda: None)()
        held, now = self._held.get(where), self._clock()
        if held is not None and held.lasts(now):
            due = self._reactor.now() + held.due() - now
            self._cancels[where] = self._reactor.at(due, lambda: self._outdate(where))

    def _heard(self) -> None:
        for news in sorted(self._watch.news()):
            what, namespace, index, told = (*news.split(" "), "", "", "")[:4]
            if what == "flags":
                self._flags((int(namespace), int(index)), int(told))
            elif what == "option":
                self._heed((int(namespace), int(index)), bytes.fromhex(told))

    def _heed(self, where: Where, option: bytes) -> None:
        """Take what a router says of DNS."""
        now = self._clock()
        if where not in self._held and len(self._held) >= MOST:
            self.forget(next(iter(self._held)))
        held = self._held.pop(where, None) or Advertisements()
        self._held[where] = held  # the one that was heard of last is the last to be forgotten
        ended = held.tidy(now)  # what is over is told now: its time is awaited no more
        if held.take(option, now) or ended:
            self._tell(where)
        self._await(where)

    def _outdate(self, where: Where) -> None:
        """Something that a router said has ended, if it was not said again."""
        if self._held[where].tidy(self._clock()):
            self._tell(where)
        self._await(where)

    def _tell(self, where: Where) -> None:
        self._names(where, self._held[where].lease(self._clock()))
