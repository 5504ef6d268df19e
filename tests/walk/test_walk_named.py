"""Walks between worlds that have names: whatever way leads to a world, it is the same, line by line.

``worlds/NAME.txt`` is each world as the lines that a person would type to make it (names in place of numbers). Where a
change of ours is meant to change them, ``CNET_REWRITE=1 ./scripts/test tests/walk`` writes them anew, to be looked at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from grounds import Ground, LabGround, MemoryGround

from kit.lab import Lab
from kit.memory import MemoryHost, directories

WORLDS = Path(__file__).parent / "worlds"
CONTAINERS = ["c1", "c2"]
Way = Callable[[Ground], object]


def two(ground: Ground) -> None:
    ground.do("create", "inner", internal=True)
    ground.do("join", "c1", "inner", priority=9)
    ground.do("join", "c2", "inner")


def one_again(ground: Ground) -> None:
    ground.do("leave", "c1", "inner")
    ground.do("destroy", "inner", force=True)


def to_some(ground: Ground) -> None:
    ground.do("close", "c1", "n1", external_port=8080)
    ground.do(
        "open", "c1", "n1", external_port=8080, internal_port=80, remotes=("198.51.100.0/25", "198.51.100.128/25")
    )


def to_all(ground: Ground) -> None:
    ground.do("close", "c1", "n1", external_port=8080)
    publish(ground)


def publish(ground: Ground) -> None:
    ground.do("open", "c1", "n1", external_port=8080, internal_port=80)


def flushed(ground: Ground) -> None:
    ground.flush()
    ground.do("repair")


def unplugged(ground: Ground) -> None:
    for view in ground.do("get"):
        ground.delete(view["bridge"])
        for endpoint in view["endpoints"]:
            ground.delete(endpoint["host_link"])
    ground.do("repair")


def restarted(ground: Ground) -> None:
    ground.reboot()
    for name in CONTAINERS:
        ground.container(name)
    ground.do("restore")


WAYS: dict[str, dict[str, list[Way]]] = {
    "empty": {
        "one-network": [lambda ground: ground.do("create", "n1", nat=True)],
    },
    "one-network": {
        "empty": [lambda ground: ground.do("destroy", "n1")],
        "joined": [lambda ground: ground.do("join", "c1", "n1")],
        "published": [lambda ground: ground.do("join", "c1", "n1", publish=("8080:80",))],
    },
    "joined": {
        "one-network": [lambda ground: ground.do("leave", "c1", "n1")],
        "empty": [lambda ground: ground.do("destroy", "n1", force=True)],
        "published": [publish],
    },
    "published": {
        "joined": [lambda ground: ground.do("close", "c1", "n1", external_port=8080)],
        "one-network": [lambda ground: ground.do("leave", "c1", "n1")],
        "published-to-some": [to_some],
        "two-networks": [two],
    },
    "published-to-some": {
        "published": [to_all],
        "empty": [lambda ground: ground.do("destroy", "n1", force=True)],
    },
    "two-networks": {
        "published": [one_again],
    },
}
STAYS: list[Way] = [flushed, unplugged, restarted]
RARELY = 0.25


class Walk:
    """One walk; it tells of each world that it enters."""

    def __init__(self, seed: int, ground: Ground) -> None:
        self.chance, self.ground = Random(seed), ground
        self.at = "empty"
        self.been = [self.at]
        for name in CONTAINERS:
            ground.container(name)

    def step(self) -> str:
        """Go to a neighbour, or have something happen and be mended; return the text of the world."""
        if self.chance.random() < RARELY:
            self.chance.choice(STAYS)(self.ground)
        else:
            seldom = sorted(WAYS[self.at], key=self.been.count)
            to = self.chance.choice(seldom[:2])
            self.chance.choice(WAYS[self.at][to])(self.ground)
            self.at = to
        self.been.append(self.at)
        return self.ground.text(CONTAINERS)


@pytest.fixture
def ground() -> Iterator[MemoryGround]:
    with directories() as places:
        yield MemoryGround(MemoryHost(next(places)))


@pytest.mark.parametrize("seed", range(5))
def test_every_way_to_a_world_leads_to_the_same(seed: int, ground: MemoryGround) -> None:
    walk = Walk(seed, ground)
    for _ in range(40):
        text = walk.step()
        path = WORLDS / f"{walk.at}.txt"
        if os.environ.get("CNET_REWRITE") == "1":
            path.write_text(text)
        assert text == path.read_text(), walk.been
    assert {*walk.been} == {*WAYS}, "a walk of this length should have seen every world"


@pytest.mark.parametrize("seed", [0, 1])
def test_so_it_is_on_a_real_kernel(seed: int, lab: Lab) -> None:
    ground = LabGround(lab)
    try:
        walk, texts = Walk(seed, ground), dict[str, str]()
        for _ in range(20):
            text = walk.step()
            assert texts.setdefault(walk.at, text) == text, walk.been
        assert len(set(texts.values())) == len(texts) > 3
    finally:
        ground.close()
