"""What the DHCP service has written: one writing at a time, the last word on each, and what becomes of refusals."""

from __future__ import annotations

import pytest
from test_leasing_kit import DB, WEB, Desk, code, lease, lessee, word

from containernet.kernel.door import OTHER, KernelError
from containernet.model.errors import Conflict, ContainerNetError, Different, Missing, Taken
from containernet.services.door import ERROR

TAKEN = Taken("store-locked", "Another cnet is at work.")
REFUSED = Conflict("address-taken", "198.51.100.20 was leased to web_lan, but db_lan has it.", "Is it in the range?")


def test_a_lease_is_written_once_for_keeping_and_using_it() -> None:
    desk = Desk(lessee()).start()
    desk.get()
    desk.settle()
    assert desk.batches == [(word(7, lease(), used=True),)]


def test_a_renewed_lease_goes_on_being_used() -> None:
    desk = Desk(lessee(lease=lease(), configured=True)).start()
    desk.turn(lambda: desk.engine.hands.save(WEB, lease(began=300.0)))
    desk.settle()
    assert desk.batches == [(word(7, lease(began=300.0), used=True),)]


def test_a_lease_that_ends_is_taken_out() -> None:
    desk = Desk(lessee(lease=lease(), configured=True)).start()
    desk.lose()
    desk.settle()
    assert desk.batches == [(word(7, None, used=False),)]
    assert WEB in desk.engine, "it goes on asking"


def test_one_writing_at_a_time_and_the_last_word_counts() -> None:
    desk = Desk(lessee(), lessee(8)).start()
    desk.get(WEB, 20)
    end = desk.do()
    for last in (21, 22, 23):
        desk.get(WEB, last)
    desk.get(DB, 30)
    desk.lose(DB)
    assert desk.hand.works == []
    end()
    assert len(desk.hand.works) == 1
    desk.do()()
    assert desk.batches == [
        (word(7, lease(20), used=True),),
        (word(7, lease(23), used=True), word(8, None, used=False)),
    ]


def test_what_many_clients_got_in_one_turn_is_one_writing() -> None:
    desk = Desk(*map(lessee, range(10, 60))).start()
    hands = desk.engine.hands
    desk.turn(*(lambda key=one.key: hands.configure(key, lease(), None) for one in desk.store.values()))  # type: ignore[misc]
    desk.settle()
    assert [len(batch) for batch in desk.batches] == [50]


def test_nothing_is_written_of_who_is_gone() -> None:
    desk = Desk(lessee(), lessee(8)).start()
    desk.get(DB)
    end = desk.do()
    desk.get(WEB)
    desk.take(WEB)
    desk.hear()
    desk.do()()
    end()
    desk.settle()
    assert desk.batches == [(word(8, lease(), used=True),)]


# --- a lock that is taken ---


def test_while_the_lock_is_taken_words_wait_and_none_is_lost() -> None:
    desk = Desk(lessee(), lessee(8)).start()
    desk.locked = TAKEN
    desk.get(WEB)
    desk.settle()
    assert desk.service.health().state == "failing"
    assert desk.service.health().sentence == TAKEN.sentence
    assert desk.hand.works == [], "not again at once"
    desk.hand.until(0.4)
    assert desk.hand.works == []
    desk.hand.until(0.5)
    desk.settle()
    desk.get(DB)
    desk.locked = None
    desk.settle()
    assert desk.batches[-1] == (word(7, lease(), used=True), word(8, lease(), used=True))
    assert desk.service.health().state == "ok"
    assert desk.engine.taken() == [f"add {WEB}", f"add {DB}"], "nobody was told that it failed"
    desk.hand.until(60)
    assert desk.hand.works == []


def test_words_that_failed_give_way_to_newer_ones() -> None:
    desk = Desk(lessee()).start()
    desk.locked = TAKEN
    desk.get(last=20)
    end = desk.do()
    desk.get(last=21)
    end()
    desk.locked = None
    desk.hand.until(0.5)
    desk.settle()
    assert desk.batches[1:] == [(word(7, lease(21), used=True),)]


def test_single_words_that_come_upon_the_lock_wait_too_and_are_not_hurried() -> None:
    desk = Desk(lessee(), lessee(8)).start()
    desk.refused[WEB] = TAKEN
    desk.turn(*(lambda key=key: desk.engine.hands.configure(key, lease(), None) for key in (WEB, DB)))  # type: ignore[misc]
    desk.do()()
    assert [one for one in desk.hand.works if one[0].__name__ != "_read"] == [], "not again at once"
    desk.settle()
    desk.hand.until(0.5)
    desk.settle()
    assert [len(batch) for batch in desk.batches] == [2, 1]
    desk.refused.clear()
    desk.hand.until(1.0)
    desk.settle()
    assert desk.batches[-1] == (word(7, lease(), used=True),)


def test_an_old_word_that_waited_does_not_come_after_a_newer_one() -> None:
    """One that is given back as the writing of another ends, while the lease it had waits for the lock."""
    desk = Desk(lessee(), lessee(8)).start()
    desk.refused[WEB] = TAKEN
    desk.turn(*(lambda key=key: desk.engine.hands.configure(key, lease(), None) for key in (DB, WEB)))  # type: ignore[misc]
    desk.refused[DB] = REFUSED
    desk.ask("release")
    desk.engine.clients.pop(WEB)  # its RELEASE has left
    end = desk.do()
    desk.refused.clear()
    end()  # that of DB has failed, and what became of WEB is said along with it
    desk.settle()
    desk.hand.until(5)
    desk.settle()
    said = [one for batch in desk.batches for one in batch if one.endpoint == 7]
    assert said[-1] == word(7, None, used=False, released=True)
    assert WEB not in desk.store


# --- other errors ---


@pytest.mark.parametrize(
    "error", [REFUSED, Missing("disk-full", "There is no space left."), KernelError(OTHER, "The kernel refused.")]
)
def test_what_cannot_be_written_is_logged_and_the_client_begins_again(error: ContainerNetError) -> None:
    desk = Desk(lessee(), lessee(8)).start()
    answers = desk.ask("lease", "web_lan")
    desk.settle()
    desk.refused[WEB] = error
    desk.turn(*(lambda key=key: desk.engine.hands.configure(key, lease(), None) for key in (WEB, DB)))  # type: ignore[misc]
    desk.do()()
    desk.refused.clear()
    desk.settle()
    assert answers == [error]
    assert desk.hand.lines == [(ERROR, f"web_lan: {error.sentence} {error.hint}".rstrip())]
    assert desk.engine.calls[2:] == [f"failed {WEB}"]
    assert (desk.store[DB].configured, desk.store[WEB].configured) == (True, False)
    assert desk.service.health().figures[0] == ("leased", 1)


def test_an_address_whose_client_begins_again_is_not_left_behind() -> None:
    """The one before: the server has refused it, and the word on that was overtaken by the one that failed."""
    desk = Desk(lessee(lease=lease(20), configured=True)).start()
    desk.locked = TAKEN
    desk.lose(reason="refused")
    desk.settle()
    desk.get(last=21)
    desk.settle()
    desk.locked, desk.refused[WEB] = None, REFUSED
    desk.hand.until(desk.hand.time + 0.5)
    desk.do()()
    assert desk.engine.taken() == [f"add {WEB}", f"failed {WEB}"]
    desk.refused.clear()
    desk.settle()
    assert (desk.store[WEB].lease, desk.store[WEB].configured) == (None, False)


@pytest.fixture
def overdue() -> Desk:
    """A desk with an address that could not be taken off when its lease had ended."""
    desk = Desk(lessee(lease=lease(), configured=True)).start()
    desk.refused[WEB] = Different("kernel-other", "The kernel refused.")
    desk.lose()
    desk.settle()
    assert desk.logged() == ["web_lan: The kernel refused."]
    return desk


def test_a_lease_that_cannot_be_taken_out_is_no_reason_to_begin_again(overdue: Desk) -> None:
    assert overdue.engine.taken() == [f"add {WEB}"]


def test_an_address_that_could_not_be_taken_off_is_not_used_for_ever(overdue: Desk) -> None:
    overdue.hand.until(30)
    overdue.settle()
    overdue.refused.clear()
    overdue.hand.until(60)
    overdue.settle()
    assert (overdue.store[WEB].lease, overdue.store[WEB].configured) == (None, False)
    assert len(overdue.batches) == 3
    overdue.hand.until(600)
    overdue.settle()
    assert len(overdue.batches) == 3


def test_unless_there_is_another_since_or_nobody_to_have_it(overdue: Desk) -> None:
    overdue.refused.clear()
    overdue.get(last=21)
    overdue.settle()
    overdue.hand.until(30)
    overdue.settle()
    assert overdue.store[WEB].lease == lease(21)
    overdue.refused[WEB] = Different("kernel-other", "The kernel refused.")
    overdue.lose()
    overdue.settle()
    overdue.take(WEB)
    overdue.settle()
    overdue.service.stop()
    overdue.hand.until(600)
    assert overdue.hand.works == []


def test_what_cannot_be_given_back_in_the_store_is_leased_for_again() -> None:
    desk = Desk(lessee(lease=lease(), configured=True)).start()
    desk.refused[WEB] = Different("kernel-other", "The kernel refused.")
    answers = desk.ask("release")
    desk.give_back()
    desk.settle()
    assert code(answers) == "kernel-other"
    assert WEB in desk.engine


def test_a_fault_of_ours_in_writing_is_told_and_tried_again() -> None:
    desk = Desk(lessee()).start()
    desk.get()
    _, done = desk.hand.works.pop()
    done(None, ZeroDivisionError("division by zero"))
    assert "ZeroDivisionError" in desk.service.health().sentence
    desk.hand.until(0.5)
    desk.settle()
    assert desk.store[WEB].configured
    assert desk.service.health().state == "ok"


def test_stopped_while_it_writes() -> None:
    desk = Desk(lessee()).start()
    answers = desk.ask("lease")
    desk.settle()
    desk.get()
    end = desk.do()
    desk.get(last=21)
    desk.service.stop()
    end()
    assert code(answers) == "service-stopped"
    desk.hand.until(60)
    assert desk.hand.works == []
    assert desk.store[WEB].lease == lease(), "what is under way is done"
