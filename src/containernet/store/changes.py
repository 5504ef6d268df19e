"""From an intent to another: the statements.

The rule of this file: rows that are in both are not touched; what goes, goes before what comes, so that a name, an
address or a port may change hands in one commit. Nothing here runs a statement.
"""

from __future__ import annotations

from containernet.plan.intent import Intent
from containernet.store import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Statement = tuple[str, tuple[object, ...]]

SEQUENCE = "UPDATE memos SET value = ? WHERE key = 'sequence'"
_COLUMNS = {
    "networks": "id, name, kind, subnets, mtu, mtu_fixed, ipv6, uplink, external_address, labels, created, mac",
    "compartments": "id, container, path, cookie, lasting, loopback, routed",
    "endpoints": (
        "id, name, network_id, compartment_id, interface, mac, priority, created, dynamic, gateways, hostname,"
        " client_id, leases"
    ),
    "mappings": ("id, endpoint_id, protocol, external_address, external_first, external_last, internal_first, remotes"),
}
_ROW: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "networks": rows.network_row,
    "compartments": rows.compartment_row,
    "endpoints": rows.endpoint_row,
    "mappings": rows.mapping_row,
}
_PUT = {
    table: (
        f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * (columns.count(',') + 1))})"
        f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns.split(', ')[1:])}"
    )
    for table, columns in _COLUMNS.items()
}
_ADDRESS = "INSERT INTO addresses (network_id, raw, length, endpoint_id, position) VALUES (?, ?, ?, ?, ?)"
_MEMO = "INSERT INTO memos (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def statements(before: Intent, after: Intent) -> list[Statement]:
    """Return what turns ``before`` into ``after``."""
    found: list[Statement] = []
    for table in ("mappings", "endpoints", "compartments", "networks"):
        kept = {row.id for row in getattr(after, table)}
        found += [
            (f"DELETE FROM {table} WHERE id = ?", (row.id,)) for row in getattr(before, table) if row.id not in kept
        ]
    for table in ("networks", "compartments", "endpoints", "mappings"):
        old = {row.id: row for row in getattr(before, table)}
        found += _put(table, [row for row in getattr(after, table) if old.get(row.id) != row])
    remembered = dict(before.memos)
    return found + [(_MEMO, (key, value)) for key, value in after.memos if remembered.get(key) != value]


def _put(table: str, new: Iterable[Any]) -> list[Statement]:
    every = list(new)
    put: list[Statement] = [(_PUT[table], _ROW[table](row)) for row in every]
    if table != "endpoints":
        return put
    gone: list[Statement] = [("DELETE FROM addresses WHERE endpoint_id = ?", (row.id,)) for row in every]
    return [*gone, *put, *((_ADDRESS, address) for row in every for address in rows.address_rows(row))]
