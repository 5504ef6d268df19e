"""Every verb is killed once at every call: whatever comes next brings the kernel and the store to agreement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest
from points import Killed, Points, between_commit_and_copy, stopped
from scenes import MENDING, VERBS, Scene, ready

from containernet.model.errors import ContainerNetError
from kit.memory import MemoryHost
from kit.named import printed

Places = Iterator[Path]
ENOUGH = (
    "network-exists", "network-not-found", "not-joined", "mapping-not-found", "port-mapped", "mac-taken",
    "address-taken",
)  # fmt: skip
Next = Callable[[Scene, MemoryHost], None]


def repair(scene: Scene, host: MemoryHost) -> None:
    host.net().repair()


def unrelated(scene: Scene, host: MemoryHost) -> None:
    net = host.net()
    net.create("by-the-way", internal=True)
    net.destroy("by-the-way")


def again(scene: Scene, host: MemoryHost) -> None:
    scene.verb(host.net())


def again_though_done(scene: Scene, host: MemoryHost) -> None:
    """Say that it is done, or do it once more (a second join makes a second endpoint)."""
    try:
        scene.verb(host.net())
    except ContainerNetError as error:
        if error.code not in ENOUGH:
            raise


@pytest.mark.parametrize("next_verb", [repair, unrelated, again])
@pytest.mark.parametrize("name", VERBS)
def test_killed_anywhere(name: str, next_verb: Next, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    every_point(VERBS[name], cycle([next_verb]), places, monkeypatch)


@pytest.mark.parametrize("name", MENDING)
def test_mending_killed_anywhere(name: str, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    every_point(MENDING[name], cycle([unrelated, repair, unrelated, again]), places, monkeypatch)


def every_point(scene: Scene, next_verbs: Iterator[Next], places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill a verb at each of its points, and each time do one of the next verbs."""
    base = ready(scene, next(places))
    after, points = base.copy(next(places)), Points()
    with monkeypatch.context() as patch:
        between_commit_and_copy(patch, points)
        scene.verb(stopped(after, points))
    expected = printed(after)
    for at, point in enumerate(points.seen, 1):
        host, killer = base.copy(next(places)), Points(at)
        with monkeypatch.context() as patch:
            between_commit_and_copy(patch, killer)
            with pytest.raises(Killed):
                scene.verb(stopped(host, killer))
        _heals(scene, host, next(next_verbs), base, after, expected, point)


def _heals(
    scene: Scene, host: MemoryHost, next_verb: Next, base: MemoryHost, after: MemoryHost, expected: str, point: str
) -> None:
    """Do the next verb, and see that all is well: nothing differs, nothing leaks, nothing is half-done."""
    committed = host.intent == after.intent
    if committed and next_verb is again:
        again_though_done(scene, host)
        assert host.agreement() == [], point
        return
    next_verb(scene, host)
    if scene.unseen and next_verb is unrelated:
        host.net().repair()
    assert host.agreement() == [], (next_verb, point)
    if next_verb is not again and not committed:
        scene.verb(host.net())
    assert printed(host) == expected, (next_verb, point)
    assert len(host.kernel.objects) == len(after.kernel.objects), (next_verb, point)
