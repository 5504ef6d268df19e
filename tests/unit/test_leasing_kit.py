"""What the tests of the DHCP service share: an engine that does nothing by itself, and a store that the test writes.

The rule of this file: the test decides when work is done, when its end is heard, and what servers say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from test_agent_kit import Hand, Said

from containernet.model.errors import ContainerNetError
from containernet.model.lease import Lease
from containernet.model.network import Place
from containernet.model.record import replace
from containernet.services.dhcp import Dhcp
from containernet.services.dhcp4.words import Setup
from containernet.services.lessees import Lessee, key_of
from containernet.verbs.leasing import Word

WEB, DB = "7/4", "8/4"  # keys of the endpoints 7 and 8


def lessee(number: int = 7, **more: Any) -> Lessee:
    """Return who wants an address: endpoint 7 is of a container `web`, all others of one with their number."""
    name = {7: "web", 8: "db"}.get(number, f"c{number}")
    given = {
        "endpoint": number, "version": 4, "name": f"{name}_lan", "place": Place(f"/run/netns/{name}", 100 + number),
        "interface": "eth0", "uplink": "up0", "setup": Setup(bytes([2, 0, 0, 0, 0, number]), b"\xff" + bytes([number])),
        "lease": None, "configured": False, **more,
    }  # fmt: skip
    return Lessee(**given)


def lease(last: int = 20, began: float = 1.0) -> Lease:
    """Return a lease of an address with this last number."""
    return Lease(f"198.51.100.{last}", 24, "198.51.100.2", "ff07", began, 600, 300.0, 525.0)


def word(number: int, got: Lease | None, *, used: bool, released: bool = False) -> Word:
    """Return the service's word on an endpoint."""
    return Word(number, 4, got, used, released)


class Engine:
    """Notes what it is asked for. Its clients do what the test has its hands do."""

    def __init__(self, hands: Any) -> None:
        self.hands = hands
        self.clients: dict[str, tuple[Any, ...]] = {}
        self.calls: list[str] = []
        self.time = 0.0
        self.closed = False
        self.turning: Callable[[], None] = lambda: None

    def __contains__(self, key: str) -> bool:
        return key in self.clients

    def add(self, key: str, *what: Any) -> None:
        assert key not in self.clients
        self.clients[key] = what
        self.calls.append(f"add {key}")

    def remove(self, key: str) -> None:
        del self.clients[key]
        self.calls.append(f"remove {key}")

    def _call(self, what: str, key: str) -> None:
        assert key in self.clients
        self.calls.append(f"{what} {key}")

    def release(self, key: str) -> None:
        self._call("release", key)

    def renew(self, key: str) -> None:
        self._call("renew", key)

    def failed(self, key: str) -> None:
        self._call("failed", key)

    def link(self, key: str, up: bool) -> None:
        self._call("up" if up else "down", key)

    def state(self, key: str) -> tuple[str, None]:
        assert key in self.clients
        return "BOUND", None

    def sockets(self) -> int:
        return 1

    def clock(self) -> float:
        return self.time

    def fileno(self) -> int:
        return 77

    def turn(self) -> None:
        turning, self.turning = self.turning, lambda: None
        turning()

    def close(self) -> None:
        self.closed = True

    def taken(self) -> list[str]:
        """Return what it was asked for since the last time."""
        calls, self.calls = self.calls, []
        return calls


class Reading:
    """What reads the store, and keeps what routers said."""

    def __init__(self, read: Any) -> None:
        self.told: dict[int, int] = {}  # by endpoint; its interface is at (endpoint, 2)
        self._read = read

    def at(self, namespace: int, index: int) -> int:
        return namespace if index == 2 else 0

    def where(self, endpoint: int) -> tuple[int, int]:
        return endpoint, 2

    def note(self, endpoint: int, flags: int) -> bool:
        before = self.told.get(endpoint, 0)
        self.told[endpoint] = flags
        return before != flags

    def __call__(self) -> Any:
        return self._read()


class Desk:
    """A service with all that it works with."""

    def __init__(self, *found: Lessee) -> None:
        self.hand, self.carriers, self.routers = Hand(), Said(9), Said(10)
        self.store = {one.key: one for one in found}
        self.on = True
        self.unreadable: ContainerNetError | None = None
        self.locked: ContainerNetError | None = None  # what a whole writing fails with
        self.refused: dict[str, ContainerNetError] = {}  # what a word fails with, by key
        self.batches: list[tuple[Word, ...]] = []
        self.news = 0  # commits that the service has not heard of
        self.engines: list[Engine] = []
        watches = (lambda: self.carriers, lambda: self.routers)
        self.service = Dhcp(Reading(self._read), self._write, self._made, *watches)  # type: ignore[arg-type]

    def start(self) -> Desk:
        """Start the service, and let it read the store."""
        self.service.start(self.hand)
        self.settle()
        return self

    @property
    def engine(self) -> Engine:
        return self.engines[-1]

    def _made(self, hands: Any) -> Engine:
        self.engines.append(Engine(hands))
        return self.engine

    def _read(self) -> tuple[Lessee, ...] | None:
        if self.unreadable is not None:
            raise self.unreadable
        return tuple(self.store.values()) if self.on else None

    def _write(self, words: tuple[Word, ...]) -> dict[tuple[int, int], ContainerNetError]:
        self.batches.append(words)
        if self.locked is not None:
            raise self.locked
        failed = {}
        for one in words:
            if error := self.refused.get(key_of(one.endpoint, one.version)):
                failed[one.endpoint, one.version] = error
            else:
                self._kept(one)
        return failed

    def _kept(self, one: Word) -> None:
        """Have the store say what a word says."""
        key = key_of(one.endpoint, one.version)
        if key in self.store:
            self.put(replace(self.store[key], lease=one.lease, configured=one.used))
        if one.released:
            self.store.pop(key, None)

    # --- the test's hand ---

    def put(self, *found: Lessee) -> None:
        """Commit: the store has these as they are here."""
        self.store.update({one.key: one for one in found})
        self.news += 1

    def take(self, *keys: str) -> None:
        """Commit: the store has these no more."""
        for key in keys:
            del self.store[key]
        self.news += 1

    def hear(self) -> None:
        """Let the service hear of commits."""
        self.news = 0
        self.service.changed()

    def do(self) -> Callable[[], None]:
        """Do the first work that was asked for; return what lets the service hear of its end."""
        function, done = self.hand.works.pop(0)
        try:
            result, error = function(), None
        except ContainerNetError as caught:
            result, error = None, caught
        return lambda: done(result, error)

    def settle(self) -> None:
        """Let all be done and heard that can be now."""
        while self.hand.works or self.news:
            if self.news:
                self.hear()
            if self.hand.works:
                self.do()()

    def turn(self, *steps: Callable[[], None]) -> None:
        """Let the engine do something in its turn."""

        def turning() -> None:
            for step in steps:
                step()

        self.engine.turning = turning
        self.hand.watched[self.engine.fileno()]()

    def get(self, key: str = WEB, last: int = 20, began: float = 1.0) -> None:
        """Let a client get a lease."""
        got, hands = lease(last, began), self.engine.hands
        self.turn(lambda: hands.save(key, got), lambda: hands.configure(key, got, None))

    def lose(self, key: str = WEB, reason: str = "expired") -> None:
        """Let a client lose its lease."""
        hands = self.engine.hands
        self.turn(lambda: hands.unconfigure(key, lease(), reason), lambda: hands.forget(key))

    def give_back(self, key: str = WEB) -> None:
        """Let the RELEASE of a client have left."""
        hands = self.engine.hands
        self.turn(
            lambda: hands.unconfigure(key, lease(), "released"), lambda: hands.forget(key),
            lambda: self.engine.clients.pop(key) and None,
        )  # fmt: skip

    def vanish(self, key: str = WEB) -> None:
        """Let a client find that its interface is gone."""
        hands = self.engine.hands
        self.turn(lambda: self.engine.clients.pop(key) and None, lambda: hands.lost(key))

    def ask(self, do: str, name: str = "web_lan", wait: float = 5) -> list[Any]:
        """Ask; return where the answers come."""
        answers: list[Any] = []
        self.service.ask(do, name, wait, answers.append)
        return answers

    def logged(self) -> list[str]:
        """Return what the log says."""
        return [line for _, line in self.hand.lines]


def code(answers: list[Any]) -> str:
    """Return the code of the one error that was answered."""
    (error,) = answers
    assert isinstance(error, ContainerNetError)
    return error.code
