"""The store in SQLite (write-ahead log, synchronous=FULL: what is committed survives a power cut).

The rule of this file: every question is one indexed look-up; a change is one transaction, whole intents before and
after. ``_sqlite3`` is what :mod:`sqlite3` wraps: importing that costs 3 ms more, for date converters that nobody needs.
"""

from __future__ import annotations

import os
from _sqlite3 import Error, connect
from time import time

from containernet.model.address import packed
from containernet.model.errors import Bug, Conflict, ContainerNetError
from containernet.plan.intent import Intent
from containernet.store import changes, pool, rows
from containernet.store.door import Unfinished
from containernet.store.files import BALLAST, FILE, LOCK, VERSION
from containernet.store.lock import Lock
from containernet.store.trouble import Damaged, Full, directory, full, translated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from containernet.model.network import Compartment, Endpoint, Network, PortMapping
    from containernet.plan.operations import Operation

BALLAST_SIZE = 256 << 10  # what a `leave` on a full disk needs
LOG_PAGES = 100  # of 4 KiB, from which on the log is written back: whoever opens the file next reads all of it
PATIENCE = 5.0  # seconds for a lock of SQLite's own, held for the time of a commit


class Sqlite:
    """See :class:`containernet.store.door.Store`. One thread uses one of these."""

    def __init__(self, where: str, note: Callable[[str], None] | None = None, *, check: bool = False) -> None:
        self.where = where
        self.path = os.path.join(where, FILE)
        self._note = note or (lambda _: None)
        self._lock = Lock(os.path.join(where, LOCK))
        self._db: Any = None
        self._frozen = False
        self._file = (0, 0)
        try:
            self._open(check)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError) and not isinstance(error, ContainerNetError):
                raise directory(error, where) from None
            raise

    # --- opening and ending ---

    def _open(self, check: bool) -> None:
        os.makedirs(self.where, 0o700, exist_ok=True)
        try:
            self._connect()
            version = self._one("PRAGMA user_version")[0]
            if check:
                self._checked()
        except Damaged:
            self._mend()
            version = VERSION
        except Full:
            self._connect_full()
            version = self._one("PRAGMA user_version")[0]
        if version > VERSION:
            sentence = f"The store {self.path} is of a newer ContainerNet: its version is {version}, ours {VERSION}."
            raise Conflict("store-newer", sentence, "Use that version; the file was not touched.")
        if version < VERSION:
            self._mend()

    def _connect(self, options: str = "") -> None:
        self._disconnect()
        self._db = pool.take(self.path) if not options else None
        self._file = pool.identity(self.path)
        if self._db is not None:
            return
        try:
            uri = f"file:{_quoted(self.path)}{options}"
            self._db = connect(uri, timeout=PATIENCE, isolation_level=None, uri=True, check_same_thread=False)
            self._db.execute("PRAGMA foreign_keys = ON")
            self._file = pool.identity(self.path)
            self._db.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        except Error as error:
            raise translated(error, self.path) from None

    def _connect_full(self) -> None:
        """Open the file on a disk that has no space even for a reader's lock: as it is, to be read only."""
        log = self.path + "-wal"
        if os.path.exists(log) and os.path.getsize(log):
            raise full(self.path)
        self._connect("?immutable=1")
        self._frozen = True

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _checked(self) -> None:
        if self._one("PRAGMA quick_check(1)")[0] != "ok":
            raise Damaged("store-damaged", f"The store {self.path} is damaged.", "Run 'cnet repair'.")

    def _mend(self) -> None:
        """Make the file if there is none, bring an old one forward, rebuild a damaged one; one process does it."""
        from containernet.store import rebuild

        held = self._lock.held
        self._lock.acquire()
        try:
            self._disconnect()
            self._say(rebuild.made_or_mended(self.where, self.path, BALLAST_SIZE))
            self._connect()
        finally:
            if not held:
                self._lock.release()

    def _say(self, sentence: str) -> None:
        if sentence:
            self._note(sentence)

    def mend(self) -> None:
        """Rebuild the file after damage was seen while it was in use."""
        self._mend()

    def lock(self) -> None:
        """Become the one writer."""
        try:
            self._lock.acquire()
        except OSError as error:
            raise directory(error, self.where) from None
        if pool.identity(self.path) != self._file:  # rebuilt by another while we waited
            self._disconnect()
            self._connect()

    def unlock(self) -> None:
        """Be the writer no more."""
        self._lock.release()

    def close(self) -> None:
        """Let go of the file, then of the lock."""
        try:
            if self._db is not None and not self._frozen:
                pool.put(self.path, self._db, self._file)
                self._db = None
            self._disconnect()
        finally:
            self._lock.release()

    # --- questions ---

    def _all(self, sql: str, *values: object) -> list[Any]:
        try:
            return self._db.execute(sql, values).fetchall()  # type: ignore[no-any-return]
        except Error as error:
            raise translated(error, self.path) from None

    def _one(self, sql: str, *values: object) -> Any:
        found = self._all(sql, *values)
        return found[0] if found else None

    def memo(self, key: str) -> str:
        """Return what was remembered."""
        found = self._one("SELECT value FROM memos WHERE key = ?", key)
        return str(found[0]) if found else ""

    def memos(self, beginning: str) -> dict[str, str]:
        """Return all memos whose key begins so."""
        return dict(self._all("SELECT key, value FROM memos WHERE key >= ? AND key < ?", beginning, beginning + "\x7f"))

    def network(self, name: str) -> Network | None:
        """Return a network by its name."""
        found = self._one(f"{rows.NETWORK} WHERE name = ?", name)
        return rows.network(found) if found else None

    def network_of(self, number: int) -> Network:
        """Return a network by its number."""
        return rows.network(self._one(f"{rows.NETWORK} WHERE id = ?", number))

    def networks(self) -> tuple[Network, ...]:
        """Return all networks."""
        return tuple(map(rows.network, self._all(f"{rows.NETWORK} ORDER BY id")))

    def compartment(self, container: str = "", number: int = 0, cookie: int = 0) -> Compartment | None:
        """Return a compartment by what is given of it."""
        column, value = ("id", number) if number else ("cookie", cookie) if cookie else ("container", container)
        found = self._one(f"{rows.COMPARTMENT} WHERE {column} = ?", value)
        return rows.compartment(found) if found else None

    def compartments(self, network: int) -> tuple[Compartment, ...]:
        """Return the compartments that have endpoints on a network."""
        where = "id IN (SELECT compartment_id FROM endpoints WHERE network_id = ?)"
        return tuple(map(rows.compartment, self._all(f"{rows.COMPARTMENT} WHERE {where} ORDER BY id", network)))

    def endpoint(self, name: str = "", number: int = 0) -> Endpoint | None:
        """Return an endpoint by its name or number."""
        return self._endpoint("e.name = ?", name) if name else self._endpoint("e.id = ?", number)

    def _endpoint(self, where: str, *values: object) -> Endpoint | None:
        found = rows.endpoints(self._all(f"{rows.ENDPOINT} WHERE {where}{rows.BY_ENDPOINT}", *values))
        return found[0] if found else None

    def endpoints(self, network: int = 0, compartment: int = 0) -> tuple[Endpoint, ...]:
        """Return the endpoints of a network, a compartment, both, or all."""
        given = [("e.network_id = ?", network), ("e.compartment_id = ?", compartment)]
        where = " AND ".join(text for text, value in given if value)
        values = [value for _, value in given if value]
        sql = rows.ENDPOINT + (f" WHERE {where}" if where else "") + rows.BY_ENDPOINT
        return rows.endpoints(self._all(sql, *values))

    def holder(self, network: int, address: str = "", mac: str = "", client: str = "") -> Endpoint | None:
        """Return the endpoint of a network that has an address, a MAC address or a DHCP client identifier."""
        if mac:
            return self._endpoint("e.network_id = ? AND e.mac = ?", network, mac)
        if client:
            return self._endpoint("e.network_id = ? AND e.client_id = ?", network, client)
        sql = "SELECT endpoint_id FROM addresses WHERE network_id = ? AND raw = ?"
        found = self._one(sql, network, packed(address))
        return self.endpoint(number=found[0]) if found else None

    def taken(self, network: int, raw: bytes) -> Iterator[bytes]:
        """Yield the addresses of a network from one on, in order; of the same IP version."""
        sql = "SELECT raw FROM addresses WHERE network_id = ? AND raw >= ? AND length(raw) = ? ORDER BY raw"
        try:
            for row in self._db.execute(sql, (network, raw, len(raw))):
                yield row[0]
        except Error as error:
            raise translated(error, self.path) from None

    def mapping(self, number: int) -> PortMapping | None:
        """Return a port mapping by its number."""
        found = self._one(f"{rows.MAPPING} WHERE id = ?", number)
        return rows.mapping(found) if found else None

    def mappings(self, endpoint: int = 0) -> tuple[PortMapping, ...]:
        """Return the port mappings of an endpoint, or all."""
        if endpoint:
            return tuple(map(rows.mapping, self._all(f"{rows.MAPPING} WHERE endpoint_id = ? ORDER BY id", endpoint)))
        return tuple(map(rows.mapping, self._all(f"{rows.MAPPING} ORDER BY id")))

    def in_the_way(self, protocol: str, address: str, first: int, last: int) -> PortMapping | None:
        """Return a mapping that shares an external port with this range, the nearest to its end."""
        for other in ("", address) if address else self._external_addresses(protocol):
            found = self._one(
                f"{rows.MAPPING} WHERE protocol = ? AND external_address = ? AND external_first <= ?"
                " ORDER BY external_first DESC LIMIT 1",
                protocol, other, last,
            )  # fmt: skip
            if found and found[5] >= first:
                return rows.mapping(found)
        return None

    def _external_addresses(self, protocol: str) -> Iterator[str]:
        """Yield the addresses that mappings are bound to, hopping over the index from one to the next."""
        found = self._one("SELECT min(external_address) FROM mappings WHERE protocol = ?", protocol)
        while found and found[0] is not None:
            yield found[0]
            sql = "SELECT min(external_address) FROM mappings WHERE protocol = ? AND external_address > ?"
            found = self._one(sql, protocol, found[0])

    def next_id(self, kind: str) -> int:
        """Return the next number of a table."""
        if kind not in ("networks", "compartments", "endpoints", "mappings"):
            raise Bug("no-such-kind", f"{kind} have no numbers.")
        found = self._one("SELECT seq FROM sqlite_sequence WHERE name = ?", kind)
        return int(found[0]) + 1 if found else 1

    def everything(self) -> Intent:
        """Return all that should be, as of one moment."""
        self._all("BEGIN")
        try:
            compartments = tuple(map(rows.compartment, self._all(f"{rows.COMPARTMENT} ORDER BY id")))
            return Intent(self.networks(), compartments, self.endpoints(), self.mappings())
        finally:
            self._roll_back()

    # --- changes ---

    def begin(self, verb: str, before: Intent, after: Intent, extra: tuple[Operation, ...]) -> int:
        """Note that a verb is under way, so that it is undone if this process dies."""
        from containernet.store.journal import encoded

        if self._frozen:
            raise full(self.path)
        values = (verb, f"pid {os.getpid()}", int(time()), encoded(before), encoded(after), encoded(extra))
        sql = "INSERT INTO intents (verb, who, started, before, after, extra) VALUES (?, ?, ?, ?, ?, ?)"
        self._commit([(sql, values)], durable=False)
        return int(self._one("SELECT max(id) FROM intents")[0])

    def finish(self, number: int, before: Intent, after: Intent) -> None:
        """Make what should be ``after`` instead of ``before`` and forget the verb."""
        sequence = int(self.memo("sequence")) + 1
        statements = [*changes.statements(before, after), (changes.SEQUENCE, (str(sequence),))]
        self._commit([*statements, ("DELETE FROM intents WHERE id = ?", (number,))], durable=True)
        self._mirror(sequence, statements)

    def _mirror(self, sequence: int, statements: list[changes.Statement]) -> None:
        """Note a commit in the store's second memory."""
        from containernet.store import mirror

        mirror.append(self.where, sequence, statements)

    def pending(self, number: int) -> bool:
        """Tell whether a verb is under way still."""
        return self._one("SELECT 1 FROM intents WHERE id = ?", number) is not None

    def abandon(self, number: int) -> None:
        """Forget a verb that has been undone."""
        self._commit([("DELETE FROM intents WHERE id = ?", (number,))], durable=False)

    def _commit(self, statements: Iterable[tuple[str, tuple[object, ...]]], *, durable: bool) -> None:
        """Commit statements, on the disk if ``durable``.

        What a verb is about to do need not survive a power cut, which the kernel's half does not survive either.
        """
        try:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._db.execute("BEGIN IMMEDIATE")
            for sql, values in statements:
                self._db.execute(sql, values)
            self._db.execute("COMMIT")
        except Error as error:
            self._roll_back()
            raise translated(error, self.path) from None
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except Error:  # it has been rolled back by SQLite itself
            return

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Return the verbs that were not finished."""
        found = self._all("SELECT id, verb, who, started, before, after, extra FROM intents ORDER BY id")
        if not found:
            return ()
        from containernet.store.journal import decoded

        every = []
        for row in found:
            try:
                every.append(Unfinished(*row[:4], *map(decoded, row[4:])))
            except ValueError:  # not of our writing: what it was about is mended like everything
                every.append(Unfinished(row[0], "repair", row[2], row[3], Intent(), Intent(), ()))
        return tuple(every)

    # --- space ---

    def make_room(self) -> bool:
        """Give up the ballast, so that something can be taken away on a full disk; False if it is gone already."""
        try:
            os.unlink(os.path.join(self.where, BALLAST))
        except OSError:
            return False
        self._connect()
        self._frozen = False
        return True

    def keep_room(self) -> None:
        """Put the ballast back if there is space for it."""
        from containernet.store import rebuild

        try:
            rebuild.ballast(self.where, BALLAST_SIZE)
        except OSError:  # there is none then: what matters is done
            return


def _quoted(path: str) -> str:
    """Return a path as SQLite's URI has it (sqlite.org/uri.html)."""
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
