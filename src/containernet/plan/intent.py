"""What should be: all of it, or the part that one verb is about.

The rule of this file: a part is whole enough to derive objects from: with an endpoint come its network, its compartment
and the compartment's other endpoints; with a port mapping its endpoint. Pure.
"""

from __future__ import annotations

from containernet.model.network import Compartment, Endpoint, Network, PortMapping
from containernet.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar

    Row = Network | Compartment | Endpoint | PortMapping
    R = TypeVar("R", Network, Compartment, Endpoint, PortMapping)


@record
class Intent:
    """Networks, compartments, endpoints, port mappings, and memos (what is to be remembered: key, value)."""

    networks: tuple[Network, ...] = ()
    compartments: tuple[Compartment, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    mappings: tuple[PortMapping, ...] = ()
    memos: tuple[tuple[str, str], ...] = ()


def joined(*parts: Intent) -> Intent:
    """Return the parts as one; of rows with the same number the last counts, in the order of the first."""
    return Intent(
        _last(row for part in parts for row in part.networks),
        _last(row for part in parts for row in part.compartments),
        _last(row for part in parts for row in part.endpoints),
        _last(row for part in parts for row in part.mappings),
        tuple({key: value for part in parts for key, value in part.memos}.items()),
    )


def _last(rows: Iterable[R]) -> tuple[R, ...]:
    return tuple({row.id: row for row in rows}.values())


def without(intent: Intent, endpoints: Iterable[Endpoint]) -> Intent:
    """Return an intent without endpoints, their port mappings, and the compartments that then have no endpoint."""
    gone = {endpoint.id for endpoint in endpoints}
    left = tuple(one for one in intent.endpoints if one.id not in gone)
    held = {one.compartment_id for one in left}
    empty = {one.compartment_id for one in intent.endpoints} - held
    return Intent(
        intent.networks,
        tuple(one for one in intent.compartments if one.id not in empty),
        left,
        tuple(one for one in intent.mappings if one.endpoint_id not in gone),
        intent.memos,
    )
