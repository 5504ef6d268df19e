"""Port mappings: which elements make an external port lead to a container.

The rule of this file: an element for each port and IP version. Who may use a limited port is said once for each allowed
prefix; a port that is limited for one IP version is closed to the other unless that has prefixes too.
"""

from __future__ import annotations

from containernet.model.address import family
from containernet.model.network import Endpoint, PortMapping
from containernet.plan.objects import Element, Object


def elements(mapping: PortMapping, endpoint: Endpoint) -> list[Object]:
    """Return the elements of a mapping to an endpoint."""
    targets = versions(mapping, endpoint)
    found: list[Object] = []
    for version, target in targets.items():
        found += _ports(mapping, version, target)
    return found + _limits(mapping, tuple(targets))


def versions(mapping: PortMapping, endpoint: Endpoint) -> dict[int, str]:
    """Return the IP versions that a mapping is for, and the address of the endpoint that each leads to."""
    targets: dict[int, str] = {}
    for address in endpoint.addresses:
        targets.setdefault(family(address), address.partition("/")[0])
    if not mapping.external_address:
        return targets
    return {version: text for version, text in targets.items() if version == family(mapping.external_address)}


def _keys(mapping: PortMapping) -> list[tuple[str | int, ...]]:
    before = (mapping.external_address,) if mapping.external_address else ()
    ports = range(mapping.external_first, mapping.external_last + 1)
    return [(*before, mapping.protocol, port) for port in ports]


def _ports(mapping: PortMapping, version: int, target: str) -> list[Object]:
    name = f"{'at' if mapping.external_address else 'any'}{version}"
    return [Element(name, key, (target, port)) for port, key in enumerate(_keys(mapping), mapping.internal_first)]


def _limits(mapping: PortMapping, versions: tuple[int, ...]) -> list[Object]:
    if not mapping.remotes:
        return []
    at = bool(mapping.external_address)
    found: list[Object] = []
    for name in [f"limited_at{version}" for version in versions] if at else ["limited"]:
        found += (Element(name, key) for key in _keys(mapping))
    for remote in mapping.remotes:
        if family(remote) in versions:
            name = f"allowed{'_at' if at else ''}{family(remote)}"
            found += (Element(name, (*key, remote)) for key in _keys(mapping))
    return found
