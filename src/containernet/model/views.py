"""What the verbs give back: the shape that Python callers, ``--json`` and the tables share.

The rule of this file: these field names are public and stable; ``docs/reference.md`` lists them. Addresses are text,
times are seconds since 1970, an absent value is ``""``, ``0`` or an empty tuple.
"""

from __future__ import annotations

from containernet.model.record import record

ACTIVE = "active"  # it is there and works
WAITING = "waiting"  # the host restarted and its container is not back yet; its addresses and ports are kept for it
GONE = "gone"  # its compartment vanished; the next verb that needs its address or `cnet repair` frees it


@record
class PortView:
    """A port mapping (what the cmdlets call a static mapping)."""

    id: int
    nat: str  # the name of the NAT: "ContainerNat"
    protocol: str  # tcp, udp or sctp
    external_address: str  # the address it is bound to; "" when it is bound to every address of the host
    shown_address: str  # external_address, or the uplink's when that is ""
    external_first: int
    external_last: int
    internal_address: str  # IPv4 if the endpoint has one
    internal_first: int
    internal_last: int
    remotes: tuple[str, ...]  # prefixes that may use it; empty: all
    container: str
    network: str
    endpoint: str
    active: bool


@record
class EndpointView:
    """One container's attachment to one network."""

    name: str
    container: str
    compartment: int  # the compartment's number; the host is 1
    network: str
    interface: str  # inside the container
    mac: str
    addresses: tuple[str, ...]  # with prefix lengths; on a network without NAT those that it has now
    gateways: tuple[str, ...]
    default_route: bool  # whether the container's default route leads over it
    mtu: int
    priority: int
    host_link: str
    path: str  # of the container's network namespace
    state: str  # ACTIVE, WAITING or GONE
    ports: tuple[PortView, ...]
    created: int
    dns: tuple[str, ...] = ()  # the name servers that came with its leases
    search: tuple[str, ...] = ()  # the domains that names are looked for in
    leases: tuple[LeaseView, ...] = ()


@record
class LeaseView:
    """A lease of an endpoint, or that it has none yet."""

    endpoint: str
    container: str
    network: str
    interface: str
    version: int  # 4: DHCP (RFC 2131), 6: DHCPv6 (RFC 8415)
    state: str  # as the RFC calls it: "BOUND", "RENEWING", …; "UNATTENDED" where no agent runs; "RELEASED"
    address: str  # with its prefix length; "" if there is none
    server: str  # its address; of DHCPv6 its DUID in hexadecimal
    client_id: str  # in hexadecimal
    obtained: int
    renews: int  # when it is to be renewed
    expires: int  # 0: never
    gateways: tuple[str, ...]
    dns: tuple[str, ...]
    domain: str
    search: tuple[str, ...]
    hostname: str  # that the server gave
    mtu: int


@record
class ServiceStatus:
    """A service of the agent."""

    name: str
    enabled: bool
    state: str  # "ok", "failing", "held-back", "stopped", "off"; "not-running": there is no agent
    sentence: str
    figures: tuple[tuple[str, int], ...]


@record
class NetworkView:
    """A network."""

    name: str
    id: int
    kind: str  # "nat", "internal"; without NAT "bridge" or "macvlan"
    subnets: tuple[str, ...]
    gateways: tuple[str, ...]
    uplink: str  # the link that its traffic leaves by now; "" for an internal network or when the host has none
    external_address: str  # the IPv4 address that its traffic leaves with now
    external_prefix: str  # the same with its prefix length
    mtu: int
    ipv6: bool
    bridge: str  # "" if it has none
    mac: str  # of the bridge; "" if that is not ours
    labels: tuple[tuple[str, str], ...]
    endpoints: tuple[EndpointView, ...]
    created: int


@record
class StatusView:
    """How the host stands."""

    version: str
    state_dir: str
    networks: int
    endpoints: int
    waiting: int
    ports: int
    table: bool  # whether our nftables table is there and its chains are ours
    drift: tuple[str, ...]  # what `cnet repair` would do, as the lines a person would type
    interrupted: tuple[str, ...]  # verbs that were killed half-way and have not been cleaned up yet


@record
class RepairView:
    """What repair did (or would do)."""

    mended: tuple[str, ...]  # the operations, as the lines a person would type
    freed: tuple[str, ...]  # endpoints whose compartment had vanished
    restored: tuple[str, ...]  # endpoints joined again after a restart of the host
    waiting: tuple[str, ...]  # endpoints that still wait for their container


@record
class Finding:
    """One thing that doctor found."""

    code: str  # stable: "forwarding-off", "nftables-missing", …
    severity: str  # "ok", "note", "warning" or "error"
    sentence: str
    hint: str
    fixable: bool  # whether `doctor --fix` can mend it
    fixed: bool = False
