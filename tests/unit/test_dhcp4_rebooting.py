"""How a client goes on with a lease from before (INIT-REBOOT), and looks for its address on the link (DECLINE)."""

from __future__ import annotations

import pytest

from containernet.services.dhcp4 import words
from containernet.services.dhcp4.message import ACK, BROADCAST, DECLINE, DISCOVER, NAK, NOWHERE, OFFER, REQUEST
from kit.dhcp_talk import ADDRESS, CLIENT_ID, OTHER_ADDRESS, OTHER_MAC, OTHER_SERVER, SERVER, Talk, lease

# --- INIT-REBOOT ---


@pytest.mark.parametrize("configured", [True, False])
def test_after_a_restart_the_same_address_is_asked_for(configured: bool) -> None:
    talk = Talk(probe="fast")
    talk.restart(lease(), configured=configured)
    _, send, asked = talk.sends()[0]
    assert (send.destination, send.source) == (BROADCAST, NOWHERE)
    assert (asked.kind, asked.requested, asked.server, asked.ciaddr) == (REQUEST, ADDRESS, "", NOWHERE)
    assert "Unconfigure" not in talk.names()
    talk.reply(ACK, server=OTHER_SERVER)  # any server may say yes
    if not configured:
        talk.probed()
    assert talk.machine.name == "BOUND"
    assert talk.names() == ["Save", "Configure", *([] if configured else ["Announce"]), "Hush"]
    held = talk.machine.lease
    assert held and (held.server, held.expiry) == (OTHER_SERVER, 4600.0)


def test_an_ack_of_another_address_is_none() -> None:
    talk = Talk()
    talk.restart(lease())
    talk.reply(ACK, yiaddr=OTHER_ADDRESS)
    assert talk.heard == []


def test_a_nak_after_a_restart_ends_the_address() -> None:
    talk = Talk()
    talk.restart(lease(), configured=True)
    talk.reply(NAK, server=OTHER_SERVER)
    assert talk.names() == ["Unconfigure", "Forget", "Send"]
    assert talk.did(words.Unconfigure)[0].reason == words.REFUSED
    assert (talk.last().kind, talk.last().requested) == (DISCOVER, "")


@pytest.mark.parametrize("configured", [True, False])
def test_silence_after_a_restart_keeps_the_address(configured: bool) -> None:
    talk = Talk(probe="fast")
    talk.restart(lease(), configured=configured)
    talk.until(talk.now + 16)
    if not configured:
        assert talk.machine.name == "CHECKING"
        talk.probed()
    assert talk.machine.name == "RENEWING" and talk.machine.configured
    verifies = [one for _, _, one in talk.sends() if one.requested == ADDRESS]
    assert len(verifies) == 2 and len({one.xid for one in verifies}) == 1
    _, send, asked = talk.sends()[-1]
    assert (send.destination, send.source, asked.ciaddr) == (SERVER, ADDRESS, ADDRESS)
    talk.until(3600)
    assert talk.machine.name == "SELECTING" and not talk.machine.configured


def test_silence_and_somebody_else_has_the_address_meanwhile() -> None:
    talk = Talk(probe="fast")
    talk.restart(lease())
    talk.until(talk.now + 16)
    talk.probed(OTHER_MAC)
    assert talk.names()[:2] == ["Send", "Forget"]
    assert talk.last().kind == DECLINE


def test_a_lease_that_ended_meanwhile_is_only_a_wish() -> None:
    talk = Talk()
    talk.now = 3600.0
    talk.restart(lease(), configured=True)
    assert talk.names() == ["Unconfigure", "Forget", "Send"]
    assert (talk.last().kind, talk.last().requested) == (DISCOVER, ADDRESS)


def test_a_lease_that_ends_while_it_is_verified() -> None:
    for configured in (True, False):
        talk = Talk()
        talk.restart(lease(seconds=1005), configured=configured)
        talk.until(1016)
        assert talk.machine.lease is None
        assert talk.last().kind == DISCOVER


# --- somebody else has it ---


def test_an_address_is_looked_for_before_it_is_used() -> None:
    talk = Talk(probe="fast")
    talk.start()
    talk.reply(OFFER)
    talk.reply(ACK)
    assert talk.names() == ["Probe"] and not talk.machine.configured
    talk.reply(NAK)
    assert talk.heard == []
    talk.probed()
    assert talk.names() == ["Save", "Configure", "Announce", "Hush"]


def declined(talk: Talk, address: str = ADDRESS) -> float:
    """Lead a client to a DECLINE; return for how long it waits then."""
    while talk.machine.name != "CHECKING":
        if talk.machine.name == "SELECTING":
            talk.reply(OFFER, yiaddr=address)
        if talk.machine.name == "REQUESTING":
            talk.reply(ACK, yiaddr=address)
        else:
            talk.go()
    talk.probed(OTHER_MAC)
    assert talk.machine.name == "INIT"
    return talk.wait - talk.now


def test_a_decline_names_address_and_server_and_waits() -> None:
    talk = Talk(probe="fast")
    talk.start()
    asked = talk.last().xid
    assert declined(talk) >= 10
    assert talk.names() == ["Send", "Forget", "Hush"]
    assert OTHER_MAC.hex(":") in talk.told()
    _, send, said = talk.sends()[-1]
    assert (send.destination, send.source) == (BROADCAST, NOWHERE)
    assert (said.kind, said.requested, said.server, said.ciaddr) == (DECLINE, ADDRESS, SERVER, NOWHERE)
    assert said.client_id == CLIENT_ID and not said.parameters and said.xid != asked
    talk.go()
    assert (talk.last().kind, talk.last().requested) == (DISCOVER, "")


def test_a_declined_address_is_not_taken_again_at_once() -> None:
    talk = Talk(probe="fast")
    talk.start()
    declined(talk)
    talk.go()
    talk.reply(OFFER)  # the same, from the same server
    assert talk.machine.name == "SELECTING"
    talk.reply(OFFER, yiaddr=OTHER_ADDRESS, server=OTHER_SERVER)
    assert talk.last().requested == OTHER_ADDRESS


def test_three_declines_in_a_row_and_then_longer_waits() -> None:
    talk = Talk(probe="fast")
    talk.start()
    waits = [declined(talk) for _ in range(7)]
    assert waits == [10, 10, 10, 60, 120, 240, 300]
    talk.go()
    talk.reply(OFFER, yiaddr=OTHER_ADDRESS)
    talk.reply(ACK, yiaddr=OTHER_ADDRESS)
    talk.probed()
    assert talk.machine.name == "BOUND"
    talk.renew()
    talk.reply(NAK)
    assert declined(talk) == 10  # it counts anew


def test_a_lease_that_is_over_before_it_is_used() -> None:
    talk = Talk(probe="strict")
    talk.start()
    talk.reply(OFFER, seconds=1)
    talk.reply(ACK, seconds=1)
    talk.now += 5
    talk.probed()
    assert not talk.machine.configured and "ends before" in talk.told()
    assert talk.machine.name == "INIT" and talk.wait > talk.now + 1


def test_a_probe_that_never_ends_is_not_waited_for() -> None:
    talk = Talk(probe="fast")
    talk.start()
    talk.reply(OFFER)
    talk.reply(ACK)
    talk.go()
    assert talk.machine.name == "SELECTING" and not talk.machine.configured


def test_strict_announces_twice() -> None:
    talk = Talk(probe="strict")
    talk.bound()
    assert talk.names() == ["Save", "Configure", "Announce"]
    talk.go()
    assert talk.names() == ["Announce", "Hush"]
