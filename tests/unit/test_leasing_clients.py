"""Who has a client of the DHCP service: as the store says, and whatever the store says too late."""

from __future__ import annotations

import pytest
from test_leasing_kit import DB, WEB, Desk, lease, lessee

from containernet.model.errors import Different
from containernet.model.network import Place
from containernet.model.record import replace
from containernet.services.dhcp4.words import Setup


def test_clients_come_and_go_as_the_store_says() -> None:
    desk = Desk().start()
    assert desk.engine.clients == {}
    desk.put(lessee(7), lessee(8))
    desk.settle()
    assert desk.engine.taken() == [f"add {WEB}", f"add {DB}"]
    desk.take(WEB)
    desk.settle()
    assert desk.engine.taken() == [f"remove {WEB}"]
    desk.put(replace(lessee(8), lease=lease(), configured=True))
    desk.settle()
    assert desk.engine.taken() == [], "what it has written itself is no news"


def test_a_client_begins_with_what_is_stored() -> None:
    one = lessee(lease=lease(), configured=True)
    desk = Desk(one).start()
    assert desk.engine.clients[WEB] == (one.place, "eth0", one.setup, lease(), True)


@pytest.mark.parametrize(
    "change",
    [
        {"place": Place("/run/netns/web", 999)},
        {"place": Place("/proc/5/fd/7", 107)},
        {"interface": "lan0"},
        {"setup": Setup(b"\2" * 6, b"\xff\7", "shop", 1500)},
    ],
)
def test_another_place_or_setup_is_another_client(change: dict[str, object]) -> None:
    desk = Desk(lessee(), lessee(8)).start()
    desk.engine.taken()
    desk.put(replace(lessee(), **change))
    desk.settle()
    assert desk.engine.taken() == [f"remove {WEB}", f"add {WEB}"]
    assert desk.engine.clients[WEB][:3] == (desk.store[WEB].place, desk.store[WEB].interface, desk.store[WEB].setup)


def test_the_store_is_read_once_at_a_time_and_once_more_for_all_that_came_meanwhile() -> None:
    desk = Desk().start()
    desk.hear()
    end = desk.do()
    for number in (7, 8, 9):
        desk.put(lessee(number))
        desk.hear()
    assert desk.hand.works == []
    end()
    assert len(desk.hand.works) == 1
    assert desk.engine.clients == {}
    desk.settle()
    assert set(desk.engine.clients) == {WEB, DB, "9/4"}


def test_who_writes_much_does_not_keep_it_reading() -> None:
    desk = Desk().start()
    desk.hear()
    end = desk.do()
    desk.hand.time = 0.5  # so long did it take
    end()
    desk.put(lessee())
    desk.hear()
    assert desk.hand.works == []
    desk.hand.until(5.4)
    assert desk.hand.works == []
    desk.hand.until(5.5)
    assert len(desk.hand.works) == 1
    desk.settle()
    assert WEB in desk.engine


def test_a_store_that_cannot_be_read_is_tried_again() -> None:
    desk = Desk(lessee())
    desk.unreadable = Different("store-damaged", "The store is damaged.")
    desk.start()
    assert desk.logged() == ["dhcp: The store is damaged."]
    assert desk.engine.clients == {}
    desk.unreadable = None
    desk.hand.until(2.0)
    desk.settle()
    assert WEB in desk.engine


def test_switched_off_and_on_again() -> None:
    desk = Desk(lessee(lease=lease(), configured=True)).start()
    desk.on = False
    desk.hear()
    desk.settle()
    assert desk.engine.taken() == [f"add {WEB}", f"remove {WEB}"]
    assert desk.batches == [], "addresses stay"
    assert desk.service.health().state == "off"
    desk.on = True
    desk.hear()
    desk.settle()
    assert desk.engine.clients[WEB][3:] == (lease(), True)


# --- what the store said before something was written ---


def test_a_stale_reading_does_not_bring_back_who_is_leaving() -> None:
    desk = Desk(lessee(lease=lease(), configured=True)).start()
    desk.hear()
    end = desk.do()  # the store as it was before the verb
    answers = desk.ask("farewell", "web_lan", 0)
    desk.give_back()
    assert answers == ["done"]
    end()
    assert WEB not in desk.engine
    desk.take(WEB)
    desk.settle()
    assert WEB not in desk.engine
    assert desk.batches == [], "what leaves is nobody's to write"


def test_a_stale_reading_does_not_bring_back_what_was_given_back() -> None:
    desk = Desk(lessee(lease=lease(), configured=True)).start()
    desk.ask("release")
    desk.hear()
    reading = desk.do()
    desk.give_back()
    writing = desk.do()
    writing()
    assert WEB not in desk.store
    reading()
    assert WEB not in desk.engine
    desk.settle()
    assert WEB not in desk.engine


def test_a_reading_from_before_the_release_does_not_count_for_who_asks_again() -> None:
    """It would begin with a lease that was given back, as if its address were still there."""
    desk = Desk(lessee(lease=lease(), configured=True)).start()
    desk.ask("release")
    desk.hear()
    reading = desk.do()
    desk.give_back()
    desk.do()()
    desk.put(lessee())  # `cnet renew` has switched it on again
    answers = desk.ask("lease")
    reading()
    assert WEB not in desk.engine
    desk.settle()
    assert desk.engine.clients[WEB][3:] == (None, False)
    assert answers == []


def test_a_client_that_is_to_begin_anew_waits_till_its_last_word_is_written() -> None:
    """Else what it begins with, and what is then written, contradict each other."""
    desk = Desk(lessee()).start()
    desk.get()
    reading_before_it = replace(lessee(), place=Place("/run/netns/web", 999))
    desk.put(reading_before_it)
    desk.hear()
    writing = desk.do()
    desk.store[WEB] = reading_before_it
    reading = desk.do()  # it has not seen the lease
    reading()
    assert WEB not in desk.engine
    desk.store[WEB] = replace(reading_before_it, lease=lease(), configured=True)
    writing()
    desk.settle()
    assert desk.engine.clients[WEB][0] == Place("/run/netns/web", 999)
    assert desk.engine.clients[WEB][3:] == (lease(), True)


def test_a_stale_reading_that_ends_after_the_writing_is_followed_by_another() -> None:
    desk = Desk(lessee()).start()
    moved = replace(lessee(), place=Place("/run/netns/web", 999))
    desk.put(moved)
    desk.hear()
    reading = desk.do()
    desk.get()
    desk.do()()
    desk.news = 0  # nobody tells: what it has heard of must do
    reading()
    desk.settle()
    assert desk.engine.clients[WEB][3:] == (lease(), True)


# --- who has lost his interface ---


def test_who_has_lost_his_interface_begins_again_ever_later() -> None:
    desk = Desk(lessee()).start()
    desk.engine.taken()
    at = 0.0
    for pause in (2, 4, 8, 16, 32, 60, 60):
        desk.vanish()
        desk.hear()
        desk.settle()
        desk.hand.until(at + pause - 0.1)
        desk.settle()
        assert WEB not in desk.engine, pause
        at += pause
        desk.hand.until(at)
        desk.settle()
        assert desk.engine.taken() == [f"add {WEB}"], pause


def test_who_had_a_lease_since_begins_again_soon() -> None:
    desk = Desk(lessee()).start()
    for pause in (2, 4, 8):
        desk.vanish()
        desk.hand.until(desk.hand.time + pause)
        desk.settle()
    desk.get()
    desk.settle()
    desk.vanish()
    desk.hand.until(desk.hand.time + 2)
    desk.settle()
    assert WEB in desk.engine


def test_who_has_lost_his_interface_and_has_another_begins_at_once() -> None:
    desk = Desk(lessee()).start()
    desk.vanish()
    desk.put(replace(lessee(), interface="lan0"))
    desk.settle()
    assert desk.engine.clients[WEB][1] == "lan0"


def test_who_has_lost_his_interface_and_is_gone_does_not_come_back() -> None:
    desk = Desk(lessee()).start()
    desk.vanish()
    desk.take(WEB)
    desk.settle()
    desk.hand.until(100)
    desk.settle()
    assert desk.engine.clients == {}


# --- carriers ---


def test_the_clients_of_an_uplink_hear_of_its_carrier() -> None:
    desk = Desk(lessee(), lessee(8, uplink="up1"), lessee(9)).start()
    desk.engine.taken()
    desk.vanish("9/4")
    desk.carriers.news_to_come = ["-up0", "-up7"]
    desk.hand.watched[9]()
    assert desk.engine.taken() == [f"down {WEB}"]
    desk.carriers.news_to_come = ["+up0", "+up1"]
    desk.hand.watched[9]()
    assert sorted(desk.engine.taken()) == [f"up {WEB}", f"up {DB}"]


def test_a_carrier_that_was_gone_for_a_moment_is_there() -> None:
    desk = Desk(lessee()).start()
    desk.engine.taken()
    for news in (["-up0", "+up0"], ["+up0", "-up0"]):
        desk.carriers.news_to_come = news
        desk.hand.watched[9]()
        assert desk.engine.taken() == [f"down {WEB}", f"up {WEB}"], "the watch tells of both only if it is back"


# --- on and off ---


def test_stopped_it_lets_go_of_everything_and_takes_nothing_away() -> None:
    desk = Desk(lessee()).start()
    desk.get()
    desk.hear()
    desk.service.stop()
    assert desk.engine.closed
    assert desk.carriers.closed
    assert desk.hand.watched == {}
    desk.settle()
    desk.hand.until(1000)
    assert desk.hand.works == []
    assert desk.service.health().state == "stopped"
    desk.service.stop()
    desk.carriers = type(desk.carriers)(9)
    desk.service.start(desk.hand)
    desk.service.start(desk.hand)
    desk.settle()
    assert len(desk.engines) == 2
    assert WEB in desk.engine


def test_how_it_is() -> None:
    desk = Desk(lessee(), lessee(8)).start()
    assert desk.service.health().figures == (("leased", 0), ("seeking", 2), ("sockets", 1))
    desk.get()
    desk.settle()
    assert desk.service.health().figures == (("leased", 1), ("seeking", 1), ("sockets", 1))
    assert desk.ask("leases") == [{"web_lan/4": "BOUND", "db_lan/4": "BOUND"}]
    desk.vanish(DB)
    assert desk.ask("leases") == [{"web_lan/4": "BOUND", "db_lan/4": "STOPPED"}]
    desk.engine.hands.tell(WEB, "warning", "The server is silent.")
    desk.engine.hands.tell(WEB, "debug", "Told to nobody.")
    desk.engine.hands.tell("99/4", "error", "Of one that is gone.")
    assert desk.hand.lines == [(4, "web_lan: The server is silent.")]
