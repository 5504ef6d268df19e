"""Carriers of the host's links: told once, in an order that ends with what is so, and none of them missed."""

from __future__ import annotations

from errno import ENOBUFS
from typing import Any

import pytest

from containernet.kernel import carriers, watch
from containernet.kernel.carriers import LOWER_UP, Carriers
from containernet.kernel.links import DELLINK, NEWLINK
from containernet.kernel.netlink import HEADER, text
from containernet.kernel.watch import Message

IFNAME = 3


def body(name: str, has: bool, family: int = 0) -> bytes:
    """Return what a message on a link holds (struct ifinfomsg, and its name)."""
    flags = (LOWER_UP if has else 0) | 1
    return bytes([family, 0, 0, 0]) + (7).to_bytes(4, "little") + flags.to_bytes(4, "little") + bytes(4) + text(3, name)


def told(name: str, has: bool, kind: int = NEWLINK, family: int = 0) -> bytes:
    """Return a datagram."""
    whole = body(name, has, family)
    return HEADER.pack(HEADER.size + len(whole), kind, 0, 0, 0) + whole


class Kernel:
    """Plays netlink: what comes, and what links there are."""

    def __init__(self) -> None:
        self.links = {"up0": True, "up1": False}
        self.come: list[bytes | OSError] = []
        self.socket = self

    def room(self, _: int) -> None: ...

    def setblocking(self, _: bool) -> None: ...

    def recvmsg(self, *_: int) -> tuple[bytes, list[Any], int, None]:
        if not self.come:
            raise BlockingIOError
        first = self.come.pop(0)
        if isinstance(first, OSError):
            raise first
        return first, [], 0, None


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(watch, "Netlink", lambda *_: made)
    every = lambda: [Message(NEWLINK, 0, body(*one), None) for one in made.links.items()]  # noqa: E731
    monkeypatch.setattr(carriers, "links", every)
    return made


TOLD: list[tuple[str, list[bytes], set[str]]] = [
    ("nothing", [], set()),
    ("as it was", [told("up0", True), told("up1", False)], set()),
    ("lost", [told("up0", False), told("up0", False)], {"-up0"}),
    ("had", [told("up1", True)], {"+up1"}),
    ("lost for a moment", [told("up0", False), told("up0", True)], {"-up0", "+up0"}),
    ("had for a moment", [told("up1", True), told("up1", False)], {"-up1"}),
    ("a new link", [told("up2", False), told("up2", True)], {"+up2"}),
    ("a link that goes", [told("up0", False, DELLINK)], set()),
    ("another of its name", [told("up0", True, DELLINK), told("up0", False), told("up0", True)], {"+up0"}),
    ("a port of a bridge", [told("up0", False, family=7), told("up0", False, DELLINK, family=7)], set()),
    ("something else", [told("up0", False, 20)], set()),
]


@pytest.mark.parametrize(("come", "news"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_is_told(kernel: Kernel, come: list[bytes], news: set[str]) -> None:
    made = Carriers()
    kernel.come = [*come]
    assert made.news() == news
    assert made.news() == set(), "once"


def test_it_is_told_over_several_readings(kernel: Kernel) -> None:
    made = Carriers()
    kernel.come = [told("up0", False), told("up0", True), told("up1", True)]
    assert [made.news(1) for _ in range(4)] == [{"-up0"}, {"+up0"}, {"+up1"}, set()]


def test_what_was_lost_on_the_way_is_found_by_looking(kernel: Kernel) -> None:
    made = Carriers()
    kernel.links = {"up0": False, "up2": True}
    kernel.come = [OSError(ENOBUFS, "No buffer space"), told("up2", True)]
    assert made.news() == {"-up0"}
    kernel.links = {"up0": True, "up1": True, "up2": True}
    kernel.come = [OSError(ENOBUFS, "No buffer space")]
    assert made.news() == {"+up0"}


def test_links_that_come_and_go_are_not_remembered_for_ever(kernel: Kernel) -> None:
    made = Carriers()
    for number in range(100):
        kernel.come = [told(f"veth{number}", True), told(f"veth{number}", False, DELLINK)]
        made.news()
    assert len(made._known) == len(kernel.links)
