"""What lasts, and what is mended: other processes, restarts, SIGKILL, foreign hands."""

from __future__ import annotations

import subprocess

import pytest

from kit.lab import HOST4, LAN4, LAN6, Lab
from kit.setup import joined, opened, refused
from kit.space import BRIEF, PATIENT, Space

FOREIGN_HANDS = {
    "ruleset flushed": "nft flush ruleset",
    "our table deleted": "nft delete table inet containernet",
    "a chain flushed": "nft flush chain inet containernet {chain}",
    "bridge deleted": "ip link del {bridge}",
    "bridge down": "ip link set {bridge} down",
    "bridge address removed": "ip addr flush dev {bridge}",
    "bridge mtu changed": "ip link set {bridge} mtu 1280",
    "veth deleted": "ip link del {veth}",
    "veth down": "ip link set {veth} down",
    "veth out of the bridge": "ip link set {veth} nomaster",
    "hairpin off": "bridge link set dev {veth} hairpin off",
    "forwarding off": "echo 0 > /proc/sys/net/ipv4/ip_forward",
    "IPv6 forwarding off": "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding",
    "default route of a container removed": "ip -n c1 route del default; ip -6 -n c1 route del default",
    "address of a container removed": "ip -n c1 addr flush dev eth0 scope global",
    "link of a container down": "ip -n c1 link set eth0 down",
    "all at once": "nft flush ruleset; ip link del {bridge}; ip link del {veth}; echo 0 >/proc/sys/net/ipv4/ip_forward",
}


def busy(lab: Lab) -> tuple[Space, Space]:
    """Make two networks with all that a network can have."""
    c1, _ = joined(lab)
    c2, _ = joined(lab, "c2", "n1")
    joined(lab, "c2", "n2")
    opened(lab, 50000, 80, "tcp")
    opened(lab, "50010-50020", 8000, "udp", "--remote", "198.51.100.0/24")
    opened(lab, 50001, 80, "tcp", "--external-address", HOST4, to=("c2", "n2"))
    c1.serve(80, protos="tcp", families="4")
    return c1, c2


def works(lab: Lab, c1: Space, c2: Space, timeout: float = PATIENT) -> bool:
    """Tell whether packets go in, out and between."""
    inward = lab.lan.probe(HOST4, 50000, timeout=timeout) == f"c1 {LAN4}"
    return inward and c1.ping(LAN4, timeout) and c1.ping(LAN6, timeout) and c2.ping("192.168.1.2", timeout)


@pytest.mark.parametrize("what", FOREIGN_HANDS)
def test_repair_restores_exactly_the_world(lab: Lab, what: str) -> None:
    c1, c2 = busy(lab)
    assert works(lab, c1, c2)
    before = lab.world()
    chains = [
        entry["chain"]["name"] for entry in lab.host.json("nft", "-j", "list", "chains")["nftables"] if "chain" in entry
    ]
    names = {"bridge": lab.json("get", "n1")["bridge"], "veth": lab.json("endpoint", "c1", "n1")[0]["host_link"]}
    lab.host.sh(FOREIGN_HANDS[what].format(chain=chains[0], **names))
    assert lab.world() != before, "the foreign hand changed nothing: this test shows nothing"
    mended = lab.json("repair")["mended"]
    assert lab.world() == before
    assert mended
    assert works(lab, c1, c2)
    assert lab.json("repair")["mended"] == []


def test_repair_leaves_strangers_alone(lab: Lab) -> None:
    c1, c2 = busy(lab)
    lab.host.sh(
        "nft add table inet strangers; nft add chain inet strangers c '{ type filter hook forward priority 5; }'\n"
        "nft add rule inet strangers c ip saddr 203.0.113.99 drop; nft add set inet strangers s '{ type ipv4_addr; }'\n"
        "ip link add cn-zz type bridge; ip link add ce-zz type veth peer name zz; ip link add br-theirs type bridge\n"
        "ip route add 203.0.113.0/25 via 198.51.100.2; ip rule add from 203.0.113.9 lookup 77 priority 77"
    )
    theirs = "nft list table inet strangers; ip route show 203.0.113.0/25; ip rule"
    theirs += "; for link in cn-zz ce-zz br-theirs; do ip -o link show dev $link; done"
    before, whole = lab.host.sh(theirs), lab.world()
    lab.host.sh("nft delete table inet containernet")
    lab.cnet("repair")
    assert lab.host.sh(theirs) == before
    assert lab.world() == whole
    assert works(lab, c1, c2)
    lab.cnet("leave", "c1", "n1")
    lab.cnet("destroy", "n1", "--force")
    lab.cnet("destroy", "n2", "--force")
    lab.cnet("repair")
    assert lab.host.sh(theirs) == before


def test_the_next_verb_mends_a_flush_too(lab: Lab) -> None:
    """Everything converges: nobody has to know of ``repair``."""
    c1, c2 = busy(lab)
    lab.host.run("nft", "flush", "ruleset")
    lab.container("c9")
    lab.cnet("join", "c9", "n1")
    lab.cnet("repair")
    assert works(lab, c1, c2)


def test_a_table_of_our_name_that_is_not_ours_is_not_touched(lab: Lab) -> None:
    lab.host.run("nft", "add table inet containernet; add chain inet containernet theirs")
    before = lab.host.run("nft", "list", "ruleset")
    refused(lab, "create", "n1", "--nat")
    assert lab.host.run("nft", "list", "ruleset") == before


def test_a_dry_run_tells_and_changes_nothing(lab: Lab) -> None:
    c1, c2 = busy(lab)
    lab.host.run("nft", "flush", "ruleset")
    before = lab.world()
    text = lab.cnet("repair", "--dry-run")
    assert "nft" in text
    assert lab.world() == before
    lab.container("c8")
    before = lab.world()
    verbs = (
        ["create", "n8", "--nat"],
        ["join", "c8", "n1"],
        ["open", "c1", "n1", "--external-port", "50500", "--internal-port", "80"],
        ["close", "c1", "n1", "--external-port", "50000"],
        ["leave", "c1", "n1"],
        ["destroy", "n2", "--force"],
    )
    lab.cnet("repair")
    before = lab.world()
    for verb in verbs:
        assert lab.cnet(*verb, "--dry-run").strip(), verb
        assert lab.world() == before, verb
    assert [made["name"] for made in lab.json("get")] == ["n1", "n2"]
    assert works(lab, c1, c2)


def test_another_process_and_another_session_see_the_same(lab: Lab) -> None:
    busy(lab)
    first = lab.cnet("get", "--json")
    other = subprocess.run(
        ["setsid", "--wait", *lab.command("get", "--json")],
        env={"PATH": lab.env["PATH"], "PYTHONPATH": lab.env["PYTHONPATH"]},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert other.stdout == first
    assert "50010" in first


def test_a_restart_of_the_host(lab: Lab) -> None:
    c1, c2 = busy(lab)
    ports, addresses = lab.json("ports"), {v["name"]: v["addresses"] for v in lab.json("endpoint")}
    assert works(lab, c1, c2)
    world = lab.world()
    lab.reboot()
    assert "cn-" not in lab.world()
    c1, c2 = lab.container("c1"), lab.container("c2")
    told = lab.json("restore")
    assert sorted(told["restored"]) == ["c1_n1", "c2_n1", "c2_n2"]
    assert told["waiting"] == []
    assert {v["name"]: v["addresses"] for v in lab.json("endpoint")} == addresses
    assert lab.json("ports") == ports
    c1.serve(80, protos="tcp", families="4")
    assert works(lab, c1, c2)
    assert lab.world() == world


def test_a_restart_with_containers_that_come_later_or_never(lab: Lab) -> None:
    busy(lab)
    lab.reboot()
    c1 = lab.container("c1")
    told = lab.json("restore")
    assert told["restored"] == ["c1_n1"]
    assert sorted(told["waiting"]) == ["c2_n1", "c2_n2"]
    c1.serve(80, protos="tcp", families="4")
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"
    states = {view["name"]: view["state"] for view in lab.json("endpoint")}
    assert states == {"c1_n1": "active", "c2_n1": "waiting", "c2_n2": "waiting"}
    assert joined(lab, "c3")[1][4] not in ("192.168.1.2", "192.168.1.3")  # what waits keeps its address
    refused(lab, "open", "c1", "n1", "--external-port", "50001", "--internal-port", "80")  # and its port
    c2 = lab.container("c2")
    assert sorted(lab.json("restore")["restored"]) == ["c2_n1", "c2_n2"]
    assert works(lab, c1, c2)


def test_any_verb_after_a_restart_starts_from_what_is_there(lab: Lab) -> None:
    busy(lab)
    lab.reboot()
    c5 = lab.container("c5")
    lab.cnet("join", "c5", "n1")
    assert c5.ping(LAN4)
    assert c5.ping("192.168.1.1")


def test_a_waiting_endpoint_can_leave(lab: Lab) -> None:
    busy(lab)
    lab.reboot()
    lab.cnet("restore")
    lab.cnet("leave", "c2", "n2")
    lab.cnet("leave", "c1", "n1")
    assert [view["name"] for view in lab.json("endpoint")] == ["c2_n1"]


VERBS = {
    "create": ("create", "n9", "--nat"),
    "join": ("join", "c9", "n1", "-p", "50500:80", "-p", "50600-50700:8000/udp"),
    "open": ("open", "c1", "n1", "--external-port", "50500-50600", "--internal-port", "8000"),
    "close": ("close", "c1", "n1", "--protocol", "udp", "--external-port", "50010-50020"),
    "leave": ("leave", "c1", "n1"),
    "destroy": ("destroy", "n2", "--force"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_some_moment_then_again(lab: Lab, verb: str) -> None:
    """SIGKILL after ever more milliseconds; then the same verb again must end as if nothing had happened."""
    busy(lab)
    lab.container("c9")
    before = lab.world()
    undo = {
        "create": ("destroy", "n9"),
        "join": ("leave", "c9", "n1"),
        "open": ("close", "c1", "n1", "--external-port", "50500-50600"),
    }
    for delay in (0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2):
        process = lab.start(*VERBS[verb])
        try:
            process.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=10)
        lab.cnet("repair")
        done = lab.json("status")
        assert done["drift"] == []
        assert done["interrupted"] == []
        again = lab.result(*VERBS[verb])
        assert again.returncode in (0, 3, 4), again.stderr
        assert lab.json("repair")["mended"] == []
        if verb not in undo:
            continue
        lab.cnet(*undo[verb])
        assert lab.world() == before
    if verb not in undo:
        assert lab.world() != before


def test_a_killed_verb_is_cleaned_up_by_any_other(lab: Lab) -> None:
    """A process that dies between the intent and the end: here the kill comes while it waits for nothing but itself."""
    busy(lab)
    lab.container("c9")
    for delay in (0.04, 0.06, 0.09, 0.11):
        process = lab.start("join", "c9", "n1")
        try:
            process.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=10)
        lab.cnet("create", "n8", "--internal")
        lab.cnet("destroy", "n8")
        assert lab.json("status")["drift"] == []
        done = lab.result("leave", "c9", "n1")
        assert done.returncode in (0, 3), done.stderr
        assert "c9_n1" not in lab.cnet("endpoint")
        assert lab.lan.probe(HOST4, 50001, timeout=BRIEF) != "no-route"


def test_a_container_that_is_in_its_own_way_holds_up_nobody(lab: Lab) -> None:
    """Its root has put a link of its own where ours was: that cannot be mended, all else can."""
    c1, c2 = busy(lab)
    lab.host.sh("ip -n c1 link del eth0; ip -n c1 link add eth0 type veth peer name mine")
    lab.host.run("nft", "flush", "ruleset")
    done = lab.result("repair")
    assert done.returncode == 8, done.stderr
    assert "c1" in done.stderr
    assert c2.ping(LAN4)
    lab.container("c9")
    lab.cnet("join", "c9", "n1")
    lab.cnet("leave", "c1", "n1")
    assert lab.json("repair")["mended"] == []
    assert c1.run("ip", "link", "show", "mine")
