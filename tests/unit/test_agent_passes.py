"""When `repair` looks and mends: the pure machine; the test makes the time."""

from __future__ import annotations

import pytest

from containernet.services.passes import (
    AGAIN,
    DUTY,
    FREE,
    HOST,
    INSIDE,
    LEAST,
    LONGEST_REST,
    LOOK,
    MEND,
    MOST,
    PUT_OFF,
    ROW,
    SETTLE,
    SLOW,
    Passes,
    Result,
)

QUICK = Result(0.001)
MENDED = Result(0.001, mended=True)
FAILED = Result(0.001, failed=True)
STUCK = Result(0.001, stuck=True)


def begun(now: float = 100.0, result: Result = QUICK) -> Passes:
    """A machine whose first pass is over."""
    passes = Passes(now - 0.01)
    assert passes.begin(now - 0.01) == LOOK
    passes.end(now, result)
    return passes


def test_the_first_pass_comes_at_once_and_looks() -> None:
    passes = Passes(5.0)
    assert passes.due() == 5.0
    assert passes.begin(5.0) == LOOK
    assert passes.begin(5.0) == "", "one at a time"


def test_where_nothing_happens_a_look_comes_slowly() -> None:
    passes = begun(100.0)
    assert passes.due() == 100.0 + SLOW
    assert passes.begin(100.0 + SLOW - 0.1) == ""
    assert passes.begin(100.0 + SLOW) == LOOK


@pytest.mark.parametrize("voice", [HOST, INSIDE])
def test_an_event_settles_before_the_pass_and_its_followers_do_not_put_it_off(voice: str) -> None:
    passes = begun(199.0)
    passes.tell(200.0, voice)
    for ms in range(1, 50):
        passes.tell(200.0 + ms / 1000, voice)
    assert passes.due() == pytest.approx(200.0 + SETTLE)


def test_a_stranger_on_the_host_is_mended_after_at_once() -> None:
    passes = begun()
    passes.tell(200.0, HOST)
    assert passes.begin(201.0) == MEND


def test_a_verb_is_only_looked_after() -> None:
    passes = begun()
    passes.tell(200.0, HOST)
    passes.commit(200.005)
    assert passes.begin(201.0) == LOOK


def test_a_stranger_after_a_verb_is_a_stranger_and_what_trails_a_commit_is_not() -> None:
    passes = begun()
    passes.tell(200.0, HOST)
    passes.commit(200.005)
    passes.tell(200.006, HOST)
    assert passes.begin(200.1) == LOOK
    passes.end(200.2, Result(0.5))
    passes.commit(200.3)
    assert passes.due() == pytest.approx(200.2 + DUTY * 0.5)
    passes.tell(200.35, HOST)
    assert passes.due() == pytest.approx(200.35 + SETTLE), "no rest while a stranger is here"
    assert passes.begin(200.35 + SETTLE) == MEND


@pytest.mark.parametrize("voice", [HOST, INSIDE])
def test_while_verbs_follow_each_other_a_look_waits_until_they_pause(voice: str) -> None:
    passes, now = begun(), 120.0
    passes.commit(now)
    assert passes.due() == pytest.approx(now + SETTLE), "one verb puts off nothing"
    for _ in range(10):
        now += ROW / 2
        passes.commit(now)
        passes.tell(now + 0.001, voice)
        assert passes.due() == pytest.approx(now + ROW)
    passes.tell(now + 0.1, HOST)
    assert passes.due() == pytest.approx(now + 0.1 + SETTLE), "not for a stranger"


def test_a_row_of_verbs_without_an_end_is_looked_into() -> None:
    passes, now = begun(), 120.0
    while now <= 120.0 + 2 * PUT_OFF:
        passes.commit(now)
        now += ROW / 2
    assert passes.due() <= 120.0 + PUT_OFF


def test_a_container_is_only_looked_after() -> None:
    passes = begun()
    passes.tell(200.0, INSIDE)
    assert passes.begin(201.0) == LOOK


def test_passes_are_apart() -> None:
    passes = begun(100.0)
    passes.tell(100.0 - SETTLE, HOST)
    assert passes.due() == pytest.approx(100.0 + LEAST)
    passes = begun(100.0)
    passes.tell(100.0, HOST)
    assert passes.due() == pytest.approx(100.0 + SETTLE)


def test_what_happens_during_a_pass_asks_for_another() -> None:
    passes = begun()
    passes.tell(200.0, HOST)
    assert passes.begin(200.1)
    passes.tell(200.11, HOST)
    passes.end(200.2, MENDED)
    assert passes.due() == pytest.approx(200.2 + LEAST)
    assert passes.begin(200.26) == MEND
    passes.end(200.3, QUICK)
    assert passes.due() == 200.3 + SLOW, "a pass that finds nothing is the end of it"


def test_much_to_look_at_means_rest_but_not_for_strangers() -> None:
    slow = Result(0.5)
    for voice, when in ((INSIDE, 100.0 + DUTY * 0.5), (HOST, 100.0 + SETTLE)):
        passes = begun(100.0, slow)
        passes.tell(100.0, voice)
        assert passes.due() == pytest.approx(when)
    passes = begun(100.0, slow)
    passes.commit(100.0)
    assert passes.due() == pytest.approx(100.0 + DUTY * 0.5)
    passes = begun(100.0, Result(3600.0))
    passes.commit(100.0)
    assert passes.due() == 100.0 + LONGEST_REST


def test_failing_passes_come_ever_later_and_by_themselves() -> None:
    passes, now, pauses = Passes(0.0), 0.0, []
    for _ in range(15):
        assert passes.begin(now)
        passes.end(now, FAILED)
        pauses.append(passes.due() - now)
        now = passes.due()
    assert pauses[0] == pytest.approx(2 * LEAST)
    assert pauses[1] == pytest.approx(4 * LEAST)
    assert pauses[-1] == pytest.approx(MOST)
    assert passes.begin(now)
    passes.end(now, QUICK)
    passes.tell(now, HOST)
    assert passes.due() == pytest.approx(now + SETTLE), "one success, and all is forgotten"


def fought(voice: str, rounds: int, every: float = 0.1) -> tuple[Passes, float]:
    """Somebody changes back each time; return the machine and the time."""
    passes, now = begun(100.0), 100.0
    for _ in range(rounds):
        passes.tell(now, voice)
        now = max(passes.due(), now + every)
        assert passes.begin(now)
        passes.end(now, MENDED)
    return passes, now


@pytest.mark.parametrize("voice", [HOST, INSIDE])
def test_somebody_who_changes_back_is_followed_for_a_while_then_ever_more_slowly(voice: str) -> None:
    passes, now = fought(voice, FREE - 1)
    passes.tell(now, voice)
    assert passes.due() - now <= SETTLE + 0.001
    assert not passes.held_back(now)
    passes, now = fought(voice, FREE + 20)
    passes.tell(now, voice)
    assert passes.due() - now == pytest.approx(MOST)
    assert passes.held_back(now)
    passes, now = fought(voice, FREE + 100)
    passes.tell(now, voice)
    assert passes.due() - now == pytest.approx(MOST), "it stays so for as long as that goes on"


def test_a_container_that_fights_does_not_hold_up_the_host() -> None:
    passes, now = fought(INSIDE, FREE + 30)
    passes.tell(now, INSIDE)
    passes.tell(now, HOST)
    assert passes.due() == pytest.approx(now + SETTLE)
    assert passes.begin(now + SETTLE) == MEND


def test_peace_is_believed_after_a_while() -> None:
    passes, now = fought(HOST, FREE + 30)
    now += 3600.0
    assert not passes.held_back(now)
    assert passes.begin(now)
    passes.end(now, QUICK)
    passes.tell(now, HOST)
    assert passes.due() == pytest.approx(now + SETTLE)


def test_a_container_in_its_own_way_is_tried_again_ever_later_and_the_host_is_not() -> None:
    passes = begun()
    now = 200.0
    for _ in range(12):
        passes.tell(now, INSIDE)
        now = passes.due()
        assert passes.begin(now)
        passes.end(now, STUCK)
    assert passes.due() == pytest.approx(now + MOST)
    passes.tell(now, HOST)
    assert passes.due() == pytest.approx(now + SETTLE)


def test_a_namespace_that_has_come_is_looked_for_again() -> None:
    passes = begun(199.0)
    passes.tell(200.0, HOST, again=True)
    begins = []
    now = 200.0
    for _ in range(4):
        now = passes.due()
        assert passes.begin(now)
        begins.append(now - 200.0)
        passes.end(now + 0.001, QUICK)
    assert begins[:3] == pytest.approx([SETTLE, *AGAIN])
    assert begins[3] > 30


def test_somebody_who_asks_is_not_kept_waiting() -> None:
    passes, now = fought(HOST, FREE + 30)
    passes.urge()
    assert passes.due() <= now
    assert passes.begin(now)
    passes.urge()
    assert passes.begin(now) == "", "not while a pass is running"
    passes.end(now, QUICK)
    assert passes.begin(now)
