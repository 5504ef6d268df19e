"""Hostile packets: a hundred thousand and more of them crash nothing, configure nothing, and move no client.

The rule of this file: seeded, so that a failure can be had again; the number of the packet is in the message.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from containernet.model.lease import FOREVER
from containernet.services.dhcp4 import frame, names, words
from containernet.services.dhcp4.malformed import Malformed
from containernet.services.dhcp4.message import ACK, NAK, OFFER, Message, encode
from containernet.services.dhcp4.replies import is_host
from kit.dhcp_talk import ADDRESS, CLIENT_ID, GIVEN, SERVER, Talk, lease
from kit.spoiling import spoil

STRANGERS, KNOWING, FRAMES = 16_000, 4_000, 20_000  # packets: in each of seven states, the same, in all


def state(name: str) -> Talk:
    """Return a client in a state."""
    talk = Talk(probe="fast" if name == "CHECKING" else "off")
    if name == "REBOOTING":
        talk.restart(lease())
        return talk
    talk.start()
    if name != "SELECTING":
        talk.reply(OFFER)
    if name not in ("SELECTING", "REQUESTING"):
        talk.reply(ACK)
    if name == "RENEWING":
        talk.renew()
    if name == "REBINDING":
        talk.until(1000 + 3150)
    assert talk.machine.name == name
    return talk


STATES = ("SELECTING", "REQUESTING", "REBOOTING", "CHECKING", "BOUND", "RENEWING", "REBINDING")


def seeds(xid: int, chaddr: bytes) -> list[bytes]:
    """Return good replies of every kind, with every option, one of them over all three fields."""
    rich = {
        **GIVEN, "t1": 100, "t2": 200, "dns": (SERVER, ADDRESS), "domain": "lan", "search": ("a.lan", "b.lan"),
        "mtu": 1400, "routes": (("0.0.0.0/0", SERVER), ("10.0.0.0/8", SERVER)), "hostname": "c1",
        "client_id": CLIENT_ID,
    }  # fmt: skip
    made = [encode(Message(2, kind, xid, chaddr, **fields)) for kind in (OFFER, ACK) for fields in (GIVEN, rich)]  # type: ignore[arg-type]
    made.append(encode(Message(2, NAK, xid, chaddr, server=SERVER, text="no")))
    spread = bytearray(encode(Message(2, ACK, xid, chaddr, **GIVEN)))  # type: ignore[arg-type]
    spread[108:119] = b"\x77\x08\x01a\x03lan\x00\x00\xff"
    spread[44:51] = b"\x0f\x04home\xff"
    return [*made, bytes(spread[:240] + b"\x34\x01\x03" + spread[240:])]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with a few things wrong, most of them among the options."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        where = (
            chance.randrange(len(found)) if chance.random() < 0.3 else min(len(found) - 1, chance.randrange(240, 330))
        )
        spoil(found, where, chance, (0, 1, 52, 53, 119, 121, 254, 255), 200)
    return bytes(found)


@pytest.mark.parametrize("name", STATES)
def test_a_stranger_moves_nothing(name: str) -> None:
    """Whoever does not know the number of the exchange is not heard, whatever else is right."""
    chance = random.Random(f"stranger {name}")
    talk = state(name)
    number_of_ours = talk.last().xid.to_bytes(4, "big")
    good = seeds(talk.last().xid ^ 0x5A5A5A5A, talk.setup.mac)
    before = talk.machine.lease, talk.wait
    for number in range(STRANGERS):
        data = mutated(chance.choice(good), chance)
        if data[4:8] == number_of_ours:
            continue
        assert talk.hear(data) == [], f"packet {number}"
    assert (talk.machine.name, talk.machine.lease, talk.wait) == (name, *before)


@pytest.mark.parametrize("name", STATES)
def test_who_knows_the_number_can_give_no_nonsense(name: str) -> None:
    """A reply that fits and was spoilt is either thrown away or gives a lease in which everything is sound."""
    chance = random.Random(f"knowing {name}")
    talk = state(name)
    good = seeds(talk.last().xid, talk.setup.mac)
    for number in range(KNOWING):
        for effect in talk.hear(mutated(chance.choice(good), chance)):
            if isinstance(effect, words.Configure | words.Save):
                assert sound(talk, effect.lease), f"packet {number}: {effect}"
        if talk.machine.name != name or talk.heard:
            talk = state(name)


def sound(talk: Talk, held: words.Lease) -> bool:
    """Tell whether a lease is what was asked for, and nothing in it can do harm."""
    hosts = (held.server, *held.routers, *held.dns, *(route.via for route in held.routes if route.via))
    return (
        held.address == ADDRESS
        and held.seconds > 0
        and (0 < held.t1 <= held.t2 < held.seconds or held.seconds == FOREVER)
        and 1 <= held.prefix <= 32
        and all(is_host(one) for one in hosts)
        and (held.mtu == 0 or 576 <= held.mtu <= talk.setup.mtu)
        and all(names.proper(one) == one for one in (held.domain, held.hostname, *held.search) if one)
    )  # fmt: skip


def test_a_frame_that_was_changed_on_its_way_is_thrown_away() -> None:
    chance = random.Random("frames")
    good = frame.build(frame.Datagram(SERVER, 67, ADDRESS, 68, seeds(7, Talk().setup.mac)[0]))
    for number in range(FRAMES):
        data = bytearray(good)
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(14, len(data))] = chance.randrange(256)
        try:
            found = frame.parse(bytes(data))
        except Malformed:
            continue
        same = found.payload == frame.parse(good).payload
        assert same or data[40:42] == b"\0\0" or swapped(bytes(data), good), f"frame {number}"


def swapped(data: bytes, good: bytes) -> bool:
    """Tell whether a change is one that the checksum of RFC 1071 cannot see: the sums are equal."""
    total: Callable[[bytes], int] = lambda one: frame.checksum(one[34:40] + one[42:])  # noqa: E731
    return total(data) == total(good)
