"""The host's own macvlan: it and its containers reach each other, and nobody else on the LAN notices.

The rule of this file: what is outside is a LAN; what the shim sends there is looked at.
"""

from __future__ import annotations

import pytest

from kit.lab import HOST4, HOST6, LAN4, LAN6, Lab
from kit.setup import refused
from kit.space import BRIEF, Space, eventually

C1, C1_6, C2 = "198.51.100.20", "2001:db8:51::20", "198.51.100.21"
ALL = "ip link; ip addr; ip route; ip -6 route; nft list ruleset"


def joined(lab: Lab, name: str, *ips: str, network: str = "net1") -> Space:
    """Join a container with these addresses."""
    space = lab.container(name)
    lab.cnet("join", name, network, *[word for ip in ips for word in ("--ip", ip)])
    return space


def pairs(lab: Lab, c1: Space) -> list[tuple[Space, str]]:
    """Return who has to reach whom."""
    own = [(lab.host, C1), (lab.host, C1_6), (c1, HOST4), (c1, HOST6)]
    return [*own, (c1, LAN4), (c1, LAN6), (lab.lan, C1), (lab.lan, C1_6)]


def test_the_host_and_its_containers_reach_each_other(lab: Lab) -> None:
    assert eventually(lambda: "tentative" not in lab.host.sh("ip addr"), 10)
    before = lab.host.sh(ALL)
    said = lab.cnet("create", "net1", "--mode", "macvlan", "--shim")
    assert said == "net1: without NAT, on the subnet of up0 (macvlan, with this host by cn-1)\n"
    c1 = joined(lab, "c1", f"{C1}/24", f"{C1_6}/64")
    for space, address in (*reversed(pairs(lab, c1)), *pairs(lab, c1)):
        assert space.ping(address), (space.name, address)
    c1.serve(80)
    lab.host.serve(81)
    assert lab.host.probe(C1, 80) == f"c1 {HOST4}"
    assert lab.host.probe(C1_6, 80) == f"c1 {HOST6}"
    assert c1.probe(HOST4, 81) == f"host {C1}"
    assert c1.probe(HOST6, 81) == f"host {C1_6}"
    c2 = joined(lab, "c2", f"{C2}/24")
    assert c2.ping(HOST4)
    assert lab.host.ping(C2)
    assert lab.json("repair")["mended"] == []
    lab.cnet("leave", "c1", "net1")
    assert "198.51.100.20" not in lab.host.sh("ip route; ip neigh show nud permanent")
    assert lab.host.ping(C2)
    lab.cnet("destroy", "net1", "--force")
    assert eventually(lambda: lab.host.sh(ALL) == before), lab.host.sh(ALL)


def test_nobody_else_notices(lab: Lab) -> None:
    """The host is found at its uplink's MAC address, whoever asks, and the shim says nothing to the LAN."""
    mac = lab.host.json("ip", "-j", "link", "show", "dev", "up0")[0]["address"]
    lab.lan.sniff("lan0")
    lab.cnet("create", "net1", "--mode", "macvlan", "--shim")
    c1 = joined(lab, "c1", f"{C1}/24", f"{C1_6}/64")
    shim = lab.host.json("ip", "-j", "link", "show", "dev", "cn-1")[0]["address"]
    for _ in range(3):
        lab.lan.sh("ip neigh flush all; ip -6 neigh flush all")
        c1.sh("ip neigh flush all; ip -6 neigh flush all")
        lab.host.sh("ip neigh flush all; ip -6 neigh flush all")
        for space, address in ((lab.lan, HOST4), (lab.lan, HOST6), *pairs(lab, c1)):
            assert space.ping(address), (space.name, address)
        known = {one["dst"]: one.get("lladdr") for one in lab.lan.json("ip", "-j", "neigh")}
        assert (known[HOST4], known[HOST6]) == (mac, mac)
    for what in ("arp", "ipv4", "na", "ns"):
        assert lab.lan.sniffed(0.3, source=shim, what=what) is None, what


def test_the_host_that_gets_another_address_is_followed(lab: Lab) -> None:
    lab.cnet("create", "net1", "--mode", "macvlan", "--shim")
    c1 = joined(lab, "c1", f"{C1}/24", f"{C1_6}/64")
    lab.host.sh(
        f"ip addr del {HOST4}/24 dev up0; ip addr add 198.51.100.7/24 dev up0; ip route replace default via {LAN4}\n"
        f"ip addr add 2001:db8:51::7/64 dev up0 nodad; ip addr del {HOST6}/64 dev up0"
    )
    assert lab.json("repair")["mended"]
    for space, address in ((lab.host, C1), (lab.host, C1_6), (c1, "198.51.100.7"), (c1, "2001:db8:51::7")):
        assert space.ping(address), (space.name, address)
    assert lab.json("repair")["mended"] == []


@pytest.mark.parametrize(
    "hand",
    [
        "ip link del cn-1",
        "ip link set cn-1 down",
        "ip route del 198.51.100.20/32; ip -6 route del 2001:db8:51::20/128",
        "ip neigh del 198.51.100.20 dev cn-1; ip neigh del 2001:db8:51::20 dev cn-1; ip -n c1 link del eth0",
    ],
)
def test_repair(lab: Lab, hand: str) -> None:
    lab.cnet("create", "net1", "--mode", "macvlan", "--shim")
    c1 = joined(lab, "c1", f"{C1}/24", f"{C1_6}/64")
    assert lab.host.ping(C1)
    lab.host.sh(hand)
    assert not lab.host.ping(C1, BRIEF)
    assert lab.json("repair")["mended"]
    for space, address in pairs(lab, c1):
        assert space.ping(address), (space.name, address)
    assert lab.json("repair")["mended"] == []


def test_after_a_reboot(lab: Lab) -> None:
    lab.cnet("create", "net1", "--mode", "macvlan", "--shim")
    joined(lab, "c1", f"{C1}/24", f"{C1_6}/64")
    lab.reboot()
    c1 = lab.container("c1")
    lab.cnet("restore")
    for space, address in pairs(lab, c1):
        assert space.ping(address), (space.name, address)


def test_a_host_with_an_interface_that_comes_first(lab: Lab) -> None:
    """It is known to its containers by the address of the uplink, whatever other addresses it has."""
    lab.host.sh("ip link add first0 index 2000000 type veth peer name far7; ip addr add 10.77.0.1/24 dev first0")
    lab.host.sh("ip link set first0 up; ip link set far7 up; ip link set up0 down; ip link set up0 name x0")
    lab.host.sh("ip link set x0 name up0; ip link set up0 up; ip addr replace 2001:db8:51::1/64 dev up0 nodad")
    lab.cnet("create", "net1", "--mode", "macvlan", "--shim", "--uplink", "up0")
    c1 = joined(lab, "c1", f"{C1}/24")
    c1.serve(80)
    assert lab.host.probe(C1, 80) == f"c1 {HOST4}"


def test_what_is_refused(lab: Lab) -> None:
    for options in (["--nat"], ["--internal"], ["--mode", "routed"], []):
        refused(lab, "create", "net1", *options, "--shim", status=2, says="macvlan")


def test_without_a_shim_they_do_not(lab: Lab) -> None:
    lab.cnet("create", "net1", "--mode", "macvlan")
    c1 = joined(lab, "c1", f"{C1}/24")
    assert c1.ping(LAN4)
    assert not c1.ping(HOST4, BRIEF)
    assert not lab.host.ping(C1, BRIEF)
