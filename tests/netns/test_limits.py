"""What is kept out and what is left alone: allowed sources, internal networks, metadata, strangers' traffic."""

from __future__ import annotations

import pytest

from kit.lab import HOST4, HOST4_2, HOST6, LAN4, LAN4_2, LAN6, Lab
from kit.setup import joined
from kit.space import BRIEF

METADATA = ("169.254.169.254", "168.63.129.16")


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_remote_limits_who_may_use_a_mapping(lab: Lab, proto: str) -> None:
    c1, _ = joined(lab)
    c1.serve(80)
    lab.lan.sh("ip addr add 198.51.100.9/24 dev lan0; ip -6 addr add 2001:db8:51::9/64 dev lan0 nodad")
    limits = ["--remote", f"{LAN4}/32", "--remote", "198.51.100.128/25", "--remote", f"{LAN6}/128"]
    lab.cnet("open", "c1", "n1", "--protocol", proto, "--external-port", "50000", "--internal-port", "80", *limits)
    lab.cnet("open", "c1", "n1", "--protocol", proto, "--external-port", "50001", "--internal-port", "80")
    assert lab.lan.probe(HOST4, 50000, proto, source=LAN4) == f"c1 {LAN4}"
    assert lab.lan.probe(HOST6, 50000, proto, source=LAN6) == f"c1 {LAN6}"
    for source, host in (("198.51.100.9", HOST4), ("2001:db8:51::9", HOST6)):
        assert lab.lan.probe(host, 50000, proto, timeout=BRIEF, source=source) in ("refused", "timeout")
        assert lab.lan.probe(host, 50001, proto, source=source) == f"c1 {source}"
    lab.lan.sh("ip addr add 198.51.100.200/24 dev lan0")
    assert lab.lan.probe(HOST4, 50000, proto, source="198.51.100.200") == "c1 198.51.100.200"


def test_a_limit_ends_with_its_mapping(lab: Lab) -> None:
    c1, _ = joined(lab)
    c1.serve(80, protos="tcp", families="4")
    limited = ["open", "c1", "n1", "--external-port", "50000", "--internal-port", "80", "--remote", "203.0.113.0/24"]
    lab.cnet(*limited)
    assert lab.lan.probe(HOST4, 50000, timeout=BRIEF) in ("refused", "timeout")
    lab.cnet("close", "c1", "n1", "--external-port", "50000")
    lab.cnet(*limited[:-2])
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"


def test_a_v4_limit_does_not_leave_v6_open(lab: Lab) -> None:
    c1, _ = joined(lab)
    c1.serve(80, protos="tcp")
    lab.cnet("open", "c1", "n1", "--external-port", "50000", "--internal-port", "80", "--remote", f"{LAN4}/32")
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"
    assert lab.lan.probe(HOST6, 50000, timeout=BRIEF) in ("refused", "timeout")


@pytest.mark.parametrize("address", METADATA)
def test_metadata_services_are_out_of_reach(lab: Lab, address: str) -> None:
    c1, _ = joined(lab)
    lab.lan.sh(f"ip addr add {address}/32 dev lo")
    lab.lan.serve(80)
    assert lab.host.probe(address, 80) == f"lan {HOST4}"  # it is there, for the host
    assert c1.probe(LAN4, 80) == f"lan {HOST4}"
    for proto in ("tcp", "udp"):
        assert c1.probe(address, 80, proto, timeout=BRIEF) not in (f"lan {HOST4}", "refused")


def test_the_v6_metadata_service_is_out_of_reach(lab: Lab) -> None:
    c1, _ = joined(lab)
    lab.lan.sh("ip -6 addr add fd00:ec2::254/128 dev lo nodad")
    lab.lan.serve(80)
    assert lab.host.probe("fd00:ec2::254", 80) == f"lan {HOST6}"
    assert c1.probe(LAN6, 80) == f"lan {HOST6}"
    assert c1.probe("fd00:ec2::254", 80, timeout=BRIEF) != f"lan {HOST6}"


def test_an_internal_network_has_no_way_out_and_refuses_ports(lab: Lab) -> None:
    made = lab.json("create", "inner", "--internal")
    c1, c2 = lab.container("c1"), lab.container("c2")
    addresses = [a.partition("/")[0] for a in lab.json("join", "c1", "inner")["addresses"]]
    lab.cnet("join", "c2", "inner")
    c1.serve(80)
    lab.lan.serve(7)
    lab.lan.sh(f"ip route add {made['subnets'][0]} via {HOST4}")  # answers would find their way back
    for address in addresses:
        assert c2.probe(address, 80).startswith("c1 ")
    for address in (LAN4, LAN6):
        assert c2.probe(address, 7, timeout=BRIEF) not in (f"lan {HOST4}", f"lan {HOST6}")
    assert not c2.ping(LAN4, timeout=BRIEF)
    assert lab.lan.probe(addresses[0], 80, timeout=BRIEF) == "timeout"
    before = lab.world()
    refused = lab.result("open", "c1", "inner", "--external-port", "50000", "--internal-port", "80")
    assert refused.returncode not in (0, 1, 70)
    assert "internal" in refused.stderr
    assert lab.world() == before


def test_a_published_53_does_not_swallow_other_dns(lab: Lab) -> None:
    c1, _ = joined(lab)
    c2, _ = joined(lab, "c2")
    lab.lan.serve(53, name="real")
    c1.serve(53, name="c1-dns")
    for proto in ("tcp", "udp"):
        lab.cnet("open", "c1", "n1", "--protocol", proto, "--external-port", "53", "--internal-port", "53")
    for proto in ("tcp", "udp"):
        assert lab.lan.probe(HOST4, 53, proto) == f"c1-dns {LAN4}"
        assert lab.host.probe(LAN4, 53, proto) == f"real {HOST4}"  # the host's own
        assert lab.host.probe(LAN6, 53, proto) == f"real {HOST6}"
        assert c2.probe(LAN4, 53, proto) == f"real {HOST4}"  # forwarded


@pytest.mark.lab(uplinks=2)
def test_traffic_of_strangers_that_the_host_forwards_is_left_alone(lab: Lab) -> None:
    """A machine behind the host, not ours: it is neither accepted, dropped nor translated by us."""
    lab.host.sysctl("net/ipv4/ip_forward", "1")
    lab.container("stranger")
    lab.host.sh(
        "ip link add s0 type veth peer name eth0 netns stranger; ip addr add 10.77.0.1/24 dev s0; ip link set s0 up\n"
        "ip -n stranger link set eth0 up; ip -n stranger addr add 10.77.0.2/24 dev eth0\n"
        "ip -n stranger route add default via 10.77.0.1"
    )
    lab.lan.sh(f"ip route add 10.77.0.0/24 via {HOST4}")
    stranger = lab.inside("stranger")
    stranger.serve(81, families="4")
    lab.lan.serve(53, families="4")
    joined(lab)
    lab.cnet("open", "c1", "n1", "--protocol", "udp", "--external-port", "53", "--internal-port", "53")
    assert stranger.probe(LAN4, 53, "udp") == "lan 10.77.0.2"
    assert lab.lan.probe("10.77.0.2", 81, source=LAN4) == f"stranger {LAN4}"
    lab.host.run(
        "nft", "add table ip t; add chain ip t f { type filter hook forward priority 10; ip daddr 10.77.0.2 drop; }"
    )
    assert lab.lan.probe("10.77.0.2", 81, source=LAN4, timeout=BRIEF) == "timeout"  # nor did we overrule its owner


@pytest.mark.lab(uplinks=2)
def test_going_out_works_over_whatever_uplink(lab: Lab) -> None:
    c1, _ = joined(lab)
    lab.lan.serve(7, families="4")
    assert c1.probe(LAN4, 7) == f"lan {HOST4}"
    assert c1.probe(LAN4_2, 7) == f"lan {HOST4_2}"
    lab.host.sh(f"ip route replace default via {LAN4_2}; ip link set up0 down")
    lab.lan.sh("ip addr add 192.0.2.1/32 dev lo")
    assert c1.probe("192.0.2.1", 7) == f"lan {HOST4_2}"


@pytest.mark.lab(uplinks=2)
def test_published_ports_work_on_every_address_of_the_host(lab: Lab) -> None:
    c1, _ = joined(lab)
    c1.serve(80, families="4")
    lab.cnet("open", "c1", "n1", "--external-port", "50000", "--internal-port", "80")
    lab.cnet("open", "c1", "n1", "--external-port", "50001", "--internal-port", "80", "--external-address", HOST4)
    assert lab.lan.probe(HOST4_2, 50000, source=LAN4_2) == f"c1 {LAN4_2}"
    assert lab.lan.probe(HOST4, 50001, source=LAN4) == f"c1 {LAN4}"
    assert lab.lan.probe(HOST4_2, 50001, source=LAN4_2, timeout=BRIEF) == "refused"


@pytest.mark.lab(uplinks=2)
def test_an_uplink_given_is_the_only_way_out(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat", "--uplink", "up1")
    c1, _ = joined(lab)
    lab.lan.serve(7, families="4")
    assert c1.probe(LAN4_2, 7) == f"lan {HOST4_2}"
    assert c1.probe(LAN4, 7, timeout=BRIEF) not in (f"lan {HOST4}", f"lan {HOST4_2}")


def test_an_external_address_given_is_what_outside_sees(lab: Lab) -> None:
    lab.host.sh("ip addr add 198.51.100.40/24 dev up0")
    assert (
        lab.json("create", "n1", "--nat", "--external-address", "198.51.100.40")["external_address"] == "198.51.100.40"
    )
    c1, _ = joined(lab)
    c2, _ = joined(lab, "c2", "n2")
    lab.lan.serve(7, families="4")
    for proto in ("tcp", "udp"):
        assert c1.probe(LAN4, 7, proto) == "lan 198.51.100.40"
        assert c2.probe(LAN4, 7, proto) == f"lan {HOST4}"


def test_the_external_address_is_picked_and_shown(lab: Lab) -> None:
    made = lab.json("create", "n1", "--nat")
    assert (made["external_address"], made["external_prefix"], made["uplink"]) == (HOST4, f"{HOST4}/24", "up0")


@pytest.mark.parametrize("key", ["net/ipv4/conf/all/route_localnet", "net/ipv4/conf/up0/route_localnet"])
def test_loopback_stays_closed_to_the_network(lab: Lab, key: str) -> None:
    joined(lab)
    lab.cnet("open", "c1", "n1", "--external-port", "50000", "--internal-port", "80")
    assert lab.host.sysctl(key) == "0"
