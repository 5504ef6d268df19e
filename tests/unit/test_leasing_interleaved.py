"""The DHCP service in any order of events: when all has come to rest, nobody waits and nobody is wrong on a lease."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from test_leasing_kit import DB, WEB, Desk, Engine, lease, lessee

from containernet.model.errors import ContainerNetError, Different, Taken
from containernet.model.record import replace

Belief = tuple[Any, bool]  # a lease, and whether its address is used
KEYS = {"web_lan": WEB, "db_lan": DB}


class Living(Engine):
    """Clients that know what they hold, as those of the real engine do."""

    def __init__(self, hands: Any) -> None:
        super().__init__(hands)
        self.beliefs: dict[str, Belief] = {}
        self.releasing: set[str] = set()

    def add(self, key: str, *what: Any) -> None:
        super().add(key, *what)
        self.beliefs[key] = what[3], what[4]
        self.releasing.discard(key)

    def release(self, key: str) -> None:
        super().release(key)
        if self.beliefs[key][1]:
            self.releasing.add(key)
        else:
            self.stopped(key)

    def stopped(self, key: str) -> None:
        self.releasing.discard(key)
        self.beliefs[key] = None, False
        self.hands.forget(key)
        del self.clients[key]

    def failed(self, key: str) -> None:
        super().failed(key)
        self.beliefs[key] = None, False


class World(Desk):
    """A desk whose events a test draws by lot; an event that cannot be now is none."""

    def __init__(self) -> None:
        super().__init__(lessee(7), lessee(8))
        self.under_way: list[Callable[[], None]] = []
        self.left: set[str] = set()
        self.answers: list[tuple[str, str, list[Any]]] = []
        self.count = 20
        self.service.start(self.hand)

    def _made(self, hands: Any) -> Engine:
        self.engines.append(Living(hands))
        return self.engine

    @property
    def living(self) -> Living:
        engine = self.engine
        assert isinstance(engine, Living)
        return engine

    def free(self, key: str) -> bool:
        """Tell whether servers can do something to a client now."""
        return key in self.engine and key not in self.living.releasing

    # --- events ---

    def comes(self, key: str) -> None:
        if key not in self.store and key not in self.left:
            self.put(lessee(int(key[0])))

    def moves(self, key: str) -> None:
        if key in self.store:
            self.count += 1
            self.put(replace(self.store[key], interface=f"eth{self.count}"))

    def leaves(self, key: str) -> None:
        if key in self.store:
            self.left.add(key)
            self.take(key)

    def gets(self, key: str) -> None:
        if self.free(key):
            self.count += 1
            self.living.beliefs[key] = lease(self.count % 200), True
            self.get(key, self.count % 200, began=float(self.count))

    def ends(self, key: str) -> None:
        if self.free(key) and self.living.beliefs[key][1]:
            self.living.beliefs[key] = None, False
            self.lose(key)

    def vanishes(self, key: str) -> None:
        if self.free(key):
            self.vanish(key)

    def has_left(self, key: str) -> None:
        """The RELEASE has."""
        if key in self.living.releasing and key in self.engine:
            self.turn(lambda: self.living.stopped(key))

    def begins(self, _: str) -> None:
        if self.hand.works:
            self.under_way.append(self.do())

    def ended(self, key: str) -> None:
        if self.under_way:
            self.under_way.pop(0 if key == WEB else -1)()

    def heard(self, _: str) -> None:
        if self.news:
            self.hear()

    def locks(self, key: str) -> None:
        self.locked = Taken("store-locked", "Another is at work.") if key == WEB else None

    def refuses(self, key: str) -> None:
        if not self.refused.pop(key, None):
            self.refused[key] = Different("kernel-other", "The kernel refused.")

    def time(self, key: str) -> None:
        self.engine.time += 1
        self.hand.until(self.hand.time + (0.5 if key == WEB else 4))

    def asks(self, do: str) -> Callable[[str], None]:
        def asking(key: str) -> None:
            name = next(name for name, own in KEYS.items() if own == key)
            wait = self.count % 2 if do == "farewell" else 5
            self.answers.append((do, key, self.ask(do, name, wait)))

        return asking

    # --- rest ---

    def rest(self) -> None:
        """Let everything come to its end; servers give leases to who has none."""
        self.locked, self.refused = None, {}
        for _ in range(40):
            while self.under_way or self.hand.works or self.news:
                for end in self.under_way:
                    end()
                self.under_way = []
                self.settle()
            for key in (WEB, DB):
                self.has_left(key)
            self.hand.until(self.hand.time + 3)
        self.hand.until(self.hand.time + 1000)
        self.settle()


EVENTS = (
    "comes", "moves", "leaves", "gets", "ends", "vanishes", "has_left", "begins", "ended", "heard", "locks", "refuses",
    "time",
)  # fmt: skip
OFTEN = ("gets", "begins", "ended", "heard", "begins", "ended", "has_left")
ASKS = ("lease", "renew", "release", "farewell")
steps = some.tuples(some.sampled_from([*EVENTS, *OFTEN, *(f"ask {do}" for do in ASKS)]), some.sampled_from([WEB, DB]))


@settings(derandomize=True, deadline=None, max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(steps, min_size=30, max_size=60))
def test_when_all_has_come_to_rest(story: list[tuple[str, str]]) -> None:
    world = World()
    for event, key in story:
        if event.startswith("ask "):
            world.asks(event.removeprefix("ask "))(key)
        else:
            getattr(world, event)(key)
    world.rest()
    assert set(world.engine.clients) == set(world.store)
    for key, one in world.store.items():
        got, used = world.living.beliefs[key]
        assert (one.lease and one.lease.address, one.configured) == (got and got.address, used), key
        assert world.engine.clients[key][1] == one.interface
    for do, key, answers in world.answers:
        assert len(answers) == 1, (do, key)
        assert not isinstance(answers[0], ContainerNetError) or answers[0].kind != "bug"
    assert world.hand.works == []
