"""Which addresses networks and containers get, and what the wire shows of it."""

from __future__ import annotations

import ipaddress

import pytest

from kit.lab import HOST4, LAN4, LAN6, Lab
from kit.setup import joined, refused
from kit.space import BRIEF, eventually


def test_networks_come_from_the_pool_in_order(lab: Lab) -> None:
    subnets = [lab.json("create", name, "--nat")["subnets"] for name in ("n1", "n2", "n3")]
    assert [four for four, _ in subnets] == ["192.168.1.0/24", "192.168.2.0/24", "192.168.3.0/24"]
    sixes = [ipaddress.IPv6Network(six) for _, six in subnets]
    assert len(set(sixes)) == 3
    assert all(six.prefixlen == 64 and six.subnet_of(ipaddress.IPv6Network("fd00::/8")) for six in sixes)
    lab.cnet("destroy", "n2")
    assert lab.json("create", "n4", "--nat")["subnets"][0] == "192.168.2.0/24"


def test_the_first_address_is_2_and_the_gateway_1(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    for number in (2, 3, 4):
        _, addresses = joined(lab, f"c{number}")
        assert addresses[4] == f"192.168.1.{number}"
        assert ipaddress.ip_address(addresses[6]) in ipaddress.ip_network(lab.json("get", "n1")["subnets"][1])


def test_a_freed_address_is_not_handed_out_again_at_once(lab: Lab) -> None:
    joined(lab)
    _, second = joined(lab, "c2")
    lab.cnet("leave", "c2", "n1")
    _, third = joined(lab, "c3")
    assert (second[4], third[4]) == ("192.168.1.3", "192.168.1.4")
    assert second[6] != third[6]


def test_a_full_pool_says_so_and_a_freed_address_comes_round(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat", "--subnet", "10.9.8.0/29")
    given = [joined(lab, f"c{number}")[1][4] for number in range(5)]
    assert given == [f"10.9.8.{number}" for number in (2, 3, 4, 5, 6)]
    lab.container("late")
    said = refused(lab, "join", "late", "n1")
    assert "n1" in said
    assert "address" in said
    lab.cnet("leave", "c3", "n1")
    assert joined(lab, "late")[1][4] == "10.9.8.5"


def test_what_the_host_already_routes_is_avoided(lab: Lab) -> None:
    lab.host.sh(
        "ip addr add 192.168.1.77/24 dev up0; ip route add 192.168.2.128/25 via 198.51.100.2\n"
        "ip route add 192.168.3.9/32 dev up0 table 77"
    )
    assert lab.json("create", "n1", "--nat")["subnets"][0] == "192.168.4.0/24"
    for subnet in ("192.168.1.0/25", "192.168.2.0/24", "198.51.100.0/24", "192.168.4.0/24", "192.168.0.0/16"):
        refused(lab, "create", "n2", "--nat", "--subnet", subnet)


def test_subnets_gateways_and_addresses_may_be_given(lab: Lab) -> None:
    made = lab.json(
        "create", "n1", "--nat", "--subnet", "10.1.0.0/16", "--gateway", "10.1.255.254", "--subnet", "fd12:3456::/64"
    )
    assert made["subnets"] == ["10.1.0.0/16", "fd12:3456::/64"]
    assert made["gateways"][0] == "10.1.255.254"
    c1, addresses = joined(lab, "c1", "n1", "--ip", "10.1.7.7", "--ip", "fd12:3456::77", "--mac", "02:00:00:00:00:77")
    assert addresses == {4: "10.1.7.7", 6: "fd12:3456::77"}
    assert "02:00:00:00:00:77" in c1.run("ip", "link", "show", "eth0")
    assert c1.ping("10.1.255.254")
    assert c1.ping(LAN4)
    assert c1.ping(LAN6)
    lab.container("c2")
    for wrong in (
        "10.1.7.7",
        "10.1.255.254",
        "10.1.0.0",
        "10.1.255.255",
        "10.2.0.1",
        "192.168.1.2",
        "fd12:3456::77",
        "fd13::1",
    ):
        refused(lab, "join", "c2", "n1", "--ip", wrong)
    refused(lab, "join", "c2", "n1", "--mac", "02:00:00:00:00:77")


def test_without_ipv6_there_is_none(lab: Lab) -> None:
    made = lab.json("create", "n1", "--nat", "--no-ipv6")
    assert made["subnets"] == ["192.168.1.0/24"]
    assert made["ipv6"] is False
    c1, addresses = joined(lab)
    assert list(addresses) == [4]
    assert c1.sysctl("net/ipv6/conf/eth0/disable_ipv6") == "1"
    assert "inet6" not in c1.run("ip", "address", "show", "eth0")
    bridge = made["bridge"]
    assert "inet6" not in lab.host.run("ip", "address", "show", bridge)
    assert c1.ping(LAN4)


@pytest.mark.lab(ipv6=False)
def test_ipv6_inside_works_where_the_uplink_has_none(lab: Lab) -> None:
    c1, _ = joined(lab)
    _, second = joined(lab, "c2")
    assert c1.ping(second[6])
    assert c1.ping(LAN4)


@pytest.mark.lab(mtu=1400)
def test_the_mtu_is_the_uplinks(lab: Lab) -> None:
    c1, _ = joined(lab)
    assert lab.json("get", "n1")["mtu"] == 1400
    assert "mtu 1400" in c1.run("ip", "link", "show", "eth0")
    assert c1.ping(LAN4, size=1372, whole=True)
    assert not c1.ping(LAN4, size=1373, whole=True, timeout=BRIEF)


@pytest.mark.lab(mtu=9000)
def test_a_large_mtu_is_used_and_a_given_one_kept(lab: Lab) -> None:
    c1, _ = joined(lab)
    assert c1.ping(LAN4, size=8972, whole=True)
    lab.cnet("create", "n2", "--nat", "--mtu", "1300")
    c2, _ = joined(lab, "c2", "n2")
    assert not c2.ping(LAN4, size=1273, whole=True, timeout=BRIEF)
    assert c2.ping(LAN4, size=1272, whole=True)


def test_the_mtu_follows_the_uplink(lab: Lab) -> None:
    c1, _ = joined(lab)
    assert c1.ping(LAN4, size=1472, whole=True)
    lab.host.sh("ip link set up0 mtu 1420")
    lab.cnet("repair")
    assert lab.json("get", "n1")["mtu"] == 1420
    assert "mtu 1420" in c1.run("ip", "link", "show", "eth0")
    assert "mtu 1420" in lab.host.run("ip", "link", "show", lab.json("get", "n1")["bridge"])


def test_neighbours_hear_of_a_join(lab: Lab) -> None:
    """The next holder of an address is believed at once: gratuitous ARP, and an unsolicited neighbour advertisement."""
    c1, _ = joined(lab)
    _, addresses = joined(lab, "old")
    for address in addresses.values():
        assert c1.ping(address)
    lab.cnet("leave", "old", "n1")
    c1.sniff("eth0")
    lab.container("new")
    view = lab.json("join", "new", "n1", "--ip", addresses[4], "--ip", addresses[6])
    arp = c1.sniffed(what="arp", sender=addresses[4], target=addresses[4])
    assert arp
    assert arp["sender_mac"] == view["mac"]
    assert arp["destination"] == "ff:ff:ff:ff:ff:ff"
    na = c1.sniffed(what="na", target=addresses[6])
    assert na
    assert na["source"] == view["mac"]
    mac = eventually(lambda: view["mac"] in c1.run("ip", "neigh", "show", addresses[4]))
    assert mac, c1.run("ip", "neigh")
    assert c1.ping(addresses[4])
    assert c1.ping(addresses[6])


def test_addresses_work_the_moment_join_returns(lab: Lab) -> None:
    """No duplicate address detection holds IPv6 back, no learning bridge drops the first packets."""
    lab.lan.serve(7)
    for address in (
        LAN4,
        LAN6,
    ):  # the uplink of this lab is new too, and outside may take a second to answer for itself
        assert lab.host.probe(address, 7).startswith("lan ")
    lab.cnet("create", "n1", "--nat")
    c1 = lab.container("c1")
    lab.cnet("join", "c1", "n1")
    assert "tentative" not in c1.run("ip", "-6", "address", "show", "dev", "eth0", "scope", "global")
    assert c1.probe(LAN6, 7, timeout=BRIEF).startswith("lan ")
    assert c1.probe(LAN4, 7, timeout=BRIEF) == f"lan {HOST4}"


def test_the_bridge_keeps_its_mac(lab: Lab) -> None:
    mac = lab.json("create", "n1", "--nat")["mac"]
    for number in range(4):
        joined(lab, f"c{number}")
    lab.cnet("leave", "c0", "n1")
    assert lab.json("get", "n1")["mac"] == mac
    assert mac in lab.host.run("ip", "link", "show", lab.json("get", "n1")["bridge"])


def test_a_container_cannot_be_configured_by_its_neighbours(lab: Lab) -> None:
    c1, _ = joined(lab)
    assert c1.sysctl("net/ipv6/conf/eth0/accept_ra") == "0"
    bridge, link = lab.json("get", "n1")["bridge"], lab.json("endpoint", "c1", "n1")[0]["host_link"]
    assert lab.host.sysctl(f"net/ipv6/conf/{bridge}/accept_ra") == "0"
    assert "1" in (
        lab.host.sysctl(f"net/ipv6/conf/{link}/disable_ipv6"),
        lab.host.sysctl(f"net/ipv6/conf/{link}/accept_ra").replace("0", "1"),
    )
