"""Addresses and subnets: the next free one, round and round, and never one that is somebody's or nobody's."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from containernet.model.address import from_number, number, packed
from containernet.plan import ipam
from kit.nouns import REPEATABLE

SMALL = ("10.7.0.8/29", "10.7.0.4/30", "192.168.255.240/28", "fd07::/125", "fd07::8/125")


def held(*addresses: str) -> Callable[[bytes], Iterator[bytes]]:
    """Return what answers like a store in which these addresses are taken."""
    every = sorted(map(packed, addresses))
    return lambda raw: (one for one in every if one >= raw and len(one) == len(raw))


def picked(prefix: str, cursor: str = "", taken: tuple[str, ...] = (), own: tuple[str, ...] = ()) -> str:
    return ipam.next_address(prefix, cursor, own or (ipam.gateway(prefix),), held(*taken))


def all_of(prefix: str) -> list[str]:
    """Hand out addresses until there is none left."""
    found: list[str] = []
    while address := picked(prefix, found[-1] if found else "", tuple(found)):
        found.append(address)
    return found


@pytest.mark.parametrize(
    ("prefix", "addresses"),
    [
        ("10.7.0.8/29", ["10.7.0.10", "10.7.0.11", "10.7.0.12", "10.7.0.13", "10.7.0.14"]),
        ("10.7.0.4/30", ["10.7.0.6"]),
        ("fd07::8/125", ["fd07::a", "fd07::b", "fd07::c", "fd07::d", "fd07::e", "fd07::f"]),
    ],
)
def test_a_whole_subnet(prefix: str, addresses: list[str]) -> None:
    """Never IPv4's network and broadcast addresses, never IPv6's subnet-router anycast, never the gateway."""
    assert all_of(prefix) == addresses


def test_what_was_freed_is_not_handed_out_at_once() -> None:
    assert picked("10.7.0.0/24", "10.7.0.5", ("10.7.0.3",)) == "10.7.0.6"


def test_it_goes_round() -> None:
    assert picked("10.7.0.0/24", "10.7.0.254") == "10.7.0.2"
    assert picked("10.7.0.0/24", "10.7.0.253", ("10.7.0.254", "10.7.0.2")) == "10.7.0.3"
    assert picked("fd07::/64", "fd07::ffff:ffff:ffff:ffff") == "fd07::2"


def test_the_one_that_is_left_is_found_from_anywhere() -> None:
    every = [f"10.7.0.{last}" for last in range(2, 255)]
    for free in ("10.7.0.2", "10.7.0.100", "10.7.0.254"):
        taken = tuple(one for one in every if one != free)
        for cursor in ("", "10.7.0.2", "10.7.0.100", "10.7.0.254"):
            assert picked("10.7.0.0/24", cursor, taken) == free


def test_none_is_left() -> None:
    every = tuple(f"10.7.0.{last}" for last in range(2, 255))
    assert {picked("10.7.0.0/24", cursor, every) for cursor in ("", "10.7.0.2", "10.7.0.254")} == {""}


def test_a_gateway_in_the_middle_is_left_out() -> None:
    assert picked("10.7.0.0/24", "10.7.0.99", own=("10.7.0.100",)) == "10.7.0.101"
    assert picked("10.7.0.0/24", "", own=("10.7.0.100",)) == "10.7.0.1"


def test_a_large_subnet_is_not_counted_through() -> None:
    """It asks for what is taken from the next candidate on, and no further than to the first gap."""
    asked: list[bytes] = []

    def taken(raw: bytes) -> Iterator[bytes]:
        for one in range(int.from_bytes(raw, "big"), 1 << 128):
            asked.append(one.to_bytes(16, "big"))
            assert len(asked) < 10
            if len(asked) != 4:
                yield asked[-1]

    assert ipam.next_address("fd07::/64", "fd07::7:0", ["fd07::1"], taken) == "fd07::7:4"


@REPEATABLE
@given(some.sampled_from(SMALL), some.data())
def test_it_is_the_first_free_one_after_the_cursor(prefix: str, data: some.DataObject) -> None:
    """Against counting by hand."""
    net = ipaddress.ip_network(prefix)
    low, high = int(net.network_address) + 1, int(net.broadcast_address) - (net.version == 4)
    hosts = [from_number(one, prefix) for one in range(low, high + 1)]
    taken = tuple(data.draw(some.sets(some.sampled_from(hosts))))
    own = (data.draw(some.sampled_from(hosts)),)
    cursor = data.draw(some.sampled_from(["", *hosts]))
    start = hosts.index(cursor) + 1 if cursor else 0
    free = [one for one in hosts[start:] + hosts[:start] if one not in (*taken, *own)]
    assert picked(prefix, cursor, taken, own) == (free[0] if free else "")


# --- subnets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taken", "found"),
    [
        ([], "192.168.1.0/24"),
        (["192.168.1.0/24"], "192.168.2.0/24"),
        (["192.168.1.77/32", "192.168.2.0/23"], "192.168.4.0/24"),
        (["192.168.1.5/24"], "192.168.2.0/24"),  # an address with its prefix length, as a link has it
        (["192.168.0.0/17"], "192.168.128.0/24"),
        (["10.0.0.0/8", "fd00::/8", "172.16.0.0/12"], "192.168.1.0/24"),
        (["192.168.1.0/24", "192.168.2.0/23", "192.168.4.0/22", "192.168.8.0/21", "192.168.16.0/20",
          "192.168.32.0/19", "192.168.64.0/18", "192.168.128.0/17"], "192.168.0.0/24"),
        (["192.168.0.0/16"], ""),
        (["0.0.0.0/0"], ""),
    ],
)  # fmt: skip
def test_the_first_free_subnet_of_the_documents_range(taken: list[str], found: str) -> None:
    assert ipam.free_subnet(taken) == found


@pytest.mark.parametrize(
    ("pool", "taken", "found"),
    [
        ("10.9.0.0/22", [], "10.9.1.0/24"),
        ("10.9.0.0/22", ["10.9.1.0/24", "10.9.2.0/24", "10.9.3.0/24"], "10.9.0.0/24"),
        ("10.9.8.0/24", [], "10.9.8.0/24"),
        ("10.9.8.0/24", ["10.9.8.128/25"], ""),
        ("10.0.0.0/8", ["10.0.0.0/9"], "10.128.0.0/24"),
    ],
)
def test_another_pool(pool: str, taken: list[str], found: str) -> None:
    assert ipam.free_subnet(taken, pool) == found


@REPEATABLE
@given(some.lists(some.tuples(some.integers(0, 255), some.integers(16, 32)), max_size=12))
def test_a_free_subnet_overlaps_nothing(parts: list[tuple[int, int]]) -> None:
    taken = [str(ipaddress.ip_network(f"192.168.{third}.0/{length}", strict=False)) for third, length in parts]
    found = ipam.free_subnet(taken)
    every = [ipaddress.ip_network(one) for one in taken]
    free = [f"192.168.{third}.0/24" for third in range(256)]
    free = [one for one in free if not any(other.overlaps(ipaddress.ip_network(one)) for other in every)]
    assert found in free if free else not found


@REPEATABLE
@given(some.integers(0, 2**40 - 1), some.integers(1, 65_535))
def test_an_ipv6_prefix_is_the_sites_own(site: int, net: int) -> None:
    """RFC 4193, 3.1: fd, 40 bits of the site, 16 bits of the subnet."""
    prefix = ipaddress.ip_network(ipam.ula(site, net))
    raw = int(prefix.network_address)
    assert prefix.prefixlen == 64
    assert (raw >> 120, raw >> 80 & (1 << 40) - 1, raw >> 64 & 0xFFFF) == (0xFD, site, net)
    assert raw & (1 << 64) - 1 == 0


def test_the_first_and_last_that_an_interface_may_have() -> None:
    assert [from_number(one, "4") for one in ipam.usable("10.7.0.0/24")] == ["10.7.0.1", "10.7.0.254"]
    assert [from_number(one, ":") for one in ipam.usable("fd07::/64")] == ["fd07::1", "fd07::ffff:ffff:ffff:ffff"]
    assert ipam.usable("10.7.0.0/31") == (number("10.7.0.0"), number("10.7.0.1"))  # RFC 3021
    assert ipam.gateway("10.7.0.0/24") == "10.7.0.1"
    assert ipam.gateway("fd07::/64") == "fd07::1"
