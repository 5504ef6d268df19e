"""Verbs that wait for the DHCP service: each is answered once, whatever happens meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from test_leasing_kit import WEB, Desk, code, lease, lessee

from containernet.model.errors import ContainerNetError, Different

HELD = {"lease": lease(), "configured": True}


def ended(desk: Desk) -> None:
    """Let all the time pass that anybody waits for."""
    desk.hand.until(desk.hand.time + 1000)


# --- an address ---


def test_who_waits_is_answered_when_the_address_is_written() -> None:
    desk = Desk().start()
    desk.put(lessee())
    answers = desk.ask("lease")  # it knows before it is told
    desk.settle()
    assert answers == []
    desk.get()
    end = desk.do()
    assert answers == []
    end()
    assert answers == ["done"]
    ended(desk)
    assert len(answers) == 1


def test_all_who_wait_are_answered_and_nobody_else() -> None:
    desk = Desk(lessee(), lessee(8)).start()
    web, other, db = desk.ask("lease"), desk.ask("lease"), desk.ask("lease", "db_lan")
    desk.get()
    desk.settle()
    assert (web, other, db) == (["done"], ["done"], [])


def test_a_lease_that_is_kept_and_not_used_is_none() -> None:
    desk = Desk(lessee()).start()
    answers = desk.ask("lease")
    desk.turn(lambda: desk.engine.hands.save(WEB, lease()))
    desk.settle()
    assert answers == []


def test_who_has_his_address_need_not_wait() -> None:
    desk = Desk(lessee(**HELD)).start()
    assert desk.ask("lease") == ["BOUND"]


def test_an_address_is_there_when_it_is_written_and_not_before() -> None:
    """The verb that has made the endpoint has the lock still, when the server has answered already."""
    desk = Desk(lessee()).start()
    desk.get()
    answers = desk.ask("lease")
    assert answers == []
    end = desk.do()
    assert answers == []
    more = desk.ask("lease")
    end()
    assert (answers, more) == (["done"], ["done"])


def test_an_endpoint_that_there_is_not() -> None:
    desk = Desk(lessee()).start()
    answers = desk.ask("lease", "nobody_lan")
    assert answers == []
    desk.settle()
    assert code(answers) == "not-leased"
    ended(desk)
    assert len(answers) == 1


def test_one_that_has_left_meanwhile() -> None:
    desk = Desk(lessee()).start()
    answers = desk.ask("lease")
    desk.settle()
    assert answers == []
    desk.take(WEB)
    desk.settle()
    assert code(answers) == "not-leased"


def test_a_reading_from_before_the_endpoint_was_there_tells_nobody_that_it_is_not() -> None:
    desk = Desk().start()
    desk.hear()
    end = desk.do()
    desk.put(lessee())
    answers = desk.ask("lease")
    end()
    assert answers == []
    desk.settle()
    desk.get()
    desk.settle()
    assert answers == ["done"]


def test_when_the_time_is_over() -> None:
    desk = Desk(lessee()).start()
    answers = desk.ask("lease", wait=7)
    desk.settle()
    desk.hand.until(6.9)
    assert answers == []
    desk.hand.until(7)
    assert code(answers) == "dhcp-silent"
    assert "within 7 seconds" in answers[0].sentence
    desk.get()
    desk.settle()
    assert len(answers) == 1


def test_a_store_that_cannot_be_read_leaves_him_waiting_till_then() -> None:
    desk = Desk().start()
    desk.unreadable = Different("store-damaged", "The store is damaged.")
    answers = desk.ask("lease")
    desk.settle()
    assert answers == []
    ended(desk)
    assert code(answers) == "dhcp-silent"


def test_who_has_lost_his_interface_has_no_address_till_he_is_back() -> None:
    desk = Desk(lessee(**HELD)).start()
    desk.vanish()
    answers = desk.ask("lease")
    desk.settle()
    assert answers == []
    desk.get()
    desk.settle()
    assert answers == ["done"]


@pytest.mark.parametrize("do", ["lease", "renew", "release", "farewell", "leases"])
def test_a_service_that_is_stopped(do: str) -> None:
    desk = Desk(lessee(**HELD))
    assert code(desk.ask(do)) == "dhcp-disabled"
    desk.start().service.stop()
    answers = desk.ask(do)
    assert code(answers) == "dhcp-disabled"
    assert "restart" in answers[0].hint


@pytest.mark.parametrize("do", ["lease", "renew", "release", "farewell", "leases"])
def test_a_service_that_is_off(do: str) -> None:
    desk = Desk()
    desk.on = False
    desk.start()
    answers = desk.ask(do)
    desk.settle()
    assert code(answers) == "dhcp-disabled"
    assert "enable" in answers[0].hint
    ended(desk)
    assert len(answers) == 1


def test_one_that_was_switched_on_a_moment_ago() -> None:
    """The verb that joins knows it; the service has not heard of it yet."""
    desk = Desk()
    desk.on = False
    desk.start()
    desk.on = True
    desk.put(lessee())
    answers = desk.ask("lease")
    desk.settle()
    desk.get()
    desk.settle()
    assert answers == ["done"]


def test_stopped_while_many_wait() -> None:
    desk = Desk(lessee(**HELD), lessee(8), lessee(9, **HELD)).start()
    all_of_them = [
        desk.ask("lease", "db_lan"), desk.ask("renew"), desk.ask("release"), desk.ask("farewell", "c9_lan", 0),
        desk.ask("farewell", "web_lan", 1),
    ]  # fmt: skip
    desk.service.stop()
    assert [code(answers) for answers in all_of_them] == ["service-stopped"] * 5
    desk.settle()
    ended(desk)
    assert [len(answers) for answers in all_of_them] == [1] * 5


# --- renewed ---


def test_renewed_by_a_newer_lease_only() -> None:
    desk = Desk(lessee(**HELD)).start()
    desk.engine.time = 50.0
    answers = desk.ask("renew")
    assert desk.engine.taken() == [f"add {WEB}", f"renew {WEB}"]
    desk.get(began=49.9)
    desk.settle()
    assert answers == []
    desk.get(began=50.0)
    desk.settle()
    assert answers == ["done"]


def test_a_server_that_does_not_renew() -> None:
    desk = Desk(lessee(**HELD)).start()
    desk.engine.time = 50.0
    answers = desk.ask("renew", wait=3)
    desk.hand.until(3)
    assert code(answers) == "dhcp-silent"
    assert "renewed" in answers[0].sentence


def test_who_is_not_leased_for_is_not_renewed() -> None:
    desk = Desk(lessee()).start()
    for do in ("renew", "release"):
        answers = desk.ask(do, "nobody\x1b_lan")
        assert code(answers) == "not-leased"
        assert "\x1b" not in answers[0].sentence


def test_who_has_lost_his_interface_is_renewed_when_he_is_back_and_looked_for_at_once() -> None:
    desk = Desk(lessee(**HELD)).start()
    desk.engine.time = 50.0
    desk.vanish()
    answers = desk.ask("renew")
    desk.settle()
    assert WEB in desk.engine
    desk.get(began=51.0)
    desk.settle()
    assert answers == ["done"]


def test_who_is_leaving_is_not_renewed() -> None:
    desk = Desk(lessee(**HELD)).start()
    desk.ask("farewell", "web_lan", 0)
    desk.give_back()
    answers = desk.ask("renew")
    desk.settle()
    assert WEB not in desk.engine
    desk.take(WEB)
    desk.settle()
    assert code(answers) == "not-leased"


# --- whatever comes ---


def test_a_service_lives_on_whatever_is_asked() -> None:
    """Every question in every state of a client is answered once, and by no fault of ours."""
    states: dict[str, Any] = {
        "there": lambda desk: None,
        "leased": lambda desk: desk.get(),
        "lost": lambda desk: desk.vanish(),
        "releasing": lambda desk: desk.ask("release"),
        "given back": lambda desk: (desk.ask("release"), desk.give_back()),
        "leaving": lambda desk: desk.ask("farewell", "web_lan", 0),
        "left": lambda desk: (desk.ask("farewell", "web_lan", 0), desk.give_back()),
        "gone": lambda desk: desk.take(WEB),
        "unreadable": lambda desk: setattr(desk, "unreadable", Different("store-damaged", "Damaged.")),
    }
    for name, bring in states.items():
        for do in ("lease", "renew", "release", "farewell", "leases"):
            for soon in (False, True):
                desk = Desk(lessee()).start()
                bring(desk)
                if not soon:
                    desk.settle()
                answers = desk.ask(do, "" if do == "leases" else "web_lan", 1)
                for _ in range(20):
                    desk.settle()
                    desk.hand.until(desk.hand.time + 1)
                ended(desk)
                assert len(answers) == 1 or (desk.unreadable and do == "farewell"), (name, do, soon)
                wrong = [one for one in answers if isinstance(one, ContainerNetError) and one.kind == "bug"]
                assert not wrong, (name, do, soon)
