"""What routers say of DNS: taken, followed, outlived; and what is no option."""

from __future__ import annotations

import random

from containernet.model.address import packed
from containernet.model.lease import ROUTER
from containernet.services.advertised import DNSSL, MOST, RDNSS, UNKNOWN, Advertisements
from containernet.services.dhcp4 import names

ONE, TWO = "2001:db8::53", "fe80::53"
FOREVER = 0xFFFFFFFF


def servers(seconds: int, *addresses: str) -> bytes:
    """Return an option RDNSS (RFC 8106, 5.1)."""
    return bytes((RDNSS, 1 + 2 * len(addresses), 0, 0)) + seconds.to_bytes(4, "big") + b"".join(map(packed, addresses))


def domains(seconds: int, *wanted: str) -> bytes:
    """Return an option DNSSL (RFC 8106, 5.2)."""
    raw = names.pack_list(wanted)
    raw += bytes(-len(raw) % 8)
    return bytes((DNSSL, 1 + len(raw) // 8, 0, 0)) + seconds.to_bytes(4, "big") + raw


def test_what_is_said_holds_for_a_while() -> None:
    held = Advertisements()
    assert held.lease(0.0) is None and not held.lasts(0.0)
    assert held.take(servers(600, ONE, TWO), 100.0)
    assert held.take(domains(300, "a.example", "b.example"), 100.0)
    lease = held.lease(100.0)
    assert lease is not None and lease.family == ROUTER and lease.address == ""
    assert (set(lease.dns), lease.search) == ({ONE, TWO}, ("a.example", "b.example"))
    assert not held.take(servers(600, ONE, TWO), 200.0), "said again, and nothing is new"
    assert held.due() == 400.0 and held.lasts(200.0)
    assert held.tidy(400.0) and not held.tidy(400.0)
    lease = held.lease(400.0)
    assert lease is not None and lease.search == () and set(lease.dns) == {ONE, TWO}
    assert held.tidy(800.0) and held.lease(800.0) is None


def test_what_is_taken_back_at_once_or_holds_for_ever() -> None:
    held = Advertisements()
    held.take(servers(FOREVER, ONE), 0.0)
    assert not held.lasts(0.0)
    assert held.take(servers(0, ONE), 5.0) and held.lease(5.0) is None


def test_what_was_written_before_a_restart_holds_for_a_while() -> None:
    before = Advertisements()
    before.take(servers(600, ONE), 0.0)
    before.take(domains(600, "a.example"), 0.0)
    written = before.lease(0.0)
    after = Advertisements(written, 1000.0)
    assert after.lease(1000.0) == written and after.due() == 1000.0 + UNKNOWN
    assert not after.take(servers(600, ONE), 1001.0)
    assert after.tidy(1000.0 + UNKNOWN)


def test_only_so_many_are_kept_and_nobody_impossible() -> None:
    held = Advertisements()
    held.take(servers(600, *(f"2001:db8::{number:x}" for number in range(1, 30))), 0.0)
    held.take(servers(600, "::", "ff02::1"), 0.0)
    lease = held.lease(0.0)
    assert lease is not None and len(lease.dns) == MOST
    assert not {"::", "ff02::1"} & set(lease.dns)


def test_whatever_a_router_says_nothing_breaks_and_no_name_is_strange() -> None:
    chance = random.Random(8106)
    for number in range(20_000):
        good = chance.choice((servers(600, ONE, TWO), domains(600, "a.example", "b.example")))
        option = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            option[chance.randrange(len(option))] = chance.randrange(256)
        if chance.random() < 0.3:
            option = option[: chance.randrange(len(option) + 1)]
        held = Advertisements()
        held.take(bytes(option), 0.0)
        lease = held.lease(0.0)
        for name in lease.search if lease else ():
            assert names.proper(name) == name, (number, option.hex())
