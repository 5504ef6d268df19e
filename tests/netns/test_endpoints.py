"""Containers on several networks, several times on one, and containers of other sorts than a name."""

from __future__ import annotations

import subprocess

import pytest

from kit.lab import HOST4, LAN4, LAN6, Lab
from kit.setup import joined, opened, refused
from kit.space import BRIEF


def default(lab: Lab, container: str, family: str = "-4") -> str:
    """Return the interface of a container's default route."""
    words = lab.host.run("ip", family, "-n", container, "route", "show", "default").split()
    return words[words.index("dev") + 1] if words else ""


def test_a_container_has_all_that_a_network_gives(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    c1 = lab.container("c1")
    view = lab.json("join", "c1", "n1")
    assert (view["name"], view["interface"], view["compartment"], view["default_route"], view["state"]) == (
        "c1_n1",
        "eth0",
        2,
        True,
        "active",
    )
    assert view == lab.json("endpoint", "c1", "n1")[0]
    link = c1.json("ip", "-j", "address", "show", "eth0")[0]
    assert link["address"] == view["mac"]
    assert link["mtu"] == view["mtu"]
    assert "UP" in link["flags"]
    here = {f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["scope"] == "global"}
    assert here == set(view["addresses"])
    assert default(lab, "c1") == default(lab, "c1", "-6") == "eth0"
    assert c1.ping("127.0.0.1")  # a network is of no use without the loopback link


def test_several_networks_one_default_route_taken_over(lab: Lab) -> None:
    c1, _ = joined(lab)
    joined(lab, "c1", "n2")
    joined(lab, "c1", "n3")
    lab.lan.serve(7)
    links = {view["network"]: view["interface"] for view in lab.json("endpoint", "c1")}
    assert links == {"n1": "eth0", "n2": "eth1", "n3": "eth2"}
    for leaving, then in (("n1", "eth1"), ("n3", "eth1"), ("n2", "")):
        assert [view["network"] for view in lab.json("endpoint", "c1") if view["default_route"]] == [
            {"eth0": "n1", "eth1": "n2"}[default(lab, "c1")]
        ]
        assert c1.probe(LAN4, 7) == f"lan {HOST4}"
        assert c1.probe(LAN6, 7).startswith("lan ")
        lab.cnet("leave", "c1", leaving)
        assert default(lab, "c1") == default(lab, "c1", "-6") == then
    assert [link["ifname"] for link in c1.json("ip", "-j", "link")] == ["lo"]


def test_an_explicit_priority_wins_the_default_route(lab: Lab) -> None:
    joined(lab)
    joined(lab, "c1", "n2", "--priority", "10")
    joined(lab, "c1", "n3", "--priority", "5")
    assert default(lab, "c1") == default(lab, "c1", "-6") == "eth1"
    lab.cnet("leave", "c1", "n2")
    assert default(lab, "c1") == default(lab, "c1", "-6") == "eth2"
    lab.cnet("leave", "c1", "n3")
    assert default(lab, "c1") == default(lab, "c1", "-6") == "eth0"


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_the_same_network_twice_answers_by_the_interface_it_was_asked_on(lab: Lab, proto: str) -> None:
    c1, first = joined(lab)
    _, second = joined(lab)
    c2, _ = joined(lab, "c2")
    views = lab.json("endpoint", "c1", "n1")
    assert [(v["name"], v["interface"]) for v in views] == [("c1_n1", "eth0"), ("c1_n1_2", "eth1")]
    for family in (4, 6):
        for address in (first[family], second[family]):
            c1.serve(80, name=address, protos=proto, families=str(family), address=address)
    opened(lab, 50001, 80, proto, "--endpoint", "c1_n1")
    opened(lab, 50002, 80, proto, "--endpoint", "c1_n1_2")
    for view, mine, port in ((views[0], first, 50001), (views[1], second, 50002)):
        for what, asker, target, target_port in (
            ("neighbour", c2, mine[4], 80),
            ("outside", lab.lan, HOST4, port),
            ("v6", c2, mine[6], 80),
        ):
            key = f"{what}{port}{proto}"
            asker.sniff("lan0" if asker is lab.lan else "eth0", key)
            c1.sniff(view["interface"], key)
            name, _ = asker.probe(target, target_port, proto).split()
            assert name == mine[6 if what == "v6" else 4]
            reply = (
                c1.sniffed(key=key, sport=80, outgoing=True)
                if what != "v6"
                else c1.sniffed(key=key, what="ipv6", src=mine[6], outgoing=True)
            )
            assert reply, f"{what}: {mine} answered by another interface"
            assert reply["source"] == view["mac"], f"{what}: {mine} answered with another MAC"


def test_two_networks_answer_each_by_its_own(lab: Lab) -> None:
    """Published over the network without the default route: the reply must go back through the same NAT."""
    c1, _ = joined(lab)
    joined(lab, "c1", "n2")
    c1.serve(80)
    opened(lab, 50002, 80, "tcp", to=("c1", "n2"))
    opened(lab, 50003, 80, "udp", to=("c1", "n2"))
    assert lab.lan.probe(HOST4, 50002) == f"c1 {LAN4}"
    assert lab.lan.probe("2001:db8:51::1", 50002) == f"c1 {LAN6}"


def test_leave_needs_to_know_which_of_two(lab: Lab) -> None:
    joined(lab)
    joined(lab)
    refused(lab, "leave", "c1", "n1", says="c1_n1_2")
    lab.cnet("leave", "c1", "n1", "--endpoint", "c1_n1")
    assert [v["name"] for v in lab.json("endpoint", "c1")] == ["c1_n1_2"]
    assert default(lab, "c1") == "eth1"
    lab.cnet("leave", "c1", "n1")
    assert lab.json("endpoint") == []


def test_an_interface_name_may_be_given(lab: Lab) -> None:
    c1, _ = joined(lab, "c1", "n1", "--interface", "uplink0")
    assert "uplink0" in c1.run("ip", "link")
    refused(lab, "join", "c1", "n1", "--interface", "uplink0")
    joined(lab)
    assert [v["interface"] for v in lab.json("endpoint", "c1")] == ["uplink0", "eth0"]


def test_an_interface_that_somebody_else_made_is_kept(lab: Lab) -> None:
    lab.container("c1")
    lab.host.sh("ip -n c1 link add eth0 type veth peer name theirs0")
    c1, _ = joined(lab)
    assert [v["interface"] for v in lab.json("endpoint", "c1")] == ["eth1"]
    lab.cnet("leave", "c1", "n1")
    assert sorted(link["ifname"] for link in c1.json("ip", "-j", "link")) == ["eth0", "lo", "theirs0"]


def test_a_default_route_that_a_container_has_is_kept(lab: Lab) -> None:
    """A container of another runtime is joined: its own way out stays, ours answers for our addresses and ports."""
    c1 = lab.container("c1")
    lab.host.sh(
        "ip link add their0 type veth peer name eth0 netns c1; ip addr add 10.66.0.1/24 dev their0\n"
        "ip link set their0 up\n"
        "ip -n c1 link set eth0 up; ip -n c1 addr add 10.66.0.2/24 dev eth0; ip -n c1 route add default via 10.66.0.1"
    )
    lab.cnet("create", "n1", "--nat")
    view = lab.json("join", "c1", "n1")
    assert (view["interface"], view["default_route"]) == ("eth1", False)
    assert default(lab, "c1") == "eth0"
    assert default(lab, "c1", "-6") == "eth1"
    c1.serve(80)
    opened(lab, 50000, 80)
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"
    assert c1.ping("192.168.1.1")
    lab.cnet("leave", "c1", "n1")
    assert default(lab, "c1") == "eth0"
    assert "lookup 1" not in lab.host.run("ip", "-n", "c1", "rule")


def sleeper(lab: Lab) -> subprocess.Popen[bytes]:
    """Start a process in a namespace of its own that has no name."""
    process = subprocess.Popen(
        [*lab.host.enter, "unshare", "-n", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == b"\n"
    return process


def test_a_container_by_its_process_and_by_its_path(lab: Lab) -> None:
    process = sleeper(lab)
    try:
        lab.cnet("create", "n1", "--nat")
        view = lab.json("join", f"pid:{process.pid}", "n1")
        inside = lab._space("pid", ["nsenter", "-t", str(process.pid), "-n"])
        assert inside.ping(LAN4)
        assert inside.ping("192.168.1.1")
        lab.cnet("leave", view["container"], "n1")
        assert "eth0" not in inside.run("ip", "link")
        view = lab.json("join", f"/proc/{process.pid}/ns/net", "n1")
        assert inside.ping(LAN4)
        lab.cnet("leave", f"/proc/{process.pid}/ns/net", "n1")
        assert lab.json("endpoint") == []
        inside.close()
    finally:
        process.kill()
        process.wait(5)
        assert process.stdout
        process.stdout.close()


def test_a_container_by_the_path_of_its_name_is_the_same_container(lab: Lab) -> None:
    joined(lab)
    joined(lab, "c2")
    view = lab.json("join", "/run/netns/c1", "n1")
    assert view["compartment"] == lab.json("endpoint", "c1")[0]["compartment"]


def test_the_host_is_not_a_container(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    for name in ("pid:1", f"pid:{lab.pid}", "/proc/self/ns/net"):
        if name != "pid:1":
            refused(lab, "join", name, "n1")


def test_a_container_that_is_not_found_says_where_it_looked(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    assert "/run/netns" in refused(lab, "join", "nobody", "n1", status=3)
    refused(lab, "join", "pid:4194303", "n1", status=3)
    refused(lab, "join", "/no/such/path", "n1", status=3)
    lab.host.sh("echo > /run/afile; echo > /run/netns/stale")
    refused(lab, "join", "/run/afile", "n1")
    refused(lab, "join", "stale", "n1")


def test_a_vanished_container_frees_all_it_had(lab: Lab) -> None:
    c1, addresses = joined(lab, "c1", "n1", "-p", "50000:80")
    c2, _ = joined(lab, "c2")
    before = [line for line in lab.world().splitlines() if line.startswith("c2:")]
    lab.remove(c1)
    assert c2.ping("192.168.1.1")
    lab.cnet("repair")
    assert [view["container"] for view in lab.json("endpoint")] == ["c2"]
    assert lab.json("ports") == []
    assert "50000" not in lab.world()
    assert addresses[4] not in lab.world()
    assert [line for line in lab.world().splitlines() if line.startswith("c2:")] == before
    assert lab.host.probe(HOST4, 50000, timeout=BRIEF) == "refused"
    opened(lab, 50000, 80, to=("c2", "n1"))
    lab.container("c3")
    lab.cnet("join", "c3", "n1", "--ip", addresses[4])


def test_a_port_of_a_vanished_container_is_free_without_repair(lab: Lab) -> None:
    c1, _ = joined(lab, "c1", "n1", "-p", "50000:80")
    joined(lab, "c2")
    lab.remove(c1)
    opened(lab, 50000, 80, to=("c2", "n1"))


def test_a_namespace_made_again_under_the_same_name_is_another_compartment(lab: Lab) -> None:
    c1, _ = joined(lab, "c1", "n1", "-p", "50000:80")
    old = lab.json("endpoint", "c1")[0]["compartment"]
    lab.remove(c1)
    lab.container("c1").serve(80)
    new, addresses = joined(lab)
    views = [view for view in lab.json("endpoint", "c1") if view["state"] == "active"]
    assert len(views) == 1
    assert views[0]["compartment"] != old
    assert views[0]["name"] == "c1_n1"
    assert new.ping(LAN4)
    assert addresses[4] != "192.168.1.2"
    assert lab.lan.probe(HOST4, 50000, timeout=BRIEF) == "refused"  # the old one's port leads nowhere


def test_the_old_name_is_not_taken_for_the_new_one(lab: Lab) -> None:
    c1, _ = joined(lab)
    lab.remove(c1)
    again = lab.container("c1")
    lab.cnet("repair")
    assert [link["ifname"] for link in again.json("ip", "-j", "link")] == ["lo"]


def test_what_lives_on_in_a_namespace_without_a_name(lab: Lab) -> None:
    """Deleted by name while a process lives in it: gone for us, and nothing of ours is left on the host."""
    c1, _ = joined(lab, "c1", "n1", "-p", "50000:80")
    assert c1.ping(LAN4)  # the peer now lives in it
    lab.host.run("ip", "netns", "del", "c1")
    lab.cnet("repair")
    assert "ce-" not in lab.world()
    assert "50000" not in lab.world()
    c1.close()


def test_names_of_the_same_words_do_not_collide(lab: Lab) -> None:
    """Container ``a_b`` on ``c`` and container ``a`` on ``b_c`` would both be called ``a_b_c``."""
    views = []
    for container, network in (("a_b", "c"), ("a", "b_c")):
        joined(lab, container, network)
        views += lab.json("endpoint", container, network)
    assert len({view["name"] for view in views}) == 2
    for container, network in (("a_b", "c"), ("a", "b_c")):
        lab.cnet("leave", container, network)
    assert lab.json("endpoint") == []


def test_destroy_is_refused_while_containers_are_joined(lab: Lab) -> None:
    joined(lab)
    assert "c1" in refused(lab, "destroy", "n1", status=4)
    clean = lab.world()
    lab.cnet("leave", "c1", "n1")
    lab.cnet("destroy", "n1")
    assert lab.world() != clean
    assert "cn-" not in lab.world()


def test_everything_undone_leaves_nothing(lab: Lab) -> None:
    """But for forwarding, which others may need by now, and our table without a single element of a network."""
    c1, c2 = lab.container("c1"), lab.container("c2")
    before = set(lab.world().splitlines())
    lab.cnet("create", "n1", "--nat")
    lab.cnet("create", "n2", "--nat")
    for container in ("c1", "c2"):
        for network in ("n1", "n2", "n1"):
            joined(lab, container, network)
    opened(lab, "50000-50100", 80, "tcp", "--endpoint", "c1_n1")
    assert c1.ping(LAN4)
    assert c2.ping(LAN4)
    for container in ("c1", "c2"):
        lab.cnet("leave", container, "n2")
        lab.cnet("leave", container, "n1", "--endpoint", f"{container}_n1_2")
        lab.cnet("leave", container, "n1")
    for network in ("n1", "n2"):
        lab.cnet("destroy", network)
    kept = set(lab.world().splitlines()) - before
    assert all(line.startswith(("table ", "sysctl net/ipv4/ip_forward", "sysctl net/ipv6/conf/")) for line in kept), (
        kept
    )
    assert not [
        line
        for line in kept
        if " element " in line and any(word in line for word in ("192.168.", "cn-", "50000", "fd"))
    ], kept
