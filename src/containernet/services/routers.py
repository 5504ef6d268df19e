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

MOST = 4096  # endpoints of which is kept what routers said
END = "ce-"  # what the host's end of an endpoint's pair is called, before its number


class Routers:
    """See the rule of this file."""

    def __init__(
        self,
        reactor: Reactor,
        clock: Callable[[], float],
        watch: Watch,
        flags: Callable[[int, int], None],
        names: Callable[[int, Lease | None], None],
    ) -> None:
        """``flags`` is told an endpoint and what its router says of DHCPv6, ``names`` what it says of DNS."""
        self._reactor, self._clock, self._watch = reactor, clock, watch
        self._flags, self._names = flags, names
        self._held: dict[int, Advertisements] = {}  # by endpoint
        self._over = False
        reactor.watch(watch.fileno(), self._heard)

    def end(self) -> None:
        """Hear no more."""
        self._over = True
        self._reactor.unwatch(self._watch.fileno())
        self._watch.close()

    def follow(self, fresh: Iterable[int], gone: Iterable[int]) -> None:
        """Tell what was said already to who has just come; forget what was said to who has gone."""
        for number in gone:
            self._held.pop(number, None)
        for number in self._held.keys() & set(fresh):
            self._tell(number)

    def _heard(self) -> None:
        for news in sorted(self._watch.news()):
            what, _, rest = news.partition(" ")
            link, _, told = rest.partition(" ")
            number = link.removeprefix(END)
            if number.isdigit() and what == "flags":
                self._flags(int(number), int(told))
            elif number.isdigit() and what == "option":
                self._heed(int(number), bytes.fromhex(told))

    def _heed(self, endpoint: int, option: bytes) -> None:
        """Take what a router says of DNS."""
        now = self._clock()
        if endpoint not in self._held and len(self._held) >= MOST:
            return
        held = self._held.setdefault(endpoint, Advertisements())
        if held.take(option, now):
            self._tell(endpoint)
        if held.lasts(now):
            self._reactor.at(self._reactor.now() + held.due() - now, lambda: self._outdate(endpoint))

    def _outdate(self, endpoint: int) -> None:
        """Something that a router said has ended, if it was not said again."""
        held = self._held.get(endpoint)
        if not self._over and held is not None and held.tidy(self._clock()):
            self._tell(endpoint)

    def _tell(self, endpoint: int) -> None:
        self._names(endpoint, self._held[endpoint].lease(self._clock()))
