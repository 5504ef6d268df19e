"""SIGKILL at every call of every verb on the real kernel: whatever comes next ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kit.lab import HOST4, LAN4, LAN6, Lab
from kit.named import Line
from kit.resident import AFTER, BEFORE, Resident
from kit.setup import joined
from kit.told import lines, told

CONTAINERS = ["c1", "c2", "c9"]
PUBLISH = ("50500:80", "50600-50602:8000/udp")

Do = Callable[[Resident], Any]


class Verb:
    """A verb by its name and arguments, and what brings the world back to what it was before."""

    def __init__(self, name: str, *args: Any, undo: Do | None = None, **options: Any) -> None:
        self.name, self.args, self.options, self.undo = name, args, options, undo


VERBS = {
    "create": Verb("create", "n9", nat=True, undo=lambda host: host.do("destroy", "n9")),
    "join": Verb("join", "c9", "n1", publish=PUBLISH, undo=lambda host: host.do("leave", "c9", "n1")),
    "open": Verb(
        "open", "c1", "n1", external_port="50500-50503", internal_port=8000, remotes=("10.0.0.0/8", "fd00::/8"),
        undo=lambda host: host.do("close", "c1", "n1", external_port="50500-50503"),
    ),
    "close": Verb(
        "close", "c1", "n1", protocol="udp", external_port=50053,
        undo=lambda host: host.do("open", "c1", "n1", protocol="udp", external_port=50053, internal_port=53),
    ),
    "leave": Verb(
        "leave", "c2", "n1", undo=lambda host: host.do("join", "c2", "n1", priority=9, publish=("50001:80",))
    ),
    "destroy": Verb("destroy", "n1", force=True),
}  # fmt: skip


class Town:
    """Two networks, a container with ports, a container on both networks, one that has joined nothing."""

    def __init__(self, lab: Lab, host: Resident) -> None:
        self.lab, self.host = lab, host
        self.c1, _ = joined(lab, "c1", "n1", "-p", "50000:80", "-p", "50053:53/udp")
        joined(lab, "c2", "n1", "-p", "50001:80", "--priority", "9")
        joined(lab, "c2", "n2")
        lab.container("c9")
        self.c1.serve(80, protos="tcp", families="4")

    def works(self) -> bool:
        """Tell whether packets go in, out and across."""
        c1, lan = self.c1, self.lab.lan
        return lan.probe(HOST4, 50000) == f"c1 {LAN4}" and c1.ping(LAN4) and c1.ping(LAN6) and c1.ping("192.168.1.1")

    def world(self) -> list[Line]:
        """Return all of ours in the kernel."""
        return lines(self.lab, CONTAINERS)

    def told(self) -> str:
        """Return the world with names in place of numbers."""
        return told(self.lab, CONTAINERS, self.host.do("get", child=True))

    def stands(self) -> list[int]:
        """Return how many networks, endpoints and ports there are; the store and the kernel agree on them."""
        status = self.host.do("status", child=True)
        assert status["drift"] == []
        assert status["interrupted"] == []
        return [status[what] for what in ("networks", "endpoints", "ports")]


@contextmanager
def town(lab: Lab) -> Iterator[Town]:
    with Resident(lab.host.enter, lab.env) as host:
        yield Town(lab, host)


@pytest.mark.parametrize("name", VERBS)
def test_killed_before_every_call_then_repaired(lab: Lab, name: str) -> None:
    verb = VERBS[name]
    with town(lab) as here:
        before, at = here.world(), 1
        while here.host.killed(verb.name, *verb.args, at=at, when=BEFORE, **verb.options):
            here.host.do("repair", child=True)
            assert here.stands() == [2, 3, 3], at
            assert here.world() == before, at
            assert here.works(), at
            at += 1
        assert at > 3
        assert here.stands() != [2, 3, 3]
        assert here.world() != before


@pytest.mark.parametrize("name", [name for name, verb in VERBS.items() if verb.undo])
def test_killed_after_every_call_then_done_again(lab: Lab, name: str) -> None:
    verb = VERBS[name]
    assert verb.undo
    with town(lab) as here:
        before = here.told()
        here.host.do(verb.name, *verb.args, **verb.options)
        after, standing, at = here.told(), here.stands(), 1
        assert after != before
        verb.undo(here.host)
        assert here.told() == before
        while here.host.killed(verb.name, *verb.args, at=at, when=AFTER, **verb.options):
            if here.host.do("status", child=True)["interrupted"]:
                here.host.do(verb.name, *verb.args, child=True, **verb.options)
            assert here.stands() == standing, at
            assert here.told() == after, at
            verb.undo(here.host)
            at += 1
        assert at > 3
        verb.undo(here.host)
        assert here.told() == before


def test_killed_after_every_call_of_a_destroy(lab: Lab) -> None:
    """The command of a new process mends it, and what is done stays done."""
    verb = VERBS["destroy"]
    with town(lab) as here:
        before, at = here.world(), 1
        while here.host.killed(verb.name, *verb.args, at=at, when=AFTER, **verb.options):
            lab.cnet("repair")
            if here.stands() != [2, 3, 3]:
                break
            assert here.world() == before, at
            assert here.works(), at
            at += 1
        assert at > 10
        assert [view["name"] for view in here.host.do("get")] == ["n2"]
        assert not [line for _, line in here.world() if "cn-1" in line]
        lab.cnet("destroy", "n2", "--force")
        assert "cn-" not in lab.world()
