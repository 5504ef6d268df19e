"""From what is to what should be: the operations, in an order that works, each with its inverse.

The rule of this file: one function makes every plan, of a verb (between two intents) as of a repair (between the world
and the intent). Protection comes first: our table and its elements change before any link does. Pure.
"""

from __future__ import annotations

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
from containernet.plan.operations import Add, Change, Elements, Operation, Remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# What must be there before what. Settings of a link come before it is up, those of the host after the table.
_ORDER: dict[type, int] = {
    Table: 0, Bridge: 2, Veth: 3, Macvlan: 3, Sysctl: 4, Port: 5, Up: 6, Address: 7, Route: 8, Rule: 10, Neighbour: 10,
    HeldAddress: 11, HeldRoute: 12, Resolver: 13,
}  # fmt: skip


def diff(before: Iterable[Object], after: Iterable[Object]) -> list[Operation]:
    """Return the operations that make ``before`` become ``after``."""
    old = {one.identity: one for one in before}
    new = {one.identity: one for one in after}
    gone = sorted((one for key, one in old.items() if key not in new), key=lambda one: repr(one.identity))
    come = [one for key, one in new.items() if key not in old]
    changed = [(old[key], one) for key, one in new.items() if key in old and old[key] != one]
    make: list[tuple[int, list[Operation]]] = [(_rank(one), [Add(one)]) for one in come if not isinstance(one, Element)]
    make += [(_rank(two), _changed(one, two)) for one, two in changed if not isinstance(two, Element)]
    take = sorted((one for one in gone if not isinstance(one, Element)), key=_rank, reverse=True)
    steps = [step for _, steps in sorted(make, key=lambda pair: pair[0]) for step in steps]
    elements = _elements(gone, come, changed)
    at = next((i for i, step in enumerate(steps) if not _of_table(step)), len(steps))
    return [*steps[:at], *elements, *steps[at:], *(Remove(one) for one in take)]


def _rank(one: Object) -> int:
    return _ORDER[type(one)] + (isinstance(one, Route) and bool(one.via))  # after the route to its gateway


def _of_table(step: Operation) -> bool:
    return isinstance(step, Add | Change) and isinstance(step.object if isinstance(step, Add) else step.after, Table)


def _changed(one: Object, two: Object) -> list[Operation]:
    """Change in place, but a pair whose other end is not where it should be is made anew."""
    if isinstance(one, Veth) and isinstance(two, Veth) and one.place != two.place:
        return [Remove(one), Add(two)]
    return [Change(one, two)]


def _elements(gone: list[Object], come: list[Object], changed: list[tuple[Object, Object]]) -> list[Operation]:
    """All that changes in the table's sets and maps is one operation."""
    remove = [one for one in (*gone, *(one for one, _ in changed)) if isinstance(one, Element)]
    add = [one for one in (*come, *(two for _, two in changed)) if isinstance(one, Element)]
    return [Elements(tuple(add), tuple(remove))] if add or remove else []
