"""What goes over the wire and when: the pace of many clients, ARP probes, and the filters in the kernel."""

from __future__ import annotations

import random
from math import inf
from typing import Any

import pytest

from containernet.services.dhcp4 import frame, probe, wire
from containernet.services.dhcp4.message import OFFER, Message, encode
from containernet.services.dhcp4.pace import PATIENCE, SOON, Pace
from kit.dhcp_talk import ADDRESS, MAC, OTHER_ADDRESS, OTHER_MAC, SERVER

# --- pace ---


def begun(pace: Pace, now: float) -> list[Any]:
    """Return who has its turn at a time."""
    found = []
    while (key := pace.next(now)) is not None:
        found.append(key)
    return found


def test_the_next_has_its_turn_when_one_is_answered_or_soon() -> None:
    pace = Pace(5)
    assert pace.due == inf
    for number in range(20):
        pace.ask(number)
    assert pace.due <= 0.0
    assert begun(pace, 0.0) == [0, 1]
    pace.answered(0)
    assert begun(pace, 0.01) == [2] and pace.due == pytest.approx(SOON)
    assert begun(pace, SOON) == [3]  # the server takes its time
    assert begun(pace, SOON + 0.02) == [4]
    pace.done(5)  # it waits no longer
    assert begun(pace, SOON + 0.06) == [6]
    assert begun(pace, 0.9) == [] and pace.due == pytest.approx(PATIENCE)  # five wait: the window is full


def test_who_is_not_answered_gives_its_turn_to_the_next() -> None:
    pace = Pace(4)
    for number in range(9):
        pace.ask(number)
    now, order, when = 0.0, [], []
    while pace.due < inf:
        now = max(now, pace.due)
        for key in begun(pace, now):
            order.append(key)
            when.append(now)
    assert order == list(range(9))
    assert when[-1] == pytest.approx(2 * PATIENCE)
    assert all(len([one for one in when if end - PATIENCE < one <= end]) <= 4 for end in when)


# --- the link ---


def arp(sender: str, mac: bytes = OTHER_MAC, target: str = ADDRESS) -> frame.ArpPacket:
    return frame.ArpPacket(frame.ASKS, mac, sender, frame.NOBODY, target)


@pytest.mark.parametrize(("speed", "least", "most"), [("fast", 0.6, 0.6), ("strict", 4.0, 7.0)])
def test_an_address_is_looked_for_three_times(speed: str, least: float, most: float) -> None:
    prober = probe.Prober(ADDRESS, MAC, speed, 0.0, random.Random(1).random)
    sent = []
    while not prober.free:
        now = prober.due
        if question := prober.step(now):
            sent.append(frame.parse_arp(question))
    assert len(sent) == 3 and {(one.sender, one.target) for one in sent} == {("0.0.0.0", ADDRESS)}
    assert least <= now <= most + 1e-9


@pytest.mark.parametrize(
    ("heard", "taken"),
    [
        (arp(ADDRESS), True),
        (arp(ADDRESS, target="192.0.2.99"), True),
        (arp("0.0.0.0"), True),  # somebody else looks for it as well
        (arp("0.0.0.0", MAC), False),
        (arp("192.0.2.99"), False),  # somebody asks for it, which says nothing
        (arp(ADDRESS, MAC), False),
        (arp(OTHER_ADDRESS, target=OTHER_ADDRESS), False),
    ],
)
def test_who_has_an_address_is_known_by_what_it_says(heard: frame.ArpPacket, taken: bool) -> None:
    prober = probe.Prober(ADDRESS, MAC, "fast", 0.0, random.random)
    prober.step(0.0)
    prober.heard(heard)
    assert (prober.owner == OTHER_MAC) is taken


def run(program: list[tuple[int, int, int, int]], data: bytes) -> bool:
    """Run a filter as the kernel does (bpf(4)), as far as ours go."""
    accumulator = index = at = 0
    while True:
        code, yes, no, value = program[at]
        at += 1
        if code == 0x06:
            return bool(value)
        if code == 0xB1:
            index = 4 * (data[value] & 15)
        elif code in (0x15, 0x45):
            at += yes if (accumulator == value if code == 0x15 else accumulator & value) else no
        else:
            size, start = {0x00: 4, 0x08: 2, 0x10: 1}[code & 0x18], value + (index if code & 0x40 else 0)
            accumulator = int.from_bytes(data[start : start + size], "big")


def framed(**changes: Any) -> bytes:
    fields: dict[str, Any] = {"source": SERVER, "source_port": 67, "destination": ADDRESS, "destination_port": 68}
    body = {"op": 2, "chaddr": MAC, **{key: changes.pop(key) for key in ("op", "chaddr") if key in changes}}
    payload = encode(Message(kind=OFFER, xid=1, **body))
    return frame.build(frame.Datagram(payload=payload, **{**fields, **changes}))


def test_the_filters_let_through_what_is_for_us() -> None:
    program = wire.dhcp_filter(MAC)
    good = framed()
    longer = good[:14] + b"\x46" + good[15:34] + b"\1\1\1\1" + good[34:]  # with an IP option
    assert run(program, good) and run(program, longer)
    fragment = good[:20] + b"\x20\x00" + good[22:]
    for bad in (
        fragment,
        framed(op=1),
        framed(chaddr=OTHER_MAC),
        framed(destination_port=67),
        good[:23] + b"\6" + good[24:],
    ):
        assert not run(program, bad)
    assert run(program, good[:20] + b"\x40\x00" + good[22:])  # "do not fragment" is no fragment
    assert run(wire.udp_filter(MAC), good[34:]) and not run(wire.udp_filter(MAC), framed(chaddr=OTHER_MAC)[34:])
    about = wire.arp_filter(ADDRESS)
    assert run(about, frame.arp_probe(OTHER_MAC, ADDRESS)) and run(about, frame.arp_announcement(OTHER_MAC, ADDRESS))
    assert not run(about, frame.arp_announcement(OTHER_MAC, OTHER_ADDRESS))
