"""The pure halves of the kernel door: bytes to values and back, without a kernel."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

from containernet.kernel import announce, netlink, ports
from containernet.kernel.codec import Codec
from containernet.kernel.refusals import explained
from containernet.plan.objects import Element
from containernet.plan.ruleset import SETS

FIELDS = {
    "ifname": some.text("abcdefgh-0123456789", min_size=1, max_size=15),
    "inet_proto": some.sampled_from(["tcp", "udp", "sctp"]),
    "inet_service": some.integers(0, 65535),
    "ipv4_addr": some.ip_addresses(v=4).map(str),
    "ipv6_addr": some.binary(min_size=16, max_size=16).map(lambda raw: __import__("socket").inet_ntop(10, raw)),
    "ipv4_addr/interval": some.tuples(some.ip_addresses(v=4), some.integers(0, 32)).map(lambda one: _prefix(*one)),
    "ipv6_addr/interval": some.tuples(some.ip_addresses(v=6), some.integers(0, 128)).map(lambda one: _prefix(*one)),
}


def _prefix(address: object, length: int) -> str:
    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    from containernet.model.address import canonical

    return f"{canonical(str(network.network_address))}/{length}"


@pytest.mark.parametrize("name", SETS)
@given(data=some.data())
def test_an_element_comes_back_as_it_went(name: str, data: some.DataObject) -> None:
    key, value = SETS[name]
    element = Element(
        name, tuple(data.draw(FIELDS[kind]) for kind in key), tuple(data.draw(FIELDS[kind]) for kind in value)
    )
    codec = Codec(name)
    packed = codec.pack(element, True)
    assert len(packed) == codec.size(True) == struct.unpack_from("=H", packed)[0]
    assert codec.unpack(packed[4:]) == element
    assert len(codec.pack(element, False)) == codec.size(False)


@given(some.dictionaries(some.integers(0, 0x3FFF), some.binary(max_size=40)))
def test_attributes_come_back_as_they_went(values: dict[int, bytes]) -> None:
    packed = b"".join(netlink.attribute(kind, value) for kind, value in values.items())
    assert len(packed) % 4 == 0
    assert netlink.attributes(packed) == values
    assert netlink.listed(packed) == list(values.values())


@given(some.binary(max_size=200))
def test_no_bytes_break_the_parsers(data: bytes) -> None:
    netlink.attributes(data)
    netlink.listed(data)
    netlink.refused(data, 0, 0)


def test_a_refusal_says_what_the_kernel_says() -> None:
    said = netlink.text(1, "Device does not exist") + netlink.u32(2, 36)
    body = struct.pack("=i", -19) + bytes(16) + said
    refusal = netlink.refused(body, 0x300, 3)
    assert refusal
    assert (refusal.errno, refusal.detail, refusal.message, refusal.offset) == (19, "Device does not exist", 3, 36)
    error = explained("add veth ce-7", refusal)
    assert error.sentence == "The kernel refused to add veth ce-7: No such device (Device does not exist)."
    assert error.reason == "absent"
    assert netlink.refused(struct.pack("=i", 0), 0x100, 0) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("00000000", "0.0.0.0"),
        ("00000000000000000000000001000000", "::1"),
        ("0000000000000000FFFF00000200070A", "10.7.0.2"),
        ("000007FD000000000000000002000000", "fd07::2"),
    ],
)
def test_addresses_of_proc_net(text: str, address: str) -> None:
    if netlink.byteorder != "little":
        pytest.skip("the examples are of a little-endian machine")
    assert ports._address(text) == address


def test_an_advertisement_overrides() -> None:
    made = announce.advertisement(b"\2\0\0\0\0\1", bytes(15) + b"\7")
    assert made == b"\x88\0\0\0\x20\0\0\0" + bytes(15) + b"\7" + b"\2\1" + b"\2\0\0\0\0\1"
