"""Every call of every verb fails once: what was before is there again, in the kernel and in the store, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from errno import ENOSPC
from itertools import cycle
from pathlib import Path

import pytest
from points import AFTER, BEFORE, DEAF, LIE, SAID, STOP_AFTER, Points, stopped
from scenes import MENDING, VERBS, Scene, ready

from containernet.kernel.door import DENIED, OTHER
from containernet.model.errors import ContainerNetError
from containernet.store import rebuild
from kit.memory import MemoryHost, difference
from kit.named import printed

Places = Iterator[Path]


def seen(scene: Scene, base: MemoryHost, where: Path) -> tuple[list[str], MemoryHost]:
    """Do a scene undisturbed; return its points, and the host after it."""
    host, points = base.copy(where), Points()
    scene.verb(stopped(host, points))
    assert host.agreement() == []
    return points.seen, host


def outcome(scene: Scene, host: MemoryHost, points: Points) -> str:
    """Do a scene; return "done", or the code of the error."""
    try:
        scene.verb(stopped(host, points))
    except ContainerNetError as error:
        return error.code
    except KeyboardInterrupt:
        return "stopped"
    return "done"


def is_as(expected: MemoryHost, host: MemoryHost, point: str) -> None:
    """The kernel and the store are as those of another host, exactly."""
    assert difference(expected.kernel.state, host.kernel.state) == [], point
    assert host.intent == expected.intent, point


def of_the_store(point: str) -> bool:
    """Tell whether it is the store's, which does what it does whole."""
    return point.startswith(("begin", "finish", "keep_room"))


@pytest.mark.parametrize("reason", [OTHER, DENIED])
@pytest.mark.parametrize("name", VERBS)
def test_a_failure_anywhere_leaves_everything_as_it_was(name: str, reason: str, places: Places) -> None:
    scene = VERBS[name]
    base = ready(scene, next(places))
    points, after = seen(scene, base, next(places))
    for at, point in enumerate(points, 1):
        if point == "keep_room":
            continue  # it is done by then
        host = base.copy(next(places))
        with pytest.raises(ContainerNetError, match=SAID):
            scene.verb(stopped(host, Points(at, BEFORE, reason)))
        is_as(base, host, point)
        assert host.agreement() == [], point
        scene.verb(host.net())
        is_as(after, host, point)


@pytest.mark.parametrize("name", VERBS)
def test_what_is_done_though_the_kernel_said_no_is_seen(name: str, places: Places) -> None:
    """An answer that was lost: all is as it was, or it has been mended and the verb is done after all."""
    scene = VERBS[name]
    base = ready(scene, next(places))
    points, after = seen(scene, base, next(places))
    for at, point in enumerate(points, 1):
        if of_the_store(point):
            continue  # a store that refuses has done nothing
        host = base.copy(next(places))
        said = outcome(scene, host, Points(at, AFTER))
        is_as(after if said == "done" else base, host, point)
        assert host.agreement() == [], point


@pytest.mark.parametrize("name", VERBS)
def test_what_is_not_done_though_the_kernel_said_yes_is_read_back(name: str, places: Places) -> None:
    """Somebody has taken it away again at once: a verb that says it is done has seen it."""
    scene = VERBS[name]
    base = ready(scene, next(places))
    points, after = seen(scene, base, next(places))
    for at, point in enumerate(points, 1):
        if point.startswith(("Add(", "Change(", "Elements(add=(E")):
            host = base.copy(next(places))
            said = outcome(scene, host, Points(at, LIE))
            is_as(after if said == "done" else base, host, point)  # done: it was so before
            assert host.agreement() == [], point


@pytest.mark.parametrize("name", VERBS)
def test_ctrl_c_anywhere_leaves_all_of_it_or_nothing(name: str, places: Places) -> None:
    scene = VERBS[name]
    base = ready(scene, next(places))
    points, after = seen(scene, base, next(places))
    for at, point in enumerate(points, 1):
        host = base.copy(next(places))
        with pytest.raises(KeyboardInterrupt):
            scene.verb(stopped(host, Points(at, STOP_AFTER)))
        done = after if host.intent == after.intent else base
        is_as(done, host, point)
        assert host.net().status().drift == (), point
        host.net().repair()
        assert host.agreement() == [], point
        is_as(done, host, point)


@pytest.mark.parametrize("name", ["close", "leave, the last", "destroy with containers on it", "destroy the last"])
def test_what_is_done_stays_done_though_the_reserve_cannot_be_put_back(
    name: str, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full of files has no name left for the ballast either (open(2), ENOSPC)."""

    def full(_: str, __: int) -> None:
        raise OSError(ENOSPC, "No space left on device")

    scene = VERBS[name]
    host = ready(scene, next(places))
    _, after = seen(scene, host, next(places))
    monkeypatch.setattr(rebuild, "ballast", full)
    scene.verb(host.net())
    assert host.agreement() == []
    is_as(after, host, "the reserve")


@pytest.mark.parametrize("name", VERBS)
def test_a_kernel_that_refuses_the_undoing_too_is_mended_by_the_next_verb(name: str, places: Places) -> None:
    scene = VERBS[name]
    base = ready(scene, next(places))
    points, after = seen(scene, base, next(places))
    for at, point in enumerate(points, 1):
        if point == "keep_room":
            continue  # it is done by then
        host = base.copy(next(places))
        with pytest.raises(ContainerNetError, match=SAID):
            scene.verb(stopped(host, Points(at, DEAF)))
        other = host.copy(next(places))
        other.net().repair()
        assert other.agreement() == [], point
        is_as(base, other, point)
        scene.verb(host.net())
        assert host.agreement() == [], point
        is_as(after, host, point)


@pytest.mark.parametrize("how", [BEFORE, ""])
@pytest.mark.parametrize("name", MENDING)
def test_mending_that_fails_is_done_by_the_next_verb(name: str, how: str, places: Places) -> None:
    """Mending is not undone: it goes on where it was; a container that is in the way of itself alone waits."""
    scene = MENDING[name]
    base = ready(scene, next(places))
    points, after = seen(scene, base, next(places))
    expected = printed(after)
    ways = cycle([AFTER, DEAF, STOP_AFTER])
    for at, point in enumerate(points, 1):
        way = how or next(ways)
        if (not how and at % 2) or (way == AFTER and of_the_store(point)):
            continue  # the other ways are dear, and each of them is tried all along the verb
        host = base.copy(next(places))
        said = outcome(scene, host, Points(at, way))
        committed = said == "done" or host.intent == after.intent
        host.net().create("by-the-way", internal=True)
        host.net().destroy("by-the-way")
        if scene.unseen or said in ("done", "repair-incomplete"):  # a container was left out, and it was said
            host.net().repair()
        assert host.agreement() == [], (way, point)
        if not committed:
            scene.verb(host.net())
        assert printed(host) == expected, (way, point)
