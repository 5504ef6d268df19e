"""Close a port.

The rule of this file: a mapping is closed as it was opened, whole; connections that use it end.
"""

from __future__ import annotations

from containernet.drivers.mapping import versions
from containernet.model.errors import Conflict, NotFound
from containernet.model.network import Endpoint, PortMapping
from containernet.model.ports import external_address as checked_address
from containernet.model.ports import port_range
from containernet.model.ports import protocol as checked_protocol
from containernet.plan.intent import Intent, joined
from containernet.plan.operations import Cut, Operation
from containernet.verbs.attempt import attempt
from containernet.verbs.containers import known
from containernet.verbs.executor import carry_out
from containernet.verbs.part import around, need_network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.model.network import Compartment
    from containernet.verbs.host import Host


def close_port(
    host: Host,
    container: str = "",
    network: str = "",
    *,
    protocol: str = "tcp",
    external_port: str = "",
    external_address: str = "",
    id: int = 0,
) -> tuple[PortMapping, Endpoint]:
    """Close a port, named by all that it was opened with or by its number; return its mapping and endpoint."""
    protocol, address = checked_protocol(protocol), checked_address(external_address)
    ports = port_range(external_port) if external_port or not id else (0, 0)

    def verb() -> tuple[PortMapping, Endpoint]:
        if id:
            mapping = _by_number(host, id)
        else:
            need_network(host.store, network)
            mapping = _by_ports(host, known(host, container), network, protocol, address, ports)
        endpoint = host.store.endpoint(number=mapping.endpoint_id)
        assert endpoint is not None  # a foreign key says so
        compartment = host.store.compartment(number=endpoint.compartment_id)
        assert compartment is not None
        after = around(host.store, compartment)
        carry_out(host, "close", joined(after, Intent(mappings=(mapping,))), after, last=cuts(mapping, endpoint))
        return mapping, endpoint

    return attempt(host, verb)


def _by_number(host: Host, number: int) -> PortMapping:
    mapping = host.store.mapping(number)
    if mapping is None:
        raise NotFound("mapping-not-found", f"There is no port mapping {number}.", "'cnet ports' shows them.")
    return mapping


def _by_ports(
    host: Host, compartment: Compartment, network: str, protocol: str, address: str, ports: tuple[int, int]
) -> PortMapping:
    endpoints = [one for one in host.store.endpoints(compartment=compartment.id) if one.network == network]
    found = [
        mapping
        for endpoint in endpoints
        for mapping in host.store.mappings(endpoint.id)
        if mapping.protocol == protocol
        and (mapping.external_first, mapping.external_last) == ports
        and address in ("", mapping.external_address)
    ]
    if not found:
        said = f"{ports[0]}-{ports[1]}" if ports[0] != ports[1] else str(ports[0])
        sentence = f"No external port {said}/{protocol} leads to {compartment.container} on {network}."
        raise NotFound(
            "mapping-not-found", sentence, "'cnet ports' shows the open ports; close one as it was opened, or by --id."
        )
    if len(found) > 1:
        numbers = ", ".join(str(one.id) for one in found)
        raise Conflict(
            "mapping-ambiguous", f"Several mappings fit: {numbers}.", "Give --external-address, or close one by --id."
        )
    return found[0]


def cuts(mapping: PortMapping, endpoint: Endpoint) -> tuple[Operation, ...]:
    """Return what ends the connections that use a mapping."""
    ports = mapping.external_first, mapping.external_last
    return tuple(
        Cut(version, mapping.protocol, destination=mapping.external_address, ports=ports, answers=target)
        for version, target in versions(mapping, endpoint).items()
    )
