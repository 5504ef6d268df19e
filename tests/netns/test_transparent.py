"""Containers on the host's own subnet: packets both ways, addresses given or by router, ports needless, all of it gone.

The rule of this file: what is outside is a LAN: its machine (``lan``) is the router too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kit.lab import HOST4, LAN4, LAN6, Lab
from kit.setup import refused
from kit.space import BRIEF, Space, eventually

ADDRESS = "198.51.100.20"
RA = """
cat > {conf} <<'END'
interface=lan0
bind-interfaces
port=0
enable-ra
dhcp-range=2001:db8:51::,ra-only,64
dhcp-range=198.51.100.100,198.51.100.150
no-ping
ra-param=lan0,high,4
END
dnsmasq --conf-file={conf} --pid-file={conf}.pid --no-resolv --no-hosts --leasefile-ro
"""


def on(lab: Lab, mode: str) -> None:
    """Make a network in one of the ways."""
    if mode == "taken":
        lab.host.sh(
            "ip link add br0 type bridge; ip link set br0 up; ip addr flush dev up0\n"
            "ip -6 route del default; ip link set up0 master br0\n"
            f"ip addr add {HOST4}/24 dev br0; ip addr add 2001:db8:51::1/64 dev br0 nodad\n"
            f"ip route add default via {LAN4}; ip -6 route add default via {LAN6}"
        )
        lab.cnet("create", "net1", "--uplink", "br0")
    else:
        lab.cnet("create", "net1", "--mode", mode)


def bridge(lab: Lab) -> dict[str, Any]:
    """Return all that a bridge of the host's own is, but for its clocks."""
    (link,) = lab.host.json("ip", "-d", "-j", "link", "show", "dev", "br0")
    settings = {key: value for key, value in link["linkinfo"]["info_data"].items() if "timer" not in key}
    return {**{key: link[key] for key in ("address", "mtu", "flags", "group")}, **settings}


def joined(lab: Lab, name: str, *ips: str) -> Space:
    """Join a container with these addresses."""
    space = lab.container(name)
    lab.cnet("join", name, "net1", *[word for ip in ips for word in ("--ip", ip)])
    return space


@pytest.mark.parametrize("mode", ["bridge", "taken", "macvlan"])
@pytest.mark.parametrize("bridge_nf", [0, 1])
def test_packets_both_ways(make_lab: object, mode: str, bridge_nf: int) -> None:
    lab: Lab = make_lab(bridge_nf=bridge_nf)  # type: ignore[operator]
    before = lab.host.sh("ip link; nft list ruleset")
    on(lab, mode)
    taken = bridge(lab) if mode == "taken" else {}
    c1, c2 = joined(lab, "c1", f"{ADDRESS}/24", "2001:db8:51::20/64"), joined(lab, "c2", "198.51.100.21/24")
    for space, address in (
        (c1, LAN4),
        (c1, LAN6),
        (lab.lan, ADDRESS),
        (lab.lan, "2001:db8:51::20"),
        (c1, "198.51.100.21"),
    ):
        assert space.ping(address), (space.name, address)
    assert mode != "taken" or bridge(lab) == taken
    c1.serve(80)
    assert lab.lan.probe(ADDRESS, 80) == f"c1 {LAN4}"
    assert c2.probe(ADDRESS, 80) == "c1 198.51.100.21"
    if mode != "macvlan":  # a macvlan and its own parent do not hear each other
        assert lab.host.probe(ADDRESS, 80) == f"c1 {HOST4}"
        assert c1.ping(HOST4)
    (view,) = lab.json("endpoint", "c1", "net1")
    assert {f"{ADDRESS}/24", "2001:db8:51::20/64"} <= set(view["addresses"])
    assert view["gateways"][0] == LAN4
    assert view["default_route"]
    assert lab.json("repair")["mended"] == []
    lab.cnet("leave", "c1", "net1")
    lab.cnet("leave", "c2", "net1")
    assert "eth0" not in c1.sh("ip link")
    if mode == "taken":
        assert eventually(lambda: "ce-" not in lab.host.sh("ip link"))
        assert bridge(lab) == taken
        lab.cnet("destroy", "net1")
        assert lab.host.ping(LAN4)
        return
    lab.cnet("destroy", "net1")
    assert lab.host.sh("ip link; nft list ruleset") == before
    assert lab.host.ping(LAN4)


@pytest.mark.parametrize("mode", ["bridge", "macvlan"])
def test_a_router_configures_ipv6(lab: Lab, tmp_path: Path, mode: str) -> None:
    on(lab, mode)
    router(lab, tmp_path)
    try:
        c1 = joined(lab, "c1", "none")

        def addressed() -> bool:
            (view,) = lab.json("endpoint", "c1", "net1")
            return any(text.startswith("2001:db8:51:") for text in view["addresses"]) and bool(view["gateways"])

        assert eventually(addressed, 20), c1.sh("ip addr; ip -6 route")
        assert c1.ping(LAN6)
        (view,) = lab.json("endpoint", "c1", "net1")
        assert view["default_route"]
        assert "2001:db8:51:" in lab.cnet("endpoint", "c1", "net1")
    finally:
        lab.lan.sh(f"kill $(cat {tmp_path / 'ra.conf'}.pid)")


def test_what_a_router_gave_the_host_moves_too(lab: Lab, tmp_path: Path) -> None:
    router(lab, tmp_path)
    try:
        assert eventually(lambda: "dynamic" in lab.host.sh("ip -6 addr show dev up0"), 10)
        lines = lab.host.sh("ip -6 addr show dev up0").splitlines()
        given = next(line.split()[1] for line in lines if "dynamic" in line)
        lab.host.sh("ip -6 route del default metric 1024")  # only the router's own is left, if it has come
        lab.cnet("create", "net1")
        assert given in lab.host.sh("ip -6 addr show dev cn-1")
        assert given not in lab.host.sh("ip -6 addr show dev up0")
        assert lab.host.ping(LAN6)
        lab.cnet("destroy", "net1")
        assert given in lab.host.sh("ip -6 addr show dev up0")
        assert lab.host.ping(LAN6)
    finally:
        lab.lan.sh(f"kill $(cat {tmp_path / 'ra.conf'}.pid)")


def test_a_container_that_joins_without_an_address_is_told_so(lab: Lab) -> None:
    on(lab, "bridge")
    lab.container("c1")
    done = lab.result("join", "c1", "net1")
    assert done.returncode == 0
    assert "DHCP client" in done.stderr
    assert "without an address" in done.stdout
    lab.container("c2")
    assert not lab.result("join", "c2", "net1", "--ip", "none").stderr
    refused(lab, "join", "c2", "net1", "--ip", "dhcp", status=6, says="--ip ADDRESS/LENGTH")


BAD_IPS = """
--ip 198.51.100.30 | --ip x | --ip 198.51.100.0/24 | --ip 198.51.100.255/24 | --ip none --ip dhcp
--ip none --ip 198.51.100.30/24 | --ip 127.0.0.1/8 | --ip 224.0.0.5/24 | --ip 198.51.100.30/33 | --ip ff02::1/64
"""


def test_addresses_that_cannot_be(lab: Lab) -> None:
    on(lab, "bridge")
    joined(lab, "c1", f"{ADDRESS}/24")
    lab.container("c2")
    for options in (part.split() for part in BAD_IPS.replace("\n", "|").split("|") if part.strip()):
        assert lab.result("join", "c2", "net1", *options).returncode == 2, options
    assert [view["name"] for view in lab.json("endpoint")] == ["c1_net1"]
    refused(lab, "join", "c2", "net1", "--ip", f"{ADDRESS}/24", status=4, says="c1_net1")
    refused(lab, "join", "c2", "net1", "--ip", f"{HOST4}/24", status=4, says="host")


def test_ports_need_not_be_opened(lab: Lab) -> None:
    on(lab, "macvlan")
    joined(lab, "c1", f"{ADDRESS}/24")
    asked = ("open", "c1", "net1", "--external-port", "50000", "--internal-port", "80")
    assert "own addresses" in refused(lab, *asked, status=2)


def test_two_networks_one_container(lab: Lab) -> None:
    """Behind NAT and on the LAN: each address answers by its own interface."""
    on(lab, "bridge")
    lab.cnet("create", "n1", "--nat")
    c1 = lab.container("c1")
    lab.cnet("join", "c1", "n1")
    lab.cnet("join", "c1", "net1", "--ip", f"{ADDRESS}/24")
    assert lab.lan.ping(ADDRESS)
    assert c1.ping("192.168.1.1")
    c1.serve(80, protos="tcp", families="4")
    assert lab.lan.probe(ADDRESS, 80) == f"c1 {LAN4}"
    lab.cnet("leave", "c1", "n1")
    assert c1.ping(LAN4)
    assert f"default via {LAN4}" in c1.sh("ip route")
    assert lab.json("repair")["mended"] == []


@pytest.mark.parametrize("mode", ["bridge", "macvlan"])
@pytest.mark.parametrize(
    "hand", ["ip -n c1 link del eth0", "ip -n c1 addr flush dev eth0", "ip -n c1 link set eth0 down"]
)
def test_repair_of_an_endpoint(lab: Lab, mode: str, hand: str) -> None:
    on(lab, mode)
    c1 = joined(lab, "c1", f"{ADDRESS}/24")
    assert c1.ping(LAN4)
    lab.host.sh(hand)
    assert not c1.ping(LAN4, BRIEF)
    assert lab.json("repair")["mended"]
    assert c1.ping(LAN4)
    assert lab.json("repair")["mended"] == []


@pytest.mark.parametrize("mode", ["bridge", "macvlan"])
def test_a_container_that_vanishes(lab: Lab, mode: str) -> None:
    on(lab, mode)
    c1 = joined(lab, "c1", f"{ADDRESS}/24")
    lab.remove(c1)
    assert lab.json("endpoint")[0]["state"] == "gone"
    c2 = joined(lab, "c2", f"{ADDRESS}/24")  # its address is free again
    assert c2.ping(LAN4)
    lab.cnet("repair")
    assert [view["name"] for view in lab.json("endpoint")] == ["c2_net1"]


def test_a_frame_of_ours_is_not_filtered_but_that_of_others_is_theirs(lab: Lab) -> None:
    """A network behind NAT beside it keeps its walls: what comes from the LAN's containers does not reach into it."""
    on(lab, "bridge")
    joined(lab, "c1", f"{ADDRESS}/24")
    lab.cnet("create", "n1", "--nat")
    c2 = lab.container("c2")
    lab.cnet("join", "c2", "n1")
    lab.inside("c1").sh(f"ip route add 192.168.1.0/24 via {HOST4}")
    assert not lab.inside("c1").ping("192.168.1.2", BRIEF)
    assert c2.ping(ADDRESS)
    assert c2.ping(LAN4)


def test_the_documents_way(lab: Lab) -> None:
    """``New-ContainerNetwork net1``, ``Join-ContainerNetwork``, ``Get-ContainerEndpoint``."""
    lab.container("c1")
    made = lab.host.run(*lab.command("New-ContainerNetwork", "net1")[len(lab.host.enter) :], env=lab.env)
    assert made == "Creating a vSwitch for the network...done.\nNetwork net1 created successfully.\n"
    lab.cnet("Join-ContainerNetwork", "c1", "net1", "-IPAddress", f"{ADDRESS}/24")
    assert ADDRESS in lab.cnet("Get-ContainerEndpoint", "c1", "net1")
    lab.cnet("Leave-ContainerNetwork", "c1", "net1")
    lab.cnet("Remove-ContainerNetwork", "net1")


def router(lab: Lab, directory: Path) -> None:
    """Have the LAN's machine advertise and lease; when its own link-local address can be used, as a router's has to."""
    assert eventually(lambda: "tentative" not in lab.lan.sh("ip addr"), 20)
    lab.lan.sh(RA.format(conf=directory / "ra.conf"))


def found(lab: Lab) -> dict[str, str]:
    """Return what doctor says of the uplink: codes and severities."""
    return {one["code"]: one["severity"] for one in lab.json_of("doctor", "--uplink", "up0")}


def test_doctor_says_what_an_uplink_is_good_for(lab: Lab, tmp_path: Path) -> None:
    before = lab.host.sh("ip link; nft list ruleset")
    router(lab, tmp_path)
    try:
        fine = {"mode-bridge", "mode-macvlan", "mode-routed", "foreign-macs", "dhcp-server", "router"}
        assert found(lab) == dict.fromkeys(fine, "ok")
        text = lab.cnet("doctor", "--uplink", "up0")
        assert LAN4 in text
        assert "fe80:" in text
        mac = lab.host.json("ip", "-j", "link", "show", "dev", "up0")[0]["address"]
        lab.lan.sh(
            "nft add table netdev t; nft add chain netdev t c '{ type filter hook ingress device lan0 priority 0; }'\n"
            f"nft add rule netdev t c ether saddr != {mac} drop"
        )
        said = {one["code"]: one for one in lab.json_of("doctor", "--uplink", "up0")}
        assert said["one-mac"]["severity"] == "warning"
        assert "MacAddressSpoofing" in said["one-mac"]["hint"]
        assert "dhcp-none" in said
    finally:
        lab.lan.sh(f"kill $(cat {tmp_path / 'ra.conf'}.pid)")
    assert lab.host.sh("ip link; nft list ruleset") == before
    refused(lab, "doctor", "--uplink", "nope0", status=3)
