"""What a verb prints when it has succeeded: one short line for a change, an aligned table for a question.

The rule of this file: `PRINT[verb](result)` returns text for standard output; it computes nothing but words.
An empty list is said by `EMPTY` on standard error, so that programs read nothing.
"""

from __future__ import annotations

from containernet.cli.text import BOLD, counted, painted, pairs, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from containernet.model.views import (
        EndpointView,
        LeaseView,
        NetworkView,
        PortView,
        RepairView,
        ServiceStatus,
        StatusView,
    )


def created(network: NetworkView) -> str:
    """``net1: 192.168.1.0/24, fd00::/64, behind NAT as 10.91.68.239 by eth0``."""
    return f"{network.name}: {', '.join((*network.subnets, _way_out(network)))}\n"


def _way_out(network: NetworkView) -> str:
    if network.kind == "internal":
        return "internal, no way out"
    if network.kind != "nat":
        shim = f", with this host by cn-{network.id}" if network.kind == "macvlan" and network.mac else ""
        return f"without NAT, on the subnet of {network.uplink} ({network.kind}{shim})"
    if not network.uplink:
        return "behind NAT; this host has no way out now"
    return f"behind NAT as {network.external_address or 'its IPv6 address'} by {network.uplink}"


def confirmed(name: str) -> str:
    """``net1: confirmed``."""
    return f"{name}: confirmed\n"


def destroyed(network: NetworkView) -> str:
    """``net1: destroyed; 192.168.1.0/24 is free again``."""
    left = f", {counted(len(network.endpoints), 'endpoint')} taken off it" if network.endpoints else ""
    free = f"; {', '.join(network.subnets)} free again" if network.subnets else ""
    return f"{network.name}: destroyed{left}{free}\n"


def joined(endpoint: EndpointView) -> str:
    """``web joined net1: eth0 192.168.1.2/24, default route`` and its ports, one a line."""
    route = ", default route" if endpoint.default_route else ""
    first = f"{endpoint.container} joined {endpoint.network}: {_at(endpoint)}{route}\n"
    return first + "".join(f"  {mapping(port)}\n" for port in endpoint.ports)


def left(endpoint: EndpointView) -> str:
    """``web left net1: eth0 192.168.1.2/24, 2 ports closed``."""
    ports = f", {counted(len(endpoint.ports), 'port')} closed" if endpoint.ports else ""
    return f"{endpoint.container} left {endpoint.network}: {_at(endpoint)}{ports}\n"


def _at(endpoint: EndpointView) -> str:
    return f"{endpoint.interface} {', '.join(endpoint.addresses) or 'without an address'}"


def opened(port: PortView) -> str:
    """``10.91.68.239:8080/tcp -> web 192.168.1.2:80 (mapping 1)``."""
    who = f", for {', '.join(port.remotes)} only" if port.remotes else ""
    return f"{mapping(port)} ({port.container}, mapping {port.id}{who})\n"


def closed(port: PortView) -> str:
    """``closed 10.91.68.239:8080/tcp -> 192.168.1.2:80 (web, mapping 1)``."""
    return f"closed {mapping(port)} ({port.container}, mapping {port.id})\n"


def mapping(port: PortView) -> str:
    """``10.91.68.239:8080/tcp -> 192.168.1.2:80``."""
    return f"{outside(port)}/{port.protocol} -> {inside(port)}"


def outside(port: PortView) -> str:
    """The address and ports that others connect to."""
    return f"{_host(port.shown_address or '*')}:{span(port.external_first, port.external_last)}"


def inside(port: PortView) -> str:
    """The address and ports of the container."""
    return f"{_host(port.internal_address)}:{span(port.internal_first, port.internal_last)}"


def span(first: int, last: int) -> str:
    """``80`` or ``80-90``."""
    return str(first) if first == last else f"{first}-{last}"


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def networks(found: tuple[NetworkView, ...]) -> str:
    """One network a line."""
    head = ("NAME", "KIND", "SUBNETS", "UPLINK", "EXTERNAL", "MTU", "ENDPOINTS")
    rows = [(n.name, n.kind, ",".join(n.subnets), n.uplink, n.external_address, n.mtu, len(n.endpoints)) for n in found]
    return table(head, rows, ("MTU", "ENDPOINTS")) if rows else ""


def details(found: tuple[NetworkView, ...]) -> str:
    """All of a network."""
    return "".join(map(_details, found))


def _details(network: NetworkView) -> str:
    facts = pairs(
        (
            ("kind", network.kind),
            ("subnets", ", ".join(network.subnets)),
            ("gateways", ", ".join(network.gateways)),
            ("uplink", network.uplink),
            ("external", network.external_prefix or network.external_address),
            ("mtu", str(network.mtu)),
            ("ipv6", "on" if network.ipv6 else "off"),
            ("bridge", f"{network.bridge} {network.mac}".strip()),
            ("labels", ", ".join(f"{key}={value}" for key, value in network.labels)),
            ("endpoints", "" if network.endpoints else "none"),
        )
    )
    head = painted(network.name, BOLD) + "\n"
    return head + facts + ("\n" + _endpoints(network.endpoints) if network.endpoints else "")


def endpoints(found: tuple[EndpointView, ...]) -> str:
    """One endpoint a line."""
    return _endpoints(found) if found else ""


def all_of(found: tuple[EndpointView, ...]) -> str:
    """All of endpoints, one after another."""
    return "\n".join(map(_all_of, found))


def _all_of(e: EndpointView) -> str:
    facts = (
        ("container", e.container),
        ("network", e.network),
        ("interface", f"{e.interface} {e.mac}"),
        ("addresses", ", ".join(e.addresses)),
        ("gateways", ", ".join(e.gateways)),
        ("default", "yes" if e.default_route else "no"),
        ("dns", ", ".join(e.dns)),
        ("search", ", ".join(e.search)),
        ("mtu", str(e.mtu)),
        *((f"dhcp{'' if one.version == 4 else one.version}", _lease(one)) for one in e.leases),
        ("ports", ", ".join(map(mapping, e.ports))),
        ("state", e.state),
        ("path", e.path),
    )
    return painted(e.name, BOLD) + "\n" + pairs(facts)


def _lease(one: LeaseView) -> str:
    """``198.51.100.82/24 of 198.51.100.2, BOUND, till 2026-11-25 12:00:00``."""
    if not one.address:
        return one.state
    return f"{one.address} of {one.server}, {one.state}, {f'till {when(one.expires)}' if one.expires else 'for ever'}"


def _endpoints(found: tuple[EndpointView, ...]) -> str:
    head = ("ENDPOINT", "CONTAINER", "NETWORK", "INTERFACE", "ADDRESSES", "MAC", "DEFAULT", "PORTS", "STATE")
    rows = [_endpoint_row(endpoint) for endpoint in found]
    return table(head, rows, ("PORTS",))


def _endpoint_row(e: EndpointView) -> tuple[object, ...]:
    default = "yes" if e.default_route else "no"
    return e.name, e.container, e.network, e.interface, ",".join(e.addresses), e.mac, default, len(e.ports), e.state


def ports(found: tuple[PortView, ...]) -> str:
    """One port mapping a line."""
    head = ("ID", "PROTOCOL", "EXTERNAL", "INTERNAL", "CONTAINER", "NETWORK", "FROM", "STATE")
    rows = [_port_row(port) for port in found]
    return table(head, rows, ("ID",)) if rows else ""


def _port_row(p: PortView) -> tuple[object, ...]:
    remotes, state = ",".join(p.remotes) or "all", "active" if p.active else "waiting"
    return p.id, p.protocol, outside(p), inside(p), p.container, p.network, remotes, state


def status(found: StatusView) -> str:
    """How the host stands, and what ``cnet repair`` would do."""
    drift = f"{counted(len(found.drift), 'operation')} would mend it: run 'cnet repair'" if found.drift else "none"
    waiting = f", {found.waiting} waiting for their container" if found.waiting else ""
    rows = (
        ("version", found.version),
        ("state", found.state_dir),
        ("networks", str(found.networks)),
        ("endpoints", f"{found.endpoints}{waiting}"),
        ("ports", str(found.ports)),
        ("nftables", "our table is there" if found.table else "our table is not there"),
        ("interrupted", ", ".join(found.interrupted)),
        ("drift", drift),
    )
    return pairs(rows) + "".join(f"  {line}\n" for line in found.drift)


def repaired(found: RepairView) -> str:
    """What was mended, freed and restored."""
    lines = [f"mended: {line}" for line in found.mended]
    lines += [f"freed: {name} (its container is gone)" for name in found.freed]
    lines += [f"restored: {name}" for name in found.restored]
    lines += [f"waiting: {name} (its container is not back yet)" for name in found.waiting]
    return "".join(f"{line}\n" for line in lines or ["Everything is as it should be."])


def leases(found: tuple[LeaseView, ...]) -> str:
    """One lease a line."""
    head = ("ENDPOINT", "ADDRESS", "STATE", "SERVER", "RENEWS", "EXPIRES", "GATEWAYS", "DNS")
    rows = [_lease_row(lease) for lease in found]
    return table(head, rows) if rows else ""


def _lease_row(one: LeaseView) -> tuple[object, ...]:
    server = one.server if one.version == 4 else one.server[-12:]
    ends = when(one.expires) or ("never" if one.address else "")
    dns = ",".join(one.dns)
    return one.endpoint, one.address, one.state, server, when(one.renews), ends, ",".join(one.gateways), dns


def when(seconds: int) -> str:
    """``2026-01-02 03:04:05``, "" of no time."""
    if not seconds:
        return ""
    from time import localtime, strftime

    return strftime("%Y-%m-%d %H:%M:%S", localtime(seconds))


def renewed(endpoint: EndpointView) -> str:
    """``web on lan: eth0 10.91.68.102/24, till 2026-11-25 12:00:00``."""
    till = next((when(one.expires) for one in endpoint.leases if one.version == 4), "")
    return f"{endpoint.container} on {endpoint.network}: {_at(endpoint)}{f', till {till}' if till else ''}\n"


def released(endpoint: EndpointView) -> str:
    """``web on lan: 10.91.68.102/24 was given back``."""
    had = ", ".join(one.address for one in endpoint.leases if one.address and one.version == 4)
    return f"{endpoint.container} on {endpoint.network}: {had or 'nothing'} was given back\n"


def service(found: ServiceStatus) -> str:
    """``dhcp: enabled, ok``, its figures, and what there is to say."""
    figures = ", ".join(f"{number} {what}" for what, number in found.figures)
    line = f"{found.name}: {'enabled' if found.enabled else 'disabled'}, {found.state.replace('-', ' ')}"
    return f"{line}{f' ({figures})' if figures else ''}\n" + (f"  {found.sentence}\n" if found.sentence else "")


def agent(found: Any) -> str:
    """How the agent is, and its services, one a line."""
    from time import localtime, strftime

    since = strftime("%Y-%m-%d %H:%M:%S", localtime(found.started))
    rows = (("version", found.version), ("process", str(found.pid)), ("state", found.state_dir), ("since", since))
    services = [(one.name, one.state, _figures(one.figures), one.sentence) for one in found.services]
    return f"{pairs(rows)}\n{table(('SERVICE', 'STATE', 'FIGURES', 'WHAT'), services)}"


def _figures(figures: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in figures.items())


def setting(found: str) -> str:
    """The value alone, for a script."""
    return f"{found}\n"


def changed(found: tuple[str, str]) -> str:
    """``port-range = 50000-60000``."""
    return f"{found[0]} = {found[1]}\n"


def settings(found: tuple[tuple[str, ...], ...]) -> str:
    """One setting a line."""
    return table(("KEY", "VALUE", "DEFAULT", "FOR"), found) if found else ""


PRINT: dict[str, Callable[[Any], str]] = {
    "create": created,
    "confirm": confirmed,
    "destroy": destroyed,
    "get": networks,
    "get NETWORK": details,
    "join": joined,
    "leave": left,
    "open": opened,
    "close": closed,
    "endpoint": endpoints,
    "endpoint NETWORK": all_of,
    "ports": ports,
    "status": status,
    "repair": repaired,
    "restore": repaired,
    "agent status": agent,
    "leases": leases,
    "renew": renewed,
    "release": released,
    "service": service,
    "config get": setting,
    "config set": changed,
    "config list": settings,
}
EMPTY = {
    "get": "No networks. Make one: cnet create NAME --nat",
    "endpoint": "No endpoints. Make one: cnet join CONTAINER NETWORK",
    "leases": "No leases. Ask for one: cnet join CONTAINER NETWORK --ip dhcp",
    "ports": "No open ports. Open one: cnet open CONTAINER NETWORK --internal-port PORT",
}
