"""Repair and restore: the host as the networks say, after foreign hands or a restart.

The rule of this file: both are the same mending; `restore` is its name at boot, and tells how far it is.
"""

from __future__ import annotations

from containernet.model.errors import Different
from containernet.model.views import RepairView
from containernet.verbs.begin import ready
from containernet.verbs.mend import mend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host


def repair(host: Host) -> RepairView:
    """Bring everything to what it should be; return what was done."""
    done = ready(host) or mend(host)
    if done.blocked:
        raise Different(
            "repair-incomplete", f"All is mended but for {', '.join(done.blocked)}: something is in the way there.",
            "Look into it, or let that container leave.",
        )  # fmt: skip
    return RepairView(
        mended=host.brief(list(done.operations)),
        freed=tuple(one.name for one in done.freed),
        restored=tuple(one.name for one in done.restored),
        waiting=tuple(one.name for one in done.waiting),
    )
