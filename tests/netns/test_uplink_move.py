"""The move of the host's addresses to a bridge and back: whole, watched, undone when anything goes wrong.

The rule of this file: the host is as it was, or as it should be, by what ``ip`` prints of it; nothing else counts.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from kit.lab import HOST4, LAN4, LAN6, Lab
from kit.setup import refused
from kit.space import eventually

RICH = """
ip addr add 198.51.100.11/24 dev up0 label up0:1; ip addr add 198.51.100.12/24 dev up0 valid_lft 4000 preferred_lft 3000
ip addr add 203.0.113.9/28 dev up0 noprefixroute metric 77; ip addr add 192.0.2.5 peer 192.0.2.6/32 dev up0 scope link
ip route add 203.0.113.0/28 dev up0 src 203.0.113.9 proto static metric 300
ip route add 203.0.113.64/26 via 198.51.100.3 dev up0 proto 55 table 1234 mtu 1400 src 198.51.100.11
ip route add default via 198.51.100.2 dev up0 metric 900 proto dhcp
ip route add 100.64.0.0/10 via 192.0.2.99 dev up0 onlink
ip addr add 2001:db8:51::11/64 dev up0 nodad preferred_lft 0
ip addr add 2001:db8:52::1/64 dev up0 nodad noprefixroute valid_lft 5000 preferred_lft 4000
ip -6 route add 2001:db8:52::/64 dev up0 metric 512 proto static; ip -6 route add 2001:db8:99::/48 via fe80::99 dev up0
ip -6 route add 2001:db8:98::/48 via 2001:db8:51::2 dev up0 table 77 metric 5 expires 9000
ip link add other type bridge; ip addr add 10.99.0.1/24 dev other; ip link set other up
ip route add 10.98.0.0/16 via 10.99.0.2
echo 2 > /proc/sys/net/ipv4/conf/up0/arp_announce; echo 0 > /proc/sys/net/ipv4/conf/up0/send_redirects
"""
KILLED_AT = """
import os, signal, sys
from containernet.bootstrap import ContainerNet
from containernet.kernel.linux import Linux
at, own, seen, do = int(sys.argv[1]), os.getpid(), [], Linux.do
def counted(self, operation):
    if os.getpid() == own:
        if len(seen) == at:
            os.kill(own, signal.SIGKILL)
        seen.append(operation)
    do(self, operation)
Linux.do = counted
net = ContainerNet()
net.create("net1") if sys.argv[2] == "create" else net.destroy("net1")
print(len(seen))
"""
BOTH_KILLED = KILLED_AT.replace(
    "            os.kill(own",
    "            for pid in open(f'/proc/self/task/{own}/children').read().split():\n"
    "                os.kill(int(pid), signal.SIGKILL)\n"
    "            os.kill(own",
)
SILENCED = """
import subprocess, sys
from containernet.bootstrap import ContainerNet
from containernet.kernel.linux import Linux
from containernet.model.errors import Different
from containernet.plan.objects import Port
do = Linux.do
def silenced(self, operation):
    do(self, operation)
    if isinstance(getattr(operation, "object", None), Port):
        subprocess.run([*sys.argv[1:], "nft", "add rule netdev t c drop"], check=True)
Linux.do = silenced
try:
    ContainerNet().create("net1")
except Different as error:
    print(error.code)
"""
STREAM = """
import select, socket, struct, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
sock.connect((sys.argv[1], 0))
heard, sent, end = set(), 0, None
print("going", flush=True)
while end is None or time.monotonic() < end:
    if end is None:
        head = struct.pack("!BBHHH", 8, 0, 0, 4711, sent & 0xFFFF)
        total = sum(struct.unpack("!4H", head))
        sock.send(head[:2] + struct.pack("!H", ~((total >> 16) + total) & 0xFFFF) + head[4:])
        sent += 1
        if select.select([sys.stdin], [], [], 0)[0]:
            end = time.monotonic() + 0.5
    step = time.monotonic() + 0.002
    while (left := step - time.monotonic()) > 0 and select.select([sock], [], [], left)[0]:
        raw = sock.recv(2048)[20:]
        if raw[0] == 0 and raw[4:6] == struct.pack("!H", 4711):
            heard.add(struct.unpack("!H", raw[6:8])[0])
lost = [number not in heard for number in range(sent)]
longest = max((len(run) for run in "".join("x" if one else " " for one in lost).split()), default=0)
print(sent, sum(lost), longest)
"""


def state(lab: Lab) -> str:
    """Return all that ``ip`` prints of the host; what counts down is left out."""
    routes = "ip -4 route show table all; ip -6 route show table all | sort; ip rule; ip -6 rule"
    text = lab.host.sh(f"ip addr; ip link; {routes}; nft list ruleset")
    return re.sub(r"^\d+: cn-", "N: cn-", re.sub(r"(_lft|expires) \d+sec", r"\1 Nsec", text), flags=re.M)


def settled(lab: Lab) -> str:
    """Return the state when the kernel has looked for duplicates of its addresses."""
    assert eventually(lambda: "tentative" not in lab.host.sh("ip addr"), 20)
    return state(lab)


def quiet(lab: Lab) -> bool:
    """Wait until nobody stands by any more."""
    return bool(eventually(lambda: not lab.tenants(), 20))


def rich(lab: Lab) -> str:
    """Give the uplink all that an uplink may have; return the state."""
    lab.host.sh(RICH)
    return settled(lab)


def killed(lab: Lab, at: int, verb: str, script: str = KILLED_AT) -> subprocess.CompletedProcess[str]:
    """Run a verb that is killed before its operation number ``at``."""
    command = [*lab.host.enter, sys.executable, "-c", script, str(at), verb]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=lab.env, check=False)


def reachable(lab: Lab) -> bool:
    """Tell whether packets go both ways."""
    return lab.lan.ping(HOST4) and lab.host.ping(LAN4) and lab.host.ping(LAN6)


def test_all_of_it_moves_and_comes_back(lab: Lab) -> None:
    before = rich(lab)
    lab.cnet("create", "net1")
    moved = settled(lab)
    addresses = lab.host.run("ip", "-4", "addr", "show", "dev", "cn-1")
    assert "inet 198.51.100.11/24 scope global secondary cn-1:1" in addresses
    assert "192.0.2.5 peer 192.0.2.6/32" in addresses
    route = lab.host.run("ip", "route", "show", "table", "1234")
    assert all(word in route for word in ("via 198.51.100.3 dev cn-1", "proto 55", "src 198.51.100.11", "mtu 1400"))
    assert lab.host.run("ip", "addr", "show", "dev", "up0").count("inet6 2001") == 0
    assert not lab.host.sh("ip -4 route show table all dev up0; ip -4 addr show dev up0 | grep inet || true")
    assert lab.host.sysctl("net/ipv4/conf/cn-1/arp_announce") == "2"
    mac = [line.split()[1] for line in moved.splitlines() if "link/ether" in line]
    assert mac[0] == lab.json("get", "net1")["mac"]
    assert reachable(lab)
    assert lab.json("repair")["mended"] == []
    lab.cnet("destroy", "net1")
    assert settled(lab) == before
    assert reachable(lab)
    assert (
        lab.host.sh("ls $(dirname /var/lib/containernet/state.db) | grep -c -e move -e confirm || true").strip() == "0"
    )


def test_no_packet_is_lost_for_long(lab: Lab) -> None:
    settled(lab)
    for verb in (["create", "net1"], ["destroy", "net1"]):
        command = [*lab.lan.enter, sys.executable, "-I", "-c", STREAM, HOST4]
        stream = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert stream.stdout
        assert stream.stdout.readline() == "going\n"
        lab.cnet(*verb)
        sent, lost, longest = map(int, stream.communicate("end\n", timeout=20)[0].split())
        print(f"{verb[0]}: {lost} of {sent} lost, {longest} in a row")
        assert sent > lost
        assert longest < 50  # a tenth of a second at this spacing


@pytest.mark.parametrize("verb", ["create", "destroy"])
def test_killed_at_every_operation(lab: Lab, verb: str) -> None:
    before = rich(lab)
    if verb == "destroy":
        lab.cnet("create", "net1")
        before = settled(lab)
    for at in range(99):
        done = killed(lab, at, verb)
        if not done.returncode:
            assert at > 20, "so few operations?"
            break
        assert done.returncode == -9, done.stderr
        assert quiet(lab)
        assert settled(lab) == before, f"killed before operation {at}"
    assert reachable(lab)
    assert lab.json("status")["interrupted"] == []
    assert lab.json("repair")["mended"] == []


def test_killed_with_its_watchdog_the_next_verb_undoes(lab: Lab) -> None:
    before = rich(lab)
    for at in (5, 12, 30):
        done = killed(lab, at, "create", BOTH_KILLED)
        assert done.returncode == -9, done.stderr
        assert quiet(lab)
        assert state(lab) != before, "somebody else undid it: this test shows nothing"
        lab.cnet("repair")
        assert settled(lab) == before
    assert reachable(lab)
    assert lab.json("status")["interrupted"] == []


def test_what_nobody_confirms_is_undone(lab: Lab) -> None:
    before = rich(lab)
    done = lab.result("create", "net1", "--confirm", "1")
    assert done.returncode == 8, done.stderr
    assert "confirm" in done.stderr
    assert settled(lab) == before
    assert lab.json("get") == []
    assert lab.result("confirm", "net1").returncode == 3


def test_what_is_confirmed_stays(lab: Lab) -> None:
    process = lab.start("create", "net1", "--confirm", "30")
    assert eventually(lambda: lab.result("confirm", "net1").returncode == 0, 20)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told
    assert lab.json("get", "net1")["kind"] == "bridge"
    assert reachable(lab)


def test_a_command_that_is_stopped_is_ended_and_undone_when_it_waits_for_a_word(lab: Lab) -> None:
    before = rich(lab)
    process = lab.start("create", "net1", "--confirm", "30")
    assert eventually(lambda: "cn-1" in lab.host.sh("ip route"), 20)
    process.terminate()
    process.communicate(timeout=30)
    assert quiet(lab)
    assert settled(lab) == before
    lab.cnet("create", "net1")


def test_a_gateway_that_falls_silent(lab: Lab) -> None:
    """A switch that lets nothing more through as soon as the uplink is the port of a bridge."""
    before = rich(lab)
    lab.lan.sh(
        "nft add table netdev t; nft add chain netdev t c '{ type filter hook ingress device lan0 priority 0; }'"
    )
    command = [*lab.host.enter, sys.executable, "-c", SILENCED, *lab.lan.enter]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=lab.env, check=False)
    assert "gateway-silent" in done.stdout, done.stderr
    lab.lan.sh("nft delete table netdev t")
    assert settled(lab) == before
    assert reachable(lab)
    assert lab.json("status")["interrupted"] == []


def test_a_restart_of_the_host_redoes_the_move(lab: Lab) -> None:
    lab.cnet("create", "net1")
    lab.container("c1")
    lab.cnet("join", "c1", "net1", "--ip", "198.51.100.20/24")
    lab.reboot()
    lab.host.sh(
        "ip addr flush dev up0 scope global; ip route flush dev up0; ip -6 route del default; ip link set up0 up"
    )
    c1 = lab.container("c1")
    told = lab.result("restore")
    assert told.returncode == 0, told.stderr
    assert "net1 waits" in told.stderr
    assert "cn-1" not in lab.host.sh("ip link")
    refused(lab, "join", "c1", "net1", status=6)
    lab.host.sh(f"ip addr add {HOST4}/24 dev up0; ip route add default via {LAN4}")
    told = lab.result("restore")
    assert told.returncode == 0, told.stderr
    assert not told.stderr
    assert "cn-1" in lab.host.sh("ip route show default")
    assert eventually(lambda: c1.ping(LAN4, 1))
    assert lab.lan.ping("198.51.100.20")
    assert lab.json("repair")["mended"] == []


FOREIGN = {"the bridge deleted": "ip link del cn-1", "the uplink taken out": "ip link set up0 nomaster"}


@pytest.mark.parametrize("what", FOREIGN)
def test_repair_after_foreign_hands(lab: Lab, what: str) -> None:
    settled(lab)
    lab.cnet("create", "net1")
    c1 = lab.container("c1")
    lab.cnet("join", "c1", "net1", "--ip", "198.51.100.20/24")
    before = settled(lab)
    lab.host.sh(FOREIGN[what])
    assert state(lab) != before
    assert lab.json("status")["drift"]
    assert lab.json("repair")["mended"]
    assert reachable(lab)
    assert c1.ping(LAN4)
    assert lab.json("repair")["mended"] == []
    numbers = re.compile(r"^\d+: |@if\d+|link-netns\w* \S+", re.M)
    if what != "the bridge deleted":
        assert numbers.sub("", settled(lab)) == numbers.sub("", before)


MANAGED = {
    "NetworkManager": ("NetworkManager/devices/{}", "[device]\\nmanaged=true\\n"),
    "systemd-networkd": ("systemd/netif/links/{}", "ADMIN_STATE=configured\\n"),
    "dhclient": ("dhclient.up0.pid", "1\\n"),
    "ifupdown": ("network/ifstate", "lo=lo\\nup0=up0\\n"),
}


@pytest.mark.parametrize("who", MANAGED)
def test_a_managed_uplink_is_refused_with_advice(lab: Lab, who: str) -> None:
    index = lab.host.json("ip", "-j", "link", "show", "dev", "up0")[0]["ifindex"]
    file, text = MANAGED[who]
    path = f"/run/{file.format(index)}"
    lab.host.sh(f"mkdir -p $(dirname {path}); printf '{text}' > {path}")
    said = refused(lab, "create", "net1", status=7, says=who)
    assert "--mode macvlan" in said
    lab.cnet("create", "net1", "--mode", "macvlan")


def test_uplinks_that_cannot_be(lab: Lab) -> None:
    lab.host.sh("ip link add br0 type bridge; ip link add d0 type veth peer name d1; ip link set d0 master br0 up")
    refused(lab, "create", "net1", "--uplink", "d0", status=4, says="br0")
    refused(lab, "create", "net1", "--uplink", "d1", status=4, says="down")
    refused(lab, "create", "net1", "--uplink", "lo", status=2)
    refused(lab, "create", "net1", "--uplink", "nope0", status=3)
    refused(lab, "create", "net1", "--subnet", "10.0.0.0/24", status=2)
    refused(lab, "create", "net1", "--nat", "--mode", "bridge", status=2)
    refused(lab, "create", "net1", "--mode", "macvlan", "--confirm", "3", status=2)
    lab.host.sh("ip route add 10.77.0.0/16 nexthop via 198.51.100.2 dev up0 nexthop via 198.51.100.3 dev up0")
    refused(lab, "create", "net1", status=4, says="several ways")
    lab.host.sh("ip route del 10.77.0.0/16; ip route del default; ip -6 route del default")
    refused(lab, "create", "net1", status=6, says="uplink")
