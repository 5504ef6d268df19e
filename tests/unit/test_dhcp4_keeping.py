"""How a client keeps a lease and loses it: RENEW, REBIND, expiry, RELEASE, the link, and what a lease says."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

import pytest

from containernet.model.lease import FOREVER, LeasedRoute
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.message import ACK, BROADCAST, DISCOVER, NAK, NOWHERE, OFFER, RELEASE, REQUEST
from containernet.services.dhcp4.replies import times
from kit.dhcp_talk import ADDRESS, CLIENT_ID, OTHER_ADDRESS, OTHER_SERVER, SERVER, Talk, lease


def test_a_lease_is_renewed_at_half_its_time_from_its_server() -> None:
    talk = Talk()
    held = talk.bound()
    assert 1000 + 0.95 * 1800 <= held.renew_at <= 1000 + 1800  # T1 by default, a little sooner by chance
    talk.go()
    assert talk.machine.name == "RENEWING" and talk.now == held.renew_at
    _, send, asked = talk.sends()[-1]
    assert (send.destination, send.source) == (SERVER, ADDRESS)
    assert (asked.kind, asked.ciaddr, asked.requested, asked.server) == (REQUEST, ADDRESS, "", "")
    assert (asked.client_id, asked.secs) == (CLIENT_ID, 0) and asked.parameters
    talk.reply(ACK)
    assert talk.names() == ["Save", "Configure", "Hush"]
    assert talk.did(words.Configure)[0].before == held
    assert talk.machine.lease and talk.machine.lease.expiry == talk.now + 3600
    assert talk.machine.name == "BOUND"


def test_from_t1_by_t2_to_the_end_with_nobody_there() -> None:
    talk = Talk()
    held = talk.bound()
    done = len(talk.sends())
    talk.until(held.expiry)
    sends = [one for one in talk.sends()[done:] if one[2].kind == REQUEST]
    renews = [when for when, send, _ in sends if send.destination == SERVER]
    rebinds = [when for when, send, _ in sends if send.destination == BROADCAST]
    assert renews[0] == held.renew_at and rebinds[0] == held.rebind_at == 1000 + 3150
    assert all(send.source == ADDRESS and asked.ciaddr == ADDRESS for _, send, asked in sends)
    for moments, end in ((renews, held.rebind_at), (rebinds, held.expiry)):
        for before, after in pairwise(moments):
            assert after - before == pytest.approx(max(60, (end - before) / 2))  # half of what is left (section 4.4.5)
        assert all(after - before >= 60 for before, after in pairwise(moments))
    assert len(renews) >= 4 and len(rebinds) >= 3
    assert [asked.secs for _, _, asked in sends] == [int(when - renews[0]) for when, _, _ in sends]
    assert len({asked.xid for _, _, asked in sends}) == len(sends)
    ends = [(when, effect) for when, effect in talk.every if isinstance(effect, words.Unconfigure)]
    assert ends == [(held.expiry, words.Unconfigure(held, words.EXPIRED))]
    assert (talk.last().kind, talk.last().requested) == (DISCOVER, ADDRESS)


def test_between_two_tries_nothing_is_open() -> None:
    talk = Talk()
    held = talk.bound()
    talk.until(held.rebind_at - 1)
    tries = sum(isinstance(effect, words.Send) for when, effect in talk.every if when >= held.renew_at)
    quiet = sum(isinstance(effect, words.Hush) for when, effect in talk.every if when >= held.renew_at)
    assert tries == quiet >= 4


def test_only_the_leasing_server_is_heard_while_renewing() -> None:
    talk = Talk()
    talk.bound()
    talk.go()
    for answer in (
        {"kind": NAK, "server": OTHER_SERVER},
        {"kind": NAK, "server": ""},
        {"kind": ACK, "server": OTHER_SERVER},
    ):
        talk.reply(**answer)  # type: ignore[arg-type]
        assert talk.heard == [] and talk.machine.name == "RENEWING"
    talk.reply(NAK)
    assert talk.names() == ["Unconfigure", "Forget", "Send"]
    assert talk.last().kind == DISCOVER


@pytest.mark.parametrize("kind", [ACK, NAK])
def test_any_server_is_heard_while_rebinding(kind: int) -> None:
    talk = Talk()
    held = talk.bound()
    talk.until(held.rebind_at)
    assert talk.machine.name == "REBINDING"
    talk.reply(kind, server=OTHER_SERVER)
    if kind == NAK:
        assert talk.names() == ["Unconfigure", "Forget", "Send"]
    else:
        assert talk.machine.lease and talk.machine.lease.server == OTHER_SERVER
        talk.go()
        assert talk.sends()[-1][1].destination == OTHER_SERVER


@pytest.mark.parametrize(
    "strange", [{"xid": 5}, {"yiaddr": OTHER_ADDRESS}, {"yiaddr": NOWHERE}, {"seconds": None}, {"seconds": 0}]
)
def test_a_strange_ack_renews_nothing(strange: dict[str, Any]) -> None:
    talk = Talk()
    held = talk.bound()
    talk.go()
    talk.reply(ACK, **strange)
    assert talk.heard == [] and talk.machine.lease == held


def test_nothing_is_heard_in_a_state_that_awaits_nothing() -> None:
    talk = Talk()
    held = talk.bound()
    for kind in (OFFER, ACK, NAK):
        talk.reply(kind)
        assert talk.heard == [] and talk.machine.lease == held
    talk.until(held.renew_at + 11)
    talk.reply(NAK)  # after the time in which it is listened
    assert talk.heard == [] and talk.machine.lease == held


@pytest.mark.parametrize(
    ("seconds", "t1", "t2", "wanted"),
    [
        (3600, None, None, (1800, 3150)),
        (3600, 600, 1200, (600, 1200)),
        (3600, 1200, 600, (600 * 4 / 7, 600)),  # T1 after T2
        (3600, 1800, 7200, (1800, 3150)),  # T2 after the end
        (3600, 9000, 7200, (1800, 3150)),
        (3600, 0, 0, (1800, 3150)),
        (30, None, None, (15, 26.25)),
        (1, None, None, (0.5, 0.875)),
        (FOREVER, 5, 6, (0, 0)),
    ],
)
def test_t1_and_t2_are_put_in_order(seconds: int, t1: int | None, t2: int | None, wanted: tuple[float, float]) -> None:
    assert times(seconds, t1, t2) == pytest.approx(wanted)


@pytest.mark.parametrize("seconds", [1, 30, 59])
def test_a_short_lease_is_renewed_and_ends(seconds: int) -> None:
    talk = Talk()
    talk.bound(seconds=seconds)
    for _ in range(3):
        talk.go()
        assert talk.machine.name == "RENEWING"
        talk.reply(ACK, seconds=seconds)
        assert talk.machine.name == "BOUND"
    held = talk.machine.lease
    assert held
    done = len(talk.sends())
    talk.until(held.expiry)
    assert [one.kind for _, _, one in talk.sends()[done:]] == [REQUEST, REQUEST, DISCOVER]  # RENEW and REBIND once each
    assert not talk.machine.configured


def test_a_lease_without_end_is_left_alone() -> None:
    talk = Talk()
    held = talk.bound(seconds=FOREVER, t1=10, t2=20)
    assert talk.wait == inf == held.expiry
    talk.renew()
    talk.reply(ACK, seconds=60)  # the server has thought better of it
    assert talk.wait < talk.now + 60


# --- giving back, ending ---


def test_a_release_goes_from_the_address_before_that_goes() -> None:
    talk = Talk()
    held = talk.bound()
    talk.release()
    assert talk.names() == ["Send"] and talk.machine.configured
    _, send, said = talk.sends()[-1]
    assert (send.destination, send.source) == (SERVER, ADDRESS)
    assert (said.kind, said.ciaddr, said.server, said.requested) == (RELEASE, ADDRESS, SERVER, "")
    assert said.client_id == CLIENT_ID and not said.parameters
    talk.note(talk.machine.sent(talk.now))
    assert talk.names() == ["Unconfigure", "Forget", "Hush"]
    assert talk.did(words.Unconfigure)[0] == words.Unconfigure(held, words.RELEASED)
    assert talk.machine.name == "STOPPED"


def test_a_release_that_finds_no_way_is_not_waited_for() -> None:
    talk = Talk()
    talk.bound()
    talk.release()
    talk.go()
    assert talk.now <= 1002 and talk.names() == ["Unconfigure", "Forget", "Hush"]


@pytest.mark.parametrize("state", ["SELECTING", "REQUESTING", "CHECKING", "INIT"])
def test_a_release_without_a_lease_says_nothing(state: str) -> None:
    talk = Talk(probe="fast")
    talk.start()
    for kind in {"SELECTING": [], "INIT": [OFFER, ACK], "REQUESTING": [OFFER], "CHECKING": [OFFER, ACK]}[state]:
        talk.reply(kind)
    if state == "INIT":
        talk.probed(b"\2\2\2\2\2\2")
    assert talk.machine.name == state
    sent = len(talk.sends())
    talk.release()
    assert talk.machine.name == "STOPPED" and len(talk.sends()) == sent
    assert "Unconfigure" not in talk.names()


def test_what_could_not_be_configured_is_asked_for_again_later() -> None:
    talk = Talk()
    talk.bound()
    talk.note(talk.machine.failed(talk.now))
    assert talk.machine.name == "INIT" and not talk.machine.configured
    talk.go()
    assert talk.now >= 1030 and talk.last().requested == ADDRESS


# --- the link ---


def test_a_link_that_comes_back_has_its_address_verified() -> None:
    talk = Talk()
    held = talk.bound()
    talk.link(False)
    assert talk.machine.name == "DOWN" and talk.machine.configured and talk.names() == []
    assert talk.wait == held.expiry
    talk.now += 100
    talk.link(True)
    assert talk.machine.name == "REBOOTING" and talk.last().requested == ADDRESS
    talk.reply(ACK)
    assert talk.machine.name == "BOUND" and "Announce" not in talk.names()


def test_a_lease_ends_without_a_link_too() -> None:
    talk = Talk()
    held = talk.bound()
    talk.link(False)
    talk.until(held.expiry)
    assert talk.names() == ["Unconfigure", "Forget"] and talk.machine.name == "DOWN"
    talk.link(True)
    assert (talk.last().kind, talk.last().requested) == (DISCOVER, ADDRESS)


def test_a_search_pauses_without_a_link() -> None:
    talk = Talk()
    talk.start()
    talk.link(False)
    assert talk.names() == ["Hush"] and talk.wait == inf
    talk.link(False)
    assert talk.heard == []
    talk.link(True)
    assert talk.names() == ["Send"]
    talk.link(True)
    assert talk.heard == []


def test_a_person_may_hurry_it() -> None:
    talk = Talk()
    talk.start()
    talk.until(talk.now + 40)
    sent = len(talk.sends())
    talk.renew()
    assert len(talk.sends()) == sent + 1
    talk.reply(OFFER)
    talk.reply(ACK)
    talk.renew()
    assert talk.machine.name == "RENEWING" and talk.last().ciaddr == ADDRESS


# --- what a lease says ---


def routes(**fields: Any) -> tuple[LeasedRoute, ...]:
    return Talk().bound(**fields).routes


def test_routes_of_121_hold_and_routers_do_not() -> None:
    given = (("0.0.0.0/0", "192.0.2.9"), ("10.0.0.0/8", "192.0.2.8"), ("192.0.2.77/32", "0.0.0.0"))
    assert routes(routes=given) == (
        LeasedRoute("0.0.0.0/0", "192.0.2.9"), LeasedRoute("10.0.0.0/8", "192.0.2.8"), LeasedRoute("192.0.2.77/32", ""),
    )  # fmt: skip
    assert routes(routes=(("10.0.0.0/8", "192.0.2.8"),)) == (LeasedRoute("10.0.0.0/8", "192.0.2.8"),)


def test_a_router_outside_the_subnet_is_on_the_link() -> None:
    assert routes(routers=("198.51.100.1",)) == (LeasedRoute("0.0.0.0/0", "198.51.100.1", onlink=True),)
    assert routes(prefix=32, routers=(SERVER,)) == (LeasedRoute("0.0.0.0/0", SERVER, onlink=True),)
    assert routes(routes=(("10.0.0.0/8", "203.0.113.5"),)) == (LeasedRoute("10.0.0.0/8", "203.0.113.5", onlink=True),)


def test_what_cannot_be_a_router_or_a_route_is_left_out() -> None:
    assert routes(routers=("0.0.0.0", ADDRESS, "127.0.0.1", "224.0.0.1", "192.0.2.9")) == (
        LeasedRoute("0.0.0.0/0", "192.0.2.9"),
    )
    assert routes(routers=()) == ()
    assert routes(routes=(("127.0.0.0/8", SERVER), ("10.0.0.0/8", ADDRESS), ("10.0.0.0/8", BROADCAST))) == ()


@pytest.mark.parametrize(
    ("given", "wanted"), [(575, 0), (576, 576), (1400, 1400), (1500, 1500), (1501, 0), (9000, 0), (0, 0)]
)
def test_an_mtu_counts_between_576_and_the_uplinks(given: int, wanted: int) -> None:
    assert Talk().bound(mtu=given).mtu == wanted


def test_without_a_mask_the_class_decides() -> None:
    assert [Talk().bound(prefix=None, yiaddr=one).prefix for one in ("10.1.1.1", "172.16.1.1", "192.0.2.50")] == [
        8,
        16,
        24,
    ]


def test_a_lease_that_says_other_things_is_configured_anew() -> None:
    talk = Talk()
    held = talk.bound()
    talk.renew()
    talk.reply(ACK, prefix=25, routers=("192.0.2.3",), dns=("192.0.2.4", "0.0.0.0", BROADCAST))
    change = talk.did(words.Configure)[0]
    assert (change.before, change.lease.cidr) == (held, f"{ADDRESS}/25")
    assert change.lease.dns == ("192.0.2.4",)


def test_a_kept_lease_says_when_to_do_what() -> None:
    one = lease()
    assert (one.renew_at, one.rebind_at, one.expiry, one.expiry_wall) == (1800, 3150, 3600, 0)
