"""Hearing of files: inotify(7) on directories that are there, that come, and that go."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from containernet.kernel.inotify import Files


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Files]:
    """The names of a directory that is not there yet."""
    files = Files(str(tmp_path / "netns"))
    yield files
    files.close()


def heard(files: Files) -> set[str]:
    """What there is to hear; it is there before the system call that caused it returns."""
    assert select.select([files], [], [], 5)[0]
    return files.news()


def test_a_directory_is_waited_for_and_its_going_is_heard(watched: Files, tmp_path: Path) -> None:
    folder = tmp_path / "netns"
    (tmp_path / "other").touch()
    assert watched.news() == set()
    for _ in range(2):
        folder.mkdir()
        assert heard(watched) == {str(folder)}
        (folder / "c1").touch()
        (folder / "c2").touch()
        assert heard(watched) == {str(folder / "c1"), str(folder / "c2")}
        (folder / "c1").rename(folder / "c3")
        assert heard(watched) == {str(folder / "c1"), str(folder / "c3")}
        (folder / "c3").unlink()
        assert heard(watched) == {str(folder / "c3")}
        (tmp_path / "other").write_text("more")
        assert watched.news() == set()
        (folder / "c2").unlink()
        folder.rmdir()
        assert heard(watched) == {str(folder / "c2"), str(folder)}


def test_only_the_names_that_matter_are_heard(tmp_path: Path) -> None:
    files = Files(str(tmp_path), ("state-log",))
    try:
        (tmp_path / "state.db-wal").write_text("x")
        assert files.news() == set()
        with open(tmp_path / "state-log", "a") as log:
            log.write("x")
        assert heard(files) == {str(tmp_path / "state-log")}
        (tmp_path / "new").write_text("x")
        (tmp_path / "new").rename(tmp_path / "state-log")
        assert heard(files) == {str(tmp_path / "state-log")}
    finally:
        files.close()


def test_too_much_to_tell_is_everything(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    try:
        most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        if most > 100_000:
            pytest.skip("the kernel keeps too many events for this test")
        for number in range(most // 2 + 10):
            path = tmp_path / str(number)
            os.close(os.open(path, os.O_CREAT))
            path.unlink()
        assert "everything" in files.news(1 << 20)
    finally:
        files.close()
