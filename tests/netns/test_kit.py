"""The lab itself, before anything is built on it: packets pass, a refusal is not silence, left-overs are found."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.lab import HOST4, HOST6, LAN4, LAN6, Lab
from kit.space import BRIEF


def test_the_host_and_what_is_outside_see_each_other(lab: Lab) -> None:
    lab.lan.serve(7)
    assert lab.host.probe(LAN4, 7) == f"lan {HOST4}"
    assert lab.host.probe(LAN6, 7, "udp") == f"lan {HOST6}"
    assert lab.lan.ping(HOST4)
    assert lab.lan.ping(HOST6)


def test_a_refusal_is_told_from_silence(lab: Lab) -> None:
    assert lab.lan.probe(HOST4, 9) == "refused"
    lab.host.run("nft", "add table inet t; add chain inet t i { type filter hook input priority 0; tcp dport 9 drop; }")
    assert lab.lan.probe(HOST4, 9, timeout=BRIEF) == "timeout"
    assert not lab.lan.ping("198.51.100.77", timeout=BRIEF)


def test_outside_has_no_way_to_other_subnets(lab: Lab) -> None:
    assert lab.lan.probe("192.168.1.2", 80, timeout=BRIEF) == "no-route"


def test_the_wire_is_heard(lab: Lab) -> None:
    lab.lan.sniff("lan0")
    assert lab.host.ping(LAN4)
    heard = lab.lan.sniffed(what="ipv4", src=HOST4, protocol=1)
    assert heard
    assert heard["dst"] == LAN4
    assert lab.lan.sniffed(timeout=BRIEF, what="ipv4", src="203.0.113.9") is None


def test_flows_last(lab: Lab) -> None:
    lab.lan.serve(7, families="4")
    for proto in ("tcp", "udp"):
        assert lab.host.flow(proto, proto, LAN4, 7) == f"lan {HOST4}"
        assert lab.host.talk(proto, "still there")
    lab.lan.run("ip", "link", "set", "lan0", "down")
    assert not lab.host.talk("udp", "and now", timeout=BRIEF)


@pytest.mark.parametrize("wanted", [0, 1])
def test_bridge_netfilter_is_as_asked(make_lab: Callable[..., Lab], wanted: int) -> None:
    lab = make_lab(bridge_nf=wanted)
    lab.host.run("ip", "link", "add", "br9", "type", "bridge")  # loads the module where it is one
    assert lab.host.sysctl("net/bridge/bridge-nf-call-iptables") == str(wanted)


def test_a_container_is_a_namespace_of_this_lab_only(make_lab: Callable[..., Lab]) -> None:
    one, other = make_lab(), make_lab()
    one.container("c1")
    assert "c1" in one.host.sh("ls /run/netns")
    assert "c1" not in other.host.sh("ls /run/netns")
    assert not Path("/run/netns/c1").exists()


def test_the_world_is_printed_and_changes_show(lab: Lab) -> None:
    before = lab.world()
    lab.host.run("ip", "link", "add", "cn-9", "type", "bridge")
    lab.container("c1")
    after = lab.world()
    assert "link cn-9 bridge down" in after
    assert "c1: link lo" in after
    lab.host.sh("ip netns del c1; ip link del cn-9")
    assert lab.world() == before


def test_left_overs_are_found(tmp_path: Path, make_lab: Callable[..., Lab]) -> None:
    make_lab()  # so that this test counts as one that needs a kernel
    lab = Lab(tmp_path / "leaky").__enter__()
    left = subprocess.Popen([*lab.host.enter, "sleep", "60"])
    try:
        with pytest.raises(AssertionError, match="sleep 60"):
            lab.__exit__(None, None, None)
    finally:
        left.kill()
        left.wait(5)


def test_reboot_keeps_the_state_directory_only(lab: Lab) -> None:
    lab.container("c1")
    lab.host.sh("echo kept > /var/lib/containernet/x; echo lost > /run/x; ip link add d0 type bridge")
    lab.reboot()
    assert lab.host.sh("cat /var/lib/containernet/x") == "kept\n"
    assert lab.host.result("sh", "-c", "ls /run/x /run/netns/c1; ip link show d0").stdout == ""
    assert lab.host.ping(LAN4)
