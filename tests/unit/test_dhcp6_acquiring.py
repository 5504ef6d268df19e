"""How a DHCPv6 client comes to a lease: SOLICIT, REQUEST, CONFIRM, INFORMATION-REQUEST, and every way to be refused."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

import pytest

from containernet.model.lease import FOREVER
from containernet.services.dhcp4 import words
from containernet.services.dhcp6 import options
from containernet.services.dhcp6.message import (
    ADVERTISE,
    CONFIRM,
    EVERYBODY,
    INFORMATION_REQUEST,
    RENEW,
    REPLY,
    REQUEST,
    SOLICIT,
    Message,
)
from containernet.services.dhcp6.options import Association, Offered, Status
from containernet.services.dhcp6.replies import is_host, times
from kit.dhcp6_talk import ADDRESS, DUID, IAID, OTHER_ADDRESS, OTHER_SERVER, SERVER, Talk6, denied, given, lease


def test_solicit_advertise_request_reply() -> None:
    talk = Talk6()
    talk.start()
    assert talk.machine.name == "SOLICITING" and talk.did(words.Send)[0].destination == EVERYBODY
    asked = talk.last()
    assert (asked.kind, asked.client, asked.server, asked.elapsed, asked.rapid) == (SOLICIT, DUID, b"", 0, False)
    assert asked.associations == (Association(IAID),) and asked.fqdn == "c1"
    assert {options.DNS, options.SEARCH, options.SOL_MAX_RT} <= set(asked.wanted)
    talk.reply(ADVERTISE, preference=255)
    taken = talk.last()
    assert (taken.kind, taken.server, taken.elapsed) == (REQUEST, SERVER, 0) and taken.xid != asked.xid
    assert taken.associations == (Association(IAID, addresses=(Offered(ADDRESS),)),)
    talk.now += 0.5
    talk.reply(REPLY, dns=("2001:db8:51::53", "fe80::1", "::1"), search=("lan.example",), fqdn="c1.lan.example")
    assert talk.names() == ["Save", "Configure", "Hush"] and talk.machine.name == "BOUND"
    held = talk.machine.lease
    assert held == lease(began=1000.0, dns=("2001:db8:51::53",), search=("lan.example",), hostname="c1.lan.example")
    assert talk.wait == 1900.0


def test_the_best_offer_is_taken_after_the_first_time() -> None:
    talk = Talk6()
    talk.start()
    talk.reply(ADVERTISE, preference=1, associations=given(OTHER_ADDRESS))
    talk.reply(ADVERTISE, preference=9, server=OTHER_SERVER)
    assert talk.heard == []
    talk.go()
    assert 1001 <= talk.now <= 1001.1
    assert (talk.last().kind, talk.last().server) == (REQUEST, OTHER_SERVER)


def test_of_equal_offers_the_first_and_before_it_the_one_with_our_address() -> None:
    for hint, wanted in (("", SERVER), (OTHER_ADDRESS, OTHER_SERVER)):
        talk = Talk6()
        if hint:
            talk.now = 9000.0
            talk.restart(lease(address=OTHER_ADDRESS))  # which has ended
            assert talk.last().associations[0].addresses[0].address == OTHER_ADDRESS
        else:
            talk.start()
        talk.reply(ADVERTISE)
        talk.reply(ADVERTISE, server=OTHER_SERVER, associations=given(OTHER_ADDRESS))
        talk.go()
        assert talk.last().server == wanted


def test_an_offer_after_the_first_time_is_taken_at_once() -> None:
    talk = Talk6()
    talk.start()
    talk.go()
    assert talk.kinds() == [SOLICIT]
    talk.reply(ADVERTISE)
    assert talk.kinds() == [REQUEST]


def test_a_server_that_commits_rapidly_is_believed_if_it_was_asked_to() -> None:
    talk = Talk6(rapid=True)
    talk.start()
    assert talk.last().rapid
    talk.reply(REPLY)  # without the option it is none
    assert talk.heard == []
    talk.reply(REPLY, rapid=True)
    assert talk.names() == ["Save", "Configure", "Hush"]
    slow = Talk6()
    slow.start()
    slow.reply(REPLY, rapid=True)
    assert slow.heard == []


def test_solicits_come_apart_up_to_the_longest_time() -> None:
    talk = Talk6()
    talk.start()
    talk.until(20_000)
    moments = [when for when, one in talk.sends()]
    pauses = [after - before for before, after in pairwise(moments)]
    assert 1 < pauses[0] <= 1.1
    for before, after in pairwise(pauses):
        assert 1.9 * before <= after <= 2.1 * before or 0.9 * 3600 <= after <= 1.1 * 3600
    assert len({one.xid for _, one in talk.sends()}) == 1
    assert [one.elapsed for _, one in talk.sends()] == [min(int((when - 1000) * 100), 65535) for when in moments]
    assert sum("No DHCPv6 server" in one.sentence for _, one in talk.every if isinstance(one, words.Tell)) == 1
    assert sum(isinstance(one, words.Hush) for _, one in talk.every) > 5  # nothing stays open between two tries


@pytest.mark.parametrize(("said", "longest"), [(60, 66), (59, 3960), (86_401, 3960), (120, 132)])
def test_a_server_may_set_the_longest_time(said: int, longest: int) -> None:
    talk = Talk6()
    talk.start()
    talk.reply(ADVERTISE, associations=denied(options.NO_ADDRESSES), sol_max_rt=said)
    talk.until(1001)
    talk.note(talk.machine.renew(talk.now))  # a new search
    first = len(talk.sends())
    talk.until(30_000)
    pauses = [after - before for (before, _), (after, _) in pairwise(talk.sends()[first - 1 :])]
    assert 0.8 * longest <= max(pauses) <= longest


def test_no_address_is_told_once_and_the_search_goes_on() -> None:
    for answer in (
        {"associations": denied(options.NO_ADDRESSES, "pool is empty")},
        {"associations": given(""), "status": Status(options.NO_ADDRESSES, "pool is empty")},
    ):
        talk = Talk6()
        talk.start()
        talk.reply(ADVERTISE, **answer)
        assert talk.names() == [] and "pool is empty" in talk.told()
        talk.reply(ADVERTISE, **answer)
        assert talk.heard == []
        talk.go()
        assert talk.kinds() == [SOLICIT]


@pytest.mark.parametrize(
    "strange",
    [
        {"xid": 5},
        {"client": b""},
        {"client": SERVER},
        {"server": b""},
        {"kind": REQUEST},
        {"associations": ()},
        {"associations": given("")},
        {"associations": given(iaid=8)},
        {"associations": given(t1=500, t2=400)},
        {"associations": given(preferred=5, valid=4)},
        {"associations": given(valid=0, preferred=0)},
        {"associations": given("ff02::1")},
        {"associations": given("fe80::1")},
        {"associations": given("::1")},
        {"associations": given("::")},
        {"associations": given("::ffff:192.0.2.1")},
        {"associations": denied(options.UNSPECIFIED)},
        {"status": Status(options.USE_MULTICAST)},
    ],
)
@pytest.mark.parametrize("state", ["SOLICITING", "REQUESTING", "RENEWING"])
def test_a_strange_reply_gives_nothing(state: str, strange: dict[str, Any]) -> None:
    talk = Talk6()
    if state == "RENEWING":
        talk.bound()
        talk.go()
    else:
        talk.start()
    if state == "REQUESTING":
        talk.reply(ADVERTISE, preference=255)
    assert talk.machine.name == state
    held = talk.machine.lease
    kind = ADVERTISE if state == "SOLICITING" else REPLY
    if state == "RENEWING" and strange == {"associations": given(valid=0, preferred=0)}:
        return  # that takes the address away
    talk.reply(**{"kind": kind, "preference": 255, **strange})
    assert not talk.did(words.Send, words.Configure, words.Save, words.Unconfigure)
    assert (talk.machine.name, talk.machine.lease) == (state, held)


# --- REQUEST ---


def test_a_request_is_repeated_ten_times() -> None:
    talk = Talk6()
    talk.start()
    talk.reply(ADVERTISE, preference=255)
    while talk.machine.name == "REQUESTING":
        talk.go()
    requests = [when for when, one in talk.sends() if one.kind == REQUEST]
    pauses = [after - before for before, after in pairwise(requests)]
    assert len(requests) == 10 and max(pauses) <= 33
    assert talk.kinds() == [SOLICIT] and "does not keep" in talk.told()


@pytest.mark.parametrize("code", [options.NO_ADDRESSES, options.NOT_ON_LINK, options.NO_BINDING])
def test_a_request_that_is_refused_begins_anew_and_later_and_later(code: int) -> None:
    talk = Talk6()
    talk.start()
    waits = []
    for _ in range(14):
        talk.reply(ADVERTISE, preference=255)
        answer = {"status": Status(code, "no")} if code == options.NOT_ON_LINK else {"associations": denied(code, "no")}
        talk.reply(REPLY, **answer)
        assert not talk.machine.configured and "no" in talk.told()
        waits.append(talk.wait - talk.now if talk.machine.name == "INIT" else 0.0)
        if talk.machine.name == "INIT":
            talk.go()
    assert waits[0] == 0 and 0.5 <= waits[1] <= 1.5 and 150 <= waits[-1] <= 450


@pytest.mark.parametrize("code", [options.UNSPECIFIED, options.USE_MULTICAST])
def test_a_request_that_failed_is_repeated_in_its_time(code: int) -> None:
    talk = Talk6()
    talk.start()
    talk.reply(ADVERTISE, preference=255)
    talk.reply(REPLY, associations=given(""), status=Status(code))
    assert talk.heard == []
    talk.go()
    assert talk.kinds() == [REQUEST]


def test_only_the_server_that_was_asked_is_heard() -> None:
    talk = Talk6()
    talk.start()
    talk.reply(ADVERTISE, preference=255)
    talk.reply(REPLY, server=OTHER_SERVER)
    assert talk.heard == []


# --- what a lease says ---


@pytest.mark.parametrize(
    ("t1", "t2", "preferred", "valid", "wanted"),
    [
        (900, 1440, 1800, 3600, (900, 1440)),
        (0, 0, 1800, 3600, (900, 1440)),
        (0, 1000, 1800, 3600, (625, 1000)),
        (0, 3000, 1800, 3600, (900, 3000)),
        (500, 0, 1800, 3600, (500, 1440)),
        (2000, 0, 1800, 3600, (900, 1440)),
        (FOREVER, FOREVER, 1800, 3600, (900, 1440)),
        (900, 9000, 1800, 3600, (900, 1440)),
        (0, 0, 0, 3600, (1800, 2880)),
        (5, 6, FOREVER, FOREVER, (0, 0)),
    ],
)
def test_t1_and_t2(t1: int, t2: int, preferred: int, valid: int, wanted: tuple[float, float]) -> None:
    assert times(t1, t2, Offered(ADDRESS, preferred, valid)) == pytest.approx(wanted)


def test_a_lease_without_end_is_left_alone() -> None:
    talk = Talk6()
    held = talk.bound(associations=given(preferred=FOREVER, valid=FOREVER))
    assert (held.expiry, held.renew_at, held.preferred, talk.wait) == (inf, inf, FOREVER, inf)


def test_of_several_addresses_the_wished_one_and_not_one_in_use() -> None:
    both = (Association(IAID, 0, 0, (Offered(ADDRESS, 60, 60), Offered(OTHER_ADDRESS, 60, 60))),)
    talk = Talk6()
    held = talk.bound(associations=both)
    assert held.address == ADDRESS
    talk.duplicate()
    talk.reply(REPLY, associations=())
    talk.go()
    talk.reply(ADVERTISE, preference=255, associations=both)
    assert talk.last().associations[0].addresses[0].address == OTHER_ADDRESS


@pytest.mark.parametrize("address", ["2001:db8::1", "fd00::1", "fec0::1"])
def test_what_is_a_host(address: str) -> None:
    assert is_host(address)


# --- CONFIRM ---


@pytest.mark.parametrize("configured", [True, False])
def test_a_lease_from_before_is_confirmed(configured: bool) -> None:
    talk = Talk6()
    kept = lease(began=500.0)
    talk.restart(kept, configured=configured)
    asked = talk.last()
    assert talk.names() == ["Send"] and talk.machine.name == "CONFIRMING"
    assert (asked.kind, asked.server, asked.wanted) == (CONFIRM, b"", ())
    assert asked.associations == (Association(IAID, addresses=(Offered(ADDRESS),)),)
    talk.reply(REPLY, server=OTHER_SERVER, associations=())  # any server may say so
    assert talk.names() == ["Save", "Configure", "Hush"]
    assert talk.machine.lease == kept and (talk.machine.name, talk.wait) == ("BOUND", 1400.0)


@pytest.mark.parametrize("configured", [True, False])
def test_a_lease_that_is_not_of_this_link_goes(configured: bool) -> None:
    talk = Talk6()
    talk.restart(lease(), configured=configured)
    talk.reply(REPLY, associations=(), status=Status(options.NOT_ON_LINK))
    assert talk.names() == [*(["Unconfigure"] if configured else []), "Forget", "Send"]
    assert talk.last().kind == SOLICIT and talk.last().associations == (Association(IAID),)


@pytest.mark.parametrize("configured", [True, False])
def test_silence_keeps_a_lease(configured: bool) -> None:
    talk = Talk6()
    talk.restart(lease(began=500.0), configured=configured)
    done = talk.until(1012)
    sends = [when for when, one in talk.sends()]
    assert 3 <= len(sends) <= 5 and sends[-1] < 1010  # 1, 2, 4, 4 seconds; 10 in all
    assert [type(one).__name__ for one in done if isinstance(one, words.Configure | words.Save)] == ["Configure"]
    assert (talk.machine.name, talk.machine.configured, talk.wait) == ("BOUND", True, 1400.0)
    talk.go()
    assert talk.last().kind == RENEW


def test_after_silence_past_t2_it_is_rebound() -> None:
    talk = Talk6()
    talk.now = 2000.0
    talk.restart(lease(), configured=True)
    talk.until(2012)
    assert talk.machine.name == "REBINDING" and talk.machine.configured


def test_a_lease_that_ends_while_it_is_confirmed() -> None:
    for configured in (True, False):
        talk = Talk6()
        talk.restart(lease(seconds=1005), configured=configured)
        talk.until(1011)
        assert talk.machine.lease is None and talk.last().kind == SOLICIT


def test_a_lease_of_the_other_kind_is_not_used() -> None:
    for stateful, address, wanted in ((True, "", SOLICIT), (False, ADDRESS, INFORMATION_REQUEST)):
        talk = Talk6(stateful=stateful)
        talk.restart(lease(address=address), configured=True)
        assert talk.names() == ["Unconfigure", "Forget", "Send"] and talk.last().kind == wanted


# --- INFORMATION-REQUEST ---


def informed(refresh: int | None = None) -> Talk6:
    talk = Talk6(stateful=False)
    talk.start()
    talk.reply(REPLY, associations=(), dns=("2001:db8:51::53",), search=("lan",), refresh=refresh)
    return talk


def test_what_is_known_without_an_address() -> None:
    talk = informed()
    asked = talk.last()
    assert (asked.kind, asked.associations, asked.fqdn) == (INFORMATION_REQUEST, (), "")
    assert {options.DNS, options.SEARCH, options.REFRESH, options.INF_MAX_RT} == set(asked.wanted)
    assert talk.names() == ["Save", "Configure", "Hush"] and talk.machine.name == "INFORMED"
    held = talk.machine.lease
    assert held and (held.address, held.cidr, held.dns, held.search) == ("", "", ("2001:db8:51::53",), ("lan",))
    assert talk.wait == 1000 + 86_400


@pytest.mark.parametrize(("said", "pause"), [(60, 600), (7200, 7200), (FOREVER, inf)])
def test_it_is_asked_again_after_the_refresh_time(said: int, pause: float) -> None:
    talk = informed(said)
    assert talk.wait == 1000 + pause
    if pause != inf:
        talk.go()
        assert talk.last().kind == INFORMATION_REQUEST and talk.machine.name == "INFORMING"
        talk.until(talk.now + 100_000)
        assert talk.machine.configured  # silence takes nothing away
        talk.reply(REPLY, associations=())
        assert talk.heard == [] or talk.machine.name == "INFORMED"


def test_what_was_known_is_used_until_there_is_news() -> None:
    talk = Talk6(stateful=False)
    kept = lease(address="", dns=("2001:db8:51::53",))
    talk.restart(kept, configured=True)
    assert talk.names() == ["Send"] and talk.machine.name == "INFORMING"
    talk.reply(REPLY, associations=(), dns=("2001:db8:51::54",))
    assert talk.did(words.Configure)[0].before == kept
    talk.release()
    assert talk.names() == ["Unconfigure", "Forget"] and talk.machine.name == "STOPPED"


def test_a_failed_information_request_goes_on() -> None:
    talk = Talk6(stateful=False)
    talk.start()
    talk.reply(REPLY, associations=(), status=Status(options.UNSPECIFIED))
    assert talk.heard == []
    talk.note(talk.machine.received(Message(REPLY, talk.last().xid, DUID), talk.now))
    assert talk.heard == []
    talk.go()
    assert talk.kinds() == [INFORMATION_REQUEST]
