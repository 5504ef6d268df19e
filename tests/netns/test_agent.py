"""The host agent's service `repair`: what foreign hands do is mended by itself, with real packets."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from kit.agents import BOUND, QUIET, agent, busy, figures, mended, settled, works
from kit.lab import HOST4, LAN4, Lab
from kit.space import BRIEF, eventually

ON_THE_HOST = {
    "ruleset flushed": "nft flush ruleset",
    "our table deleted": "nft delete table inet containernet",
    "an element deleted": "nft delete element inet containernet bridges '{ \"cn-1\" }'",
    "bridge deleted": "ip link del cn-1",
    "bridge down": "ip link set cn-1 down",
    "bridge address removed": "ip addr flush dev cn-1",
    "bridge mtu changed": "ip link set cn-1 mtu 1280",
    "veth deleted": "ip link del ce-1",
    "veth down": "ip link set ce-1 down",
    "veth out of the bridge": "ip link set ce-1 nomaster",
    "hairpin off": "bridge link set dev ce-1 hairpin off",
    "forwarding off": "echo 0 > /proc/sys/net/ipv4/ip_forward",
    "IPv6 forwarding off": "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding",
    "all at once": "nft flush ruleset; ip link del cn-1; ip link del ce-1; echo 0 >/proc/sys/net/ipv4/ip_forward",
}
IN_A_CONTAINER = {
    "default route of a container removed": "ip -n c1 route del default; ip -6 -n c1 route del default",
    "address of a container removed": "ip -n c1 addr flush dev eth0 scope global",
    "mtu of a container's link changed": "ip -n c1 link set eth0 mtu 1280",
    "link of a container down": "ip -n c1 link set eth0 down",
    "link of a container deleted": "ip -n c1 link del eth0",
}


@pytest.mark.parametrize("hands", [ON_THE_HOST, IN_A_CONTAINER], ids=["host", "container"])
def test_what_foreign_hands_do_is_mended_by_itself(lab: Lab, hands: dict[str, str]) -> None:
    c1, c2 = busy(lab)
    assert works(lab, c1, c2)
    with agent(lab):
        before = lab.world()
        for what, hand in hands.items():
            lab.host.sh(hand)
            mended(lab, what, before)
            assert works(lab, c1, c2), what
        found = settled(lab)
        assert found["mended"] >= len(hands)
        assert not found["failed"]
        assert lab.json("status")["drift"] == []


@pytest.mark.parametrize("hand", [ON_THE_HOST["all at once"], IN_A_CONTAINER["link of a container deleted"]])
def test_it_does_not_react_to_what_it_does_itself(lab: Lab, hand: str) -> None:
    busy(lab)
    with agent(lab):
        before, first = lab.world(), settled(lab)
        lab.host.sh(hand)
        mended(lab, hand, before)
        found = settled(lab)
        assert found["passes"] - first["passes"] <= 4
        assert eventually(lambda: figures(lab) != found, 2 * QUIET) is False


def test_what_cannot_be_heard_of_is_seen_when_somebody_asks(lab: Lab) -> None:
    """Most settings tell nobody that they change: they are looked at with every pass, and one comes every minute."""
    busy(lab)
    with agent(lab) as process:
        before = lab.world()
        settled(lab)
        lab.host.sysctl("net/ipv6/conf/cn-1/accept_ra", "2")
        assert eventually(lambda: lab.world() == before, BRIEF) is False
        os.kill(process.pid, signal.SIGHUP)
        mended(lab, "a setting", before)


def test_a_namespace_that_vanishes_is_freed(lab: Lab) -> None:
    """Nothing that the agent holds keeps it alive: the other end of a pair of its own vanishes with it."""
    c1, c2 = busy(lab)
    with agent(lab):
        lab.host.sh(f"ip -n c1 link add probe type veth peer name gone netns {lab.holders[1].pid}")
        settled(lab)
        assert "gone" in lab.lan.run("ip", "link")
        lab.remove(c1)
        began = time.monotonic()
        assert eventually(lambda: [one["name"] for one in lab.json("endpoint")] == ["c2_n1"], BOUND)
        print(f"a namespace vanished: seen freed after {time.monotonic() - began:.3f} s")
        assert eventually(lambda: "gone" not in lab.lan.run("ip", "link"), BOUND)
        assert c2.ping(LAN4)
        assert lab.json("ports") == []
        assert lab.json("status")["drift"] == []


def test_a_container_that_comes_back_after_a_restart_of_the_host(lab: Lab) -> None:
    busy(lab)
    before = lab.world()
    lab.reboot()
    with agent(lab):
        assert figures(lab)["waiting"] == 2
        c1 = lab.container("c1")
        began = time.monotonic()
        states = lambda: {one["name"]: one["state"] for one in lab.json("endpoint")}  # noqa: E731
        assert eventually(lambda: states() == {"c1_n1": "active", "c2_n1": "waiting"}, BOUND)
        print(f"a container came back: seen joined after {time.monotonic() - began:.3f} s")
        c1.serve(80, protos="tcp", families="4")
        assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"
        c2 = lab.container("c2")
        mended(lab, "both containers came back", before)
        assert works(lab, c1, c2)
        assert settled(lab)["restored"] == 2


def test_a_container_that_came_back_before_the_agent(lab: Lab) -> None:
    busy(lab)
    before = lab.world()
    lab.reboot()
    lab.container("c1")
    lab.container("c2")
    with agent(lab):
        mended(lab, "a restart of the host", before)


def test_what_strangers_do_is_not_looked_at(lab: Lab) -> None:
    busy(lab)
    with agent(lab):
        before = settled(lab)
        lab.host.sh(
            "nft add table inet strangers; nft add chain inet strangers c '{ type filter hook forward priority 5; }'\n"
            "nft delete table inet strangers; ip netns add other; ip netns del other\n"
            "ip link add br-theirs type bridge; ip link set br-theirs up; ip addr add 10.9.9.1/24 dev br-theirs\n"
            "ip route add 203.0.113.0/25 via 198.51.100.2; ip route del 203.0.113.0/25; ip link del br-theirs\n"
            "ip addr add 10.9.8.1/24 dev up0; ip addr del 10.9.8.1/24 dev up0"
        )
        assert settled(lab) == before


def test_a_network_follows_its_uplink(lab: Lab) -> None:
    busy(lab)
    with agent(lab):
        settled(lab)
        lab.host.sh("ip link set up0 mtu 1400")
        assert eventually(lambda: lab.json("get", "n1")["mtu"] == 1400, BOUND)
        assert eventually(lambda: "mtu 1400" in lab.host.run("ip", "link", "show", "cn-1"), BOUND)


def test_twenty_joins_at_the_same_time(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    names = [f"c{number}" for number in range(20)]
    spaces = [lab.container(name) for name in names]
    with agent(lab):
        verbs = [lab.start("join", name, "n1") for name in names]
        said = [verb.communicate(timeout=60) for verb in verbs]
        assert [verb.returncode for verb in verbs] == [0] * 20, said
        found = settled(lab)
        assert found["failed"] == found["freed"] == 0
        assert lab.json("status")["drift"] == []
        assert all(space.ping(LAN4) for space in spaces[::7])
        verbs = [lab.start("leave", name, "n1") for name in names]
        said = [verb.communicate(timeout=60) for verb in verbs]
        assert [verb.returncode for verb in verbs] == [0] * 20, said
        settled(lab)
        assert lab.json("status")["drift"] == []
        assert lab.json("endpoint") == []


def test_a_container_that_fights_holds_up_nobody(lab: Lab) -> None:
    """It takes away its own route again and again: the agent takes its time for that, and for nothing else."""
    busy(lab)
    with agent(lab):
        loop = "while :; do ip -n c1 route del default 2>/dev/null || sleep 0.01; done"
        fight = subprocess.Popen([*lab.host.enter, "sh", "-c", loop])
        try:
            service = lambda: lab.json("agent", "status")["services"][0]  # noqa: E731
            assert eventually(lambda: service()["state"] == "held-back", 30)
            assert "changing things back" in service()["sentence"]
            lab.host.run("nft", "flush", "ruleset")
            began = time.monotonic()
            table = lambda: "containernet" in lab.host.run("nft", "list", "tables")  # noqa: E731
            assert eventually(table, BOUND)
            print(f"flushed while a container fights: seen mended after {time.monotonic() - began:.3f} s")
        finally:
            fight.kill()
            fight.wait()


def test_a_container_in_its_own_way_holds_up_nobody(lab: Lab) -> None:
    _, c2 = busy(lab)
    with agent(lab):
        lab.host.sh("ip -n c1 link del eth0; ip -n c1 link add eth0 type veth peer name mine")
        assert eventually(lambda: lab.json("agent", "status")["services"][0]["state"] == "failing", BOUND)
        assert "c1" in lab.json("agent", "status")["services"][0]["sentence"]
        lab.host.run("nft", "flush", "ruleset")
        assert eventually(lambda: "containernet" in lab.host.run("nft", "list", "tables"), BOUND)
        assert c2.ping(LAN4)
        lab.cnet("leave", "c1", "n1")
        assert eventually(lambda: lab.json("agent", "status")["services"][0]["state"] == "ok", 35)
