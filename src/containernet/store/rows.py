"""Rows of the tables to the nouns and back.

The rule of this file: one function each way for each noun; a question's columns are written here only.
"""

from __future__ import annotations

from containernet.model.address import packed, unpacked
from containernet.model.network import Compartment, Endpoint, Network, PortMapping, Subnet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from containernet.model.lease import Lease

    Row = tuple[Any, ...]

NETWORK = (
    "SELECT id, name, kind, subnets, mtu, mtu_fixed, ipv6, uplink, external_address, labels, created, mac FROM networks"
)
COMPARTMENT = "SELECT id, container, path, cookie, lasting, loopback, routed FROM compartments"
ENDPOINT = (
    "SELECT e.id, e.name, e.network_id, n.name, e.compartment_id, c.container, e.interface, e.mac, e.priority,"
    " e.created, e.dynamic, e.gateways, e.hostname, e.client_id, e.leases, a.raw, a.length"
    " FROM endpoints e JOIN networks n ON n.id = e.network_id"
    " JOIN compartments c ON c.id = e.compartment_id LEFT JOIN addresses a ON a.endpoint_id = e.id"
)
RAW = 15  # the column of an endpoint's row with an address; the next is its prefix length
BY_ENDPOINT = " ORDER BY e.id, a.position"
MAPPING = (
    "SELECT id, endpoint_id, protocol, external_address, external_first, external_last, internal_first, remotes"
    " FROM mappings"
)


def network(row: Row) -> Network:
    """Return a network."""
    number, name, kind, subnets, mtu, fixed, ipv6, uplink, external, labels, created, mac = row
    return Network(
        number, name, kind, tuple(Subnet(*text.split("=")) for text in subnets.split()), mtu, bool(fixed), bool(ipv6),
        uplink, external, tuple(_label(line) for line in labels.splitlines()), created, mac,
    )  # fmt: skip


def _label(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    return key, value


def network_row(one: Network) -> Row:
    """Return the columns of a network."""
    subnets = " ".join(f"{subnet.prefix}={subnet.gateway}" for subnet in one.subnets)
    labels = "\n".join(f"{key}={value}" for key, value in one.labels)
    return (
        one.id, one.name, one.kind, subnets, one.mtu, int(one.mtu_fixed), int(one.ipv6), one.uplink,
        one.external_address, labels, one.created, one.mac,
    )  # fmt: skip


def compartment(row: Row) -> Compartment:
    """Return a compartment."""
    number, container, path, cookie, lasting, loopback, routed = row
    return Compartment(number, container, path, cookie, bool(lasting), bool(loopback), routed)


def compartment_row(one: Compartment) -> Row:
    """Return the columns of a compartment."""
    return one.id, one.container, one.path, one.cookie, int(one.lasting), int(one.loopback), one.routed


def endpoints(rows: Iterable[Row]) -> tuple[Endpoint, ...]:
    """Return endpoints from rows that hold one address each, those of an endpoint together."""
    found: dict[int, tuple[Row, list[str]]] = {}
    for row in rows:
        held = found.setdefault(row[0], (row, []))[1]
        if row[RAW] is not None:
            held.append(f"{unpacked(row[RAW])}/{row[RAW + 1]}")
    return tuple(_endpoint(row, tuple(addresses)) for row, addresses in found.values())


def _endpoint(row: Row, addresses: tuple[str, ...]) -> Endpoint:
    number, name, network_id, network_name, compartment_id, container, interface, mac, priority, created = row[:10]
    return Endpoint(
        number, name, network_id, network_name, compartment_id, container, interface, mac, addresses, priority, created,
        row[10], tuple(row[11].split()), row[12], row[13], _leases(row[14]),
    )  # fmt: skip


def _leases(text: str) -> tuple[Lease, ...]:
    if not text:
        return ()
    from containernet.model.lease import from_text

    return tuple(from_text(line) for line in text.splitlines())


def _text(leases: tuple[Lease, ...]) -> str:
    if not leases:
        return ""
    from containernet.model.lease import to_text

    return "\n".join(map(to_text, leases))


def endpoint_row(one: Endpoint) -> Row:
    """Return the columns of an endpoint, but for its addresses."""
    return (
        one.id, one.name, one.network_id, one.compartment_id, one.interface, one.mac, one.priority, one.created,
        one.dynamic, " ".join(one.gateways), one.hostname, one.client_id, _text(one.leases),
    )  # fmt: skip


def address_rows(one: Endpoint) -> list[Row]:
    """Return the rows of an endpoint's addresses."""
    found: list[Row] = []
    for position, text in enumerate(one.addresses):
        address, _, length = text.partition("/")
        found.append((one.network_id, packed(address), int(length), one.id, position))
    return found


def mapping(row: Row) -> PortMapping:
    """Return a port mapping."""
    number, endpoint, protocol, address, first, last, internal, remotes = row
    return PortMapping(number, endpoint, protocol, address, first, last, internal, tuple(remotes.split()))


def mapping_row(one: PortMapping) -> Row:
    """Return the columns of a port mapping."""
    return (
        one.id, one.endpoint_id, one.protocol, one.external_address, one.external_first, one.external_last,
        one.internal_first, " ".join(one.remotes),
    )  # fmt: skip
