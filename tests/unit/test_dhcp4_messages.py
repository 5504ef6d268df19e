"""DHCP messages, frames, names and leases: values to bytes and back, and what is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from containernet.model import identity, lease
from containernet.services.dhcp4 import frame, message, names, options
from containernet.services.dhcp4.malformed import Malformed
from containernet.services.dhcp4.message import Message, decode, encode
from kit.dhcp_talk import ADDRESS, CLIENT_ID, MAC, SERVER
from kit.dhcp_talk import lease as kept

REPEATABLE = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
addresses = some.ip_addresses(v=4).map(str)
label = some.from_regex(r"\A[a-z0-9_]([a-z0-9-]{0,20}[a-z0-9])?\Z")
name = some.lists(label, min_size=1, max_size=4).map(".".join)
lists = some.lists(addresses, max_size=70, unique=True).map(tuple)
prefix = some.tuples(some.integers(0, 2**32 - 1), some.integers(0, 32)).map(
    lambda one: f"{message.unpacked((one[0] >> 32 - one[1] << 32 - one[1]).to_bytes(4, 'big'))}/{one[1]}"
)
seconds = some.none() | some.integers(0, 2**32 - 1)
messages = some.builds(
    Message,
    op=some.integers(0, 255), kind=some.integers(0, 255), xid=some.integers(0, 2**32 - 1),
    chaddr=some.binary(min_size=6, max_size=6), secs=some.integers(0, 65535), broadcast=some.booleans(),
    ciaddr=addresses, yiaddr=addresses, siaddr=addresses, giaddr=addresses,
    requested=some.just("") | addresses, server=some.just("") | addresses,
    client_id=some.binary(max_size=40), seconds=seconds, t1=seconds, t2=seconds,
    prefix=some.none() | some.integers(0, 32),
    routers=lists, routes=some.lists(some.tuples(prefix, addresses), max_size=60).map(tuple), dns=lists,
    hostname=some.just("") | name, domain=some.just("") | name,
    search=some.lists(name, max_size=9, unique=True).map(tuple),
    mtu=some.integers(0, 65535), size=some.integers(0, 65535), parameters=some.binary(max_size=300),
    vendor=some.text("abc .-_", max_size=99), text=some.text("abc .-_", max_size=99),
)  # fmt: skip


@REPEATABLE
@given(messages)
def test_a_message_comes_back_as_it_went(one: Message) -> None:
    packed = encode(one)
    assert len(packed) >= 300
    assert decode(packed) == one


def raw(*parts: bytes, file: bytes = b"", sname: bytes = b"", end: bool = True) -> bytes:
    """Return an ACK with these bytes as its options."""
    fixed = struct.pack("!BBBBIHH4s4s4s4s16s64s128s", 2, 1, 6, 0, 7, 0, 0, b"", b"", b"", b"", MAC, sname, file)
    return fixed + b"\x63\x82\x53\x63" + b"".join(parts) + (b"\xff" if end else b"")


ACK = b"\x35\x01\x05"


def test_options_that_overflow_into_file_and_sname_are_read() -> None:
    file = b"\x36\x04\xc0\x00\x02\x01\xff"
    sname = b"\x33\x04\x00\x00\x0e\x10\xff"
    found = decode(raw(ACK, b"\x34\x01\x03", file=file, sname=sname))
    assert (found.server, found.seconds) == (SERVER, 3600)
    assert decode(raw(ACK, b"\x34\x01\x01", file=file, sname=sname)).seconds is None
    assert decode(raw(ACK, file=file, sname=sname)).server == ""
    assert decode(raw(ACK, b"\x34\x01\x01", file=b"\x34\x01\x02\xff", sname=sname)).seconds is None


def test_an_option_in_parts_is_one() -> None:
    routes = tuple((f"10.{number}.0.0/16", SERVER) for number in range(60))
    packed = options.pack_routes(routes)
    assert len(packed) > 255
    half = b"\x79\xff" + packed[:255] + b"\x01\x04\xff\xff\xff\x00" + bytes((121, len(packed) - 255)) + packed[255:]
    assert decode(raw(ACK, half)).routes == routes
    split = decode(raw(ACK, b"\x34\x01\x01\x79\x03" + packed[:3], file=b"\x79\x04" + packed[3:7] + b"\xff"))
    assert split.routes == routes[:1]


@pytest.mark.parametrize(
    "options_",
    [
        b"",  # no 53
        b"\x35\x00",  # an empty one
        b"\x35\x02\x05\x05",
        ACK + ACK,  # twice: one of two bytes (RFC 3396)
        ACK + b"\x33\x03\x00\x00\x01",
        ACK + b"\x33\x05\x00\x00\x01\x00\x00",
        ACK + b"\x01\x03\xff\xff\xff",
        ACK + b"\x01\x04\xff\x00\xff\x00",  # a mask with holes
        ACK + b"\x03\x00",
        ACK + b"\x03\x05\x01\x02\x03\x04\x05",
        ACK + b"\x06\x03\x01\x02\x03",
        ACK + b"\x1a\x01\x05",
        ACK + b"\x36\x03\x01\x02\x03",
        ACK + b"\x3a\x02\x00\x01",
        ACK + b"\x3d\x00",
        ACK + b"\x79\x00",
        ACK + b"\x79\x05\x21\x01\x02\x03\x04",  # a prefix of 33 bits
        ACK + b"\x79\x06\x18\x0a\x00\x00\x01\x02",
        ACK + b"\x34\x01\x04",
        ACK + b"\x34\x02\x01\x01",
        ACK + b"\x77\x02\xc0\x00",  # a name that points at itself
        ACK + b"\x77\x03\x05ab",
        ACK + b"\x77\x02\x40\x00",
    ],
)
def test_wrong_lengths_are_refused(options_: bytes) -> None:
    with pytest.raises(Malformed):
        decode(raw(options_))


def test_cut_off_messages_are_refused_at_every_length() -> None:
    whole = raw(ACK, b"\x36\x04\xc0\x00\x02\x01", b"\x33\x04\x00\x00\x0e\x10", end=False)
    for length in range(len(whole)):
        try:
            found = decode(whole[:length])
        except Malformed:
            continue
        assert found.seconds is None or length == len(whole)


def test_what_is_not_known_is_as_if_not_there() -> None:
    more = b"\x00\x00\x7d\x00\xfa\x03abc\x0f\x00"  # pads, an empty 125, 250, an empty domain
    assert decode(raw(ACK, more)) == decode(raw(ACK))
    assert decode(raw(ACK, end=False)) == decode(raw(ACK))
    assert decode(raw(ACK) + b"\x33\x01\x01") == decode(raw(ACK))  # after the end


@pytest.mark.parametrize("changed", [(0, 9), (1, 6), (2, 16), (236, 0), (239, 0)])
def test_what_is_not_dhcp_for_ethernet_is_refused(changed: tuple[int, int]) -> None:
    data = bytearray(raw(ACK))
    data[changed[0]] = changed[1]
    if changed[0] == 0:
        assert decode(bytes(data)).op == 9  # whose it is, is the machine's to judge
        return
    with pytest.raises(Malformed):
        decode(bytes(data))


# --- names ---


def test_names_are_compressed_as_rfc_3397_shows() -> None:
    packed = b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04"
    assert names.unpack_list(packed) == ("eng.apple.com", "marketing.apple.com")
    first, rest = packed[:12], packed[12:]
    found = decode(raw(ACK, bytes((119, len(first))) + first, bytes((119, len(rest))) + rest))
    assert found.search == ("eng.apple.com", "marketing.apple.com")


@pytest.mark.parametrize(
    "bad", ["a b", "a\nnameserver 6.6.6.6", "a..b", ".", "-a", "a;b", "x" * 64, "ä", ".".join("a" * 200)]
)
def test_what_would_spoil_resolv_conf_is_no_name(bad: str) -> None:
    assert names.from_bytes(bad.encode()) == ""
    label = bad.encode()[:63]
    assert names.unpack_list(bytes((len(label),)) + label + b"\x00") in ((), ("x" * 63,), ("a",))


@REPEATABLE
@given(some.binary(max_size=80))
def test_no_bytes_break_the_parsers(data: bytes) -> None:
    for parser in (
        names.unpack_list, options.unpack_routes, frame.parse, frame.parse_arp, decode, lambda d: decode(raw(ACK, d)),
        lambda d: decode(raw(ACK, b"\x34\x01\x03", file=d, sname=d[40:])),
    ):  # fmt: skip
        try:
            parser(data)
        except Malformed:
            continue


@REPEATABLE
@given(some.lists(name, max_size=12, unique=True).map(tuple))
def test_lists_of_names_come_back_as_they_went(one: tuple[str, ...]) -> None:
    assert names.unpack_list(names.pack_list(one)) == one


# --- frames ---

datagrams = some.builds(
    frame.Datagram,
    source=addresses, source_port=some.integers(0, 65535), destination=addresses,
    destination_port=some.integers(0, 65535), payload=some.binary(max_size=400),
    source_mac=some.binary(min_size=6, max_size=6), destination_mac=some.binary(min_size=6, max_size=6),
)  # fmt: skip


@REPEATABLE
@given(datagrams, some.binary(max_size=20))
def test_a_frame_comes_back_as_it_went(one: frame.Datagram, padding: bytes) -> None:
    assert frame.parse(frame.build(one) + padding) == one


@REPEATABLE
@given(datagrams, some.data())
def test_a_bit_that_fell_over_is_seen(one: frame.Datagram, data: some.DataObject) -> None:
    packed = bytearray(frame.build(one))
    where = data.draw(some.integers(14 * 8, len(packed) * 8 - 1))
    packed[where // 8] ^= 1 << where % 8
    checksum_to_zero = where // 8 in (40, 41) and packed[40:42] == b"\0\0"
    if not checksum_to_zero:  # which means that there is none
        with pytest.raises(Malformed):
            frame.parse(bytes(packed))


def test_a_checksum_left_to_hardware_is_not_looked_at() -> None:
    packed = bytearray(frame.build(frame.Datagram(SERVER, 67, ADDRESS, 68, b"hello")))
    packed[40] ^= 0xFF
    with pytest.raises(Malformed):
        frame.parse(bytes(packed))
    assert frame.parse(bytes(packed), summed=False).payload == b"hello"


def test_fragments_are_not_datagrams() -> None:
    for flags in (b"\x20\x00", b"\x00\x01", b"\x20\x07"):
        packed = bytearray(frame.build(frame.Datagram(SERVER, 67, ADDRESS, 68, b"hello")))
        packed[20:22] = flags
        packed[24:26] = b"\0\0"
        packed[24:26] = frame.checksum(bytes(packed[14:34])).to_bytes(2, "big")
        with pytest.raises(Malformed):
            frame.parse(bytes(packed))


def test_arp_comes_back_as_it_went() -> None:
    arp = frame.parse_arp(frame.arp_probe(MAC, ADDRESS))
    assert arp == frame.ArpPacket(frame.ASKS, MAC, "0.0.0.0", frame.NOBODY, ADDRESS)
    announced = frame.parse_arp(frame.arp_announcement(MAC, ADDRESS) + bytes(18))
    assert (announced.sender, announced.target) == (ADDRESS, ADDRESS)


# --- who we are, and what we keep ---


def test_a_client_id_is_stable_and_nobody_elses() -> None:
    host, other = bytes(range(16)), bytes(range(1, 17))
    made = identity.from_uuid(host, identity.iaid("lan", "c1"))
    assert made == CLIENT_ID
    assert made[:1] == b"\xff" and made[5:7] == b"\x00\x04" and len(made) == 23
    assert made != identity.from_uuid(other, identity.iaid("lan", "c1"))  # the same name on another host
    assert made != identity.from_uuid(host, identity.iaid("lan", "c2"))
    assert identity.iaid("ab", "c") != identity.iaid("a", "bc")
    number = identity.iaid("lan", "c1")
    assert identity.following(number) == number + 1
    assert identity.following((1 << 32) - 1) == 0
    assert identity.iaid_of(made) == number
    assert identity.iaid_of(identity.from_mac(MAC)) == -1


def test_a_lease_as_text_comes_back_as_it_went() -> None:
    one = kept(
        routers=(SERVER,), routes=(lease.LeasedRoute("0.0.0.0/0", SERVER), lease.LeasedRoute("10.0.0.0/8", "")),
        dns=(SERVER,), search=("example.org", "lan"), domain="lan", mtu=1400, hostname="c1", boot="b", wall=1.5,
    )  # fmt: skip
    text = lease.to_text(one)
    assert "\n" not in text
    assert lease.from_text(text) == one


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", "null", '{"address": 1}', '{"routes": 3}', '{"routes": [1]}'])
def test_what_is_no_lease_is_told_so(text: str) -> None:
    with pytest.raises(ValueError):
        lease.from_text(text)


def test_a_lease_is_dated_by_both_clocks() -> None:
    noted = lease.dated(kept(began=100.0), "boot1", now=160.0, wall=5060.0)
    assert (noted.wall, noted.expiry, noted.expiry_wall) == (5000.0, 3700.0, 8600.0)
    assert lease.recalled(noted, "boot1", now=170.0, wall=1e9).expiry == 3700.0  # the clock was set: no matter
    again = lease.recalled(noted, "boot2", now=20.0, wall=5600.0)  # 600 seconds after it began
    assert again.expiry - 20.0 == 3000.0
    assert lease.recalled(noted, "boot2", now=20.0, wall=10.0).expiry == 3620.0  # the clock went back: as if new
    assert lease.recalled(kept(boot="", wall=0.0), "boot2", now=20.0, wall=10.0).expiry < 20.0
    endless = kept(seconds=lease.FOREVER)
    assert lease.recalled(endless, "boot2", now=20.0, wall=1e9).expiry == float("inf")
