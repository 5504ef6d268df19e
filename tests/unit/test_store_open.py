"""Opening a store: its version, its lock, who waits for whom, and connections that are kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from containernet.model.errors import Conflict, ContainerNetError, Taken
from containernet.model.network import Endpoint
from containernet.plan.intent import Intent
from containernet.store import pool, rebuild, sqlite
from containernet.store.files import BALLAST, FILE, LOCK, VERSION
from containernet.store.lock import Lock
from containernet.store.schema import STEPS
from containernet.store.sqlite import Sqlite
from kit.nouns import network, small

EMPTY = Intent()
HOLDER = """
import fcntl, sys
lock = open(sys.argv[1], "a+")
fcntl.flock(lock, fcntl.LOCK_EX)
print("mine", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def where(tmp_path: Path) -> Iterator[Path]:
    """A state directory with a small intent in it."""
    store = Sqlite(str(tmp_path))
    store.finish(0, EMPTY, small())
    store.close()
    pool.drain()
    yield tmp_path
    pool.drain()


def intent_of(where: Path) -> Intent:
    store = Sqlite(str(where))
    try:
        return store.everything()
    finally:
        store.close()


def snapshot(where: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in where.iterdir() if path.name not in (LOCK, f"{FILE}-shm")}


def test_a_new_store_is_private_and_has_a_reserve(tmp_path: Path) -> None:
    Sqlite(str(tmp_path / "a" / "b")).close()
    directory = tmp_path / "a" / "b"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for name in (FILE, BALLAST):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
    assert (directory / BALLAST).stat().st_blocks * 512 >= sqlite.BALLAST_SIZE


def test_the_reserve_is_given_up_once_and_put_back(where: Path) -> None:
    store = Sqlite(str(where))
    assert store.make_room()
    assert not store.make_room()
    assert not (where / BALLAST).exists()
    assert store.everything() == small()
    store.keep_room()
    assert (where / BALLAST).exists()
    store.close()


# --- versions --------------------------------------------------------------------------------------------------------


def set_version(where: Path, version: int) -> None:
    with sqlite3.connect(where / FILE) as db:
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


@pytest.mark.parametrize("check", [False, True])
def test_a_file_of_a_later_version_is_refused_and_untouched(where: Path, check: bool) -> None:
    set_version(where, VERSION + 1)
    before = snapshot(where)
    with pytest.raises(Conflict) as refusal:
        Sqlite(str(where), check=check)
    assert refusal.value.code == "store-newer"
    assert str(VERSION + 1) in refusal.value.sentence
    pool.drain()
    assert snapshot(where) == before


def test_a_file_of_an_earlier_version_is_brought_forward_with_all_in_it(
    where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, "ALTER TABLE memos ADD COLUMN since INTEGER NOT NULL DEFAULT 5;")
    notes: list[str] = []
    store = Sqlite(str(where), notes.append)
    assert store.everything() == small()
    assert store._one("PRAGMA user_version")[0] == VERSION + 1
    assert store._one("SELECT max(since) FROM memos")[0] == 5
    assert len(notes) == 1
    assert str(VERSION + 1) in notes[0]
    store.close()
    assert intent_of(where) == small()
    assert len(notes) == 1, "it is done once"


def test_a_step_forward_that_fails_leaves_the_file_as_it_was(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        later(patch, "CREATE TABLE fine (a INTEGER) STRICT; ALTER TABLE nowhere ADD COLUMN a INTEGER;")
        with pytest.raises(ContainerNetError):
            Sqlite(str(where))
        pool.drain()
    assert intent_of(where) == small()
    with sqlite3.connect(where / FILE) as db:
        assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'fine'").fetchone() == (0,)
    db.close()


def later(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Make the code one version younger."""
    for module in (sqlite, rebuild):
        monkeypatch.setattr(module, "VERSION", VERSION + 1)
    monkeypatch.setattr(rebuild, "STEPS", (*STEPS, step))


def test_there_is_a_step_for_every_version() -> None:
    assert len(STEPS) == VERSION


# --- one writer ------------------------------------------------------------------------------------------------------


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the lock."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / LOCK)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "mine\n"
    yield process
    process.kill()
    process.communicate(timeout=10)


def test_who_has_waited_too_long_is_told_who_has_the_lock(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    lock = Lock(str(tmp_path / LOCK))
    with pytest.raises(Taken) as refusal:
        lock.acquire(patience=0.05)
    assert refusal.value.code == "lock-taken"
    assert f"process {holder.pid} (" in refusal.value.sentence
    assert f"kill {holder.pid}" in refusal.value.hint
    assert not lock.held
    lock.release()


def test_the_lock_ends_with_its_holder_however_that_ends(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    lock = Lock(str(tmp_path / LOCK))
    lock.acquire(patience=20)
    assert lock.held
    lock.acquire(patience=0)  # it is ours already
    lock.release()
    assert not lock.held
    lock.release()


def test_readers_wait_for_nobody(where: Path) -> None:
    writer = Sqlite(str(where))
    writer.lock()
    number = writer.begin("join", EMPTY, EMPTY, ())
    assert intent_of(where) == small()
    writer.abandon(number)
    writer.close()


def test_waiting_writers_get_the_lock_one_after_another(where: Path) -> None:
    inside, most = list[int](), list[int]()

    def write(number: int) -> None:
        store = Sqlite(str(where))
        store.lock()
        inside.append(number)
        most.append(len(inside))
        store.finish(0, EMPTY, Intent((network(number),)))
        inside.remove(number)
        store.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(10, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1] * 8
    assert {one.id for one in intent_of(where).networks} == {1, 2, *range(10, 18)}


# --- kept connections ------------------------------------------------------------------------------------------------


def other_store(tmp_path: Path) -> Path:
    """Return a file of a store with one other network in it."""
    elsewhere = tmp_path / "elsewhere"
    store = Sqlite(str(elsewhere))
    store.finish(0, EMPTY, Intent((network(55),)))
    store.close()
    pool.drain()
    return elsewhere / FILE


def replaced(where: Path, fresh: Path) -> None:
    """Put another file in the place of a store's, as a rebuild does."""
    for extra in ("-wal", "-shm"):
        (where / (FILE + extra)).unlink(missing_ok=True)
    shutil.copy(fresh, where / "fresh")
    os.replace(where / "fresh", where / FILE)


def test_a_connection_is_used_again(where: Path) -> None:
    one = Sqlite(str(where))
    kept = one._db
    one.close()
    two, three = Sqlite(str(where)), Sqlite(str(where))
    assert two._db is kept
    assert three._db is not kept
    two.close()
    three.close()


def test_a_kept_connection_is_not_used_after_the_file_was_replaced(where: Path) -> None:
    fresh = other_store(where)
    Sqlite(str(where)).close()
    replaced(where, fresh)
    assert intent_of(where).networks == (network(55),)


def test_nor_if_it_was_replaced_while_the_connection_was_used(where: Path) -> None:
    fresh = other_store(where)
    reader = Sqlite(str(where))
    replaced(where, fresh)
    reader.close()
    assert intent_of(where).networks == (network(55),)


def test_who_gets_the_lock_writes_into_the_file_that_is_there_then(where: Path) -> None:
    """A writer that has waited while another rebuilt the file must not write into the one that was moved aside."""
    fresh = other_store(where)
    writer = Sqlite(str(where))
    replaced(where, fresh)
    refused = False
    try:
        writer.lock()
        writer.finish(0, EMPTY, Intent((network(66),)))
    except ContainerNetError:  # that would do as well: nothing is lost without a word
        refused = True
    writer.close()
    pool.drain()
    assert refused or network(66) in intent_of(where).networks


def test_a_child_does_not_use_the_connections_of_its_parent(where: Path) -> None:
    Sqlite(str(where)).close()
    kept = pool.take(str(where / FILE))
    pool.put(str(where / FILE), kept, pool.identity(str(where / FILE)))
    pid = os.fork()
    if not pid:
        os._exit(pool.take(str(where / FILE)) is not None)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert pool.take(str(where / FILE)) is kept
    kept.close()


def test_a_connection_in_a_transaction_is_not_kept(where: Path) -> None:
    store = Sqlite(str(where))
    store._db.execute("BEGIN IMMEDIATE")
    store._db.execute("DELETE FROM mappings")
    store.close()
    assert pool.take(str(where / FILE)) is None
    assert intent_of(where) == small()


def test_only_a_few_are_kept(where: Path) -> None:
    stores = [Sqlite(str(where)) for _ in range(pool.MOST + 3)]
    for store in stores:
        store.close()
    kept = []
    while (connection := pool.take(str(where / FILE))) is not None:
        kept.append(connection)
    assert len(kept) == pool.MOST
    for connection in kept:
        connection.close()


def test_all_is_read_as_of_one_moment(where: Path) -> None:
    """A reader has no lock: what somebody commits between its questions is in all of the answer or in none of it."""

    class Slow(Sqlite):
        def endpoints(self, network: int = 0, compartment: int = 0) -> tuple[Endpoint, ...]:
            other = Sqlite(str(where))
            other.finish(0, small(), EMPTY)
            other.close()
            return super().endpoints(network, compartment)

    reader = Slow(str(where))
    found = reader.everything()
    reader.close()
    assert found in (small(), EMPTY)
