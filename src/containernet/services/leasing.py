"""The time from the start of `dhcp` to its stop: the store in, leases out.

The rule of this file: it carries, between the store, the engine and who waits; it decides only who has a client. Hands
of the engine, it writes nothing itself: what is to last goes into the books. Everything here runs in one thread.
"""

from __future__ import annotations

from containernet.model.errors import ContainerNetError, NotFound
from containernet.model.lease import ROUTER
from containernet.model.names import shown
from containernet.model.record import replace
from containernet.services.books import Books
from containernet.services.dhcp4 import words
from containernet.services.door import ERROR, INFO, WARNING
from containernet.services.lessees import Lessee, key_of, parted
from containernet.services.routers import Routers
from containernet.services.waiting import Waiting, ended
from containernet.verbs.leasing import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from containernet.model.lease import Lease
    from containernet.services.books import Write
    from containernet.services.dhcp4.engine import Engine
    from containernet.services.dhcp4.hands import Hands
    from containernet.services.door import Reactor, Reply, Watch

    class Read(Protocol):
        """What tells who is to be leased for; what routers have told is noted in it."""

        def __call__(self) -> tuple[Lessee, ...] | None:
            """Read the store; None: the service is switched off."""

        def at(self, namespace: int, index: int) -> int:
            """Return the endpoint of an interface, 0 if it is none's."""

        def where(self, endpoint: int) -> tuple[int, int]:
            """Return the namespace and the index of an endpoint's interface."""

        def note(self, endpoint: int, flags: int) -> bool:
            """Note what a router says of DHCPv6; tell whether it has said something else before."""


BACK = "+"  # what the news begins with that a link has its carrier again
PRIORITIES = {words.ERROR: ERROR, words.WARNING: WARNING, words.INFO: INFO}
REST = 10  # times what it took to read the store, before it is read again
AGAIN = 30.0  # seconds after which an address that could not be taken off is to be taken off again
FORGIVEN = 10.0  # seconds after which an endpoint that was to leave, and is still there, is leased for again
SHUNNED, LONGEST = 2.0, 60.0  # seconds until a client that has lost its interface begins again; then twice as many


class Leasing:
    """See the rule of this file."""

    def __init__(
        self,
        reactor: Reactor,
        read: Read,
        write: Write,
        engine: Callable[[Hands], Engine],
        carriers: Watch,
        routers: Watch,
    ) -> None:
        self.enabled = True  # until the store says otherwise
        self._reactor, self._read = reactor, read
        self._books = Books(reactor, write, self._written)
        self._waiting = Waiting(reactor)
        self._lessees: dict[str, Lessee] = {}
        self._used: dict[str, bool] = {}  # whether the address is to be on the interface, by what was said last
        self._keys: dict[str, str] = {}  # of the clients of IPv4, by their endpoints' names
        self._keys6: dict[str, str] = {}  # and of IPv6
        self._releasing: set[str] = set()  # being given back
        self._leaving: dict[str, float] = {}  # endpoints that are about to go, till then: nothing of them is written
        self._believed: dict[str, int] = {}  # the first reading after what was written last of an endpoint
        self._parting: list[tuple[int, tuple[str, ...], Reply]] = []  # farewells that wait for a reading of the store
        self._wheres: dict[str, tuple[int, int]] = {}  # of the clients of IPv6: namespace and interface
        self._lost: dict[str, tuple[float, float]] = {}  # from when on they may have a client again; the last pause
        self._reads = self._begun = 0
        self._reading = self._over = False
        self._rest = -1.0
        self._cancel: Callable[[], None] = lambda: None
        self._engine = engine(self)
        self._carriers = carriers
        self._routers = Routers(reactor, self._engine.clock, routers, self._told, self._named)
        reactor.watch(self._engine.fileno(), self._turn)
        reactor.watch(carriers.fileno(), self._carrier)
        self.changed()

    def end(self) -> None:
        """Lease no more; every address and lease stays as it is."""
        self._over = True
        self._cancel()
        self._routers.end()
        for one in (self._engine, self._carriers):
            self._reactor.unwatch(one.fileno())
        self._carriers.close()
        for _, _, reply in self._parting:
            reply(ended())
        self._waiting.end()
        self._books.end()
        self._engine.close()

    # --- what is told about it ---

    @property
    def trouble(self) -> str:
        """Why nothing can be written; "" if it can."""
        return self._books.trouble.sentence if self._books.trouble else ""

    def states(self) -> dict[str, str]:
        """Return the states of all clients, by endpoint and IP version."""
        found = {}
        for key, one in self._lessees.items():
            if one.setup is None:
                continue
            found[f"{one.name}/{one.version}"] = self._engine.state(key)[0] if key in self._engine else "STOPPED"
        return found

    def figures(self) -> tuple[tuple[str, int], ...]:
        """Return how many clients there are, and what they are at."""
        wanted = [key for key, one in self._lessees.items() if one.setup is not None]
        bound = sum(self._used.get(key, False) for key in wanted)
        seeking = len(wanted) - bound
        return ("leased", bound), ("seeking", seeking), ("sockets", self._engine.sockets())

    # --- the store ---

    def changed(self) -> None:
        """The store has changed: look who is to be leased for."""
        self._reads += 1
        self._look()

    def _look(self) -> None:
        if self._reading or self._over or self._begun == self._reads:
            return
        self._cancel()
        if (now := self._reactor.now()) < self._rest:
            self._cancel = self._reactor.at(self._rest, self._look)
            return
        self._reading, self._begun = True, self._reads
        self._reactor.work(self._read, lambda found, error: self._have(now, found, error))

    def _have(self, began: float, found: tuple[Lessee, ...] | None, error: BaseException | None) -> None:
        self._reading = False
        now = self._reactor.now()
        self._rest = now + REST * (now - began)
        if self._over:
            return
        if isinstance(error, ContainerNetError):
            self._reactor.log(ERROR, f"dhcp: {error.sentence}")
            self._reactor.at(now + SHUNNED, self.changed)
        elif error is not None:
            raise error
        else:
            self.enabled = found is not None
            self._follow(found or ())
            self._waiting.read(self._begun, None if found is None else {one.name for one in found})
            due = [one for one in self._parting if one[0] <= self._begun]
            self._parting = [one for one in self._parting if one not in due]
            for _, names, reply in due:
                self._part(names, reply)
        self._reactor.changed()
        self._look()

    def _follow(self, found: Iterable[Lessee]) -> None:
        """Give a client to each who is to have one, and to nobody else."""
        wanted = {one.key: one for one in found}
        for key, one in self._lessees.items():
            if _other(wanted.get(key), one):
                self._lost.pop(key, None)
                if key in self._engine:
                    self._engine.remove(key)
        for key in self._lessees.keys() - wanted.keys():
            self._forget(key)
        fresh = wanted.keys() - self._lessees.keys()
        self._lessees = {key: self._kept(key, one) for key, one in wanted.items()}
        self._follow_routers([one for key, one in wanted.items() if key in fresh and one.version == 6])
        self._keys = {one.name: key for key, one in wanted.items() if one.version == 4}
        self._keys6 = {one.name: key for key, one in wanted.items() if one.version == 6 and one.setup is not None}
        for key, one in wanted.items():
            if one.setup is None and one.lease is not None:  # the router says that there is no DHCPv6 any more
                self._say(key, None, used=False)
            if one.setup is not None and key not in self._engine and self._may(key):
                self._used[key] = one.configured
                self._engine.add(key, one.place, one.interface, one.setup, one.lease, one.configured)
        self._flush()

    def _follow_routers(self, fresh: list[Lessee]) -> None:
        """Hear routers for who has come, and no more for who has gone."""
        for key in self._wheres.keys() - self._lessees.keys():
            self._routers.forget(self._wheres.pop(key))
        self._wheres |= {one.key: self._read.where(one.endpoint) for one in fresh}
        self._routers.follow([(self._wheres[one.key], one.told) for one in fresh])

    def _kept(self, key: str, one: Lessee) -> Lessee:
        """Return what is kept of a lessee: no lease, that is the engine's; and what is as it was is what it was."""
        has, now = self._lessees.get(key), replace(one, lease=None, configured=False, told=None)
        return has if has == now else now

    def _forget(self, key: str) -> None:
        self._books.forget(*parted(key))
        for about in (self._used, self._lost, self._leaving, self._believed):
            about.pop(key, None)

    def _may(self, key: str) -> bool:
        """Tell whether one may have a client now; who has lost his interface, after a while.

        A client begins with what the store says of it: that has to be the last word, read after it was written.
        """
        if key in self._leaving or key in self._releasing or self._books.open(*parted(key)):
            return False
        if self._begun < self._believed.get(key, 0):
            self._reads = max(self._reads, self._believed[key])  # so that there is such a reading
            return False
        when, _ = self._lost.get(key, (0.0, 0.0))
        return self._reactor.now() >= when

    # --- the engine ---

    def _turn(self) -> None:
        self._engine.turn()
        self._flush()

    def _carrier(self) -> None:
        """Uplinks have lost their carrier, or have it again: whether leases still hold there, their servers say."""
        for news in sorted(self._carriers.news(), reverse=True):  # who has lost it and has it again: in this order
            for key, one in self._lessees.items():
                if one.uplink == news[1:] and key in self._engine:
                    self._engine.link(key, news[0] == BACK)
        self._flush()

    def _told(self, where: tuple[int, int], flags: int) -> None:
        """A router says that there is DHCPv6, or none."""
        if self._read.note(self._read.at(*where), flags):
            self.changed()

    def _named(self, where: tuple[int, int], held: Lease | None) -> None:
        """A router says something else of DNS than before."""
        endpoint = self._read.at(*where)
        if key_of(endpoint, 6) in self._lessees:
            self._books.say(Word(endpoint, ROUTER, held, used=held is not None))
            self._books.flush()

    def _flush(self) -> None:
        """Have written what has come of it, and see who has given back what he had."""
        for key in [key for key in self._releasing if key not in self._engine]:
            self._releasing.discard(key)
            self._books.say(Word(*parted(key), None, used=False, released=True))
        self._waiting.gone(self._engine.__contains__)
        self._books.flush()

    def _written(self, word: Word, error: ContainerNetError | None) -> None:
        """A word was written, or could not be."""
        key = key_of(word.endpoint, word.version)
        name = self._lessees[key].name if key in self._lessees else ""
        if name:
            self._believed[key] = self._reads + 1
        if error is None:
            self._waiting.written(name, key, word)
        else:
            self._reactor.log(ERROR, f"{name or key}: {error.sentence} {error.hint}".rstrip())
            self._waiting.failed(name, key, error)
            if word.used and key in self._engine:
                self._engine.failed(key)
                self._say(key, None, used=False)  # it begins again with nothing, whatever is there of a former lease
                self._flush()
            elif not word.released:
                self._reactor.at(self._reactor.now() + AGAIN, lambda: self._off(key))
        if name and key not in self._engine:
            self.changed()  # it may have waited for this

    def _off(self, key: str) -> None:
        """Have an address taken off that could not be, unless there is another since: its time is over."""
        if key in self._engine and not self._used.get(key):
            self._say(key, None, used=False)
            self._flush()

    # --- who waits ---

    def wait(self, name: str, seconds: float, reply: Reply, *, renew: bool) -> None:
        """Answer when an endpoint has its address; ``renew``: has it anew."""
        key = self._keys.get(name, "")
        if renew and not key:
            raise self._unknown(name)
        if not renew and self._has(key):
            reply(self._engine.state(key)[0])
            return
        self._waiting.add(name, seconds, reply, self._reads + 1, asked=self._engine.clock() if renew else 0.0)
        if renew and key in self._engine:
            for one in (key, self._keys6.get(name, "")):
                if one in self._engine:
                    self._engine.renew(one)
            self._flush()
        else:
            self._lost.pop(key, None)
            self.changed()

    def _has(self, key: str) -> bool:
        """Tell whether one has an address, and that is written."""
        return self._used.get(key, False) and key in self._engine and not self._books.open(*parted(key))

    def release(self, name: str, reply: Reply) -> None:
        """Give a lease back, and answer when that is done."""
        key = self._keys.get(name, "")
        if not key:
            raise self._unknown(name)
        self._waiting.release(name, key, reply)
        for one in {key, self._keys6.get(name, key)}:
            self._releasing.add(one)
            if one in self._engine:
                self._engine.release(one)
        self._flush()

    def farewell(self, names: Iterable[str], reply: Reply, *, again: bool) -> None:
        """Give back leases of endpoints that are about to go, and answer when that is said.

        ``again``: read the store first, because it says since a moment ago where they are. So it is if one of them is
        not known here: perhaps nothing has been read yet.
        """
        names = tuple(names)
        if again or not self._keys.keys() >= set(names):
            self._parting.append((self._reads + 1, names, reply))
            self.changed()
        else:
            self._part(names, reply)

    def _part(self, names: Iterable[str], reply: Reply) -> None:
        keys = {key for name in names for where in (self._keys, self._keys6) if (key := where.get(name, ""))}
        until = self._reactor.now() + FORGIVEN
        self._leaving |= dict.fromkeys(keys, until)
        self._waiting.farewell(keys, reply)
        for key in keys:
            if key in self._engine:
                self._engine.release(key)
        self._reactor.at(until, self._forgive)
        self._flush()

    def _forgive(self) -> None:
        """Lease again for who was to go, and is still there."""
        late = [key for key, until in self._leaving.items() if until <= self._reactor.now()]
        for key in late:
            del self._leaving[key]
        if late:
            self.changed()

    @staticmethod
    def _unknown(name: str) -> NotFound:
        return NotFound("not-leased", f"{shown(name)} has no address from DHCP.", "'cnet leases' shows who has.")

    # --- what the engine wants done (dhcp4.hands.Hands) ---

    def save(self, key: str, lease: Lease) -> None:
        """Have a lease kept."""
        self._say(key, lease, used=self._used.get(key, False))

    def configure(self, key: str, lease: Lease, before: Lease | None) -> None:  # noqa: ARG002 - the store knows it
        """Have an address put on an interface."""
        self._say(key, lease, used=True)

    def unconfigure(self, key: str, lease: Lease, reason: str) -> None:  # noqa: ARG002 - the engine has said why
        """Have it taken off."""
        self._say(key, None, used=False)

    def forget(self, key: str) -> None:
        """Have no lease kept."""
        self._say(key, None, used=False)

    def _say(self, key: str, lease: Lease | None, *, used: bool) -> None:
        self._used[key] = used
        if used:
            self._lost.pop(key, None)
        if key not in self._leaving:
            self._books.say(Word(*parted(key), lease, used, key in self._releasing))

    def tell(self, key: str, level: str, sentence: str) -> None:
        """Log a sentence."""
        if level in PRIORITIES and key in self._lessees:
            self._reactor.log(PRIORITIES[level], f"{self._lessees[key].name}: {sentence}")

    def lost(self, key: str) -> None:
        """Wait a while before an interface that is not there is looked for again."""
        _, pause = self._lost.get(key, (0.0, SHUNNED / 2))
        pause = min(2 * pause, LONGEST)
        self._lost[key] = self._reactor.now() + pause, pause
        self._reactor.at(self._reactor.now() + pause, self.changed)


def _other(wanted: Lessee | None, has: Lessee) -> bool:
    """Tell whether a client is not the one that is wanted now."""
    return wanted is None or (wanted.place, wanted.interface, wanted.setup) != (has.place, has.interface, has.setup)
