"""The DHCPv6 client without a kernel: what it does with sockets, and an address of the link that is not there yet."""

from __future__ import annotations

import random
import socket
from errno import EADDRNOTAVAIL, ENODEV
from typing import Any
from unittest.mock import patch

import pytest

from containernet.kernel.door import VANISHED, KernelError
from containernet.model.lease import Lease
from containernet.model.network import Place
from containernet.services.dhcp4.engine import Engine
from containernet.services.dhcp6 import wire
from containernet.services.dhcp6.message import ADVERTISE, REPLY, REQUEST, SOLICIT, Message, decode, encode
from containernet.services.dhcp6.words import Setup6
from kit.dhcp6_talk import ADDRESS, DUID, IAID, MAC, SERVER, given

SETUP = Setup6(MAC, DUID, IAID, "c1", rapid=False)
NOT_YET = OSError(EADDRNOTAVAIL, "Cannot assign requested address")


class World:
    """An engine whose namespaces lead to the test; hands that take note. ``trouble`` is what opening a socket meets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.trouble: Exception | None = None
        self.far: socket.socket | None = None
        self.every: list[socket.socket] = []
        self.entered = 0
        self.done: list[tuple[Any, ...]] = []
        self.engine = Engine(
            self, self, clock=lambda: self.now, wall=lambda: 5000.0, chance=random.Random(3).random, boot="boot"
        )

    # --- namespaces ---

    def call(self, place: Place, function: Any) -> Any:
        self.entered += 1
        if isinstance(self.trouble, KernelError):
            raise self.trouble
        with patch.object(wire, "open_udp", self._opened):
            return function()

    def _opened(self, interface: str) -> socket.socket:
        if self.trouble:
            raise self.trouble
        near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.far.setblocking(False)
        near.setblocking(False)
        self.every.append(self.far)
        return near

    def leave(self) -> None:
        """Nothing is to be left."""

    # --- hands ---

    def configure(self, key: str, lease: Lease, before: Lease | None) -> None:
        self.done.append(("configure", lease.cidr))

    def unconfigure(self, key: str, lease: Lease, reason: str) -> None:
        self.done.append(("unconfigure", reason))

    def save(self, key: str, lease: Lease) -> None:
        self.done.append(("save", lease.cidr))

    def forget(self, key: str) -> None:
        self.done.append(("forget",))

    def tell(self, key: str, level: str, sentence: str) -> None:
        self.done.append(("tell", level, sentence))

    def lost(self, key: str) -> None:
        self.done.append(("lost", key))

    # --- time and the far end ---

    def turn(self, later: float = 0.0) -> None:
        self.now += later
        self.engine.turn()

    def asked(self) -> list[Message]:
        """Return what was sent since the last time."""
        found = []
        while self.far:
            try:
                found.append(decode(self.far.recv(4096)))
            except (BlockingIOError, OSError):
                break
        return found

    def answer(self, asked: Message, kind: int) -> None:
        assert self.far
        self.far.send(encode(Message(kind, asked.xid, DUID, SERVER, given(), preference=255)))

    def what(self) -> list[str]:
        return [one[0] for one in self.done if one[0] != "tell"]


@pytest.fixture
def world():
    world = World()
    with patch.object(wire, "send", lambda sock, payload: sock.send(payload)):
        world.engine.add("c1", Place("c1", 7), "eth0", SETUP)
        yield world
        world.engine.close()
    for sock in world.every:
        sock.close()


def bound(world: World) -> None:
    for kind in (ADVERTISE, REPLY):
        world.turn()
        world.answer(world.asked()[-1], kind)
    world.turn()


def test_a_client_is_led_to_its_lease_and_nothing_stays_open(world: World) -> None:
    bound(world)
    assert world.what() == ["save", "configure"] and ("configure", f"{ADDRESS}/128") in world.done
    name, held = world.engine.state("c1")
    assert name == "BOUND" and held and (held.family, held.boot) == (6, "boot")
    assert world.engine.sockets() == 0


def test_what_is_to_be_said_waits_for_an_address_of_the_link(world: World) -> None:
    world.trouble = NOT_YET
    world.turn()
    for _ in range(5):
        world.turn(0.11)
    assert world.entered == 6 and world.engine.sockets() == 0 and world.done == []
    world.trouble = None
    world.turn(0.11)
    assert [one.kind for one in world.asked()] == [SOLICIT]


def test_an_address_of_the_link_that_does_not_come_is_told_once(world: World) -> None:
    world.trouble = NOT_YET
    for _ in range(200):
        world.turn(0.11)
    told = [one[1] for one in world.done if "could not be sent" in one[2]]
    assert told[0] == "warning" and set(told[1:]) == {"debug"}
    before = world.entered
    for _ in range(20):
        world.turn(0.11)
    assert world.entered - before <= 20  # it waits for the next time that it is to be said
    world.trouble = None
    for _ in range(200):
        world.turn(1)
    assert world.asked()[0].kind == SOLICIT


@pytest.mark.parametrize("trouble", [KernelError(VANISHED, "Gone."), OSError(ENODEV, "No such device")])
def test_what_is_gone_ends_its_client(world: World, trouble: Exception) -> None:
    world.trouble = trouble
    world.turn()
    assert world.what() == ["lost"] and "c1" not in world.engine


def test_what_is_gone_while_it_waits_ends_its_client(world: World) -> None:
    world.trouble = NOT_YET
    world.turn()
    world.trouble = KernelError(VANISHED, "Gone.")
    world.turn(0.11)
    assert world.what() == ["lost"] and "c1" not in world.engine


def test_noise_is_counted_and_nothing_else(world: World) -> None:
    world.turn()
    assert world.far
    for data in (b"x", b"\7\0\0\1\0", b"\2\0\0\1" + b"\1" * 300):
        world.far.send(data)
    world.turn()
    assert world.engine.malformed("c1") == 3 and world.engine.state("c1")[0] == "SOLICITING"


def test_an_address_in_use_is_declined_through_the_engine(world: World) -> None:
    bound(world)
    world.engine.duplicate("c1")
    assert world.what()[-2:] == ["unconfigure", "forget"] and ("unconfigure", "refused") in world.done
    assert world.engine.state("c1")[0] == "DECLINING"
    assert world.asked()[-1].kind != REQUEST


def test_an_address_of_the_link_is_taken_when_it_can_be_used() -> None:
    line = "fe80000000000000{} 02 40 {} {} {:>8}\n".format
    ours = "004200fffe000001"
    table = line("00000000000000aa", "20", "80", "eth1") + line(ours, "20", "{flags}", "eth0")
    for flags, there in (("80", True), ("c0", False), ("88", False), ("c4", True), ("40", False)):
        assert bool(wire.usable(table.replace("{flags}", flags), "eth0")) is there
    glob = "20010db8000000000000000000000001 02 40 00 80     eth0\n"
    assert wire.usable(glob, "eth0") == "" and wire.usable(table.replace("{flags}", "80"), "eth2") == ""
