"""A network's bridge: what every kind of network has.

The rule of this file: nothing here lets a packet leave the host. Our containers may reach each other over their bridge,
and the host at the gateway address.
"""

from __future__ import annotations

from containernet.model.address import split
from containernet.model.network import HOST, Endpoint, Network, Subnet
from containernet.plan.objects import Address, Bridge, Element, Object, Sysctl

FIRST_TABLE = 10_000  # the routing table of endpoint 1 is 10001: far from what people number by hand


def own_table(endpoint: Endpoint) -> int:
    """Return the number of an endpoint's own routing table."""
    return FIRST_TABLE + endpoint.id


def bridge_mac(network: Network, mark: int) -> str:
    """Return the MAC of a bridge: locally administered, the same whenever it is made again, another on another host."""
    raw = bytes((0x02, *(mark & 0xFFFF).to_bytes(2, "big"), 0, *(network.id & 0xFFFF).to_bytes(2, "big")))
    return raw.hex(":")


def mtu_of(uplink: int, ipv6: bool) -> int:
    """Return the MTU of a network that follows its uplink: IPv6 needs 1,280 bytes (RFC 8200), whatever lies beyond."""
    return max(uplink, 1280) if uplink and ipv6 else uplink


def link_mtu(endpoint: Endpoint, network: Network) -> int:
    """Return the MTU of an endpoint's links: the network's, or less if a lease says so."""
    return min([network.mtu, *(lease.mtu for lease in endpoint.leases if lease.mtu)])


def gateway(subnet: Subnet) -> str:
    """Return the host's address in a subnet with its prefix length."""
    return f"{subnet.gateway}/{split(subnet.prefix)[1]}"


def common(network: Network, mark: int) -> list[Object]:
    """Return the bridge, its settings and addresses, and what makes it one of ours in the table."""
    name = network.bridge
    return [
        Bridge(name, bridge_mac(network, mark), network.mtu, mark, network.name),
        *settings(network),
        *(Address(HOST, name, gateway(subnet)) for subnet in network.subnets),
        Element("bridges", (name,)),
        Element("pairs", (name, name)),
    ]


def settings(network: Network) -> list[Object]:
    """Return the settings of the bridge: no container configures the host (CVE-2020-10749).

    Without duplicate detection its link-local address, which the host asks for neighbours from, is usable at once.
    """
    six = f"net/ipv6/conf/{network.bridge}"
    if not network.ipv6:
        return [Sysctl(HOST, f"{six}/disable_ipv6", "1")]
    return [Sysctl(HOST, f"{six}/accept_ra", "0"), Sysctl(HOST, f"{six}/accept_dad", "0")]
