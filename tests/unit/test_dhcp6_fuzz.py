"""Hostile DHCPv6 packets: tens of thousands of them crash nothing, configure nothing, and move no client.

The rule of this file: seeded, so that a failure can be had again; the number of the packet is in the message.
"""

from __future__ import annotations

import random

import pytest

from containernet.model.lease import FOREVER, Lease
from containernet.services.dhcp4 import names, words
from containernet.services.dhcp6 import options
from containernet.services.dhcp6.message import ADVERTISE, REPLY, Message, encode
from containernet.services.dhcp6.options import Association, Offered, Status
from containernet.services.dhcp6.replies import is_host
from kit.dhcp6_talk import ADDRESS, DUID, IAID, OTHER_ADDRESS, SERVER, Talk6, denied, given, lease
from kit.spoiling import spoil

STRANGERS, KNOWING = 8_000, 3_000  # packets in each state
STATES = ("SOLICITING", "REQUESTING", "CONFIRMING", "BOUND", "RENEWING", "REBINDING", "DECLINING", "INFORMING")


def state(name: str) -> Talk6:
    """Return a client in a state."""
    talk = Talk6(rapid=True, stateful=name != "INFORMING")
    if name == "CONFIRMING":
        talk.restart(lease())
        return talk
    talk.start()
    if name not in ("SOLICITING", "INFORMING"):
        talk.reply(ADVERTISE, preference=255)
    if name in ("BOUND", "RENEWING", "REBINDING", "DECLINING"):
        talk.reply(REPLY)
    if name == "RENEWING":
        talk.go()
    if name == "REBINDING":
        talk.until(1000 + 1440)
    if name == "DECLINING":
        talk.duplicate()
    assert talk.machine.name == name
    return talk


def seeds(xid: int, client: bytes) -> list[bytes]:
    """Return good replies of every kind, with every option."""
    rich = {
        "dns": (ADDRESS, OTHER_ADDRESS), "search": ("a.lan", "b.lan"), "fqdn": "c1.lan", "refresh": 3600,
        "sol_max_rt": 600, "inf_max_rt": 600, "status": Status(0, "fine"), "preference": 255,
    }  # fmt: skip
    two = (Association(IAID, 60, 90, (Offered(ADDRESS, 100, 200), Offered(OTHER_ADDRESS, 0, 0, Status(3)))),)
    whole = {"xid": xid, "client": client, "server": SERVER}
    made = [
        encode(Message(kind, associations=ours, rapid=True, **whole, **more))  # type: ignore[arg-type]
        for kind in (ADVERTISE, REPLY)
        for ours in (given(), two, denied(options.NO_BINDING), denied(options.NO_ADDRESSES), ())
        for more in ({}, rich)
    ]
    return [*made, encode(Message(REPLY, status=Status(options.NOT_ON_LINK, "no"), **whole))]  # type: ignore[arg-type]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with a few things wrong."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        where = chance.randrange(4, len(found))
        spoil(found, where, chance, (0, 1, 3, 5, 13, 24, 39, 192, 255), 8)
        if len(found) <= 4:
            break
    return bytes(found)


@pytest.mark.parametrize("name", STATES)
def test_a_stranger_moves_nothing(name: str) -> None:
    """Whoever does not know the number of the exchange, or says that it is another's, is not heard."""
    chance = random.Random(f"stranger {name}")
    talk = state(name)
    xid = talk.last().xid
    good = [*seeds(xid ^ 0x5A5A5A, DUID), *seeds(xid, DUID[:-1] + b"\xee")]
    before = talk.machine.lease, talk.wait
    for number in range(STRANGERS):
        data = mutated(chance.choice(good), chance)
        if xid.to_bytes(3, "big") == data[1:4] and DUID in data:
            continue
        assert talk.hear(data) == [], f"packet {number}"
    assert (talk.machine.name, talk.machine.lease, talk.wait) == (name, *before)


@pytest.mark.parametrize("name", STATES)
def test_who_knows_the_number_can_give_no_nonsense(name: str) -> None:
    """A reply that fits and was spoilt is either thrown away or gives a lease in which everything is sound."""
    chance = random.Random(f"knowing {name}")
    talk = state(name)
    good = seeds(talk.last().xid, DUID)
    for number in range(KNOWING):
        for effect in talk.hear(mutated(chance.choice(good), chance)):
            if isinstance(effect, words.Configure | words.Save):
                assert sound(effect.lease), f"packet {number}: {effect}"
        if talk.machine.name != name or talk.heard:
            talk = state(name)


def sound(held: Lease) -> bool:
    """Tell whether nothing in a lease can do harm."""
    timed = held.seconds == FOREVER or 0 < held.t1 <= held.t2 <= held.seconds
    return (
        (not held.address or (is_host(held.address) and 0 <= held.preferred <= held.seconds))
        and timed
        and held.seconds > 0
        and (held.family, held.prefix, held.client_id) == (6, 128, DUID.hex())
        and all(is_host(one) for one in held.dns)
        and all(names.proper(one) == one for one in (held.hostname, *held.search) if one)
    )  # fmt: skip


def test_noise_is_no_message() -> None:
    chance = random.Random("noise")
    talk = state("SOLICITING")
    head = bytes((ADVERTISE,)) + talk.last().xid.to_bytes(3, "big")
    for number in range(20_000):
        assert talk.hear(head + chance.randbytes(chance.randrange(300))) == [], f"packet {number}"
