"""The service `repair` on a reactor whose time the test makes: what it hears, does, and says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_agent_kit import CALM, NOTHING, Hand, Net, Said

from containernet.model.errors import Different, Taken
from containernet.model.record import replace
from containernet.model.views import RepairView
from containernet.services.account import CALM as PEACE
from containernet.services.account import HELD, LINES, Account, Found
from containernet.services.door import ERROR, FAILING, HELD_BACK, NOTICE, OK, STOPPED, WARNING
from containernet.services.passes import SLOW
from containernet.services.repair import DOUBTS, Repair, Watches


class Setup:
    """The service with its surroundings."""

    def __init__(self) -> None:
        self.hand, self.net = Hand(), Net()
        self.host, self.table, self.inside, self.names = (Said(number) for number in range(4))
        watches = Watches((self.host, self.table), (self.inside,), self.names, "/run/netns")
        self.service = Repair(self._named, lambda: frozenset({"/run/netns/c1"}), lambda: watches)
        self.service.start(self.hand)

    def _named(self, notes: Any) -> Net:
        self.notes = notes
        return self.net

    def tell(self, watch: Said, *news: str) -> None:
        """Let a watch say something, as the kernel would."""
        watch.news_to_come += news
        if call := self.hand.watched.get(watch.descriptor):
            call()

    def settled(self) -> None:
        """Do all passes that come of what has happened."""
        self.hand.until(self.hand.time + 0.2)
        while self.hand.works_off():
            self.hand.until(self.hand.time + 0.2)

    @property
    def passes(self) -> int:
        return dict(self.service.health().figures)["passes"]


@pytest.fixture
def setup() -> Setup:
    """The service after its first pass."""
    made = Setup()
    made.settled()
    assert made.net.calls == ["status"]
    made.net.calls.clear()
    return made


def test_a_calm_host_is_only_looked_at(setup: Setup) -> None:
    setup.hand.until(setup.hand.time + SLOW - 1)
    assert setup.hand.works == []
    setup.hand.until(setup.hand.time + 2)
    setup.settled()
    assert setup.net.calls == ["status"]
    assert setup.service.health().state == OK
    assert setup.hand.lines == []


def test_a_stranger_is_mended_after_and_what_was_mended_is_said(setup: Setup) -> None:
    setup.net.done = [RepairView(("ip link add cn-1",), (), (), ()), NOTHING]
    setup.tell(setup.host, "cn-1")
    setup.settled()
    assert setup.net.calls == ["repair"]
    assert setup.hand.lines == [(NOTICE, "mended: ip link add cn-1")]
    setup.service.changed()  # our own commit
    setup.tell(setup.host, "cn-1")  # our own change
    setup.settled()
    assert setup.net.calls == ["repair", "status"]
    calls = list(setup.net.calls)
    setup.settled()
    assert setup.net.calls == calls
    assert setup.passes == 3


def test_what_a_verb_did_during_a_look_is_not_taken_for_a_strangers_work(setup: Setup) -> None:
    drift = replace(CALM, drift=("ip address add",))
    seen = [drift] * (DOUBTS + 1)

    def status() -> Any:
        setup.net.calls.append("status")
        if seen:
            setup.service.changed()  # the verb's commit, while we look
            return seen.pop()
        return CALM

    setup.net.status = status  # type: ignore[method-assign]
    seen[:] = [drift]
    setup.tell(setup.inside, "inside 0")
    setup.settled()
    assert setup.net.calls == ["status", "status"]
    seen[:] = [drift] * (DOUBTS + 1)
    setup.tell(setup.inside, "inside 0")
    while seen:
        setup.hand.until(setup.hand.time + 1)
        setup.hand.works_off()
    assert setup.net.calls[-1] == "repair", "it is not put off for ever"


def test_while_a_pass_is_due_for_containers_they_are_not_listened_to(setup: Setup) -> None:
    setup.tell(setup.inside, "inside 0")
    assert set(setup.hand.watched) == {0, 1, 3}
    setup.tell(setup.host, "cn-1")
    assert set(setup.hand.watched) == {0, 1, 3}
    setup.inside.news_to_come += ["inside 0"] * 100
    setup.hand.until(setup.hand.time + 0.2)
    assert {0, 1, 2} <= set(setup.hand.watched)
    assert setup.inside.news_to_come == [], "what was said before a pass began is read away"
    assert setup.hand.works_off() == 1


def test_names_of_strangers_are_nobodys_business(setup: Setup) -> None:
    setup.tell(setup.names, "/run/netns/other")
    setup.settled()
    assert setup.net.calls == []
    setup.tell(setup.names, "/run/netns/c1")
    setup.settled()
    assert setup.net.calls == ["repair"]
    setup.tell(setup.names, "/run/netns")  # the folder itself, or "everything"
    setup.settled()
    assert setup.net.calls[:2] == ["repair", "repair"]


def test_a_name_that_has_come_is_looked_for_again(tmp_path: Path) -> None:
    made = Setup()
    made.settled()
    (tmp_path / "c1").touch()
    made.service._shift._paths = frozenset({str(tmp_path / "c1")})  # type: ignore[union-attr]
    made.tell(made.names, str(tmp_path / "c1"))
    made.settled()
    made.hand.until(made.hand.time + 1)
    made.settled()
    assert made.passes == 4  # the first, at once, and two more


def test_a_failure_is_said_once_and_its_end(setup: Setup) -> None:
    wrong = Taken("table-taken", "There is a table.", "Delete it.")
    setup.net.done = [wrong] * 3 + [NOTHING]
    setup.net.seen = [replace(CALM, drift=("x",))] * 3 + [CALM]
    setup.tell(setup.table, "our table")
    for _ in range(3):
        setup.hand.until(setup.hand.time + 0.5)
        setup.hand.works_off()
        assert setup.service.health().state == FAILING
    assert setup.service.health().sentence == "There is a table."
    assert setup.hand.lines == [(ERROR, "There is a table. Delete it.")]
    setup.hand.until(setup.hand.time + 30)
    setup.hand.works_off()
    assert setup.service.health().state == OK or setup.hand.works_off()
    setup.hand.until(setup.hand.time + 30)
    setup.hand.works_off()
    assert setup.hand.lines[1] == (NOTICE, "It works again.")
    assert setup.service.health().state == OK


def test_a_bug_in_a_verb_ends_nothing(setup: Setup) -> None:
    setup.net.done = [RuntimeError("boom"), NOTHING]
    setup.tell(setup.host, "cn-1")
    setup.hand.until(setup.hand.time + 0.2)
    assert setup.hand.works_off() == 1
    assert setup.service.health().state == FAILING
    assert "boom" in setup.service.health().sentence
    assert any("Traceback" in line for _, line in setup.hand.lines)
    setup.settled()
    assert setup.service.health().state == OK


def test_what_verbs_note_is_said(setup: Setup) -> None:
    setup.notes.note("'join' of pid 7 was interrupted; it is undone.")
    setup.tell(setup.host, "cn-1")
    setup.settled()
    assert setup.hand.lines == [(WARNING, "'join' of pid 7 was interrupted; it is undone.")]


def test_stop_lets_go_of_everything_and_start_begins_anew(setup: Setup) -> None:
    setup.tell(setup.host, "cn-1")
    setup.hand.until(setup.hand.time + 0.2)
    assert len(setup.hand.works) == 1
    setup.service.stop()
    setup.service.stop()
    assert setup.hand.timers == []
    assert setup.hand.watched == {}
    assert all(one.closed for one in (setup.host, setup.table, setup.inside, setup.names))
    assert setup.service.health().state == STOPPED
    setup.service.changed()
    setup.service.look()
    assert setup.hand.works_off() == 1  # it ends by itself, and nobody hears of it
    assert setup.hand.timers == []
    for one in (setup.host, setup.table, setup.inside, setup.names):
        one.closed = False
    setup.service.start(setup.hand)
    setup.service.start(setup.hand)
    assert len(setup.hand.timers) == 1
    setup.settled()
    assert setup.service.health().state == OK


# --- the books ---


def test_the_log_of_a_pass_is_bounded_and_each_thing_is_one_line() -> None:
    done = RepairView(tuple(f"line {n}\nmore" for n in range(1000)), ("c1_n1",), ("c2_n1",), ("c3_n1",))
    lines = Account().enter(Found(frozenset(), 0.1, 1, done), False)
    assert len(lines) == LINES + 1
    assert lines[0] == (NOTICE, "freed: c1_n1 (its container is gone)")
    assert lines[1] == (NOTICE, "restored: c2_n1")
    assert lines[-1] == (NOTICE, "and 802 more")
    assert all(line.isprintable() for _, line in lines)


def test_being_held_back_is_said_once() -> None:
    account = Account()
    found = Found(frozenset(), 0.1)
    assert account.enter(found, True) == [(WARNING, HELD)]
    assert account.enter(found, True) == []
    assert account.health().state == HELD_BACK
    assert account.enter(found, False) == [(NOTICE, PEACE)]
    assert account.enter(found, False) == []


def test_a_container_that_came_or_went_is_no_fight() -> None:
    assert Found(frozenset(), 0.1, 0, RepairView(("x",), (), (), ())).fought
    assert not Found(frozenset(), 0.1, 0, RepairView(("x",), ("c1_n1",), (), ())).fought
    assert not Found(frozenset(), 0.1, 0, RepairView(("x",), (), ("c1_n1",), ())).fought
    assert not Found(frozenset(), 0.1, 0, NOTHING).fought
    assert Found(None, 0.1, 0, None, Different("repair-incomplete", "x")).stuck
