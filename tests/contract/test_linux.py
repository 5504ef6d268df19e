"""What only Linux can show: what we made, others read back; packets pass; nothing of ours is left behind.

The rule of this file: the oracle is pyroute2, ``nft`` or a packet, never our own reading.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import things
from things import BRIDGE, ELEMENTS, GROUP, MAC, TABLE, everything, inside, make, veth
from worlds import Real, shell

from containernet.kernel.door import FULL, KernelError
from containernet.kernel.netns import Spaces
from containernet.model.network import HOST, Place
from containernet.model.record import replace
from containernet.plan.objects import Address, Element, Object, Route, Table, Up, Veth
from containernet.plan.operations import Add, Announce, Change, Cut, Elements


def in_place(place: Place, function: Callable[[], socket.socket]) -> socket.socket:
    """Open a socket in a place."""
    spaces = Spaces()
    try:
        return spaces.call(place, function)
    finally:
        spaces.close()


@contextmanager
def listener(kind: int, address: str, port: int, place: Place = HOST) -> Iterator[socket.socket]:
    def bound() -> socket.socket:
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        if kind == socket.SOCK_STREAM:
            made.listen()
        return made

    made = in_place(place, bound)
    try:
        yield made
    finally:
        made.close()


def test_pyroute2_reads_what_we_made(real: Real) -> None:
    import pyroute2

    place = real.namespace("c1")
    make(real.kernel, everything(place))
    with pyroute2.IPRoute() as host:
        (bridge,) = host.get_links(ifname="cn-1")
        (end,) = host.get_links(ifname="ce-1")
    shown = [bridge.get(key) for key in ("address", "mtu", "group", "ifalias")]
    assert shown == [BRIDGE.mac, 1400, GROUP, "n1"]
    assert bridge.get(("linkinfo", "data", "br_stp_state")) == 0
    assert (bridge["flags"] & 1, end["flags"] & 1) == (1, 1)
    assert (end.get("master"), end.get("group"), end.get("ifalias"), end.get("mtu")) == (
        bridge["index"],
        GROUP,
        "c_n1",
        1400,
    )
    assert end.get("linkinfo").get("IFLA_INFO_SLAVE_DATA").get("IFLA_BRPORT_MODE") == 1
    with pyroute2.NetNS(place.path, flags=0) as netns:
        (peer,) = netns.get_links(ifname="eth0")
        addresses = {f"{one.get('address')}/{one['prefixlen']}" for one in netns.get_addr(index=peer["index"], scope=0)}
        six = list(netns.get_addr(index=peer["index"], family=socket.AF_INET6, scope=0))
        ours = list(netns.get_routes(proto=199))
        found = [one for family in (2, 10) for one in netns.get_rules(family=family) if one.get("protocol") == 199]
    routes = {(one["family"], one.get("dst"), one["dst_len"], one.get("gateway"), one.get("table")) for one in ours}
    rules = {(one.get("src"), one.get("priority"), one.get("table")) for one in found}
    assert (peer.get("address"), peer.get("mtu")) == (MAC, 1400)
    assert addresses == {"10.7.0.2/24", "fd07::2/64"}
    assert all(one.get("flags") & 0x02 and not one.get("flags") & 0x40 for one in six)  # no detection, not tentative
    assert routes == {(2, None, 0, "10.7.0.1", 254), (10, None, 0, "fd07::1", 254), (2, "10.9.0.0", 16, None, 1001)}
    assert rules == {("10.7.0.2", 700, 1001), ("fd07::2", 700, 1001)}


def test_nft_prints_what_we_made(real: Real) -> None:
    make(real.kernel, [TABLE])
    real.kernel.do(Elements(ELEMENTS))
    printed = " ".join(shell("nft list table inet containernet").split())
    for words in (
        'comment "containernet store 00c0ffee"',
        "tcp . 8080 : 10.7.0.2 . 80",
        "udp . 53 : fd07::2 . 53",
        "192.0.2.1 . sctp . 9 : 10.7.0.2 . 9",
        "2001:db8::1 . tcp . 9 : fd07::2 . 9",
        '"cn-1" . "cn-1"',
        '"cn-1" : 192.0.2.1',
        "tcp . 8080 . 198.51.100.0/24",
        "tcp . 8080 . 203.0.113.7",
        "tcp . 8080 . 2001:db8::/32",
    ):
        assert words in printed, words


def test_elements_that_nft_made_are_read(real: Real) -> None:
    make(real.kernel, [TABLE])
    shell("nft add element inet containernet any4 { tcp . 8080 : 10.7.0.2 . 80 }")
    shell("nft add element inet containernet allowed4 { tcp . 8080 . 198.51.100.0/24 }")
    assert real.kernel.read([], []) == {TABLE, things.PORT, Element("allowed4", ("tcp", 8080, "198.51.100.0/24"))}


@pytest.mark.parametrize(
    "damage",
    [
        "insert rule inet containernet forward accept",
        "add rule inet containernet forward counter drop",
        "flush chain inet containernet forward",
        "flush table inet containernet",
        "add chain inet containernet strange",
        "add chain inet containernet forward { policy drop ; }",
        "add set inet containernet strange { type ipv4_addr ; }",
        "add table inet containernet { flags dormant ; }",
    ],
)
def test_every_damage_to_the_table_is_seen_and_repaired(real: Real, damage: str) -> None:
    make(real.kernel, [TABLE, *ELEMENTS])
    shell(f"nft {damage}")
    assert Table(TABLE.mark, "") in real.kernel.read([], [])
    real.kernel.do(Change(Table(TABLE.mark, ""), TABLE))
    assert real.kernel.read([], []) == {TABLE, *ELEMENTS}


def test_elements_and_other_tables_are_no_damage(real: Real) -> None:
    make(real.kernel, [TABLE, *ELEMENTS])
    shell("nft add table inet containernet2 ; add chain inet containernet2 forward ; add table ip containernet")
    assert real.kernel.read([], []) == {TABLE, *ELEMENTS}
    real.kernel.do(Change(TABLE, TABLE))  # repaired once, the names of its anonymous sets may differ
    assert real.kernel.missing([TABLE]) == []


def test_a_table_of_our_name_that_is_not_ours(real: Real) -> None:
    shell("nft add table inet containernet")
    assert real.kernel.owner() == 1
    with pytest.raises(KernelError) as refusal:
        real.kernel.do(Add(TABLE))
    assert refusal.value.reason == "exists"


def test_an_element_that_is_refused_is_named(real: Real) -> None:
    make(real.kernel, [TABLE, things.PORT])
    many = tuple(Element("any4", ("udp", port), ("10.7.0.2", port)) for port in range(1, 3000))
    with pytest.raises(KernelError, match=r"tcp \. 8080 of any4"):
        real.kernel.do(Elements((*many, replace(things.PORT, data=("10.7.0.9", 1)))))
    with pytest.raises(KernelError, match=r"no element udp \. 7 in any4"):
        real.kernel.do(Elements(remove=(Element("any4", ("udp", 7)),)))


def _heard(raw: socket.socket, mac: str) -> set[str]:
    """Return the addresses that frames of this MAC have announced."""
    found = set()
    raw.settimeout(0.05)
    while True:
        try:
            frame = raw.recv(2048)
        except TimeoutError:
            return found
        if frame[6:12] != bytes.fromhex(mac.replace(":", "")):
            continue
        if frame[12:14] == b"\x08\x06" and frame[28:32] == frame[38:42]:
            found.add(socket.inet_ntop(socket.AF_INET, frame[28:32]))
        overrides = frame[54:55] == b"\x88" and frame[58:59] == b"\x20" and frame[78:80] == b"\x02\x01"
        if frame[12:14] == b"\x86\xdd" and overrides and frame[21] == 255:
            found.add(socket.inet_ntop(socket.AF_INET6, frame[62:78]))


def test_a_neighbour_hears_the_announcement_right_after_the_join(real: Real) -> None:
    neighbour = real.namespace("c0")
    make(real.kernel, [BRIDGE, things.GATEWAY4, veth(neighbour, 9), Up(neighbour, "eth0")])
    raw = in_place(neighbour, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
    real.kernel.do(Announce(neighbour, "eth0", MAC, ()))  # waits for its port
    for number in range(1, 6):
        place, mac = real.namespace(f"c{number}"), f"02:00:00:00:01:{number:02x}"
        addresses = (f"10.7.0.1{number}/24", f"fd07::1{number}/64")
        make(real.kernel, [replace(veth(place, number), mac=mac), Up(place, "eth0")])
        make(real.kernel, [Address(place, "eth0", one) for one in addresses])
        before = time.perf_counter()
        real.kernel.do(Announce(place, "eth0", mac, addresses))
        assert time.perf_counter() - before < 0.1
        assert _heard(raw, mac) >= {one.partition("/")[0] for one in addresses}
        assert real.kernel.setting(place, "net/ipv4/conf/eth0/arp_notify") == "0"
    raw.close()


def test_real_connections_are_cut_and_no_others(real: Real) -> None:
    place = real.namespace("c1")
    make(real.kernel, [BRIDGE, things.GATEWAY4, things.GATEWAY6, *inside(place)])
    subprocess.run(["nft", "-f", "-"], input=_TRACKING, text=True, check=True)
    tcp, udp, targets = socket.SOCK_STREAM, socket.SOCK_DGRAM, (("10.7.0.1", 8080), ("10.7.0.2", 80), ("fd07::2", 80))
    with (
        listener(tcp, "10.7.0.2", 80, place),
        listener(tcp, "fd07::2", 80, place),
        listener(udp, "10.7.0.2", 53, place),
    ):
        kept = [socket.create_connection(target, timeout=3) for target in targets]
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asker.sendto(b"?", ("10.7.0.2", 53))
        every = {("tcp", "8080"), ("tcp", "80"), ("tcp6", "80"), ("udp", "53")}
        assert _tracked() == every
        for which, goes in _CUTS:
            real.kernel.do(which)
            every -= goes
            assert _tracked() == every, which
        for one in (*kept, asker):
            one.close()


_TRACKING = """
table inet t {
  chain input { type filter hook input priority 0; ct state new accept; }
  chain output { type nat hook output priority -100; ip daddr 10.7.0.1 tcp dport 8080 dnat ip to 10.7.0.2:80; }
}
"""
_CUTS: list[tuple[Cut, set[tuple[str, str]]]] = [
    (Cut(4, "sctp"), set()),
    (Cut(4, "tcp", ports=(8081, 9000)), set()),
    (Cut(4, destination="10.7.0.3"), set()),
    (Cut(6, "udp"), set()),
    (Cut(4, "tcp", destination="10.7.0.1", ports=(8080, 8080), answers="10.7.0.2"), {("tcp", "8080")}),
    (Cut(6, answers="fd07::2"), {("tcp6", "80")}),
    (Cut(4, "udp", source="10.7.0.1"), {("udp", "53")}),
    (Cut(4), {("tcp", "80")}),
]


def _tracked() -> set[tuple[str, str]]:
    """Return (protocol, original destination port) of what conntrack(8) lists of ours."""
    found = set()
    for family, suffix in (("ipv4", ""), ("ipv6", "6")):
        listed = subprocess.run(["conntrack", "-L", "-f", family], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            words = line.split()
            port = next((word[6:] for word in words if word.startswith("dport=")), "")
            if any(own in line for own in ("10.7.0.", "fd07::")) and words[0] in ("tcp", "udp"):
                found.add((words[0] + suffix, port))
    return found


def test_ports_of_processes_are_seen(real: Real) -> None:
    make(real.kernel, [BRIDGE, things.GATEWAY4])
    own = f"pid {os.getpid()} ({Path('/proc/self/comm').read_text().strip()})"
    busy = real.kernel.busy_port
    tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
    with (
        listener(tcp, "127.0.0.1", 9001),
        listener(tcp, "0.0.0.0", 9002),
        listener(tcp, "::1", 9005),
        listener(udp, "10.7.0.1", 9003),
        listener(udp, "::", 9004),
        listener(tcp, "::", 9006),
    ):
        assert busy("tcp", "", 9000, 9001) is None  # only loopback
        assert busy("tcp", "127.0.0.1", 9000, 9001) == (9001, own)
        assert busy("tcp", "", 9000, 9100) == (9002, own)
        assert busy("tcp", "10.7.0.1", 9000, 9100) == (9002, own)
        assert busy("tcp", "10.7.0.1", 9003, 9005) is None
        assert busy("tcp", "", 9003, 9100) == (9006, own)
        assert busy("tcp", "192.0.2.9", 9000, 9100) is None  # not this host's
        assert busy("udp", "", 9000, 9003) == (9003, own)
        assert busy("udp", "127.0.0.1", 9003, 9003) is None
        assert busy("udp", "10.7.0.1", 9000, 9003) == (9003, own)
        assert busy("udp", "", 9004, 9100) == (9004, own)
        assert busy("sctp", "", 9000, 9100) is None
    before = time.perf_counter()
    assert busy("tcp", "", 20_000, 29_999) is None
    assert time.perf_counter() - before < 2


def test_connections_do_not_hold_a_port(real: Real) -> None:
    with (
        listener(socket.SOCK_STREAM, "127.0.0.1", 9001) as server,
        socket.create_connection(("127.0.0.1", 9001)) as client,
    ):
        server.accept()[0].close()
        assert real.kernel.busy_port("tcp", "", *[client.getsockname()[1]] * 2) is None


def test_a_bridge_takes_1023_ports_and_then_says_so(real: Real) -> None:
    place = real.namespace("c1")
    shell("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    try:
        make(real.kernel, [BRIDGE, *(veth(place, number, f"e{number}") for number in range(1023))])
        with pytest.raises(KernelError) as refusal:
            real.kernel.do(Add(veth(place, 2000, "e2000")))
        assert refusal.value.reason == FULL
        assert not os.path.exists("/sys/class/net/ce-2000")
        assert len([one for one in real.kernel.read([place], []) if isinstance(one, Veth)]) == 1023
        real.kernel.flush_group(f"ce-{number}" for number in range(1023))
        assert real.kernel.read([place], []) == {BRIDGE}
    finally:
        shell("sysctl -qw net.ipv6.conf.default.disable_ipv6=0")


def test_five_hundred_places_are_read_at_once(real: Real) -> None:
    places = [real.namespace(f"c{number}") for number in range(500)]
    objects: list[Object] = [BRIDGE]
    for number, place in enumerate(places):
        address = f"10.8.{number // 250}.{number % 250 + 2}/16"
        objects += [veth(place, number), Up(place, "lo"), Up(place, "eth0"), Address(place, "eth0", address)]
        objects.append(Route(place, "default4", "10.8.0.1", "eth0"))
    make(real.kernel, objects)
    before = time.perf_counter()
    assert real.kernel.read(places, []) == set(objects)
    assert time.perf_counter() - before < 3  # 0.25 s on a quiet machine
    before = time.perf_counter()
    assert real.kernel.missing(objects[-5:]) == []
    assert time.perf_counter() - before < 0.1
    real.kernel.flush_group([f"ce-{number}" for number in range(500)])
