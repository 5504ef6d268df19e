"""Networks behind NAT: how their traffic leaves.

The rule of this file: elements and the host's forwarding only; which packet is translated is the ruleset's word.
"""

from __future__ import annotations

from containernet.model.network import HOST, Network
from containernet.plan.objects import Element, Object, Sysctl

FORWARD4, FORWARD6 = "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"


def outside(network: Network) -> list[Object]:
    """Return what lets a network's traffic out, and its source address if one is given."""
    name = network.bridge
    way = Element("uplinks", (name, network.uplink)) if network.uplink else Element("outward", (name,))
    found: list[Object] = [Sysctl(HOST, FORWARD4, "1"), way]
    if network.ipv6:
        found.append(Sysctl(HOST, FORWARD6, "1"))
    if network.external_address:
        which = "snat6" if ":" in network.external_address else "snat4"
        found.append(Element(which, (name,), (network.external_address,)))
    return found
