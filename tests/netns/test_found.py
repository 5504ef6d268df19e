"""Mishaps that were found by trying, each with the steps that showed it."""

from __future__ import annotations

import subprocess
import sys

from kit.lab import HOST4, LAN4, Lab
from kit.setup import joined, opened, refused
from kit.space import BRIEF


def test_create_after_a_flush_brings_back_the_isolation_of_the_others(lab: Lab) -> None:
    c1, addresses = joined(lab)
    c1.serve(81, families="4")
    lab.lan.sh(f"ip route add 192.168.0.0/16 via {HOST4}")
    lab.host.run("nft", "flush", "ruleset")
    lab.cnet("create", "n2", "--nat")
    assert lab.lan.probe(addresses[4], 81, timeout=BRIEF) == "timeout"
    assert c1.ping(LAN4)
    assert lab.json("status")["drift"] == []


def test_any_verb_puts_forwarding_back_on(lab: Lab) -> None:
    c1, _ = joined(lab)
    lab.host.sysctl("net/ipv4/ip_forward", "0")
    joined(lab, "c2")
    assert c1.ping(LAN4)
    lab.host.sysctl("net/ipv6/conf/all/forwarding", "0")
    opened(lab, 50000, 80)
    assert lab.json("status")["drift"] == []


def test_a_container_by_path_leaves_when_its_namespace_is_gone(lab: Lab) -> None:
    lab.host.sh("mkdir /run/x; touch /run/x/c1; unshare --net=/run/x/c1 true")
    lab.cnet("create", "n1", "--nat")
    lab.cnet("join", "/run/x/c1", "n1")
    lab.host.sh("umount /run/x/c1")
    lab.cnet("leave", "/run/x/c1", "n1")
    joined(lab)
    lab.host.run("ip", "netns", "del", "c1")
    lab.cnet("leave", "/run/netns/c1", "n1")
    assert lab.json("endpoint") == []


def test_a_join_after_a_restart_takes_up_what_waited(lab: Lab) -> None:
    _, addresses = joined(lab, "c1", "n1", "-p", "50000:80")
    lab.reboot()
    assert [view["state"] for view in lab.json("endpoint")] == ["waiting"]
    lab.cnet("restore")
    lab.container("c1")
    view = lab.json("join", "c1", "n1", "-p", "50000:80")
    assert (view["name"], view["addresses"][0]) == ("c1_n1", f"{addresses[4]}/24")
    assert [one["name"] for one in lab.json("endpoint")] == ["c1_n1"]
    assert lab.json("join", "c1", "n1")["name"] == "c1_n1_2"


def test_a_join_after_a_restart_that_asks_for_something_else_is_told_so(lab: Lab) -> None:
    joined(lab)
    lab.reboot()
    lab.cnet("restore")
    lab.container("c1")
    done = lab.result("join", "c1", "n1", "--ip", "192.168.1.77")
    assert done.returncode == 4, done.stderr
    assert "c1_n1" in done.stderr
    assert [one["state"] for one in lab.json("endpoint")] == ["active"]


def test_a_process_does_not_come_back_after_a_restart(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    lab.cnet("join", f"pid:{lab.container('c1').peer.process.pid}", "n1")
    lab.reboot()
    assert [view["state"] for view in lab.json("endpoint")] == ["gone"]
    assert lab.json("status")["waiting"] == 0
    freed = lab.json("restore")["freed"]
    assert len(freed) == 1
    assert freed[0].startswith("pid:")
    assert lab.json("endpoint") == []


def test_internal_networks_do_not_reach_published_ports(lab: Lab) -> None:
    c1, _ = joined(lab)
    c1.serve(80)
    opened(lab, 50000, 80)
    gateways = lab.json("create", "inner", "--internal")["gateways"]
    inner, _ = joined(lab, "c2", "inner")
    for gateway in gateways:
        assert inner.ping(gateway)
        assert inner.probe(gateway, 50000, timeout=BRIEF) == "timeout"
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"


def test_a_link_of_the_next_number_that_is_a_strangers_is_passed_over(lab: Lab) -> None:
    lab.host.sh("ip link add cn-1 type bridge; ip link add ce-1 type veth peer name theirs")
    c1, _ = joined(lab)
    assert c1.ping(LAN4)
    assert lab.json("get", "n1")["bridge"] == "cn-2"
    assert lab.json("endpoint", "c1")[0]["host_link"] == "ce-2"
    lab.host.run("ip", "link", "show", "ce-1")


def test_a_container_of_run_may_join_more(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    lab.cnet("create", "n2", "--nat")
    process = lab.start("run", "--network", "n1", "--name", "web", "--", "sh", "-c", "echo up; exec sleep 60")
    try:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        assert lab.json("join", "web", "n2")["interface"] == "eth1"
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert lab.json("endpoint") == []


def test_opening_a_udp_port_leaves_the_hosts_own_flows_alone(lab: Lab) -> None:
    joined(lab)
    lab.lan.serve(53, protos="udp", families="4")
    assert lab.host.flow("dns", "udp", LAN4, 53, source_port=40000) == f"lan {HOST4}"
    before = lab.host.run("conntrack", "-L", "-p", "udp", "--orig-port-src", "40000", "-o", "id")
    opened(lab, 53, 53, "udp")
    after = lab.host.run("conntrack", "-L", "-p", "udp", "--orig-port-src", "40000", "-o", "id")
    number = before.rpartition("id=")[2].split()[0]
    assert f"id={number}" in after


def test_doctor_on_a_fresh_host_without_nftables(lab: Lab) -> None:
    found = lab.host.sh("readlink -f $(ldconfig -p | sed -n 's/.*libnftables.so.1 .*=> //p' | head -n1)").strip()
    lab.host.sh(f"echo > /run/nothing; mount --bind /run/nothing {found}")
    findings = lab.json_of("doctor")
    status = lab.result("create", "n1", "--nat")
    lab.host.sh(f"umount {found}")
    assert [one["code"] for one in findings if one["severity"] == "error"] == ["nftables-missing"]
    assert status.returncode == 6
    assert "Undoing" not in status.stderr
    assert lab.json("status")["interrupted"] == []


def test_docker_and_ufw_are_called_by_their_names(lab: Lab) -> None:
    joined(lab)
    lab.host.sh(
        "nft add table ip filter; nft add chain ip filter DOCKER-USER\n"
        "nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'"
    )
    findings = [one for one in lab.json_of("doctor") if one["code"] == "firewall-drops"]
    assert "DOCKER-USER" in findings[0]["hint"]
    lab.host.sh("nft delete chain ip filter DOCKER-USER; nft add chain ip filter ufw-before-forward")
    findings = [one for one in lab.json_of("doctor") if one["code"] == "firewall-drops"]
    assert "ufw" in findings[0]["hint"]


def test_a_lock_that_another_program_holds_is_named(lab: Lab) -> None:
    joined(lab)
    script = "import fcntl, sys; f = open('/var/lib/containernet/lock'); fcntl.flock(f, fcntl.LOCK_EX)\n"
    script += "print('held', flush=True); sys.stdin.read()"
    command = [*lab.host.enter, sys.executable, "-c", script]
    stuck = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert stuck.stdout
        assert stuck.stdout.readline() == "held\n"
        assert f"process {stuck.pid} (python" in refused(lab, "create", "n2", "--nat", status=7)
    finally:
        stuck.communicate(timeout=10)
