"""Trying a verb, and once more after a repair.

The rule of this file: a plan is made from the intent, so that it costs what it changes; where the kernel turns out not
to be as the intent says, everything is mended first and the verb is planned anew.
"""

from __future__ import annotations

from containernet.kernel.door import ABSENT, DENIED, EXISTS, FULL, OTHER, UNSUPPORTED, VANISHED, KernelError
from containernet.model.errors import Conflict, ContainerNetError, Different, Missing, NotFound, NotPermitted, Taken
from containernet.verbs.begin import ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from containernet.verbs.host import Host

    T = TypeVar("T")

SURPRISING = (ABSENT, EXISTS, VANISHED, OTHER)


def attempt(host: Host, verb: Callable[[], T]) -> T:
    """Return what a verb returns; it is called again after a repair if the kernel was not as it should be."""
    ready(host)
    try:
        return verb()
    except KernelError as error:
        if error.reason not in SURPRISING or host.dry:
            raise
        from containernet.verbs.mend import mend

        done = mend(host)
        if not (done.operations or done.freed):
            raise
    return verb()


def explained(error: KernelError) -> ContainerNetError:
    """Return what a refusal of the kernel means for the one who asked."""
    sentence, hint = error.sentence, error.hint
    if error.reason == DENIED:
        return NotPermitted("not-permitted", sentence, hint or "Run it as root.")
    if error.reason == UNSUPPORTED:
        code = "nftables-missing" if "nftables" in sentence else "kernel-lacks-it"
        return Missing(code, sentence, hint or "Use Linux 5.14 or later, with bridge, veth and nftables.")
    if error.reason == FULL:
        sentence = f"{sentence.rstrip('.')}: it has 1,023, the kernel's limit."
        return Conflict("bridge-full", sentence, "Create another network for further containers.")
    if error.reason == VANISHED:
        return NotFound("container-vanished", sentence, "Its container has ended; join it again when it is back.")
    if error.reason == EXISTS:
        return Taken(
            "taken", sentence, hint or "Something of somebody else is in the way; 'cnet doctor' may know more."
        )
    return Different(f"kernel-{error.reason}", sentence, hint or "'cnet doctor' looks for the reason.")
