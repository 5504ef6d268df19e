"""Records as text and back, for the journal of verbs under way.

The rule of this file: Python literals (a record is ``{class: fields}``), so that a person can read them and nothing in
them can run; only the classes named here come back.
"""

from __future__ import annotations

from containernet.model import network as nouns
from containernet.model.record import fields
from containernet.plan import intent, objects, operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KINDS: dict[str, type] = {
    one.__name__: one
    for one in (
        intent.Intent, nouns.Network, nouns.Subnet, nouns.Compartment, nouns.Endpoint, nouns.PortMapping, nouns.Place,
        objects.Sysctl, objects.Table, objects.Bridge, objects.Veth, objects.Macvlan, objects.Port, objects.Up,
        objects.Address, objects.Route, objects.Rule, objects.Element, objects.Neighbour, objects.HeldAddress,
        objects.HeldRoute, objects.Resolver,
        operations.Add, operations.Remove, operations.Change, operations.Elements,
        operations.Cut, operations.Announce,
    )
}  # fmt: skip


LATE = ("Lease", "LeasedRoute")  # of model/lease.py, which most verbs do without


def encoded(value: object) -> str:
    """Return a record, or a tuple of records, as text."""
    return repr(_plain(value))


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return tuple([_plain(item) for item in value])
    if type(value).__name__ in KINDS or type(value).__name__ in LATE:
        return {type(value).__name__: tuple([_plain(getattr(value, name)) for name in fields(value)])}
    return value


def decoded(text: str) -> Any:
    """Return what :func:`encoded` was given; raise ValueError if the text is not of that form."""
    from ast import literal_eval

    try:
        return _made(literal_eval(text))
    except (SyntaxError, KeyError, TypeError) as error:
        raise ValueError(f"no record: {error}") from None


def _made(value: object) -> object:
    if isinstance(value, tuple):
        return tuple([_made(item) for item in value])
    if isinstance(value, dict):
        ((kind, parts),) = value.items()
        return _class(kind)(*[_made(item) for item in parts])
    return value


def _class(kind: str) -> type:
    if kind not in LATE:
        return KINDS[kind]
    from containernet.model import lease

    found: type = getattr(lease, kind)
    return found
