"""Beginning a verb that changes something.

The rule of this file: permitted, alone, nothing half-done, no restart of the host unnoticed; where all that is so, as
it nearly always is, nothing more is loaded.
"""

from __future__ import annotations

from containernet.model.record import replace
from containernet.store.door import MARK, WORLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.store.door import Unfinished
    from containernet.verbs.host import Host
    from containernet.verbs.mend import Mended


def ready(host: Host) -> Mended | None:
    """Begin a verb; return what was mended, if that was needed."""
    host.kernel.permit()
    if host.dry:
        return None
    host.store.lock()
    left = host.store.unfinished()
    world = host.kernel.world()
    restarted = host.store.memo(WORLD) not in ("", world)
    if not left and not restarted:
        return None
    from containernet.verbs.mend import mend, restart

    rest = _undo(host, left)
    freed = restart(host, world) if restarted else ()
    done = mend(host)
    for one in rest:
        host.store.abandon(one.id)
    return replace(done, freed=(*freed, *done.freed))


def _undo(host: Host, left: tuple[Unfinished, ...]) -> list[Unfinished]:
    """Undo what was interrupted, the last first; return what the kernel refuses to undo, which is to be mended."""
    from containernet.verbs.executor import composed, undo
    from containernet.verbs.mend import MENDING
    from containernet.verbs.watch import undone

    rest = []
    for one in reversed([one for one in left if one.verb != MENDING]):
        host.report.note(f"'{one.verb}' of {one.who} was interrupted; it is undone.")
        mark = int(dict(one.after.memos).get(MARK, 0)) or host.mark  # of the first network of all, only it knows
        if undone(host.state_dir, one.id) or undo(host, composed(one.before, one.after, one.extra, mark)):
            host.store.abandon(one.id)
        else:
            rest.append(one)
    return rest
