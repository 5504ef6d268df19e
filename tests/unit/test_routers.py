"""What routers say of DNS, with the clock in the test's hand: told as it comes, and as each part of it ends."""

from __future__ import annotations

import pytest
from test_advertised import ONE, TWO, domains, servers
from test_agent_kit import Hand, Said

from containernet.model.lease import Lease
from containernet.services import routers
from containernet.services.routers import Routers

HERE = (4026531840, 7)


class Listener:
    """Routers, and what they have told: the time, and the DNS servers and domains that hold."""

    def __init__(self) -> None:
        self.hand, self.watch = Hand(), Said(5)
        self.told: list[tuple[float, tuple[int, int], set[str]]] = []
        self.routers = Routers(self.hand, self.hand.now, self.watch, lambda *_: None, self._named)

    def _named(self, where: tuple[int, int], held: Lease | None) -> None:
        self.told.append((self.hand.time, where, {*held.dns, *held.search} if held else set()))

    def says(self, *options: bytes, where: tuple[int, int] = HERE) -> None:
        """Let a router say something."""
        self.watch.news_to_come += [f"option {where[0]} {where[1]} {one.hex()}" for one in options]
        self.hand.watched[5]()


@pytest.fixture(name="one")
def _one() -> Listener:
    return Listener()


def test_each_part_ends_in_its_time(one: Listener) -> None:
    one.says(servers(100, ONE), servers(200, TWO), domains(300, "a.example"))
    assert one.told[-1] == (0.0, HERE, {ONE, TWO, "a.example"})
    one.told.clear()
    one.hand.until(1000.0)
    assert one.told == [(100.0, HERE, {TWO, "a.example"}), (200.0, HERE, {"a.example"}), (300.0, HERE, set())]
    assert not one.hand.timers


def test_however_often_it_is_said_one_end_is_awaited(one: Listener) -> None:
    for _ in range(1000):
        one.says(servers(600, ONE))
        one.hand.until(one.hand.time + 1)
    assert len(one.told) == len(one.hand.timers) == 1


def test_what_ends_as_something_else_is_said_is_told(one: Listener) -> None:
    one.says(servers(100, ONE))
    one.hand.time = 150.0  # the loop was late
    one.says(domains(300, "a.example"))
    assert one.told[-1] == (150.0, HERE, {"a.example"})


def test_of_who_has_gone_nothing_is_awaited(one: Listener) -> None:
    one.says(servers(100, ONE))
    one.routers.forget(HERE)
    assert not one.hand.timers
    one.says(servers(100, ONE))
    one.routers.end()
    assert not one.hand.timers


def test_only_so_many_are_heard(one: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routers, "MOST", 3)
    for index in range(10):
        one.says(servers(100, ONE), where=(1, index))
    assert len(one.hand.timers) == 3
    one.told.clear()
    one.hand.until(100.0)
    assert [where[1] for _, where, _ in one.told] == [7, 8, 9]
