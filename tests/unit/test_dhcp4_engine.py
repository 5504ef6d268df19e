"""The engine without a kernel: pace, probes, filters, and what goes wrong in hands and namespaces."""

from __future__ import annotations

import random
import socket
from errno import ENETDOWN, ENODEV, ENOSPC
from typing import Any
from unittest.mock import patch

import pytest

from containernet.kernel.door import OTHER, VANISHED, KernelError
from containernet.model.lease import Lease
from containernet.model.network import Place
from containernet.services.dhcp4 import frame, wire
from containernet.services.dhcp4.engine import Engine
from containernet.services.dhcp4.message import ACK, DISCOVER, OFFER, Message, decode, encode
from containernet.services.dhcp4.pace import AT_ONCE
from kit.dhcp_talk import ADDRESS, CLIENT_ID, MAC, SERVER, Setup, lease

SETUP = Setup(MAC, CLIENT_ID, probe="off")


class Wires:
    """Namespaces whose sockets lead to the test. ``trouble`` is what entering one meets."""

    def __init__(self) -> None:
        self.trouble: dict[str, Exception] = {}
        self.far: dict[str, socket.socket] = {}
        self.every: list[socket.socket] = []
        self.entered = self.left = 0

    def call(self, place: Place, function: Any) -> Any:
        self.entered += 1
        if place.path in self.trouble:
            raise self.trouble[place.path]
        with patch.object(wire, "open_packet", lambda *_: self.opened(place.path)):
            return function()

    def opened(self, path: str) -> socket.socket:
        near, self.far[path] = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        near.setblocking(False)
        self.far[path].setblocking(False)
        self.every.append(self.far[path])
        return near

    def leave(self) -> None:
        self.left += 1

    def asked(self, path: str) -> list[Message]:
        """Return the DHCP messages that a client has sent since the last time."""
        found = []
        while path in self.far:
            try:
                data = self.far[path].recv(4096)
            except (BlockingIOError, OSError):
                break
            if data[12:14] == b"\x08\x00":
                found.append(decode(frame.parse(data).payload))
        return found

    def answer(self, path: str, asked: Message, kind: int, address: str = ADDRESS) -> None:
        made = Message(2, kind, asked.xid, asked.chaddr, yiaddr=address, server=SERVER, seconds=3600, prefix=24)
        self.far[path].send(frame.build(frame.Datagram(SERVER, 67, address, 68, encode(made))))


class Hands:
    """Hands that take note, and fail where they are told to."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.trouble: dict[str, Exception] = {}

    def _do(self, what: str, *more: Any) -> None:
        self.done.append((what, *more))
        if what in self.trouble:
            raise self.trouble[what]

    def configure(self, key: str, lease: Lease, before: Lease | None) -> None:
        self._do("configure", key, lease.cidr)

    def unconfigure(self, key: str, lease: Lease, reason: str) -> None:
        self._do("unconfigure", key, reason)

    def save(self, key: str, lease: Lease) -> None:
        assert lease.boot == "boot" and lease.wall > 0
        self._do("save", key, lease.cidr)

    def forget(self, key: str) -> None:
        self._do("forget", key)

    def tell(self, key: str, level: str, sentence: str) -> None:
        self._do("tell", key, level, sentence)

    def lost(self, key: str) -> None:
        self._do("lost", key)

    def what(self) -> list[str]:
        return [one[0] for one in self.done if one[0] != "tell"]


class World:
    """An engine, its hands, its wires and its clock."""

    def __init__(self, **options: Any) -> None:
        self.now = 1000.0
        self.wires, self.hands = Wires(), Hands()
        self.engine = Engine(
            self.hands, self.wires,
            clock=lambda: self.now, wall=lambda: self.now + 5000, chance=random.Random(3).random, boot="boot",
            **options,
        )  # fmt: skip

    def add(self, key: str = "c1", **more: Any) -> None:
        self.engine.add(key, Place(key, 7), "eth0", SETUP, **more)

    def turn(self, later: float = 0.0) -> None:
        self.now += later
        self.engine.turn()

    def bound(self, key: str = "c1") -> None:
        """Lead a client to a lease."""
        self.turn()
        self.wires.answer(key, self.wires.asked(key)[-1], OFFER)
        self.turn()
        self.wires.answer(key, self.wires.asked(key)[-1], ACK)
        self.turn()


@pytest.fixture
def world():
    world = World()
    yield world
    world.engine.close()
    for sock in world.wires.every:
        sock.close()


def test_a_client_is_led_to_its_lease_and_nothing_stays_open(world: World) -> None:
    world.add()
    world.bound()
    assert world.hands.what() == ["save", "configure"]
    name, held = world.engine.state("c1")
    assert name == "BOUND" and held and held.cidr == f"{ADDRESS}/24" and held.expiry_wall == 6000 + 3600
    assert world.engine.sockets() == 0 and world.engine.keys() == ["c1"]
    assert world.wires.left >= 3  # after every turn we are in no namespace


def test_a_lease_from_another_boot_is_counted_by_the_wall_clock(world: World) -> None:
    world.add(lease=lease(boot="other", wall=5900.0, began=9e9))
    world.turn()
    held = world.engine.state("c1")[1]
    assert held and held.began == 900.0
    world.add("c2", lease=lease(boot="other", wall=100.0))
    world.turn()
    assert world.wires.asked("c2")[0].kind == DISCOVER


# --- pace ---


def test_many_start_a_few_at_a_time() -> None:
    world = World()
    keys = [f"c{number}" for number in range(100)]
    for key in keys:
        world.add(key)
    most, done = 0, 0
    for _ in range(300):
        world.turn()
        asked = {key: messages[-1] for key in keys if (messages := world.wires.asked(key))}
        waiting = [key for key, one in asked.items() if one.kind == DISCOVER]
        most = max(most, len(waiting))
        for key, one in asked.items():
            world.wires.answer(key, one, OFFER if one.kind == DISCOVER else ACK, f"10.0.{key[1:]}.1")
        done = sum(one[0] == "configure" for one in world.hands.done)
        if done == len(keys):
            break
    assert done == len(keys)
    assert 0 < most <= AT_ONCE
    world.engine.close()
    for sock in world.wires.every:
        sock.close()


# --- what goes wrong ---


def test_what_cannot_be_configured_is_tried_again_later(world: World) -> None:
    world.hands.trouble["configure"] = KernelError(OTHER, "The kernel refused.")
    world.add()
    world.bound()
    assert world.engine.state("c1")[0] == "INIT"
    assert ("tell", "c1", "warning", "The lease could not be configured: The kernel refused.") in world.hands.done
    assert world.engine.sockets() == 0
    world.hands.trouble.clear()
    world.turn(31)
    asked = world.wires.asked("c1")[-1]
    assert asked.requested == ADDRESS
    world.wires.answer("c1", asked, OFFER)
    world.turn()
    world.wires.answer("c1", world.wires.asked("c1")[-1], ACK)
    world.turn()
    assert world.engine.state("c1")[0] == "BOUND"


def test_what_cannot_be_saved_is_used_and_told(world: World) -> None:
    world.hands.trouble["save"] = OSError(ENOSPC, "No space left on device")
    world.add()
    world.bound()
    assert world.hands.what() == ["save", "configure"]
    assert "No space left" in str(world.hands.done)


GONE = [KernelError(VANISHED, "There is no network namespace at c1 any more."), OSError(ENODEV, "No such device")]


@pytest.mark.parametrize("trouble", GONE, ids=["namespace", "interface"])
def test_what_is_gone_ends_its_client_and_is_told_once(world: World, trouble: Exception) -> None:
    world.wires.trouble["c1"] = trouble
    world.add()
    world.add("c2")
    world.turn()
    world.turn(100)
    assert world.hands.what() == ["lost"] and "c1" not in world.engine and "c2" in world.engine
    assert "Its lease is kept." in world.hands.done[0][3]


def test_what_is_gone_in_the_hands_ends_its_client_too(world: World) -> None:
    world.hands.trouble["configure"] = GONE[0]
    world.add()
    world.bound()
    assert world.hands.what() == ["save", "configure", "lost"] and "c1" not in world.engine


def test_a_lease_that_ends_where_nothing_is_left_to_configure(world: World) -> None:
    world.add(lease=lease(boot="boot", seconds=900), configured=True)
    world.hands.trouble["unconfigure"] = GONE[0]
    world.turn()
    assert world.hands.what() == ["unconfigure", "forget"]
    assert "c1" in world.engine  # the next word that it sends finds out


def test_a_link_that_is_down_is_told_and_tried_again(world: World) -> None:
    world.wires.trouble["c1"] = OSError(ENETDOWN, "Network is down")
    world.add()
    world.turn()
    assert "Network is down" in world.hands.done[0][3] and "c1" in world.engine
    world.turn(6)
    assert [one[2] for one in world.hands.done] == ["warning", "debug"]  # the same is told once
    world.wires.trouble.clear()
    world.turn(10)
    assert world.wires.asked("c1")[-1].kind == DISCOVER


def test_a_namespace_is_looked_at_before_a_word_is_said_again(world: World) -> None:
    world.add()
    world.turn()
    entered = world.wires.entered
    world.wires.trouble["c1"] = GONE[0]
    world.turn(6)
    assert world.wires.entered == entered + 1 and world.hands.what() == ["lost"]


def test_noise_is_counted_and_nothing_else(world: World) -> None:
    world.add()
    world.turn()
    asked = world.wires.asked("c1")[-1]
    for data in (b"", b"x" * 60, frame.build(frame.Datagram(SERVER, 67, ADDRESS, 68, b"x" * 300))):
        world.wires.far["c1"].send(data)
    bad = bytearray(frame.build(frame.Datagram(SERVER, 67, ADDRESS, 68, encode(asked))))
    bad[60] ^= 1
    world.wires.far["c1"].send(bad)
    world.turn()
    assert world.engine.malformed("c1") == 4 and world.engine.state("c1")[0] == "SELECTING"


# --- what a caller may do at any time ---


def test_who_has_not_had_its_turn_can_be_removed_and_released(world: World) -> None:
    world.add("c1", lease=lease(boot="boot"), configured=True)
    world.engine.remove("c1")
    assert world.engine.keys() == [] and world.hands.what() == []
    world.add("c2", lease=lease(boot="boot"), configured=True)
    world.wires.trouble["c2"] = OSError(ENETDOWN, "Network is down")  # so the server does not hear of it
    world.engine.release("c2")
    assert world.engine.state("c2")[0] == "RELEASING"
    world.turn(2)
    assert world.hands.what() == ["unconfigure", "forget"] and world.engine.keys() == []


def test_a_key_is_given_once(world: World) -> None:
    world.add()
    with pytest.raises(ValueError):
        world.add()
    world.engine.remove("c1")
    world.add()
    world.turn()
    assert world.engine.state("c1")[0] == "SELECTING"
    world.engine.link("c1", False)
    assert world.engine.state("c1")[0] == "DOWN"
