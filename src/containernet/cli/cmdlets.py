"""What a cmdlet prints when it has succeeded: the sentences and objects of the 2015 document, to the column.

The rule of this file: `PRINT[verb](result)` returns what follows the progress lines. Where the document shows
an object its columns are copied exactly; the others are made in the same manner.
"""

from __future__ import annotations

from containernet.cli.text import columns, properties
from containernet.cli.verbs import span, when

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from containernet.model.views import EndpointView, NetworkView, PortView

ENDPOINT_ENDS = (68, 79, 91)  # where Name, Id and IPv4Address end in the document
NO_DOMAIN = "{00000000-0000-0000-0000-000000000000}"


def created(network: NetworkView) -> str:
    """The last line of New-ContainerNetwork."""
    return f"Network {network.name} created successfully.\n"


def destroyed(network: NetworkView) -> str:
    """The last line of Remove-ContainerNetwork."""
    return f"Network {network.name} removed successfully.\n"


def joined(endpoint: EndpointView) -> str:
    """The last line of Join-ContainerNetwork and the endpoint."""
    sentence = f"Container {endpoint.container} joined network {endpoint.network} successfully.\n"
    return f"{sentence}\n{_endpoints((endpoint,))}"


def _endpoints(found: tuple[EndpointView, ...]) -> str:
    rows = [(endpoint.name, endpoint.compartment, ", ".join(addresses(endpoint, 4))) for endpoint in found]
    return columns(("Name", "Id", "IPv4Address"), rows, ENDPOINT_ENDS, ("Id",))


def addresses(endpoint: EndpointView, version: int) -> list[str]:
    """The addresses of one IP version, without their prefix lengths."""
    plain = [address.partition("/")[0] for address in endpoint.addresses]
    return [address for address in plain if (":" in address) == (version == 6)]


def left(endpoint: EndpointView) -> str:
    """The last line of Leave-ContainerNetwork."""
    return f"Container {endpoint.container} left network {endpoint.network} successfully.\n"


def opened(port: PortView) -> str:
    """The static mapping, in ten properties."""
    rows: tuple[tuple[str, object], ...] = (
        ("StaticMappingID", port.id),
        ("NatName", port.nat),
        ("Protocol", port.protocol.upper()),
        ("RemoteExternalIPAddressPrefix", ", ".join(port.remotes) or "0.0.0.0/0"),
        ("ExternalIPAddress", port.shown_address),
        ("ExternalPort", span(port.external_first, port.external_last)),
        ("InternalIPAddress", port.internal_address),
        ("InternalPort", span(port.internal_first, port.internal_last)),
        ("InternalRoutingDomainId", NO_DOMAIN),
        ("Active", port.active),
    )
    return f"\n{properties(rows)}\n"


def closed(port: PortView) -> str:
    """The last line of Close-ContainerPort."""
    place = f"{port.protocol.upper()} port {span(port.external_first, port.external_last)}"
    return f"{place} of container {port.container} closed successfully.\n"


def networks(found: tuple[NetworkView, ...]) -> str:
    """Each network, then the containers on it and their endpoints."""
    return "".join(map(_network, found)) + ("\n" if found else "")


def _network(network: NetworkView) -> str:
    containers = dict.fromkeys(endpoint.container for endpoint in network.endpoints)
    rows: tuple[tuple[str, object], ...] = (
        ("Name", network.name),
        ("Id", network.id),
        ("Mode", network.kind.upper() if network.kind == "nat" else network.kind.capitalize()),
        ("SubnetPrefix", network.subnets),
        ("GatewayAddress", network.gateways),
        ("NetworkAdapterName", network.uplink),
        ("ExternalIPAddress", network.external_prefix or network.external_address),
        ("Mtu", network.mtu),
        ("Containers", tuple(containers)),
    )
    return f"\n{properties(rows)}" + (f"\n{_endpoints(network.endpoints)}" if network.endpoints else "")


def endpoints(found: tuple[EndpointView, ...]) -> str:
    """Each endpoint and its addresses."""
    return "".join(map(_endpoint, found)) + ("\n" if found else "")


def _endpoint(endpoint: EndpointView) -> str:
    rows: tuple[tuple[str, object], ...] = (
        ("Name", endpoint.name),
        ("Id", endpoint.compartment),
        ("Container", endpoint.container),
        ("Network", endpoint.network),
        ("Interface", endpoint.interface),
        ("IPv4Address", ", ".join(addresses(endpoint, 4))),
        ("IPv6Address", ", ".join(addresses(endpoint, 6))),
        ("DefaultGateway", ", ".join(endpoint.gateways)),
        *_leased(endpoint),
        ("MacAddress", endpoint.mac.upper().replace(":", "-")),
        ("State", endpoint.state.capitalize()),
    )
    return f"\n{properties(rows)}"


def _leased(endpoint: EndpointView) -> tuple[tuple[str, object], ...]:
    """What came from DHCP, in the words of ipconfig /all."""
    if not endpoint.leases:
        return ()
    found: list[tuple[str, object]] = [("DnsServer", ", ".join(endpoint.dns))]
    for one in endpoint.leases:
        if one.version == 4:
            ends = when(one.expires) or "never"
            found += [("DhcpServer", one.server), ("LeaseExpires", ends if one.address else "")]
    return tuple(found)


PRINT: dict[str, Callable[[Any], str]] = {
    "create": created,
    "destroy": destroyed,
    "get": networks,
    "get NETWORK": networks,
    "join": joined,
    "leave": left,
    "open": opened,
    "close": closed,
    "endpoint": endpoints,
    "endpoint NETWORK": endpoints,
}
EMPTY = {
    "get": "No networks. Make one: New-ContainerNetwork NAME -EnableNat",
    "endpoint": "No endpoints. Make one: Join-ContainerNetwork CONTAINER NETWORK",
}
