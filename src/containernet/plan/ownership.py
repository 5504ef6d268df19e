"""What of the world is ours to change or take away.

The rule of this file: by mark, never by guess. A link of ours carries our group, a table or a file our comment, a
route, a routing rule or a neighbour our protocol number; an address or a state has no mark, so a surplus one is
somebody's own
business. Pure.
"""

from __future__ import annotations

from containernet.plan.objects import (
    PREFIXES,
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def ours(world: Iterable[Object], wanted: Iterable[Object], mark: int) -> list[Object]:
    """Return what the diff may look at: all that carries our mark, and of the unmarked what has a wanted twin."""
    twins = {one.identity for one in wanted}
    seen = list(world)
    table = any(isinstance(one, Table) and one.mark == mark for one in seen)
    return [one for one in seen if _ours(one, twins, mark, table)]


def _ours(one: Object, twins: set[tuple[object, ...]], mark: int, table: bool) -> bool:
    match one:
        case Bridge() | Veth() | Macvlan():
            return one.group == mark
        case Table():
            return one.mark == mark
        case Resolver():
            return one.mark in (mark, 0)
        case Element():
            return table
        case Neighbour():
            return True
        case Route() | Rule():
            return bool(one.place.path) or one.identity in twins or _on_ours(one)
        case Address() | Up() | Sysctl() | Port() | HeldAddress() | HeldRoute():
            return one.identity in twins


def _on_ours(one: Route | Rule) -> bool:
    """Tell whether a route of the host leads straight to a link of ours: by a neighbour there it is somebody's."""
    return isinstance(one, Route) and not one.via and one.link.startswith(PREFIXES)
