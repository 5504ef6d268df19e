"""A store whose file is damaged: moved aside, said so, and rebuilt from its last copy and the commits since."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from containernet.plan.intent import Intent
from containernet.store import mirror, pool
from containernet.store.files import COPY, FILE, LOG
from containernet.store.sqlite import Sqlite
from kit.memory import directories
from kit.nouns import mapping, network, small

EMPTY = Intent()


def intent_of(where: Path, notes: list[str] | None = None) -> Intent:
    """Return what is in a store, opened as a command does that looks the whole of it through."""
    store = Sqlite(str(where), (notes if notes is not None else []).append, check=True)
    try:
        return store.everything()
    finally:
        store.close()


def history(where: Path, commits: int = 6) -> list[Intent]:
    """Make commits; return the intent after each, before the first included."""
    store = Sqlite(str(where))
    every = [EMPTY, small()]
    store.finish(0, EMPTY, small())
    for number in range(3, commits + 2):
        before = every[-1]
        after = Intent((*before.networks, network(number)), before.compartments, before.endpoints, before.mappings[:2])
        store.finish(0, before, after)
        every.append(after)
    store.close()
    pool.drain()
    return every


def overwrite(path: Path, at: int, raw: bytes) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:at] + raw + data[at + len(raw) :])


DAMAGE: dict[str, Callable[[Path], object]] = {
    "header": lambda path: overwrite(path, 0, b"\xff" * 100),
    "one byte of the header": lambda path: overwrite(path, 5, b"\x00"),
    "page size": lambda path: overwrite(path, 16, b"\x00\x03"),
    "first page": lambda path: overwrite(path, 100, b"\xa5" * 3996),
    "all but the first page": lambda path: overwrite(path, 4096, b"\xa5" * (path.stat().st_size - 4096)),
    "cut in the middle of a page": lambda path: os.truncate(path, path.stat().st_size // 2 + 100),
    "cut to one page": lambda path: os.truncate(path, 4096),
    "cut to a few bytes": lambda path: os.truncate(path, 11),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a database\n" * 900),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "gone": Path.unlink,
}


@pytest.mark.parametrize("how", DAMAGE)
def test_whatever_has_happened_to_the_file(tmp_path: Path, how: str) -> None:
    after = history(tmp_path)[-1]
    path, notes = tmp_path / FILE, list[str]()
    DAMAGE[how](path)
    raw = path.read_bytes() if path.exists() else b""
    assert intent_of(tmp_path, notes) == after
    assert intent_of(tmp_path) == after, "and it is whole again"
    assert notes
    kept = [other for other in tmp_path.glob(f"{FILE}.damaged-*") if other.read_bytes() == raw]
    assert len(kept) == (1 if raw else 0)
    assert all(str(other) in notes[0] for other in kept)
    store = Sqlite(str(tmp_path))
    store.finish(0, EMPTY, Intent((network(90),)))
    store.close()
    assert network(90) in intent_of(tmp_path).networks


@pytest.mark.parametrize("how", ["header", "all but the first page", "gone"])
def test_the_last_commits_are_in_the_log_though_a_copy_was_taken_long_ago(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "LONGEST", 3000)
    every = history(tmp_path, commits=25)
    assert (tmp_path / COPY).exists()
    assert len(list(mirror.commits(str(tmp_path)))) > 1
    DAMAGE[how](tmp_path / FILE)
    assert intent_of(tmp_path) == every[-1]


def test_a_log_that_is_torn_anywhere_in_its_last_line() -> None:
    """Then the last commit is lost, and nothing else is; a line that is whole but for its end is no commit either."""
    with directories() as places:
        whole = next(places)
        every = history(whole, commits=3)
        commit(whole, "last", "1")
        log = (whole / LOG).read_bytes()
        begin = log[:-1].rindex(b"\n") + 1
        assert len(log) - begin > 100
        for length in range(begin, len(log) + 1):
            where = next(places)
            where.mkdir()
            (where / LOG).write_bytes(log[:length])
            assert intent_of(where) == every[-1], log[begin:length]
            assert memo(where, "last") == ("1" if length == len(log) else ""), log[begin:length]
            commit(where, "next", "2")  # does not build on the torn line
            (where / FILE).unlink()
            assert intent_of(where) == every[-1], log[begin:length]
            assert memo(where, "next") == "2", log[begin:length]


def commit(where: Path, key: str, value: str) -> None:
    """Make one small commit."""
    store = Sqlite(str(where))
    store.finish(0, EMPTY, Intent(memos=((key, value),)))
    store.close()
    pool.drain()


def memo(where: Path, key: str) -> str:
    store = Sqlite(str(where))
    try:
        return store.memo(key)
    finally:
        store.close()


def test_a_log_with_a_spoilt_line_counts_up_to_there(tmp_path: Path) -> None:
    every = history(tmp_path, commits=5)
    lines = (tmp_path / LOG).read_bytes().splitlines(keepends=True)
    for spoilt in (b"x" * 50 + b"\n", b"[('DROP TABLE networks', (", b"[('nonsense', ())] 3\n", b"\xff\xfe\n", b"\n"):
        (tmp_path / LOG).write_bytes(b"".join([*lines[:2], spoilt, *lines[3:]]))
        (tmp_path / FILE).unlink(missing_ok=True)
        assert intent_of(tmp_path) == every[2], spoilt
        pool.drain()


def test_a_copy_without_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "LONGEST", 0)
    every = history(tmp_path)
    (tmp_path / LOG).unlink()
    (tmp_path / FILE).unlink()
    assert intent_of(tmp_path) in every[-2:]


def test_a_log_that_begins_after_a_copy_that_is_gone_is_not_half_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both memories are spoilt: then what comes out may be little, but it hangs together."""
    history(tmp_path)
    (tmp_path / LOG).unlink()
    store = Sqlite(str(tmp_path))
    before = store.everything()
    store.finish(0, before, before)  # takes a copy
    more = mapping(77, before.endpoints[0])
    store.finish(0, before, Intent(before.networks, before.compartments, before.endpoints, (*before.mappings, more)))
    store.close()
    pool.drain()
    (tmp_path / COPY).unlink()
    (tmp_path / FILE).unlink()
    found = intent_of(tmp_path)
    ends = {one.id for one in found.endpoints}
    assert {one.endpoint_id for one in found.mappings} <= ends
    assert {one.network_id for one in found.endpoints} <= {one.id for one in found.networks}


def test_killed_between_the_new_copy_and_the_new_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old log is then older than the copy: it says nothing that the copy does not know better."""
    every = history(tmp_path)
    monkeypatch.setattr(mirror, "LONGEST", 0)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    store = Sqlite(str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(mirror.os, "ftruncate", killed)
        with pytest.raises(KeyboardInterrupt):
            store.finish(0, every[-1], EMPTY)
    store.close()
    pool.drain()
    assert (tmp_path / COPY).exists()
    (tmp_path / FILE).unlink()
    assert intent_of(tmp_path) == EMPTY


def test_without_space_for_a_log_a_commit_is_done_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = history(tmp_path)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    store = Sqlite(str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(mirror.os, "pwrite", full)
        store.finish(0, every[-1], EMPTY)
    assert store.everything() == EMPTY
    store.finish(0, EMPTY, Intent((network(9),)))
    store.close()
    pool.drain()
    (tmp_path / FILE).unlink()
    assert intent_of(tmp_path).networks == (network(9),), "the next commit has taken a copy"


def test_damage_that_is_seen_while_it_is_used_is_mended_by_the_next_check(tmp_path: Path) -> None:
    """A file is rebuilt by one process; another that has it open sees the new one from its next verb on."""
    after = history(tmp_path)[-1]
    reader = Sqlite(str(tmp_path))
    assert reader.everything() == after
    reader.close()
    overwrite(tmp_path / FILE, 0, b"\xff" * 100)
    assert intent_of(tmp_path) == after
    again = Sqlite(str(tmp_path))
    assert again.everything() == after
    again.close()


def test_the_log_left_by_a_killed_writer_belongs_to_the_file(tmp_path: Path) -> None:
    """Commits that are still in SQLite's write-ahead log are read from there, not from our copy."""
    store = Sqlite(str(tmp_path))
    store.finish(0, EMPTY, small())
    other = tmp_path / "other"
    other.mkdir()
    for name in (FILE, f"{FILE}-wal"):
        shutil.copy(tmp_path / name, other / name)
    store.close()
    assert (other / f"{FILE}-wal").stat().st_size
    assert intent_of(other) == small()


def test_the_copy_is_a_database_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "LONGEST", 0)
    history(tmp_path)
    with sqlite3.connect(tmp_path / COPY) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()
