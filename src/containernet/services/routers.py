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
        self._over = False
        reactor.watch(watch.fileno(), self._heard)

    def end(self) -> None:
        """Hear no more."""
        self._over = True
        self._reactor.unwatch(self._watch.fileno())
        self._watch.close()

    def follow(self, fresh: Iterable[tuple[Where, Lease | None]]) -> None:
        """Tell what was said already where somebody has just come; what was written once holds for a while yet."""
        for where, written in fresh:
            if where in self._held:
                self._tell(where)
            elif written is not None:
                now = self._clock()
                self._held[where] = Advertisements(written, now)
                self._reactor.at(self._reactor.now() + self._held[where].due() - now, self._outdating(where))

    def forget(self, where: Where) -> None:
        """Forget what was said to who has gone: the numbers are given to others."""
        self._held.pop(where, None)

    def _outdating(self, where: Where) -> Callable[[], None]:
        return lambda: self._outdate(where)

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
            self._held.pop(next(iter(self._held)))
        held = self._held.pop(where, None) or Advertisements()
        self._held[where] = held  # the one that was heard of last is the last to be forgotten
        if held.take(option, now):
            self._tell(where)
        if held.lasts(now):
            self._reactor.at(self._reactor.now() + held.due() - now, self._outdating(where))

    def _outdate(self, where: Where) -> None:
        """Something that a router said has ended, if it was not said again."""
        held = self._held.get(where)
        if not self._over and held is not None and held.tidy(self._clock()):
            self._tell(where)

    def _tell(self, where: Where) -> None:
        self._names(where, self._held[where].lease(self._clock()))
