"""Refusals of the kernel as sentences for people and reasons for programs (errno(3)).

The rule of this file: the only place where an error number becomes a reason, and an operation a phrase.
"""

from __future__ import annotations

import errno

from containernet.kernel.door import ABSENT, DENIED, EXISTS, FULL, OTHER, UNSUPPORTED, KernelError
from containernet.plan.objects import (
    Address,
    Bridge,
    Element,
    HeldAddress,
    HeldRoute,
    Macvlan,
    Neighbour,
    Object,
    Port,
    Resolver,
    Route,
    Rule,
    Sysctl,
    Table,
    Up,
    Veth,
)
from containernet.plan.operations import Add, Announce, Change, Cut, Elements, Operation, Remove

_REASONS = {
    errno.EEXIST: EXISTS,
    errno.ENOENT: ABSENT,
    errno.ENODEV: ABSENT,
    errno.ESRCH: ABSENT,
    errno.EADDRNOTAVAIL: ABSENT,
    errno.EXFULL: FULL,
    errno.EPERM: DENIED,
    errno.EACCES: DENIED,
    errno.EOPNOTSUPP: UNSUPPORTED,
    errno.EAFNOSUPPORT: UNSUPPORTED,
    errno.EPROTONOSUPPORT: UNSUPPORTED,
    errno.ENOPROTOOPT: UNSUPPORTED,
}


def explained(what: str, error: OSError) -> KernelError:
    """Return a refusal as one sentence: what was asked, the kernel's own word, and what else it says."""
    detail = getattr(error, "detail", "").rstrip(".")
    sentence = f"The kernel refused to {what}: {error.strerror or error}{f' ({detail})' if detail else ''}."
    reason = _REASONS.get(error.errno or 0, OTHER)
    return KernelError(reason, sentence, "Run it as root." if reason == DENIED else "")


def action(operation: Operation) -> str:
    """Return what an operation does, as the rest of a sentence."""
    match operation:
        case Add():
            return f"add {_named(operation.object)}"
        case Remove():
            return f"remove {_named(operation.object)}"
        case Change():
            return f"change {_named(operation.after)}"
        case Elements():
            return f"change elements of our table ({len(operation.add)} to add, {len(operation.remove)} to remove)"
        case Cut():
            return "forget connections"
        case Announce():
            return f"announce addresses on {operation.link}"


def _named(thing: Object) -> str:
    if isinstance(thing, Port | Resolver):
        return thing.path if isinstance(thing, Resolver) else f"{thing.link} as a port of {thing.bridge}"
    match thing:
        case Sysctl():
            return f"setting {thing.key}"
        case Table():
            return "table inet containernet"
        case Bridge() | Veth() | Macvlan():
            return f"{type(thing).__name__.lower()} {thing.name}"
        case Up():
            return f"the state of {thing.link}"
        case Address() | HeldAddress() | Neighbour():
            what = "neighbour" if isinstance(thing, Neighbour) else "address"
            return f"{what} {thing.address} on {thing.link}"
        case Route() | HeldRoute():
            return f"route {thing.destination}"
        case Rule():
            return f"routing rule for {thing.source}"
        case Element():
            return f"element {' . '.join(map(str, thing.key))} of {thing.set}"
