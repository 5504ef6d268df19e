"""Which DNS servers a container asks: those that came with the leases of its endpoints.

The rule of this file: what a server on the network said becomes lines of a file here, so that what could be more than
one word of a line is left out, whoever has looked at it before. The endpoint with the default route comes first.
"""

from __future__ import annotations

from containernet.drivers.endpoint import default_of, rank
from containernet.model.address import canonical
from containernet.model.errors import Usage
from containernet.model.names import INSIDE, is_name, namespace_name
from containernet.plan.objects import Object, Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from containernet.model.network import Compartment, Endpoint, Network

SERVERS = 3  # resolv.conf(5), MAXNS
SEARCH = 256  # characters of the search list (resolv.conf(5))
LONGEST = 253  # characters of a name (RFC 1035, section 2.3.4)


def name_of(compartment: Compartment) -> str:
    """Return a container's name in /etc/netns, "" if it has none: a named namespace, or the container of `cnet run`."""
    alone = not compartment.lasting and is_name(compartment.container)  # "pid:4711" is no name
    return namespace_name(compartment.path) or (compartment.container if alone else "")


def inside(
    compartment: Compartment, endpoints: list[Endpoint], networks: dict[int, Network], mark: int
) -> list[Object]:
    """Return the resolv.conf of a container; nothing if it has no name for one, or nobody told it a server."""
    name = name_of(compartment)
    order = _ordered(compartment, endpoints, networks)
    servers = tuple(dict.fromkeys(one for endpoint in order for one in _servers(endpoint)))[:SERVERS]
    if not name or not servers:
        return []
    return [Resolver(name, servers, _fitting(one for endpoint in order for one in _search(endpoint)), mark)]


def _ordered(compartment: Compartment, endpoints: list[Endpoint], networks: dict[int, Network]) -> dict[Endpoint, None]:
    """Return the endpoints in the order in which their servers are asked."""
    leaders = [default_of(endpoints, networks, one) for one in (4, 6) if str(one) not in compartment.routed]
    others = sorted(endpoints, key=rank)
    return dict.fromkeys([*(one for one in leaders if one is not None), *others])


def _servers(endpoint: Endpoint) -> list[str]:
    """Return the servers that came with an endpoint's leases."""
    told = (text for lease in endpoint.leases for text in lease.dns)
    return [one for text in told if (one := _server(text, endpoint.interface))]


def _server(text: str, interface: str) -> str:
    """Return a server as a word of the file, with its link if only that tells which one it is; "" if it is none."""
    try:
        address = canonical(text)
    except Usage:
        return ""
    return f"{address}%{interface}" if address.startswith("fe80:") else address


def _search(endpoint: Endpoint) -> list[str]:
    """Return the domains that came with an endpoint's leases."""
    told = (text for lease in endpoint.leases for text in lease.search or (lease.domain,))
    return [text for text in told if _proper(text)]


def _proper(text: str) -> bool:
    return 0 < len(text) <= LONGEST and INSIDE.issuperset(text) and text[0] not in "-."


def _fitting(domains: Iterable[str]) -> tuple[str, ...]:
    """Return domains, each once, as many as there is room for."""
    found: dict[str, str] = {}
    size = 0
    for one in domains:
        if one.lower() in found:
            continue
        size += len(one) + 1
        if size > SEARCH + 1:
            break
        found[one.lower()] = one
    return tuple(found.values())
