"""Every verb is killed once at every call: whatever comes next brings the kernel and the store to agreement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from points import Killed, Points, between_commit_and_copy, stopped
from scenes import MENDING, VERBS, Scene, ready

from containernet.model.errors import ContainerNetError
from kit.memory import MemoryHost
from kit.named import printed

Places = Iterator[Path]


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
        assert error.exit_status in (3, 4), error


@pytest.mark.parametrize("next_verb", [repair, unrelated, again])
@pytest.mark.parametrize("name", {**VERBS, **MENDING})
def test_killed_anywhere(
    name: str,
    next_verb: Callable[[Scene, MemoryHost], None],
    places: Places,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = {**VERBS, **MENDING}[name]
    base = ready(scene, next(places))
    after, points = base.copy(next(places)), Points()
    with monkeypatch.context() as patch:
        between_commit_and_copy(patch, points)
        scene.verb(stopped(after, points))
    expected = printed(after)
    for at, point in enumerate([*points.seen, "the end"], 1):
        host, killer = base.copy(next(places)), Points(at)
        with monkeypatch.context() as patch:
            between_commit_and_copy(patch, killer)
            if point == "the end":
                scene.verb(stopped(host, killer))
            else:
                with pytest.raises(Killed):
                    scene.verb(stopped(host, killer))
        _heals(scene, host, next_verb, base, after, expected, point)


def _heals(
    scene: Scene,
    host: MemoryHost,
    next_verb: Callable[[Scene, MemoryHost], None],
    base: MemoryHost,
    after: MemoryHost,
    expected: str,
    point: str,
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
    assert host.agreement() == [], point
    if next_verb is not again and not committed and base.agreement() == []:
        assert host.intent == base.intent or host.intent.memos != base.intent.memos, point
        assert host.kernel.objects == base.kernel.objects, point
    if next_verb is not again and not committed:
        scene.verb(host.net())
    assert printed(host) == expected, point
    assert len(host.kernel.objects) == len(after.kernel.objects), point
    assert host.net().repair().mended == (), point
