"""The resolv.conf of a container: what others put in its place is moved aside, comes back, and is never lost."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from things import GROUP, resolver
from worlds import ETC, Real, World

from containernet.kernel.door import ABSENT, EXISTS, KernelError
from containernet.model.network import Place
from containernet.model.record import replace
from containernet.plan.diff import diff
from containernet.plan.objects import Resolver
from containernet.plan.operations import Add, Change, Operation, Remove
from containernet.plan.ownership import ours

OURS = resolver(Place("/run/netns/c1", 0))
OTHER = replace(OURS, servers=("10.7.0.54",), search=())
FORMER = "nameserver 192.0.2.1\n"


def refused(world: World, operation: Operation) -> str:
    with pytest.raises(KernelError) as refusal:
        world.kernel.do(operation)
    assert refusal.value.sentence.endswith(".")
    return refusal.value.reason


def read(world: World) -> set[object]:
    return {*world.kernel.read([], [])}


def test_what_was_there_before_is_there_again(world: World) -> None:
    world.put_file("c1", FORMER)
    assert read(world) == set()
    world.kernel.do(Add(OURS))
    assert world.kernel.missing([OURS]) == []
    world.kernel.do(Change(OURS, OTHER))
    assert read(world) == {OTHER}
    world.kernel.do(Remove(OTHER))
    assert world.file("c1") == FORMER
    assert read(world) == set()


def test_a_file_of_others_is_moved_aside_once(world: World) -> None:
    world.put_file("c1", FORMER)
    world.kernel.do(Add(OURS))
    world.put_file("c1", "nameserver 192.0.2.2\n")
    assert read(world) == set()
    assert world.kernel.missing([OURS]) == [OURS]
    assert refused(world, Add(OURS)) == EXISTS
    assert refused(world, Change(OURS, OTHER)) == EXISTS
    assert refused(world, Remove(OURS)) == ABSENT
    assert world.file("c1") == "nameserver 192.0.2.2\n"
    world.delete_file("c1")
    world.kernel.do(Add(OURS))
    world.kernel.do(Remove(OURS))
    assert world.file("c1") == FORMER


@pytest.mark.parametrize("step", [Add(OURS), Change(OTHER, OURS)])
def test_a_file_that_somebody_put_over_ours_comes_back_in_the_end(world: World, step: Operation) -> None:
    world.kernel.do(Add(OTHER))
    world.put_file("c1", FORMER)
    world.kernel.do(step)
    assert read(world) == {OURS}
    world.kernel.do(Remove(OURS))
    assert world.file("c1") == FORMER


def test_a_file_that_somebody_edits_is_ours_still(world: World) -> None:
    world.kernel.do(Add(OURS))
    world.edit_file("c1")
    edited = replace(OURS, servers=(), search=())
    assert read(world) == {edited}
    assert world.kernel.missing([OURS]) == [OURS]
    world.kernel.do(Change(edited, OURS))
    assert read(world) == {OURS}
    world.edit_file("c1")
    world.kernel.do(Remove(OURS))
    assert read(world) == set()


def test_without_our_file_its_former_one_is_a_trace_that_is_removed_or_made_whole(world: World) -> None:
    trace = Resolver("c1", (), (), 0)
    world.put_file("c1", FORMER)
    world.kernel.do(Add(OURS))
    world.delete_file("c1")
    assert read(world) == {trace}
    assert ours([trace], [], GROUP) == [trace]
    world.kernel.do(Change(trace, OURS))
    assert read(world) == {OURS}
    world.delete_file("c1")
    world.kernel.do(Remove(trace))
    assert world.file("c1") == FORMER
    assert read(world) == set()


def test_a_file_of_another_store_is_left(world: World) -> None:
    theirs = replace(OURS, mark=GROUP + 1)
    world.kernel.do(Add(theirs))
    assert refused(world, Add(OURS)) == EXISTS
    assert refused(world, Change(OURS, OURS)) == EXISTS
    assert refused(world, Remove(OURS)) == ABSENT
    assert read(world) == {theirs}
    assert ours([theirs], [], GROUP) == []


# --- what only files can show ---

PATH = ETC / "c1" / "resolv.conf"


def listed() -> list[str]:
    """Return all that is in /etc/netns."""
    return sorted(str(path.relative_to(ETC)) for path in ETC.rglob("*"))


def test_the_file_says_whose_it_is_and_the_directory_goes_with_it(real: Real) -> None:
    real.kernel.do(Add(OURS))
    lines = PATH.read_text().splitlines()
    assert "ContainerNet (cnet), store 0000636e" in lines[0]
    assert str(OURS.former) in lines[1]
    assert lines[-3:] == ["search n1.example example", "nameserver 10.7.0.53", "nameserver fd07::53"]
    assert PATH.stat().st_mode & 0o777 == 0o644
    real.kernel.do(Change(OURS, OTHER))
    assert listed() == ["c1", "c1/resolv.conf"]
    real.kernel.do(Remove(OTHER))
    assert listed() == []


def test_ip_netns_exec_shows_it_and_complains_of_nothing(real: Real) -> None:
    real.namespace("c1")
    real.put_file("c1", FORMER)
    real.kernel.do(Add(OURS))
    done = subprocess.run(["ip", "netns", "exec", "c1", "cat", "/etc/resolv.conf"], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (PATH.read_bytes(), b"")


def test_a_child_sees_what_is_there_when_it_is_let_go(real: Real) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    child = real.kernel.start(("bash", "-c", f"cat /etc/resolv.conf >&{writing}"), "", "c1")
    os.close(writing)
    real.kernel.do(Add(OURS))
    child.go()
    with os.fdopen(reading) as pipe:
        assert pipe.read() == PATH.read_text()
    assert child.wait() == 0
    child.end()


def test_the_directory_stays_if_it_was_there_or_has_more(real: Real) -> None:
    (ETC / "c1").mkdir()
    real.kernel.do(Add(OURS))
    real.kernel.do(Remove(OURS))
    assert listed() == ["c1"]
    (ETC / "c1").rmdir()
    real.kernel.do(Add(OURS))
    (ETC / "c1" / "hosts").write_text("")
    real.kernel.do(Remove(OURS))
    assert listed() == ["c1", "c1/hosts"]


@pytest.mark.parametrize("target", ["../other.conf", "/no/such/file"])
def test_a_symbolic_link_is_moved_as_it_is(real: Real, target: str) -> None:
    (ETC / "c1").mkdir()
    (ETC / "other.conf").write_text(FORMER)
    PATH.symlink_to(target)
    real.kernel.do(Add(OURS))
    assert not PATH.is_symlink()
    assert (ETC / "other.conf").read_text() == FORMER
    real.kernel.do(Remove(OURS))
    assert os.readlink(PATH) == target


def test_a_mode_that_is_not_ours_is_a_difference(real: Real) -> None:
    real.kernel.do(Add(OURS))
    PATH.chmod(0o600)
    assert real.kernel.missing([OURS]) == [OURS]
    real.kernel.do(Change(OURS, OURS))
    assert real.kernel.missing([OURS]) == []


def test_a_copy_of_ours_for_another_container_is_somebody_elses(real: Real) -> None:
    real.kernel.do(Add(OURS))
    text = PATH.read_text()
    real.put_file("c2", text)
    assert read(real) == {OURS}
    assert refused(real, Remove(replace(OURS, name="c2"))) == ABSENT
    assert real.file("c2") == text


@pytest.mark.parametrize("former", ["", FORMER])
@pytest.mark.parametrize("first", [Add(OURS), Remove(OURS)])
@pytest.mark.parametrize("then", ["add", "remove", "repair"])
def test_who_is_killed_leaves_what_the_next_one_finds(real: Real, first: Operation, former: str, then: str) -> None:
    """Each change of the file system is the last one once; undone, done again or mended, nothing of it is left."""
    there = (["c1", "c1/resolv.conf"], former) if former else ([], "")
    kept = [".c1.resolv.conf.before-cnet"] if former else []
    for at in range(1, 12):
        if former:
            real.put_file("c1", former)
        if isinstance(first, Remove):
            real.kernel.do(Add(OURS))
        _killed(first, at)
        if then == "add":
            _again(real, Add(OURS))
            assert (listed(), real.kernel.missing([OURS])) == ([*kept, "c1", "c1/resolv.conf"], []), at
            real.kernel.do(Remove(OURS))
        for step in [Remove(OURS)] if then == "remove" else diff(ours(real.kernel.read([], []), [], GROUP), []):
            _again(real, step)
        assert (listed(), real.file("c1")) == there, at


def _again(real: Real, step: Operation) -> None:
    """Do a step as the executor does: what is done already is done."""
    try:
        real.kernel.do(step)
    except KernelError as error:
        assert error.reason == (EXISTS if isinstance(step, Add) else ABSENT)  # noqa: PT017


def _killed(step: Operation, at: int) -> None:
    """Do a step in a process that is killed at its ``at``-th change of a file system."""
    pid = os.fork()
    if not pid:
        try:
            _dying(step, at)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def _dying(step: Operation, at: int) -> None:
    from containernet.kernel.linux import Linux

    count = iter(range(1, 99))

    def counted(name: str) -> None:
        call = getattr(os, name)

        def one(*args: object, **options: object) -> object:
            if next(count) == at:
                os.kill(os.getpid(), 9)
            return call(*args, **options)

        setattr(os, name, one)

    for name in ("mkdir", "chmod", "open", "fchmod", "rename", "unlink", "rmdir"):
        counted(name)
    Linux().do(step)


def test_a_full_disk_leaves_all_as_it_was(real: Real) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k,mode=755", "tmpfs", str(ETC)], check=True)
    try:
        real.put_file("c1", FORMER)
        (ETC / "ballast").write_bytes(bytes(4096))
        before = listed()
        with pytest.raises(KernelError, match="No space left on device"):
            real.kernel.do(Add(OURS))
        assert listed() == before
        assert real.file("c1") == FORMER
    finally:
        subprocess.run(["umount", str(ETC)], check=True)


def test_files_that_cannot_be_written_say_so(real: Real) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(ETC)], check=True)
    try:
        with pytest.raises(KernelError, match=r"refused to add /etc/netns/c1/resolv\.conf: Read-only"):
            real.kernel.do(Add(OURS))
        assert Path(ETC).is_dir()
    finally:
        subprocess.run(["umount", str(ETC)], check=True)
