"""A store in memory: for looking at a host that has none yet, for dry runs there, and for tests.

The rule of this file: the same tables and questions as on the disk; nothing of it lasts, and nobody else writes to it.
"""

from __future__ import annotations

from containernet.store.files import VERSION
from containernet.store.schema import STEPS
from containernet.store.sqlite import Sqlite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.store.changes import Statement


class Memory(Sqlite):
    """See :class:`containernet.store.door.Store`; lives until :meth:`end`, through any number of verbs."""

    def __init__(self) -> None:
        super().__init__(":memory:")

    def _open(self, check: bool) -> None:  # noqa: ARG002
        self.path = ":memory:"
        self._connect("?cache=private")
        self._db.executescript(f"{''.join(STEPS)} PRAGMA user_version = {VERSION}")

    def lock(self) -> None:
        """Nobody else is there."""

    def close(self) -> None:
        """Keep everything for the next verb."""

    def end(self) -> None:
        """Forget everything."""
        self._disconnect()

    def make_room(self) -> bool:
        """There is no reserve."""
        return False

    def keep_room(self) -> None:
        """There is no reserve."""

    def _mirror(self, sequence: int, statements: list[Statement]) -> None:
        """What does not last needs no copy."""
