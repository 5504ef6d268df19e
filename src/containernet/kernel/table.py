"""Our nftables table: made, repaired, removed, and seen whether it is still exactly what its text says.

The rule of this file: the text is judged by the kernel itself. It is loaded once into an empty namespace, and what the
kernel then holds (linux/netfilter/nf_tables.h) is compared with what it holds here, without handles and counters, so
that no version of nft and no way of printing matters.
"""

from __future__ import annotations

from errno import ENOENT
from struct import error as StructError

from containernet.kernel.door import ABSENT, KernelError
from containernet.kernel.elements import INET, SUBSYSTEM, Sets
from containernet.kernel.netlink import NETFILTER, Netlink, Refused, attributes, listed, string, text
from containernet.kernel.netns import in_new_namespace
from containernet.plan.objects import TABLE, Element, Table
from containernet.plan.ruleset import SETS, TEXT

GETTABLE, GETCHAIN, GETRULE, GETSET = SUBSYSTEM | 1, SUBSYSTEM | 4, SUBSYSTEM | 7, SUBSYSTEM | 10
COMMENT = "containernet store "
FOREIGN = 1  # the mark of a table of our name that is not marked

_FLAGS, _USERDATA = 2, 6  # NFTA_TABLE_*
_CHAIN_NAME = 3
_CHAIN = (_CHAIN_NAME, 4, 5, 7, 10)  # name, hook, policy, type, flags; not handle, use count, counters
_RULE_CHAIN, _EXPRESSIONS = 2, 4
_SET_NAME = 2
_SET = (3, 4, 5, 6, 7, 9, 11, 12)  # flags, key type and length, data type and length, description, timeout, gc
_EXPRESSION_NAME, _EXPRESSION_DATA = 1, 2
_LOOKUP_SET, _LOOKUP_SET_ID = 1, 4

Shape = tuple[object, ...]


def definition(table: Table) -> str:
    """Return the commands that make the table, marked, if there is none of its name."""
    return f'create table inet {TABLE} {{ comment "{COMMENT}{table.mark:08x}"; }}\n{table.text}\n'


def add(table: Table) -> None:
    """Make the table."""
    _run(definition(table))


def remove() -> None:
    """Remove the table, its elements with it."""
    _run(f"delete table inet {TABLE}\n")


def _run(commands: str) -> None:
    from containernet.kernel.nft import run

    run(commands)


def repair(socket: Netlink, table: Table, sets: Sets) -> None:
    """Bring the table back to its text and keep its elements."""
    if mark(socket) == table.mark:
        if _reload(table.text) and shape(socket) == expected(table.text):
            return
    elif not mark(socket):
        raise KernelError(ABSENT, f"There is no table inet {TABLE}.")
    kept = _readable(sets)
    _run(f"delete table inet {TABLE}\n{definition(table)}")
    sets.change(kept, ())


def _reload(definition_text: str) -> bool:
    """Put all rules anew; False if a chain or a set of the right name and the wrong definition is in the way."""
    try:
        _run(f"flush table inet {TABLE}\n{definition_text}\n")
    except Refused:
        return False
    return True


def _readable(sets: Sets) -> list[Element]:
    """Return the elements of the sets that still are of our types."""
    kept: list[Element] = []
    for name in SETS:
        try:
            kept += sets.read(name)
        except (ValueError, IndexError, OSError, StructError):
            continue
    return kept


def present(socket: Netlink) -> Table | None:
    """Return the table, with the text "" if it is not exactly as its text says; None if there is none."""
    found = mark(socket)
    if not found:
        return None
    return Table(found, TEXT if shape(socket) == expected(TEXT) else "")


def mark(socket: Netlink) -> int:
    """Return the mark in the table's comment, ``FOREIGN`` if it has none, 0 if there is no table."""
    table = _table(socket)
    if table is None:
        return 0
    comment = _comment(table.get(_USERDATA, b""))
    try:
        return int(comment.removeprefix(COMMENT), 16) if comment.startswith(COMMENT) else FOREIGN
    except ValueError:
        return FOREIGN


def _table(socket: Netlink) -> dict[int, bytes] | None:
    try:
        return attributes(socket.get(GETTABLE, INET + text(1, TABLE)), 4)
    except Refused as refusal:
        if refusal.errno == ENOENT:
            return None
        raise


def _comment(userdata: bytes) -> str:
    """Return the comment among nft's notes to itself: type, length, value; the comment's type is 0."""
    while len(userdata) >= 2:
        if userdata[0] == 0:
            return string(userdata[2 : 2 + userdata[1]])
        userdata = userdata[2 + userdata[1] :]
    return ""


def expected(definition_text: str) -> Shape:
    """Return the shape that the kernel gives to a text."""
    known = _shapes.get(definition_text)
    if known is None:
        known = _shapes[definition_text] = in_new_namespace(lambda: _loaded(definition_text))
    return known


_shapes: dict[str, Shape] = {}  # a pure function's results: the same for every thread


def _loaded(definition_text: str) -> Shape:
    _run(definition(Table(FOREIGN, definition_text)))
    socket = Netlink(NETFILTER)
    try:
        return shape(socket)
    finally:
        socket.close()


def shape(socket: Netlink) -> Shape:
    """Return what decides about packets: flags, chains, rules and sets, in a form that can be compared."""
    table = _table(socket)
    if table is None:
        return ()
    named, anonymous = _sets(socket)
    chains: dict[str, tuple[object, ...]] = {}
    for has in _dumped(socket, GETCHAIN):
        chains[string(has[_CHAIN_NAME])] = tuple(has.get(kind) for kind in _CHAIN)
    rules: dict[str, list[object]] = {}
    for has in _dumped(socket, GETRULE):
        expressions = tuple(_expression(raw, anonymous) for raw in listed(has.get(_EXPRESSIONS, b"")))
        rules.setdefault(string(has[_RULE_CHAIN]), []).append(expressions)
    return table.get(_FLAGS), chains, rules, named


def _dumped(socket: Netlink, kind: int) -> list[dict[int, bytes]]:
    """Return the attributes of what our table has of a kind; in all of them the first is the table's name."""
    every = [attributes(body, 4) for body in socket.dump(kind, INET + text(1, TABLE))]
    return [has for has in every if string(has[1]) == TABLE]


def _sets(socket: Netlink) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Return the shapes of named and of anonymous sets, with their elements if it is not we who change them."""
    sets = Sets(socket)
    named: dict[str, Shape] = {}
    anonymous: dict[str, Shape] = {}
    for has in _dumped(socket, GETSET):
        name = string(has[_SET_NAME])
        seen: Shape = tuple(has.get(kind) for kind in _SET)
        if name not in SETS:
            seen += tuple(sorted(sets.raw(name)))
        (anonymous if name.startswith("__") else named)[name] = seen
    return named, anonymous


def _expression(raw: bytes, anonymous: dict[str, Shape]) -> object:
    """Return an expression; an anonymous set stands in it by its contents, because its name is the kernel's choice."""
    has = attributes(raw)
    name, data = string(has.get(_EXPRESSION_NAME, b"")), has.get(_EXPRESSION_DATA, b"")
    if name == "counter":
        return name
    if name != "lookup":
        return name, data
    lookup = attributes(data)
    lookup.pop(_LOOKUP_SET_ID, None)
    which = string(lookup.pop(_LOOKUP_SET, b""))
    return name, anonymous.get(which, which), tuple(sorted(lookup.items()))
