"""How a client comes to a lease: every rule for DISCOVER to ACK, INIT-REBOOT, NAK and DECLINE, as conversations."""

from __future__ import annotations

from itertools import pairwise

import pytest

from containernet.services.dhcp4 import words
from containernet.services.dhcp4.message import ACK, BROADCAST, DECLINE, DISCOVER, NAK, NOWHERE, OFFER, REQUEST
from kit.dhcp_talk import ADDRESS, CLIENT_ID, MAC, OTHER_ADDRESS, OTHER_MAC, OTHER_SERVER, SERVER, Talk, lease


def gaps(moments: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(moments)]


def test_from_nothing_to_a_lease() -> None:
    talk = Talk()
    talk.start()
    assert talk.machine.name == "SELECTING"
    talk.reply(OFFER)
    assert talk.machine.name == "REQUESTING"
    talk.reply(ACK, dns=(SERVER,), domain="lan", mtu=1400)
    assert talk.names() == ["Save", "Configure", "Hush"]  # kept before it is used
    held = talk.machine.lease
    assert held is not None
    assert talk.did(words.Save)[0].lease == talk.did(words.Configure)[0].lease == held
    assert (held.cidr, held.server, held.dns, held.domain, held.mtu) == (
        f"{ADDRESS}/24",
        SERVER,
        (SERVER,),
        "lan",
        1400,
    )
    assert held.expiry == 1000.0 + 3600
    assert talk.machine.configured and talk.machine.name == "BOUND"


def test_a_discover_says_who_and_what() -> None:
    talk = Talk()
    talk.start()
    _, send, asked = talk.sends()[0]
    assert (send.destination, send.source) == (BROADCAST, NOWHERE)
    assert (asked.op, asked.kind, asked.chaddr, asked.client_id) == (1, DISCOVER, MAC, CLIENT_ID)
    assert (asked.ciaddr, asked.requested, asked.server, asked.broadcast, asked.secs) == (NOWHERE, "", "", False, 0)
    assert (asked.hostname, asked.size) == ("c1", 1500)
    wanted = list(asked.parameters)
    assert {1, 121, 3, 6, 15, 26, 51, 54, 58, 59, 12, 119} <= set(wanted)
    assert wanted.index(121) < wanted.index(3)  # RFC 3442


def test_a_request_takes_one_offer() -> None:
    talk = Talk()
    talk.start()
    talk.now += 2
    talk.reply(OFFER)
    discover, request = (one for _, _, one in talk.sends())
    assert (request.kind, request.requested, request.server, request.ciaddr) == (REQUEST, ADDRESS, SERVER, NOWHERE)
    assert (request.xid, request.secs) == (discover.xid, discover.secs)  # RFC 2131, section 3.1, step 3
    assert request.parameters == discover.parameters
    talk.reply(OFFER, server=OTHER_SERVER, yiaddr=OTHER_ADDRESS)
    talk.reply(ACK, server=OTHER_SERVER)
    assert talk.heard == [] and talk.machine.name == "REQUESTING"


def test_discovers_go_out_after_4_8_16_32_64_seconds_and_say_for_how_long() -> None:
    talk = Talk()
    talk.start()
    talk.until(talk.now + 400)
    sends = talk.sends()
    times = [when for when, _, _ in sends]
    for gap, wanted in zip(gaps(times), [4, 8, 16, 32, 64, 64, 64, 64], strict=False):
        assert abs(gap - wanted) <= 1
    assert len(set(gaps(times))) == len(times) - 1  # by chance, each
    assert len({one.xid for _, _, one in sends}) == 1
    assert [one.secs for _, _, one in sends] == [int(when - 1000.0) for when in times]
    assert "No DHCP server answers" in "\n".join(e.sentence for _, e in talk.every if isinstance(e, words.Tell))


def test_nothing_stays_open_while_nothing_is_awaited() -> None:
    talk = Talk()
    talk.start()
    talk.until(talk.now + 200)
    open_since = None
    for when, effect in talk.every:
        if isinstance(effect, words.Send):
            open_since = when
        elif isinstance(effect, words.Hush):
            assert open_since is not None and when - open_since <= 10
            open_since = None
    assert sum(isinstance(effect, words.Hush) for _, effect in talk.every) >= 3


def test_every_exchange_has_a_number_of_its_own() -> None:
    talk = Talk()
    talk.bound()
    for _ in range(3):
        talk.renew()
        talk.reply(ACK)
    numbers = [one.xid for _, _, one in talk.sends() if one.kind == REQUEST]
    assert len(set(numbers)) == len(numbers) == 4
    assert Talk(seed=8).start() != Talk(seed=9).start()


def test_a_late_answer_counts() -> None:
    talk = Talk()
    talk.start()
    talk.until(talk.now + 5)  # the second DISCOVER is out
    talk.reply(OFFER)
    talk.until(talk.now + 6)
    talk.reply(ACK)
    assert talk.machine.name == "BOUND"
    assert talk.machine.lease and talk.machine.lease.began == 1005.0  # from the first REQUEST on (section 4.4.1)


# --- which replies count ---

STRANGE = {
    "another number": {"xid": 1},
    "another MAC": {"chaddr": OTHER_MAC},
    "another client": {"client_id": b"\xff1234"},
    "a request": {"op": 1},
    "no server": {"server": ""},
    "no time": {"seconds": None},
    "no time at all": {"seconds": 0},
    "no address": {"yiaddr": NOWHERE},
    "loopback": {"yiaddr": "127.0.0.1"},
    "multicast": {"yiaddr": "224.0.0.5"},
    "everybody": {"yiaddr": BROADCAST},
    "the network": {"yiaddr": "192.0.2.0"},
    "the network's everybody": {"yiaddr": "192.0.2.255"},
    "a server that is none": {"server": BROADCAST},
    "an empty mask": {"prefix": 0},
}


@pytest.mark.parametrize("what", STRANGE)
def test_a_strange_offer_or_ack_is_as_if_it_had_not_come(what: str) -> None:
    talk = Talk()
    talk.start()
    talk.reply(OFFER, **STRANGE[what])
    assert talk.names() == [] and talk.machine.name == "SELECTING"
    talk.reply(OFFER)
    talk.reply(ACK, **STRANGE[what])
    assert talk.names() == [] and talk.machine.name == "REQUESTING"
    talk.reply(ACK)
    assert talk.machine.name == "BOUND"


@pytest.mark.parametrize("kind", [0, DISCOVER, REQUEST, DECLINE, ACK, NAK, 7, 8, 9, 255])
def test_only_an_offer_is_an_offer(kind: int) -> None:
    talk = Talk()
    talk.start()
    talk.reply(kind)
    assert talk.heard == [] and talk.machine.name == "SELECTING"


def test_an_identifier_that_comes_back_is_ours_or_wrong() -> None:
    talk = Talk()
    talk.start()
    talk.reply(OFFER, client_id=CLIENT_ID)  # RFC 6842
    assert talk.machine.name == "REQUESTING"


def test_the_address_that_we_had_is_preferred_among_offers() -> None:
    talk = Talk()
    talk.now = 99_999.0
    talk.restart(lease())  # it ended long ago
    assert talk.last().requested == ADDRESS
    talk.reply(OFFER, yiaddr=OTHER_ADDRESS, server=OTHER_SERVER)
    assert talk.machine.name == "SELECTING"
    talk.reply(OFFER)
    assert (talk.last().requested, talk.last().server) == (ADDRESS, SERVER)


def test_another_address_is_taken_when_no_better_one_comes() -> None:
    talk = Talk()
    talk.now = 99_999.0
    talk.restart(lease())
    talk.reply(OFFER, yiaddr=OTHER_ADDRESS, server=OTHER_SERVER)
    talk.go()
    assert talk.now <= 99_999.0 + 1
    assert (talk.last().kind, talk.last().requested, talk.last().server) == (REQUEST, OTHER_ADDRESS, OTHER_SERVER)


def test_an_offer_that_is_not_kept_to_is_given_up() -> None:
    talk = Talk()
    talk.start()
    first = talk.last().xid
    talk.reply(OFFER)
    talk.until(talk.now + 70)
    kinds = [one.kind for _, _, one in talk.sends()]
    assert kinds[:6] == [DISCOVER, REQUEST, REQUEST, REQUEST, REQUEST, DISCOVER]
    assert talk.last().xid != first


# --- refusals ---


def test_a_nak_leads_back_to_the_beginning() -> None:
    talk = Talk()
    talk.start()
    talk.reply(OFFER)
    talk.reply(NAK, server=OTHER_SERVER)
    assert talk.heard == []
    talk.reply(NAK, server="")
    assert talk.heard == []
    talk.reply(NAK, text="address in use")
    assert "address in use" in talk.told()
    assert talk.last().kind == DISCOVER and talk.machine.lease is None


def test_a_server_that_refuses_on_and_on_is_not_flooded() -> None:
    talk = Talk()
    talk.start()
    for _ in range(12):
        while talk.machine.name != "REQUESTING":
            if talk.machine.name == "INIT":
                talk.go()
            talk.reply(OFFER)
        talk.reply(NAK)
    assert len(talk.sends()) == 24
    assert talk.now - 1000 > 100


def test_broadcast_is_asked_for_only_where_it_is_wanted() -> None:
    talk = Talk(broadcast=True)
    talk.bound()
    assert all(one.broadcast for _, _, one in talk.sends())
    talk.renew()
    assert not talk.last().broadcast


def test_a_server_that_refuses_for_days_is_asked_as_rarely_as_after_an_hour() -> None:
    talk = Talk()
    talk.start()
    for _ in range(1100):  # 2.0**1024 is no number any more
        talk.every.clear()
        while talk.machine.name != "REQUESTING":
            if talk.machine.name == "SELECTING" and talk.every:
                talk.reply(OFFER)
            else:
                talk.go()
        before = talk.now
        talk.reply(NAK)
    assert talk.machine.name == "INIT" and 32 <= talk.wait - before <= 96
