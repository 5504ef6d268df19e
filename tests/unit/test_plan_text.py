"""Operations as lines: each is what a person would type, and one line."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given

from containernet.drivers.objects import objects
from containernet.model.network import HOST, Place
from containernet.plan.diff import diff
from containernet.plan.intent import Intent
from containernet.plan.objects import (
    ROUTE_PROTOCOL,
    Address,
    Bridge,
    Element,
    Resolver,
    Route,
    Rule,
    Sysctl,
    Table,
    Up,
    Veth,
)
from containernet.plan.operations import Add, Announce, Change, Cut, Elements, Operation, Remove
from containernet.plan.ruleset import TEXT
from containernet.plan.text import LONG, brief, lines, text
from kit.nouns import MARK, REPEATABLE, intents

NAMED, PROCESS = Place("/run/netns/web", 7), Place("/proc/4711/ns/net", 8)
BRIDGE = Bridge("cn-1", "02:00:00:01:00:01", 1400, 99, "n1")
PAIR = Veth("ce-1", NAMED, "eth0", "02:00:00:00:00:02", 1400, "cn-1", 99, "web_n1")
TABLE = Table(MARK, TEXT)
PORT = Element("any4", ("tcp", 8080), ("10.7.0.2", 80))
BRIDGES = Element("pairs", ("cn-1", "cn-1"))
FILES = ("mkdir", "[", "printf", "rm", "rmdir")
RESOLVER = Resolver("web", ("10.7.0.53", "fe80::53%eth0"), ("n1.example", "example"), MARK)
OTHER = Route(NAMED, "default4", "10.8.0.1", "eth1")

GOLDEN: list[tuple[Operation, list[str]]] = [
    (
        Add(BRIDGE),
        [
            "ip link add cn-1 address 02:00:00:01:00:01 group 99 type bridge stp_state 0",
            "ip link set cn-1 mtu 1400 up alias 'n1'",
        ],
    ),
    (
        Change(BRIDGE, BRIDGE),
        ["ip link set cn-1 address 02:00:00:01:00:01 mtu 1400 group 99 up alias 'n1' type bridge stp_state 0"],
    ),
    (Remove(BRIDGE), ["ip link delete cn-1"]),
    (
        Add(PAIR),
        [
            "ip link add ce-1 mtu 1400 group 99 type veth peer name eth0 address 02:00:00:00:00:02 mtu 1400 netns web",
            "ip link set ce-1 master cn-1 up alias 'web_n1'",
            "bridge link set dev ce-1 hairpin on",
        ],
    ),
    (
        Change(PAIR, PAIR),
        [
            "ip link set ce-1 master cn-1 mtu 1400 up alias 'web_n1'",
            "bridge link set dev ce-1 hairpin on",
            "ip -n web link set eth0 address 02:00:00:00:00:02 mtu 1400",
        ],
    ),
    (Remove(PAIR), ["ip link delete ce-1"]),
    (Add(Up(NAMED, "eth0")), ["ip -n web link set eth0 up"]),
    (Remove(Up(PROCESS, "lo")), ["nsenter --net=/proc/4711/ns/net ip link set lo down"]),
    (Add(Address(HOST, "cn-1", "10.7.0.1/24")), ["ip address add 10.7.0.1/24 dev cn-1 broadcast +"]),
    (Add(Address(NAMED, "eth0", "fd07::2/64")), ["ip -n web address add fd07::2/64 dev eth0 nodad"]),
    (Remove(Address(NAMED, "eth0", "fd07::2/64")), ["ip -n web address delete fd07::2/64 dev eth0"]),
    (
        Add(Route(NAMED, "default6", "fd07::1", "eth0")),
        [f"ip -n web -6 route add default via fd07::1 dev eth0 proto {ROUTE_PROTOCOL}"],
    ),
    (
        Remove(Route(NAMED, "10.7.0.0/24", "", "eth0", 10_001)),
        [f"ip -n web route delete 10.7.0.0/24 dev eth0 proto {ROUTE_PROTOCOL} table 10001"],
    ),
    (
        Change(Route(NAMED, "default4", "10.7.0.1", "eth0"), OTHER),
        [
            f"ip -n web route delete default via 10.7.0.1 dev eth0 proto {ROUTE_PROTOCOL}",
            f"ip -n web route add default via 10.8.0.1 dev eth1 proto {ROUTE_PROTOCOL}",
        ],
    ),
    (
        Add(Rule(NAMED, "fd07::2", 10_001, 10_000)),
        [f"ip -n web -6 rule add from fd07::2 lookup 10001 priority 10000 protocol {ROUTE_PROTOCOL}"],
    ),
    (
        Remove(Rule(PROCESS, "10.7.0.2", 10_001, 10_000)),
        [
            "nsenter --net=/proc/4711/ns/net ip rule delete from 10.7.0.2 lookup 10001 priority 10000"
            f" protocol {ROUTE_PROTOCOL}"
        ],
    ),
    (Add(Sysctl(HOST, "net/ipv4/ip_forward", "1")), ["sysctl -w net/ipv4/ip_forward=1"]),
    (
        Change(
            Sysctl(NAMED, "net/ipv4/conf/eth0/arp_ignore", "0"), Sysctl(NAMED, "net/ipv4/conf/eth0/arp_ignore", "1")
        ),
        ["ip netns exec web sysctl -w net/ipv4/conf/eth0/arp_ignore=1"],
    ),
    (Remove(Sysctl(HOST, "net/ipv4/ip_forward", "1")), []),
    (Remove(TABLE), ["nft delete table inet containernet"]),
    (Add(PORT), ["nft add element inet containernet any4 '{ tcp . 8080 : 10.7.0.2 . 80 }'"]),
    (Remove(PORT), ["nft delete element inet containernet any4 '{ tcp . 8080 }'"]),
    (
        Elements(add=(PORT, BRIDGES), remove=(PORT, Element("limited", ("udp", 53)))),
        [
            "nft delete element inet containernet any4 '{ tcp . 8080 }'",
            "nft delete element inet containernet limited '{ udp . 53 }'",
            "nft add element inet containernet any4 '{ tcp . 8080 : 10.7.0.2 . 80 }'",
            'nft add element inet containernet pairs \'{ "cn-1" . "cn-1" }\'',
        ],
    ),
    (
        Add(RESOLVER),
        [
            "mkdir -p /etc/netns/web",
            "[ ! -e /etc/netns/web/resolv.conf ] || mv /etc/netns/web/resolv.conf"
            " /etc/netns/.web.resolv.conf.before-cnet",
            "printf 'search n1.example example\\nnameserver 10.7.0.53\\nnameserver fe80::53%%eth0\\n'"
            " > /etc/netns/web/resolv.conf",
        ],
    ),
    (
        Change(RESOLVER, Resolver("web", ("10.7.0.53",), (), MARK)),
        ["printf 'nameserver 10.7.0.53\\n' > /etc/netns/web/resolv.conf"],
    ),
    (
        Remove(RESOLVER),
        [
            "rm -f /etc/netns/web/resolv.conf",
            "[ ! -e /etc/netns/.web.resolv.conf.before-cnet ] || mv /etc/netns/.web.resolv.conf.before-cnet"
            " /etc/netns/web/resolv.conf",
            "rmdir --ignore-fail-on-non-empty /etc/netns/web",
        ],
    ),
    (Cut(4, source="10.7.0.2"), ["conntrack -D -f ipv4 -s 10.7.0.2"]),
    (Cut(6, answers="fd07::2"), ["conntrack -D -f ipv6 -r fd07::2"]),
    (
        Cut(4, "tcp", destination="192.0.2.1", ports=(80, 80), answers="10.7.0.2"),
        ["conntrack -D -f ipv4 -p tcp -d 192.0.2.1 -r 10.7.0.2 --orig-port-dst 80"],
    ),
    (
        Announce(NAMED, "eth0", "02:00:00:00:00:02", ("10.7.0.2/24", "fd07::2/64")),
        ["ip netns exec web arping -U -c 1 -I eth0 10.7.0.2", "ip netns exec web ndsend fd07::2 eth0"],
    ),
]


@pytest.mark.parametrize(
    ("operation", "expected"), GOLDEN, ids=lambda one: str(one)[:40] if isinstance(one, str) else ""
)
def test_a_line(operation: Operation, expected: list[str]) -> None:
    assert text(operation) == expected
    assert brief(operation) == expected


def test_every_kind_of_operation_and_object_is_among_these() -> None:
    kinds = {type(operation) for operation, _ in GOLDEN}
    things = {type(getattr(operation, "object", getattr(operation, "after", None))) for operation, _ in GOLDEN}
    assert kinds == {Add, Remove, Change, Elements, Cut, Announce}
    assert things >= {Sysctl, Table, Bridge, Veth, Up, Address, Route, Rule, Element, Resolver}


def test_the_table_is_one_text_of_many_lines_that_a_shell_takes() -> None:
    (made,) = text(Add(TABLE))
    first, *_, last = made.splitlines()
    assert (first, last) == ("nft -f - <<'END'", "END")
    assert f'comment "containernet store {MARK:08x}"' in made
    assert TEXT in made
    (mended,) = text(Change(Table(MARK, ""), TABLE))
    assert "flush table inet containernet" in mended
    assert TEXT in mended
    assert not [line for step in (Add(TABLE), Change(TABLE, TABLE)) for line in brief(step) if "\n" in line]


def test_a_long_list_of_elements_is_cut_in_a_summary_only() -> None:
    many = Elements(tuple(Element("any4", ("udp", port), ("10.7.0.2", port)) for port in range(1, 200)))
    (whole,), (short,) = text(many), brief(many)
    assert whole.count("udp") == 199
    assert len(short) <= LONG
    assert short.endswith("…")
    assert whole.startswith(short.removesuffix(", …"))


@REPEATABLE
@given(intents(), intents())
def test_every_line_is_one_command(one: Intent, two: Intent) -> None:
    plan = diff(objects(one, MARK), objects(two, MARK))
    for line in lines(plan):
        assert "\n" not in line
        words = shlex.split(line, comments=True)
        assert words[0] in ("ip", "nft", "sysctl", "bridge", "nsenter", "conntrack", *FILES)
        assert all(words)
