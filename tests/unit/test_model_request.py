"""What ``create`` is asked for: what is taken, in which form, and what is refused before anything is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from containernet.model import request
from containernet.model.address import canonical, contains, merged, overlap, parse_prefix
from containernet.model.errors import Usage
from containernet.model.names import container_name, label, link_name, mac_address, network_name, shown
from kit.nouns import REPEATABLE


def refused(function: Callable[..., Any], *args: Any) -> str:
    with pytest.raises(Usage) as refusal:
        function(*args)
    assert refusal.value.hint
    assert refusal.value.sentence.isprintable()
    assert refusal.value.exit_status == 2
    return refusal.value.code


def test_kinds() -> None:
    assert request.kind(True, False) == "nat"
    assert request.kind(False, True) == "internal"
    assert refused(request.kind, True, True) == "kind-both"


@pytest.mark.parametrize(
    ("given_texts", "found"),
    [
        ((), ()),
        (("192.168.7.0/24",), ("192.168.7.0/24",)),
        (("192.168.7.9/24",), ("192.168.7.0/24",)),
        (("192.168.7.0/255.255.255.0",), ("192.168.7.0/24",)),
        (("FD00:7:0::/64",), ("fd00:7::/64",)),
        (("fd00:7::/64", "10.0.0.0/8"), ("fd00:7::/64", "10.0.0.0/8")),
        (("10.0.0.0/30",), ("10.0.0.0/30",)),
        (("fd00::/126",), ("fd00::/126",)),
        (("2001:db8::/16",), ("2001::/16",)),
    ],
)
def test_subnets(given_texts: tuple[str, ...], found: tuple[str, ...]) -> None:
    assert request.subnets(given_texts, True) == found


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (("",), "prefix-invalid"),
        (("10.0.0.0/33",), "prefix-invalid"),
        (("10.0.0/24",), "prefix-invalid"),
        (("ten/8",), "prefix-invalid"),
        (("fd00::1%eth0/64",), "prefix-invalid"),
        (("10.0.0.0/31",), "subnet-size"),
        (("10.0.0.1",), "subnet-size"),
        (("10.0.0.0/7",), "subnet-size"),
        (("fd00::/127",), "subnet-size"),
        (("fd00::/15",), "subnet-size"),
        (("127.0.0.0/24",), "subnet-reserved"),
        (("0.0.0.0/8",), "subnet-reserved"),
        (("169.254.1.0/24",), "subnet-reserved"),
        (("224.0.0.0/8",), "subnet-reserved"),
        (("255.255.255.0/24",), "subnet-reserved"),
        (("::ffff:10.0.0.0/104",), "subnet-reserved"),
        (("fe80::/64",), "subnet-reserved"),
        (("ff02::/64",), "subnet-reserved"),
        (("10.0.0.0/24", "10.0.0.128/25"), "subnet-overlap"),
        (("10.0.0.0/24", "10.0.0.0/24"), "subnet-overlap"),
        (("10.0.0.0/24", "10.0.1.0/24"), "subnet-many"),
        (("fd00:1::/64", "fd00:2::/64"), "subnet-many"),
    ],
)
def test_no_subnets(texts: tuple[str, ...], code: str) -> None:
    assert refused(request.subnets, texts, True) == code


def test_no_ipv6_subnet_where_there_is_to_be_none() -> None:
    assert refused(request.subnets, ("fd00::/64",), False) == "subnet-ipv6"
    assert request.subnets(("10.0.0.0/24",), False) == ("10.0.0.0/24",)


def test_gateways() -> None:
    prefixes = ("10.0.0.0/24", "fd00::/64")
    assert request.gateways(("FD00::9", "10.0.0.254"), prefixes) == {
        "10.0.0.0/24": "10.0.0.254",
        "fd00::/64": "fd00::9",
    }
    assert request.gateways((), prefixes) == {}
    assert request.gateways(("fd00::ffff:ffff:ffff:ffff",), prefixes) == {"fd00::/64": "fd00::ffff:ffff:ffff:ffff"}
    for text, code in {
        "10.0.1.1": "gateway-outside", "10.0.0.0": "gateway-invalid", "10.0.0.255": "gateway-invalid",
        "fd00::": "gateway-invalid", "10.0.0": "address-invalid", "10.0.0.1/24": "address-invalid",
    }.items():  # fmt: skip
        assert refused(request.gateways, (text,), prefixes) == code, text
    assert refused(request.gateways, ("10.0.0.1", "10.0.0.2"), prefixes) == "gateway-many"


@pytest.mark.parametrize(("number", "ipv6"), [(0, True), (1280, True), (1500, True), (65535, True), (68, False)])
def test_mtu(number: int, ipv6: bool) -> None:
    assert request.mtu(number, ipv6) == number


@pytest.mark.parametrize(("number", "ipv6"), [(-1, True), (1, False), (67, False), (1279, True), (65536, True)])
def test_no_mtu(number: int, ipv6: bool) -> None:
    assert refused(request.mtu, number, ipv6) == "mtu-invalid"


def test_labels() -> None:
    assert request.labels(("a=b", "c=", "d=e=f")) == (("a", "b"), ("c", ""), ("d", "e=f"))
    assert refused(request.labels, ("a=b", "a=c")) == "label-twice"
    for text in ("", "a", "=b", "a=\n", "a=\x1b[31m", "k=" + "v" * 1024):
        assert refused(label, text) == "label-invalid", text


# --- names -----------------------------------------------------------------------------------------------------------

BAD_NAMES = ("", "-a", ".a", "_a", "a b", "a/b", "..", "a\n", "ä", "a" * 64, "a;b", "$(a)", "a'b", "\x00")


@pytest.mark.parametrize("function", [network_name, container_name])
def test_names(function: Callable[[str], str]) -> None:
    for text in ("a", "A.b_c-9", "9", "a" * 63):
        assert function(text) == text
    for text in BAD_NAMES:
        assert refused(function, text) == "name-invalid", text


def test_interface_names() -> None:
    for text in ("eth0", "a", "a" * 15, "0x"):
        assert link_name(text) == text
    for text in (*BAD_NAMES, "lo", "a" * 16, "eth0:1", "eth%d"):
        assert refused(link_name, text) == "interface-invalid", text


def test_mac_addresses() -> None:
    assert mac_address("02-AB-00-00-00-01") == mac_address("02:ab:00:00:00:01") == "02:ab:00:00:00:01"
    bad = ("", "02:00:00:00:00", "02:00:00:00:00:00:01", "01:00:00:00:00:01", "00:00:00:00:00:00", "2:0:0:0:0:1")
    for text in (
        *bad,
        "02:00:00:00:00:0g",
        "02:00:00:00:00:+1",
        "02:00:00:00:00:_1",
        "ff:ff:ff:ff:ff:ff",
        "020000000001",
    ):
        assert refused(mac_address, text) == "mac-invalid", text


@REPEATABLE
@given(some.text())
def test_whatever_was_typed_can_be_shown(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 80


# --- addresses -------------------------------------------------------------------------------------------------------


def test_one_form_for_each_address() -> None:
    assert canonical("2001:0db8:0:0::1") == "2001:db8::1"
    assert canonical("::FFFF:1.2.3.4") == "::ffff:1.2.3.4"
    for text in ("", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "fd00::1%eth0", "fd00:::1", "a\x00", "1.2.3.4/32"):
        assert refused(canonical, text) == "address-invalid", text


def test_who_may_is_said_without_overlap_and_in_order() -> None:
    assert merged(("10.0.1.0/24", "fd00::/64", "10.0.0.0/24", "10.0.0.7")) == ("10.0.0.0/23", "fd00::/64")
    assert merged(("0.0.0.0/0", "10.0.0.0/8")) == ("0.0.0.0/0",)
    for text in ("x", "fd00::%eth0/64", "fd00::%a b/64", "10.0.0.0/8 ", "10.0.0.0/8,10.9.0.0/16"):
        assert refused(merged, ("10.0.0.0/8", text)) == "prefix-invalid", text


@REPEATABLE
@given(
    some.tuples(some.ip_addresses(v=4), some.integers(0, 32))
    | some.tuples(some.ip_addresses(v=6), some.integers(0, 128)),
    some.ip_addresses(),
    some.tuples(some.ip_addresses(v=4), some.integers(0, 32))
    | some.tuples(some.ip_addresses(v=6), some.integers(0, 128)),
)
def test_containing_and_overlapping(one: tuple[Any, int], address: Any, two: tuple[Any, int]) -> None:
    """Against the standard library."""
    first, second = (parse_prefix(f"{where}/{length}") for where, length in (one, two))
    assert contains(str(first), canonical(str(address))) == (address in first)
    assert overlap(str(first), str(second)) == (first.version == second.version and first.overlaps(second))
