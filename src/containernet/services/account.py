"""What a pass found, as lines for the log and figures for `cnet agent status`.

The rule of this file: pure; a line is about one thing, on one line whatever is in it; what was said already, and has
not changed since, is not said again.
"""

from __future__ import annotations

from containernet.model.errors import ContainerNetError
from containernet.model.record import record
from containernet.services.door import ERROR, FAILING, HELD_BACK, NOTICE, OK, WARNING, Health

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.model.views import RepairView

LINES = 200  # about one pass
STUCK = "repair-incomplete"  # all is mended but for what is in a container's own way
HELD = "Somebody keeps changing things back; passes now come ever later, up to 30 seconds apart, until that ends."
CALM = "Nobody changes things back any more."


@record
class Found:
    """What a pass found: where our containers are, how long looking took, what was done, and what went wrong."""

    paths: frozenset[str] | None  # None: it did not come so far
    took: float
    waiting: int = 0
    done: RepairView | None = None
    error: ContainerNetError | None = None
    notes: tuple[str, ...] = ()

    @property
    def stuck(self) -> bool:
        """Whether something is in the way in a container, and nothing else is wrong."""
        return self.error is not None and self.error.code == STUCK

    @property
    def fought(self) -> bool:
        """Whether something was mended that had been as it should be; no container has come or gone."""
        return self.done is not None and bool(self.done.mended) and not (self.done.freed or self.done.restored)


class Account:
    """Keeps the books of all passes."""

    def __init__(self) -> None:
        self._figures = dict.fromkeys(("passes", "mended", "freed", "restored", "failed", "waiting"), 0)
        self._error: ContainerNetError | None = None
        self._notes: tuple[str, ...] = ()
        self._held = False

    def enter(self, found: Found, held: bool) -> list[tuple[int, str]]:
        """Enter a pass, after which the passes to come are ``held`` back or not; return what is to be logged."""
        self._figures["passes"] += 1
        self._figures["waiting"] = found.waiting
        told = [(WARNING, note) for note in found.notes] if found.notes != self._notes else []
        told += self._done(found.done) if found.done is not None else []
        told += self._trouble(found.error)
        if held != self._held:
            told.append((WARNING, HELD) if held else (NOTICE, CALM))
        self._notes, self._held = found.notes, held
        return [(priority, printable(line)) for priority, line in told]

    def _done(self, done: RepairView) -> list[tuple[int, str]]:
        """Return what was done, and count it."""
        lines = [f"freed: {name} (its container is gone)" for name in done.freed]
        lines += [f"restored: {name}" for name in done.restored]
        lines += [f"mended: {line}" for line in done.mended]
        for what in ("mended", "freed", "restored"):
            self._figures[what] += len(getattr(done, what))
        more = [f"and {len(lines) - LINES} more"] if len(lines) > LINES else []
        return [(NOTICE, line) for line in lines[:LINES] + more]

    def _trouble(self, error: ContainerNetError | None) -> list[tuple[int, str]]:
        """Return what is to be said of an error, or of its end, and count it."""
        before, self._error = self._error, error
        if error is None:
            return [(NOTICE, "It works again.")] if before is not None else []
        self._figures["failed"] += 1
        if before is not None and before.sentence == error.sentence:
            return []
        return [(ERROR, f"{error.sentence} {error.hint}".rstrip())]

    def health(self, stopped: str = "") -> Health:
        """Tell how the service is."""
        state = stopped or (FAILING if self._error else HELD_BACK if self._held else OK)
        sentence = self._error.sentence if self._error else HELD if self._held else ""
        return Health(state, "" if stopped else sentence, tuple(self._figures.items()))


def printable(line: str) -> str:
    """Return a line that is one, whatever is in it (systemd.journal-fields(7) cuts at a newline)."""
    return "".join(one if one.isprintable() else "?" for one in line)
