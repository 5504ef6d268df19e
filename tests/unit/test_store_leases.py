"""Leases in the store: of a file of version 1, in the journal, in the copy and the log, and what is never twice."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from containernet.model.errors import ContainerNetError
from containernet.model.lease import FOREVER, Lease, LeasedRoute, from_text, to_text
from containernet.model.network import BRIDGE, DHCP, Endpoint
from containernet.model.record import fields, plain, replace
from containernet.plan.intent import Intent
from containernet.plan.leasing import with_lease
from containernet.plan.objects import Address
from containernet.plan.operations import Add
from containernet.store import mirror, pool
from containernet.store.files import COPY, FILE, LOG, VERSION
from containernet.store.journal import decoded, encoded
from containernet.store.schema import STEPS
from containernet.store.sqlite import Sqlite
from kit.nouns import compartment, endpoint, network, small

EMPTY = Intent()
LAN = network(1, kind=BRIDGE, subnets=(), uplink="up0", mac="02:00:00:00:0f:00")
FULL = Lease(
    "198.51.100.20", 24, "198.51.100.2", "ff01", 12345.678901, 600, 299.9999, 525.0, ("198.51.100.2",),
    (LeasedRoute("0.0.0.0/0", "198.51.100.2"), LeasedRoute("10.0.0.0/8", "169.254.1.1", onlink=True)),
    ("198.51.100.3", "9.9.9.9"), "example.org", ("a.example.org", "b.example.org"), 1400, "web", "boot-1", 1.7e9,
)  # fmt: skip
FOR_EVER = replace(FULL, seconds=FOREVER, t1=0.0, t2=0.0)
ODD = replace(FULL, domain='e"x\\a\nm\x00p é 💥 {}', search=("\u2028", ""), hostname="'; DROP TABLE endpoints; --")
SIX = Lease("2001:db8:51::99", 128, "0001", "0004", 1.0, 600, 300.0, 525.0, family=6, preferred=300)
BARE = Lease("", 0, "0001", "0004", 1.0, 600, 300.0, 525.0, family=6, dns=("2001:db8::53",))


def leased(*leases: Lease, number: int = 1) -> Endpoint:
    """Return an endpoint with leases."""
    one = endpoint(number, LAN, addresses=(), dynamic=DHCP, hostname="web", client_id=f"ff0{number}")
    for got in leases:
        one = with_lease(one, got.family, got, used=True)
    return one


def whole(*ends: Endpoint) -> Intent:
    return Intent((LAN,), (compartment(),), ends)


KINDS = {
    "all that can be": (FULL,), "for ever": (FOR_EVER,), "odd": (ODD,), "both": (FULL, SIX), "bare": (BARE,),
    "none": (),
}  # fmt: skip


def opened(where: Path) -> Intent:
    """Return what is in a store, looked through as a whole."""
    store = Sqlite(str(where), check=True)
    try:
        return store.everything()
    finally:
        store.close()


@pytest.mark.parametrize("kind", KINDS)
def test_leases_come_back_as_they_were(tmp_path: Path, kind: str) -> None:
    intent = whole(leased(*KINDS[kind]))
    store = Sqlite(str(tmp_path))
    store.finish(0, EMPTY, intent)
    assert store.everything() == intent
    assert store.holder(1, client="ff01") == intent.endpoints[0]
    assert store.holder(1, client="ff02") is None
    store.close()
    assert opened(tmp_path) == intent


@pytest.mark.parametrize("kind", KINDS)
def test_the_journal_keeps_leases(tmp_path: Path, kind: str) -> None:
    before, after = whole(leased()), whole(leased(*KINDS[kind]))
    extra = (Add(Address(compartment().place, "eth0", "198.51.100.20/24")),)
    assert decoded(encoded(after)) == after
    store, other = Sqlite(str(tmp_path)), Sqlite(str(tmp_path))
    number = store.begin("lease", before, after, extra)
    (one,) = other.unfinished()
    assert (one.before, one.after, one.extra) == (before, after, extra)
    store.abandon(number)
    store.close()
    other.close()


def test_a_lease_as_text() -> None:
    for one in (FULL, FOR_EVER, ODD, SIX, BARE):
        text = to_text(one)
        assert "\n" not in text
        assert from_text(text) == one
    fewer = json.dumps({key: value for key, value in plain(FULL).items() if key not in ("routes", "wall", "family")})
    assert from_text(fewer) == replace(FULL, routes=(), wall=0.0)


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '{"address": 1}', '{"routes": [1]}', '{"routes": [{}]}'])
def test_what_is_no_lease(text: str) -> None:
    with pytest.raises(ValueError):
        from_text(text)


def test_one_client_identifier_is_one_endpoints(tmp_path: Path) -> None:
    store = Sqlite(str(tmp_path))
    store.finish(0, EMPTY, whole(leased()))
    twin = replace(leased(number=2), client_id="ff01")
    with pytest.raises(ContainerNetError, match="UNIQUE"):
        store.finish(0, EMPTY, Intent(endpoints=(twin,)))
    assert len(store.endpoints()) == 1
    store.finish(0, EMPTY, Intent(endpoints=(replace(twin, client_id=""), replace(leased(number=3), client_id=""))))
    elsewhere = network(2, kind=BRIDGE, subnets=(), uplink="up1", mac="02:00:00:00:0f:01")
    store.finish(0, EMPTY, Intent((elsewhere,), (), (replace(twin, id=4, name="x", network_id=2, interface="eth4"),)))
    store.close()


def test_an_address_changes_hands_in_one_commit(tmp_path: Path) -> None:
    """In whichever order the endpoints are told."""
    here, there = compartment(2), compartment(3)
    one, two = leased(FULL), replace(leased(number=2), compartment_id=3)
    for ends in ((one, two), (two, one)):
        store = Sqlite(str(tmp_path / ends[0].name))
        before = Intent((LAN,), (here, there), ends)
        store.finish(0, EMPTY, before)
        after = replace(before, endpoints=tuple(
            with_lease(end, 4, None if end == one else FULL, used=end != one) for end in ends
        ))  # fmt: skip
        store.finish(0, before, after)
        found = store.holder(1, "198.51.100.20")
        assert found is not None
        assert found.id == 2
        store.close()


# --- a file of version 1 ---

OLD = (
    "id", "name", "network_id", "network", "compartment_id", "container", "interface", "mac", "addresses", "priority",
    "created", "dynamic", "gateways",
)  # fmt: skip


def version_1(where: Path, *, copied: bool = False) -> Intent:
    """Make a store as version 1 did, with its copy or its log; return what is in it."""
    where.mkdir(exist_ok=True)
    intent = small()
    old = sqlite3.connect(where / FILE, isolation_level=None)
    old.execute("PRAGMA journal_mode = WAL")
    old.executescript(f"BEGIN; {STEPS[0]} PRAGMA user_version = 1; COMMIT;")
    log = [sql_of_version_1(intent)]
    for statements in log:
        for sql, values in statements:
            old.execute(sql, values)
    old.execute("UPDATE memos SET value = '1' WHERE key = 'sequence'")
    if copied:
        old.execute("VACUUM INTO ?", (str(where / COPY),))
        (where / LOG).write_text("[] 1\n")
    else:
        update = ("UPDATE memos SET value = ? WHERE key = 'sequence'", ("1",))
        (where / LOG).write_text(f"{[*log[0], update]!r} 1\n")
    old.close()
    return intent


def sql_of_version_1(intent: Intent) -> list[tuple[str, tuple[object, ...]]]:
    """Return the statements that version 1 made of an intent: without the columns that came later."""
    from containernet.store.changes import statements

    found = []
    for sql, values in statements(EMPTY, intent):
        if sql.startswith("INSERT INTO endpoints"):
            names = "id, name, network_id, compartment_id, interface, mac, priority, created, dynamic, gateways"
            sql, values = f"INSERT INTO endpoints ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values[:10]
        found.append((sql, values))
    return found


def test_a_file_of_version_1_is_brought_forward(tmp_path: Path) -> None:
    intent = version_1(tmp_path)
    notes: list[str] = []
    store = Sqlite(str(tmp_path), notes.append)
    assert store.everything() == intent
    assert [one.leases for one in store.endpoints()] == [(), (), ()]
    assert notes == [f"The store {tmp_path / FILE} was brought forward to version {VERSION}."]
    now = replace(intent.endpoints[0], dynamic=DHCP, client_id="ff07", leases=(FULL,))
    store.finish(0, Intent(endpoints=(intent.endpoints[0],)), Intent(endpoints=(now,)))
    store.close()
    assert opened(tmp_path).endpoints[0] == now


def test_a_verb_that_was_interrupted_in_version_1_is_still_undone(tmp_path: Path) -> None:
    intent = version_1(tmp_path)
    text = encoded(intent)
    for one in intent.endpoints:
        values = tuple(getattr(one, name) for name in fields(one))
        assert fields(one)[: len(OLD)] == OLD, "what is new comes last"
        text = text.replace(repr({"Endpoint": values}), repr({"Endpoint": values[: len(OLD)]}))
    assert len(encoded(intent)) - len(text) == len(intent.endpoints) * len(", '', '', ()")
    with sqlite3.connect(tmp_path / FILE) as old:
        old.execute("INSERT INTO intents VALUES (1, 'join', 'pid 1', 1, ?, ?, '()')", (encoded(EMPTY), text))
    old.close()
    store = Sqlite(str(tmp_path))
    (one,) = store.unfinished()
    assert (one.before, one.after) == (EMPTY, intent)
    store.close()


@pytest.mark.parametrize("copied", [False, True])
def test_the_copy_and_the_log_of_version_1_are_enough(tmp_path: Path, copied: bool) -> None:
    intent = version_1(tmp_path, copied=copied)
    (tmp_path / FILE).unlink()
    assert opened(tmp_path) == intent
    pool.drain()


@pytest.mark.parametrize("copied", [False, True])
def test_what_was_got_since_follows_on_the_copy_of_version_1(tmp_path: Path, copied: bool) -> None:
    intent = version_1(tmp_path, copied=copied)
    store = Sqlite(str(tmp_path))
    now = replace(intent.endpoints[0], dynamic=DHCP, client_id="ff07", leases=(ODD, SIX))
    store.finish(0, Intent(endpoints=(intent.endpoints[0],)), Intent(endpoints=(now,)))
    store.close()
    pool.drain()
    (tmp_path / FILE).write_bytes(b"\xff" * 8192)
    found = opened(tmp_path)
    assert found.endpoints[0] == now
    assert found.endpoints[1:] == intent.endpoints[1:]
    pool.drain()


# --- rebuilt ---


@pytest.mark.parametrize("longest", [0, 1 << 20])
@pytest.mark.parametrize("kind", KINDS)
def test_leases_outlive_a_damaged_file(
    tmp_path: Path, kind: str, longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the log, or from a copy that is taken with every commit."""
    monkeypatch.setattr(mirror, "LONGEST", longest)
    before, after = whole(leased()), whole(leased(*KINDS[kind]))
    store = Sqlite(str(tmp_path))
    store.finish(0, EMPTY, before)
    store.finish(0, before, after)
    (one,) = after.endpoints
    renewed = whole(replace(one, leases=tuple(replace(got, began=2e4) for got in one.leases)))
    store.finish(0, after, renewed)
    store.close()
    pool.drain()
    (tmp_path / FILE).unlink()
    assert opened(tmp_path) == renewed
    pool.drain()
