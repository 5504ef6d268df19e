"""Random walks: after every step store and kernel agree, and the way that led to a world leaves no trace in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from grounds import LabGround, MemoryGround
from walker import CONTAINERS, Walker, rebuilt

from kit.lab import Lab
from kit.memory import MemoryHost, directories


@pytest.fixture
def ground() -> Iterator[MemoryGround]:
    with directories() as places:
        yield MemoryGround(MemoryHost(next(places)))


@pytest.mark.parametrize("seed", range(10))
def test_in_memory(seed: int, ground: MemoryGround) -> None:
    walker = Walker(seed, ground)
    for _ in range(40):
        walker.step()
    text = walker.end()
    assert len(walker.texts) > 5, "a walk that sees few worlds shows little"
    with directories() as places:
        other = MemoryGround(MemoryHost(next(places)))
        for name in CONTAINERS:
            other.container(name)
        assert rebuilt(walker.model, other) == text, walker.story


@pytest.mark.parametrize("seed", [110, 124])
def test_on_a_real_kernel(seed: int, lab: Lab) -> None:
    ground = LabGround(lab)
    try:
        walker = Walker(seed, ground, hands=0.5)
        for _ in range(20):
            walker.step()
        text = walker.end()
        assert {"flush", "delete", "restart", "reboot"} <= {line.split()[0] for line in walker.said}
        for name in walker.model.networks:
            ground.do("destroy", name, force=True)
        assert "cn-" not in lab.world()
        assert rebuilt(walker.model, ground) == text, walker.story
    finally:
        ground.close()
