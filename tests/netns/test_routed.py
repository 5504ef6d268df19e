"""Networks that the host routes for: packets both ways, one MAC address outside, an address of the LAN for each container.

The rule of this file: what is outside is a LAN; what leaves the host is looked at there.
"""

from __future__ import annotations

import pytest

from kit.lab import HOST4, HOST6, LAN4, LAN6, Lab
from kit.space import Space, eventually

C1, C1_6 = "198.51.100.20", "2001:db8:51::20"
C2, C2_6 = "198.51.100.21", "2001:db8:51::21"
ALL = "ip link; ip addr; ip route; ip -6 route; nft list ruleset"
SETTINGS = (
    "net/ipv4/neigh/up0/proxy_delay",
    "net/ipv6/neigh/up0/proxy_delay",
    "net/ipv6/conf/up0/proxy_ndp",
    "net/ipv4/conf/up0/proxy_arp",
)


def joined(lab: Lab, name: str, *ips: str, network: str = "net1") -> Space:
    """Join a container with these addresses."""
    space = lab.container(name)
    lab.cnet("join", name, network, *[word for ip in ips for word in ("--ip", ip)])
    return space


def settings(lab: Lab) -> list[str]:
    """Return the settings of the uplink that decide whom it answers for."""
    return [lab.host.sysctl(key) for key in SETTINGS]


def proxies(lab: Lab) -> list[str]:
    """Return the addresses that the host answers for."""
    return sorted(one["dst"] for one in lab.host.json("ip", "-j", "neigh", "show", "proxy"))


@pytest.mark.parametrize("bridge_nf", [0, 1])
def test_packets_both_ways(make_lab: object, bridge_nf: int) -> None:
    lab: Lab = make_lab(bridge_nf=bridge_nf)  # type: ignore[operator]
    assert eventually(lambda: "tentative" not in lab.host.sh("ip addr"), 10)
    before, was = lab.host.sh(ALL), settings(lab)
    lab.cnet("create", "net1", "--mode", "routed")
    lab.cnet("create", "net2", "--mode", "routed")
    c1, c2 = joined(lab, "c1", f"{C1}/24", C1_6), joined(lab, "c2", C2, f"{C2_6}/64")
    c3 = joined(lab, "c3", "198.51.100.22", "2001:db8:51::22", network="net2")
    assert proxies(lab) == sorted([C1, C1_6, C2, C2_6, "198.51.100.22", "2001:db8:51::22"])
    for space, address in (
        (c1, LAN4), (c1, LAN6), (lab.lan, C1), (lab.lan, C1_6), (c1, C2), (c1, C2_6), (c3, C1), (c3, C1_6),
        (lab.host, C1), (lab.host, C1_6), (c1, HOST4), (c1, HOST6),
    ):  # fmt: skip
        assert space.ping(address), (space.name, address)
    for space in (c1, c2):
        space.serve(80)
    assert lab.lan.probe(C1, 80) == f"c1 {LAN4}"
    assert lab.lan.probe(C1_6, 80) == f"c1 {LAN6}"
    assert c2.probe(C1, 80) == f"c1 {C2}"
    assert c3.probe(C2_6, 80) == "c2 2001:db8:51::22"
    assert lab.host.probe(C1, 80) == f"c1 {HOST4}"
    assert lab.host.probe(C1_6, 80) == f"c1 {HOST6}"
    (view,) = lab.json("endpoint", "c1", "net1")
    assert view["addresses"] == [f"{C1}/32", f"{C1_6}/128"]
    assert (view["gateways"], view["default_route"]) == (["169.254.1.1", "fe80::1"], True)
    assert lab.json("repair")["mended"] == []
    lab.cnet("leave", "c1", "net1")
    assert proxies(lab) == sorted([C2, C2_6, "198.51.100.22", "2001:db8:51::22"])
    assert "eth0" not in c1.sh("ip link")
    lab.cnet("destroy", "net2", "--force")
    assert settings(lab) == ["0", "0", "1", "0"]
    assert c2.ping(LAN6)
    lab.cnet("destroy", "net1", "--force")
    assert settings(lab) == was
    assert proxies(lab) == []
    assert eventually(lambda: lab.host.sh(ALL) == before), lab.host.sh(ALL)
