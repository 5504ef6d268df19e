"""Leases that are given back: to do without, or on the way out."""

from __future__ import annotations

import pytest
from test_leasing_kit import DB, WEB, Desk, code, lease, lessee, word

from containernet.model.record import replace

HELD = {"lease": lease(), "configured": True}


def ended(desk: Desk) -> None:
    """Let all the time pass that anybody waits for."""
    desk.hand.until(desk.hand.time + 1000)


# --- to do without ---


def test_a_lease_is_given_back_when_that_is_written() -> None:
    desk = Desk(lessee(**HELD)).start()
    answers = desk.ask("release")
    assert desk.engine.taken() == [f"add {WEB}", f"release {WEB}"]
    assert answers == []
    desk.give_back()
    assert answers == []
    desk.settle()
    assert answers == ["done"]
    assert desk.batches == [(word(7, None, used=False, released=True),)]
    ended(desk)
    assert len(answers) == 1


def test_who_has_no_lease_wants_none_any_more() -> None:
    desk = Desk(lessee()).start()
    desk.vanish()
    answers = desk.ask("release")
    desk.settle()
    assert answers == ["done"]
    assert desk.batches == [(word(7, None, used=False, released=True),)]
    ended(desk)
    desk.settle()
    assert WEB not in desk.engine


def test_given_back_twice_is_given_back() -> None:
    desk = Desk(lessee(**HELD)).start()
    answers = [desk.ask("release"), desk.ask("release")]
    desk.give_back()
    desk.settle()
    assert answers == [["done"], ["done"]]


def test_a_release_that_never_ends_is_told() -> None:
    desk = Desk(lessee(**HELD)).start()
    answers = desk.ask("release")
    ended(desk)
    assert code(answers) == "dhcp-silent"


def test_moved_while_it_is_given_back() -> None:
    desk = Desk(lessee(**HELD)).start()
    answers = desk.ask("release")
    desk.put(replace(lessee(**HELD), interface="lan0"))
    desk.settle()
    assert answers == ["done"]
    assert desk.engine.taken() == [f"add {WEB}", f"release {WEB}", f"remove {WEB}"]
    assert WEB not in desk.store


def test_asked_for_again_while_it_is_given_back() -> None:
    """Then it is given back first: nobody is left with half of each."""
    desk = Desk(lessee(**HELD)).start()
    released, renewed = desk.ask("release"), desk.ask("renew")
    desk.give_back()
    more = desk.ask("renew")
    desk.settle()
    assert (released, code(renewed), code(more)) == (["done"], "not-leased", "not-leased")
    assert WEB not in desk.engine


# --- on the way out ---


def test_who_leaves_is_gone_when_his_release_has_left() -> None:
    desk = Desk(lessee(**HELD), lessee(8, **HELD), lessee(9)).start()
    desk.engine.taken()
    answers = desk.ask("farewell", "web_lan\ndb_lan", 0)
    assert sorted(desk.engine.taken()) == [f"release {WEB}", f"release {DB}"]
    desk.give_back(DB)
    assert answers == []
    desk.give_back(WEB)
    assert answers == ["done"]
    desk.settle()
    assert desk.batches == []
    ended(desk)
    assert len(answers) == 1


def test_nobody_is_kept_from_leaving_by_a_client_that_does_not_end() -> None:
    desk = Desk(lessee(**HELD)).start()
    answers = desk.ask("farewell", "web_lan", 0)
    desk.hand.until(3)
    assert answers == ["done"]


@pytest.mark.parametrize("wait", [0, 1])
def test_who_was_to_leave_and_is_still_there_is_forgiven(wait: int) -> None:
    desk = Desk(lessee(**HELD)).start()
    answers = desk.ask("farewell", "web_lan", wait)
    desk.settle()
    desk.give_back()
    assert answers == ["done"]
    desk.hear()
    desk.settle()
    desk.hand.until(9.9)
    desk.settle()
    assert WEB not in desk.engine
    desk.hand.until(10)
    desk.settle()
    assert desk.engine.clients[WEB][3:] == (lease(), True)
    assert desk.batches == []


def test_who_tries_to_leave_again_is_not_forgiven_meanwhile() -> None:
    desk = Desk(lessee(**HELD)).start()
    desk.ask("farewell", "web_lan", 0)
    desk.give_back()
    desk.hand.until(9)
    assert desk.ask("farewell", "web_lan", 0) == ["done"]
    desk.hand.until(18.9)
    desk.settle()
    assert WEB not in desk.engine
    desk.hand.until(19)
    desk.settle()
    assert WEB in desk.engine


def test_who_has_moved_leaves_from_where_he_is_now() -> None:
    desk = Desk(lessee(**HELD)).start()
    desk.engine.taken()
    desk.put(replace(lessee(**HELD), place=replace(lessee().place, path="/proc/5/fd/7")))
    answers = desk.ask("farewell", "web_lan", 1)
    assert desk.engine.taken() == []
    desk.settle()
    assert desk.engine.taken() == [f"remove {WEB}", f"add {WEB}", f"release {WEB}"]
    desk.give_back()
    assert answers == ["done"]


def test_a_service_that_has_just_begun_gives_back_what_it_is_told_of_first() -> None:
    """It has not read the store yet; what is there is nobody's else to give back."""
    desk = Desk(lessee(**HELD))
    desk.service.start(desk.hand)
    answers = desk.ask("farewell", "web_lan", 0)
    assert answers == []
    desk.settle()
    assert desk.engine.taken() == [f"add {WEB}", f"release {WEB}"]
    desk.give_back()
    assert answers == ["done"]


def test_nobody_waits_for_who_is_not_there() -> None:
    desk = Desk(lessee(8)).start()
    answers = desk.ask("farewell", "web_lan\nnobody_lan", 0)
    desk.settle()
    assert answers == ["done"]
