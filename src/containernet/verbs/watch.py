"""Moving what the host itself is reached by: watched, proven, confirmed; or undone.

The rule of this file: a process of its own stands by before the first operation. What answered before has to answer
after, and who asked to confirm has to; else the verb fails, and undoes all as any verb does.
"""

from __future__ import annotations

import os

from containernet.model.errors import Different
from containernet.plan.moving import is_held
from containernet.verbs.uplink import gateways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.kernel.door import Guard, Uplink
    from containernet.plan.operations import Operation
    from containernet.verbs.host import Host

UNDONE = ".undone"  # what the note's name ends in when who stood by has undone all
LONGEST = 60.0  # seconds that a move may take, all waiting but that for a person included; it takes some thousandths
TRIES = 3  # at a gateway, a second each


def note_of(state_dir: str, number: int) -> str:
    """Return the path of the note on how to undo a verb by hand."""
    return f"{state_dir}/move-{number}"


def undone(state_dir: str, number: int) -> bool:
    """Tell whether who stood by has undone a verb already; asked once: then that is forgotten."""
    note = note_of(state_dir, number)
    found = os.path.exists(note + UNDONE)
    for path in (note, note + UNDONE):
        if os.path.exists(path):
            os.unlink(path)
    return found


def word_for(state_dir: str, network: str) -> str:
    """Return the path at which the confirmation of a network's move is heard."""
    return f"{state_dir}/confirm-{network}"


class Watch:
    """Watches one move of what the host has, from one link to another."""

    def __init__(
        self, host: Host, network: str, link: Uplink, target: str, *, within: int = 0, trust: bool = False
    ) -> None:
        self._host, self._network, self._target = host, network, target
        self._within = within  # seconds in which somebody has to confirm; 0: nobody has to
        self._guard: Guard | None = None
        asked = () if trust else gateways(link.held)
        self._alive = tuple(one for one in asked if host.plans is None and host.kernel.answers(link.name, one))
        if asked and not self._alive and host.plans is None:
            host.report.note(f"No gateway answers on {link.name}, so it cannot be seen whether one does afterwards.")

    def begin(self, number: int, plan: list[Operation]) -> None:
        """Have somebody stand by who undoes a plan."""
        if not any(map(is_held, plan)) and not self._within:
            return
        undoing = [inverse for one in reversed(plan) if (inverse := one.inverse)]
        where = self._host.state_dir
        note, word = note_of(where, number), word_for(where, self._network)
        self._guard = self._host.kernel.guard(undoing, note, word, LONGEST + self._within)

    def verify(self) -> None:
        """Raise :class:`Different` if a gateway has gone silent, or nobody confirms."""
        for one in self._alive:
            if not any(self._host.kernel.answers(self._target, one) for _ in range(TRIES)):
                sentence = f"The gateway {one} does not answer on {self._target}; all is as it was."
                hint = "The switch or hypervisor may let only one MAC address through: 'cnet doctor --uplink' tells."
                raise Different("gateway-silent", sentence, hint)
        if self._within and self._guard is not None:
            self._await_word(self._guard)

    def _await_word(self, guard: Guard) -> None:
        sentence = f"Within {self._within} seconds, say from where you need to reach this host: cnet confirm"
        self._host.report.note(f"{sentence} {self._network}")
        if not guard.confirmed(self._within):
            sentence = f"Nobody confirmed {self._network} within {self._within} seconds; all is as it was."
            raise Different("not-confirmed", sentence, f"Create it again, and run: cnet confirm {self._network}.")

    def end(self) -> None:
        """Let go of who stands by: all is done, or undone."""
        if self._guard is not None:
            self._guard.release()
            self._guard = None
