"""How a DHCPv6 client keeps a lease and loses it: RENEW, REBIND, expiry, RELEASE, DECLINE, the link."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

import pytest

from containernet.services.dhcp4 import words
from containernet.services.dhcp6 import options
from containernet.services.dhcp6.message import (
    ADVERTISE,
    CONFIRM,
    DECLINE,
    INFORMATION_REQUEST,
    REBIND,
    RELEASE,
    RENEW,
    REPLY,
    REQUEST,
    SOLICIT,
)
from containernet.services.dhcp6.options import Association, Offered, Status
from kit.dhcp6_talk import ADDRESS, IAID, OTHER_ADDRESS, OTHER_SERVER, SERVER, Talk6, denied, given, lease


def test_a_lease_is_renewed_at_t1_by_its_server() -> None:
    talk = Talk6()
    held = talk.bound()
    assert held.renew_at == 1900
    talk.go()
    asked = talk.last()
    assert (talk.machine.name, asked.kind, asked.server, asked.elapsed) == ("RENEWING", RENEW, SERVER, 0)
    assert asked.associations == (Association(IAID, addresses=(Offered(ADDRESS),)),) and asked.wanted
    talk.now += 0.25
    talk.reply(REPLY)
    assert talk.names() == ["Save", "Configure", "Hush"] and not talk.told()
    assert talk.did(words.Configure)[0].before == held
    assert talk.machine.lease and talk.machine.lease.expiry == 1900 + 3600


def test_from_t1_by_t2_to_the_end_with_nobody_there() -> None:
    talk = Talk6()
    held = talk.bound()
    done = len(talk.sends())
    talk.until(held.expiry)
    sends = talk.sends()[done:]
    renews = [when for when, one in sends if one.kind == RENEW]
    rebinds = [when for when, one in sends if one.kind == REBIND]
    assert renews[0] == 1900 and rebinds[0] == held.rebind_at == 2440
    assert all(one.server == (SERVER if one.kind == RENEW else b"") for _, one in sends if one.kind != SOLICIT)
    for moments in (renews, rebinds):
        pauses = [after - before for before, after in pairwise(moments)]
        assert 9 <= pauses[0] <= 11 and max(pauses) <= 660 and len(pauses) >= 4
        assert all(1.9 * one <= two <= 2.1 * one or two >= 540 for one, two in pairwise(pauses))
    ends = [(when, effect) for when, effect in talk.every if isinstance(effect, words.Unconfigure)]
    assert ends == [(held.expiry, words.Unconfigure(held, words.EXPIRED))]
    assert talk.last().kind == SOLICIT and talk.last().associations[0].addresses[0].address == ADDRESS
    assert len({one.xid for _, one in sends}) == 3


def test_only_the_leasing_server_is_heard_while_renewing_and_any_while_rebinding() -> None:
    talk = Talk6()
    held = talk.bound()
    talk.go()
    talk.reply(REPLY, server=OTHER_SERVER)
    assert talk.heard == []
    talk.until(held.rebind_at)
    talk.reply(REPLY, server=OTHER_SERVER)
    assert talk.machine.lease and talk.machine.lease.server == OTHER_SERVER.hex() and "is leased by" in talk.told()


@pytest.mark.parametrize("state", ["RENEWING", "REBINDING"])
def test_a_server_that_has_forgotten_us_is_asked_for_the_same_address(state: str) -> None:
    talk = Talk6()
    held = talk.bound()
    talk.until(held.renew_at if state == "RENEWING" else held.rebind_at)
    assert talk.machine.name == state
    talk.reply(REPLY, associations=denied(options.NO_BINDING))
    assert talk.kinds() == [REQUEST] and talk.machine.configured
    assert (talk.last().server, talk.last().associations[0].addresses[0].address) == (SERVER, ADDRESS)
    talk.reply(REPLY)
    assert talk.machine.name == "BOUND" and talk.did(words.Configure)[0].before == held


def test_a_server_that_has_forgotten_us_and_has_nothing_leaves_us_our_time() -> None:
    talk = Talk6()
    held = talk.bound()
    talk.go()
    talk.reply(REPLY, associations=denied(options.NO_BINDING))
    talk.reply(REPLY, associations=denied(options.NO_ADDRESSES))
    assert talk.machine.configured and talk.kinds() == [SOLICIT]
    talk.until(held.expiry)
    assert not talk.machine.configured and talk.machine.name == "SOLICITING"


def test_a_server_that_says_that_we_are_elsewhere_ends_the_address() -> None:
    talk = Talk6()
    talk.bound()
    talk.go()
    talk.reply(REPLY, associations=denied(options.NO_BINDING))
    talk.reply(REPLY, associations=(), status=Status(options.NOT_ON_LINK))
    assert talk.names() == ["Unconfigure", "Forget", "Send"]


def test_an_address_that_is_taken_away_goes() -> None:
    talk = Talk6()
    talk.bound()
    talk.go()
    talk.reply(REPLY, associations=given(preferred=0, valid=0))
    assert talk.names() == ["Unconfigure", "Forget", "Send"] and "takes" in talk.told()
    assert talk.last().kind == SOLICIT


def test_a_network_that_is_renumbered_gives_another_address() -> None:
    talk = Talk6()
    held = talk.bound()
    talk.go()
    new = (Association(IAID, 0, 0, (Offered(ADDRESS, 0, 0), Offered(OTHER_ADDRESS, 60, 90))),)
    talk.reply(REPLY, associations=new)
    change = talk.did(words.Configure)[0]
    assert (change.before, change.lease.address) == (held, OTHER_ADDRESS)


@pytest.mark.parametrize("code", [options.UNSPECIFIED, options.USE_MULTICAST, options.NO_ADDRESSES])
def test_other_refusals_are_waited_for(code: int) -> None:
    talk = Talk6()
    held = talk.bound()
    talk.go()
    talk.reply(REPLY, associations=denied(code))
    assert talk.heard == [] and talk.machine.lease == held
    talk.go()
    assert talk.kinds() in ([], [RENEW])


@pytest.mark.parametrize("seconds", [1, 10, 60])
def test_a_short_lease_is_renewed_and_ends(seconds: int) -> None:
    talk = Talk6()
    short = given(preferred=seconds, valid=seconds, t1=0, t2=0)
    talk.bound(associations=short)
    for _ in range(3):
        talk.go()
        assert talk.machine.name == "RENEWING"
        talk.reply(REPLY, associations=short)
        assert talk.machine.name == "BOUND"
    held = talk.machine.lease
    assert held
    done = len(talk.sends())
    talk.until(held.expiry)
    kinds = [one.kind for _, one in talk.sends()[done:]]
    assert kinds[0] == RENEW and REBIND in kinds and kinds[-1] == SOLICIT and not talk.machine.configured


def test_nothing_is_heard_in_a_state_that_awaits_nothing() -> None:
    talk = Talk6()
    held = talk.bound()
    for kind in (ADVERTISE, REPLY):
        talk.reply(kind, rapid=True, associations=given(OTHER_ADDRESS))
        assert talk.heard == [] and talk.machine.lease == held


def test_a_person_may_hurry_it() -> None:
    talk = Talk6()
    talk.bound()
    talk.renew()
    assert talk.kinds() == [RENEW]
    alone = Talk6(stateful=False)
    alone.start()
    alone.reply(REPLY, associations=())
    alone.renew()
    assert alone.kinds() == [INFORMATION_REQUEST] and alone.machine.configured


# --- giving back, ending ---


def test_a_release_comes_after_the_address_is_off() -> None:
    talk = Talk6()
    held = talk.bound()
    talk.release()
    assert talk.names() == ["Unconfigure", "Send"]
    assert talk.did(words.Unconfigure)[0] == words.Unconfigure(held, words.RELEASED)
    said = talk.last()
    assert (said.kind, said.server, said.wanted) == (RELEASE, SERVER, ())
    assert said.associations == (Association(IAID, addresses=(Offered(ADDRESS),)),)
    talk.reply(REPLY, server=OTHER_SERVER, associations=())
    assert talk.heard == []
    talk.reply(REPLY, associations=denied(options.NO_BINDING))
    assert talk.names() == ["Forget", "Hush"] and talk.machine.name == "STOPPED"


def test_a_release_that_nobody_answers_is_said_twice() -> None:
    talk = Talk6()
    talk.bound()
    talk.release()
    talk.until(talk.now + 4)
    assert talk.machine.name == "STOPPED" and talk.wait == inf
    assert [one.kind for _, one in talk.sends()[-2:]] == [RELEASE, RELEASE]


@pytest.mark.parametrize("state", ["SOLICITING", "REQUESTING", "INIT"])
def test_a_release_without_a_lease_says_nothing(state: str) -> None:
    talk = Talk6()
    if state == "INIT":
        talk.bound()
        talk.duplicate()
        talk.reply(REPLY, associations=())
    else:
        talk.start()
    if state == "REQUESTING":
        talk.reply(ADVERTISE, preference=255)
    assert talk.machine.name == state
    sent = len(talk.sends())
    talk.release()
    assert talk.machine.name == "STOPPED" and len(talk.sends()) == sent and "Unconfigure" not in talk.names()


def test_what_could_not_be_configured_is_asked_for_again_later() -> None:
    talk = Talk6()
    talk.bound()
    talk.note(talk.machine.failed(talk.now))
    assert talk.machine.name == "INIT" and not talk.machine.configured
    talk.go()
    assert talk.now >= 1030 and talk.last().associations[0].addresses[0].address == ADDRESS


# --- somebody else has it ---


def test_an_address_in_use_is_declined() -> None:
    talk = Talk6()
    held = talk.bound()
    talk.duplicate()
    assert talk.names() == ["Unconfigure", "Forget", "Send"] and talk.machine.name == "DECLINING"
    assert talk.did(words.Unconfigure)[0] == words.Unconfigure(held, words.REFUSED)
    said = talk.last()
    assert (said.kind, said.server) == (DECLINE, SERVER) and "in use" in talk.told()
    assert said.associations[0].addresses[0].address == ADDRESS
    talk.duplicate()
    assert talk.heard == []
    talk.reply(REPLY, associations=())
    assert talk.machine.name == "INIT" and talk.wait == talk.now + 10
    talk.go()
    assert talk.kinds() == [SOLICIT] and talk.last().associations == (Association(IAID),)


def test_a_decline_that_nobody_answers_is_said_four_times() -> None:
    talk = Talk6()
    talk.bound()
    talk.duplicate()
    while talk.machine.name == "DECLINING":
        talk.go()
    assert sum(one.kind == DECLINE for _, one in talk.sends()) == 4


def test_three_declines_in_a_row_and_then_longer_waits() -> None:
    talk = Talk6()
    talk.bound()
    waits = []
    for _ in range(8):
        talk.duplicate()
        talk.reply(REPLY, associations=())
        waits.append(talk.wait - talk.now)
        talk.go()
        talk.reply(ADVERTISE, preference=255)
        talk.reply(REPLY)
        if len(waits) == 7:  # an address that lives until it is renewed is ours, and it counts anew
            talk.go()
            talk.reply(REPLY)
    assert waits == [10, 10, 10, 60, 120, 240, 300, 10]


# --- the link ---


def test_a_link_that_comes_back_has_its_address_confirmed() -> None:
    talk = Talk6()
    held = talk.bound()
    talk.link(False)
    assert talk.machine.name == "DOWN" and talk.machine.configured and talk.names() == []
    assert talk.wait == held.expiry
    talk.now += 100
    talk.link(True)
    assert talk.machine.name == "CONFIRMING" and talk.last().kind == CONFIRM
    talk.reply(REPLY, associations=())
    assert talk.machine.name == "BOUND"


def test_a_lease_ends_without_a_link_too() -> None:
    talk = Talk6()
    held = talk.bound()
    talk.link(False)
    talk.until(held.expiry)
    assert talk.names() == ["Unconfigure", "Forget"] and talk.machine.name == "DOWN"
    talk.link(True)
    assert talk.last().kind == SOLICIT


@pytest.mark.parametrize("stateful", [True, False])
def test_a_search_pauses_without_a_link(stateful: bool) -> None:
    talk = Talk6(stateful=stateful)
    talk.start()
    talk.link(False)
    assert talk.names() == ["Hush"] and talk.wait == inf
    talk.link(True)
    assert talk.names() == ["Send"]
    talk.link(True)
    assert talk.heard == []


def test_what_was_known_is_asked_anew_on_another_link() -> None:
    talk = Talk6(stateful=False)
    talk.start()
    talk.reply(REPLY, associations=(), dns=("2001:db8:51::53",))
    talk.link(False)
    talk.link(True)
    assert talk.kinds() == [INFORMATION_REQUEST] and talk.machine.configured


def test_a_kept_lease_says_when_to_do_what() -> None:
    one: Any = lease()
    assert (one.renew_at, one.rebind_at, one.expiry, one.cidr) == (900, 1440, 3600, f"{ADDRESS}/128")
