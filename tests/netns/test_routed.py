"""Networks that the host routes for: packets both ways, one MAC address outside, addresses of the LAN inside.

The rule of this file: what is outside is a LAN; what leaves the host is looked at there.
"""

from __future__ import annotations

import pytest

from kit.agents import agent
from kit.lab import HOST4, HOST6, LAN4, LAN6, Lab
from kit.setup import refused
from kit.space import BRIEF, Space, eventually

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


def test_one_mac_address_outside_and_behind_a_filter_of_it(lab: Lab) -> None:
    """Where a port lets the host's own MAC address through only, this works, and macvlan and a bridge do not."""
    mac = lab.host.json("ip", "-j", "link", "show", "dev", "up0")[0]["address"]
    lab.lan.sh(
        "nft add table netdev t; nft add chain netdev t c '{ type filter hook ingress device lan0 priority 0; }'\n"
        f"nft add rule netdev t c ether saddr != {mac} counter drop"
    )
    for mode in ("macvlan", "bridge"):
        lab.cnet("create", "other", "--mode", mode)
        one = joined(lab, f"x{mode}", f"{C2}/24", network="other")
        assert not one.ping(LAN4, BRIEF)
        lab.cnet("destroy", "other", "--force")
    assert "counter packets 0 " not in lab.lan.sh("nft list table netdev t")
    lab.lan.sh(f"nft flush chain netdev t c; nft add rule netdev t c ether saddr != {mac} counter drop")
    lab.cnet("create", "net1", "--mode", "routed")
    c1, c2 = joined(lab, "c1", C1, C1_6), joined(lab, "c2", C2)
    lab.lan.sniff("lan0")
    c1.serve(80)
    for address in (C1, C1_6):
        assert lab.lan.ping(address)
        assert lab.lan.probe(address, 80).startswith("c1 ")
    for space, address in ((c1, LAN4), (c1, LAN6), (c2, LAN4), (c2, C1)):
        assert space.ping(address)
    assert lab.lan.sniffed(0.5, what="nothing") is None  # all that has passed is kept
    assert lab.lan.peer.ask("sources", key="wire")["sources"] == [mac]
    assert "counter packets 0 " in lab.lan.sh("nft list table netdev t")


def test_an_address_that_moves_to_a_container_is_told_to_who_knew_it_elsewhere(lab: Lab) -> None:
    lab.cnet("create", "net1", "--mode", "routed")
    lab.lan.sh(
        f"ip neigh replace {C1} lladdr 02:00:00:00:00:77 dev lan0 nud stale\n"
        f"ip neigh replace {C1_6} lladdr 02:00:00:00:00:77 dev lan0 nud stale"
    )
    lab.lan.sniff("lan0")
    joined(lab, "c1", C1, C1_6)
    mac = lab.host.json("ip", "-j", "link", "show", "dev", "up0")[0]["address"]
    for want in ({"what": "arp", "sender": C1, "target": C1}, {"what": "na", "target": C1_6}):
        frame = lab.lan.sniffed(**want)
        assert frame is not None
        assert frame["source"] == mac
    assert lab.lan.ping(C1)
    assert lab.lan.ping(C1_6)


BAD_IPS = """
--ip x | --ip none | --ip 127.0.0.1 | --ip 224.0.0.5 | --ip 198.51.100.255 | --ip 198.51.100.0
--ip 169.254.7.7 | --ip fe80::7 | --ip ff02::1 | --ip 198.51.100.30/33 | --ip 0.0.0.0
"""


def test_addresses_that_cannot_be(lab: Lab) -> None:
    assert eventually(lambda: "tentative" not in lab.host.sh("ip addr"), 10)
    before = lab.host.sh(ALL)
    lab.cnet("create", "net1", "--mode", "routed")
    lab.cnet("create", "net2", "--mode", "routed")
    lab.cnet("create", "n1", "--nat")
    joined(lab, "c1", C1)
    lab.container("c2")
    for options in ([], *(part.split() for part in BAD_IPS.replace("\n", "|").split("|") if part.strip())):
        done = lab.result("join", "c2", "net1", *options)
        assert (done.returncode, "\n  " in done.stderr) == (2, True), (options, done.stderr)
    refused(lab, "join", "c2", "net1", "--ip", "dhcp", status=6, says="DHCP")
    for network in ("net1", "net2"):
        refused(lab, "join", "c2", network, "--ip", C1, status=4, says="c1_net1")
    refused(lab, "join", "c2", "net1", "--ip", HOST4, status=4, says="host")
    refused(lab, "join", "c2", "net1", "--ip", LAN4, status=4, says="answers")
    refused(lab, "join", "c2", "net1", "--ip", LAN6, status=4, says="answers")
    refused(lab, "join", "c2", "net1", "--ip", "192.168.1.9", status=4, says="n1")
    refused(lab, "join", "c2", "net1", "--ip", C2, "-p", "8080:80", status=2, says="own addresses")
    refused(lab, "create", "b", "--uplink", "up0", status=4, says="net1")
    assert [view["name"] for view in lab.json("endpoint")] == ["c1_net1"]
    for name in ("net1", "net2", "n1"):
        lab.cnet("destroy", name, "--force")
    assert eventually(lambda: lab.host.sh(ALL) == before), lab.host.sh(ALL)


def test_a_switch_that_answers_for_every_address_is_no_neighbour(lab: Lab) -> None:
    """As a cloud's does: the gateway answers for all, those of the container included."""
    lab.lan.sh("echo 1 > /proc/sys/net/ipv4/conf/lan0/proxy_arp; echo 1 > /proc/sys/net/ipv4/ip_forward")
    lab.lan.sh("ip link add far0 type veth peer name far1; ip link set far0 up; ip link set far1 up")
    lab.lan.sh("ip route add 198.51.100.16/28 dev far0")
    lab.lan.sh("echo 0 > /proc/sys/net/ipv4/neigh/lan0/proxy_delay")
    lab.cnet("create", "net1", "--mode", "routed")
    joined(lab, "c1", C1)
    refused(lab, "join", "c1", "net1", "--ip", LAN4, status=4, says="answers")


@pytest.mark.parametrize(
    "hand",
    [
        "ip route del 198.51.100.20/32; ip -6 route del 2001:db8:51::20/128",
        "ip neigh del proxy 198.51.100.20 dev up0; ip neigh del proxy 2001:db8:51::20 dev up0",
        "ip link del ce-1",
        "ip link set ce-1 down",
        "ip addr flush dev ce-1 scope link; ip -n c1 neigh flush all; ip -n c1 -6 neigh flush all",
        "ip -n c1 link set eth0 down",
        "ip -n c1 route flush all",
        "sysctl -w net/ipv4/ip_forward=0 net/ipv6/conf/all/forwarding=0",
        "ip link set up0 down; ip link set up0 up; ip addr replace 2001:db8:51::1/64 dev up0 nodad;"
        " ip route add default via 198.51.100.2; ip -6 route add default via 2001:db8:51::2",
    ],
)
def test_repair(lab: Lab, hand: str) -> None:
    lab.cnet("create", "net1", "--mode", "routed")
    c1 = joined(lab, "c1", C1, C1_6)
    assert c1.ping(LAN4)
    assert c1.ping(LAN6)
    lab.host.sh(hand)
    lab.lan.sh("ip neigh flush all; ip -6 neigh flush all")
    assert not (lab.lan.ping(C1, BRIEF) and lab.lan.ping(C1_6, BRIEF))
    assert lab.json("repair")["mended"]
    for space, address in ((c1, LAN4), (c1, LAN6), (lab.lan, C1), (lab.lan, C1_6), (lab.host, C1), (lab.host, C1_6)):
        assert space.ping(address), (space.name, address)
    assert lab.json("repair")["mended"] == []


def test_neighbours_that_are_forgotten_are_found_again(lab: Lab) -> None:
    lab.cnet("create", "net1", "--mode", "routed")
    c1 = joined(lab, "c1", C1, C1_6)
    lab.host.sh("ip neigh flush all; ip -6 neigh flush all; ip neigh flush dev up0")
    assert lab.json("repair")["mended"] == []
    assert lab.lan.ping(C1)
    assert c1.ping(LAN6)


def test_after_a_reboot(lab: Lab) -> None:
    lab.cnet("create", "net1", "--mode", "routed")
    joined(lab, "c1", C1, C1_6)
    lab.reboot()
    assert settings(lab) == ["80", "80", "0", "0"]
    c1 = lab.container("c1")
    lab.cnet("restore")
    assert [one["state"] for one in lab.json("endpoint")] == ["active"]
    for space, address in ((c1, LAN4), (c1, LAN6), (lab.lan, C1), (lab.lan, C1_6)):
        assert space.ping(address), (space.name, address)
    lab.cnet("destroy", "net1", "--force")
    assert settings(lab) == ["80", "80", "0", "0"]


def test_a_container_that_vanishes(lab: Lab) -> None:
    lab.cnet("create", "net1", "--mode", "routed")
    c1 = joined(lab, "c1", C1)
    lab.remove(c1)
    c2 = joined(lab, "c2", C1)  # its address is free again
    assert c2.ping(LAN4)
    lab.remove(c2)
    lab.cnet("repair")
    assert lab.json("endpoint") == []
    assert proxies(lab) == []


def test_an_uplink_that_is_not_there_holds_up_nobody(lab: Lab) -> None:
    lab.host.sh("ip link add up9 type veth peer name far9; ip link set up9 up; ip link set far9 up")
    lab.cnet("create", "net1", "--mode", "routed", "--uplink", "up9")
    joined(lab, "c1", C1)
    lab.cnet("create", "n1", "--nat")
    c2 = lab.container("c2")
    lab.cnet("join", "c2", "n1")
    lab.host.sh("ip link del up9; ip link del ce-2")
    assert lab.json("repair")["mended"]
    assert c2.ping(LAN4)
    lab.container("c3")
    refused(lab, "join", "c3", "net1", "--ip", C2, status=6, says="up9")
    lab.cnet("destroy", "net1", "--force")


def test_two_networks_one_container(lab: Lab) -> None:
    """Behind NAT and routed: each address answers by its own interface, and the walls of the one stay."""
    lab.cnet("create", "n1", "--nat")
    lab.cnet("create", "net1", "--mode", "routed")
    c1 = lab.container("c1")
    lab.cnet("join", "c1", "n1")
    lab.cnet("join", "c1", "net1", "--ip", C1, "--ip", C1_6)
    c2, c3 = joined(lab, "c2", C2), lab.container("c3")
    lab.cnet("join", "c3", "n1")
    for space, address in ((lab.lan, C1), (lab.lan, C1_6), (c2, C1), (c1, "192.168.1.1"), (c3, C2), (c2, LAN4)):
        assert space.ping(address), (space.name, address)
    assert not c2.ping("192.168.1.3", BRIEF)
    lab.cnet("leave", "c1", "n1")
    assert c1.ping(LAN4)
    assert "default via 169.254.1.1" in c1.sh("ip route")
    assert lab.json("repair")["mended"] == []


def test_doctor_and_dry_run(lab: Lab) -> None:
    said = {one["code"]: one["severity"] for one in lab.json_of("doctor", "--uplink", "up0")}
    assert said["mode-routed"] == "ok"
    before = lab.host.sh(ALL)
    assert "sysctl -w net/ipv6/conf/up0/proxy_ndp=1" in lab.cnet("create", "net1", "--mode", "routed", "--dry-run")
    assert lab.host.sh(ALL) == before
    lab.cnet("create", "net1", "--mode", "routed")
    lab.container("c1")
    plan = lab.cnet("join", "c1", "net1", "--ip", C1, "--ip", C1_6, "--dry-run")
    assert "arpsend" in plan
    typed = [line for line in plan.splitlines() if not line.startswith(("arpsend", "ndsend"))]
    lab.host.sh("\n".join(typed))  # what is printed works
    assert lab.lan.ping(C1)
    assert lab.lan.ping(C1_6)
    lab.host.sh(f"ip link del ce-1; ip neigh del proxy {C1} dev up0; ip neigh del proxy {C1_6} dev up0")
    lab.cnet("join", "c1", "net1", "--ip", C1)
    lab.host.sh("nft add table ip t; nft add chain ip t f '{ type filter hook forward priority 0; policy drop; }'")
    hints = [one["hint"] for one in lab.json_of("doctor") if one["code"] == "firewall-drops"]
    assert any("ce-*" in one for one in hints)
    assert not lab.lan.ping(C1, BRIEF)


def test_the_agent_mends_what_it_hears_of(lab: Lab) -> None:
    """As an uplink goes down, all that it answered for is forgotten; that it is back, its default route tells."""
    lab.cnet("create", "net1", "--mode", "routed")
    c1 = joined(lab, "c1", C1)
    assert c1.ping(LAN4)
    with agent(lab):
        for hand in (
            f"ip route del {C1}/32",
            "ip link del ce-1",
            "ip addr flush dev ce-1 scope link",
            f"ip link set up0 down; ip link set up0 up; ip route add default via {LAN4}",
            "echo 0 > /proc/sys/net/ipv4/ip_forward",
        ):
            lab.host.sh(hand)
            lab.lan.sh("ip neigh flush all")
            assert eventually(lambda: lab.json("status")["drift"] == []), hand
            assert lab.lan.ping(C1), hand
