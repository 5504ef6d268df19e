"""DHCPv6 messages: values to bytes and back, bytes made by hand, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from containernet.services.dhcp4.malformed import Malformed
from containernet.services.dhcp6 import options
from containernet.services.dhcp6.message import ADVERTISE, REPLY, SOLICIT, Message, decode, encode
from containernet.services.dhcp6.options import Association, Offered, Status

REPEATABLE = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
addresses = some.ip_addresses(v=6).map(str).map(lambda one: options.unpacked(options.packed(one)))
name = some.lists(some.from_regex(r"\A[a-z0-9_][a-z0-9]{0,20}\Z"), min_size=1, max_size=4).map(".".join)
seconds = some.integers(0, 2**32 - 1)
duid = some.just(b"") | some.binary(min_size=3, max_size=130)
status = some.builds(Status, some.integers(0, 65535), some.text("abc .-", max_size=40))
offered = some.builds(Offered, addresses, seconds, seconds, status)
association = some.builds(Association, seconds, seconds, seconds, some.lists(offered, max_size=3).map(tuple), status)
messages = some.builds(
    Message,
    kind=some.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 11]), xid=some.integers(0, 2**24 - 1),
    client=duid, server=duid, associations=some.lists(association, max_size=3).map(tuple),
    wanted=some.lists(some.integers(0, 65535), max_size=9).map(tuple), preference=some.integers(0, 255),
    elapsed=some.none() | some.integers(0, 65535), status=status, rapid=some.booleans(),
    dns=some.lists(addresses, max_size=5, unique=True).map(tuple),
    search=some.lists(name, max_size=5, unique=True).map(tuple),
    refresh=some.none() | seconds, fqdn=some.just("") | name,
    sol_max_rt=some.none() | seconds, inf_max_rt=some.none() | seconds,
)  # fmt: skip


@REPEATABLE
@given(messages)
def test_a_message_comes_back_as_it_went(one: Message) -> None:
    assert decode(encode(one)) == one


# --- bytes made by hand ---

CLIENT = bytes.fromhex("0004 000102030405060708090a0b0c0d0e0f")
SERVER = bytes.fromhex("0003 0001 0242ac110001")
HAND = bytes.fromhex(
    "07 abcdef"
    "0001 0012 0004000102030405060708090a0b0c0d0e0f"
    "0002 000a 000300010242ac110001"
    "0003 0028 00000007 0000012c 000001e0"
    "  0005 0018 20010db8005100000000000000000100 00000258 00000384"
    "000d 000a 0000 61696d61626c6573"
    "0017 0010 20010db8005100000000000000000053"
    "0018 000d 036c616e076578616d706c6500"
    "0052 0004 00000e10"
    "ffff 0003 010203"
)


def test_a_reply_made_by_hand_is_read() -> None:
    assert decode(HAND) == Message(
        REPLY, 0xABCDEF, CLIENT, SERVER,
        (Association(7, 300, 480, (Offered("2001:db8:51::100", 600, 900),)),),
        status=Status(0, "aimables"), dns=("2001:db8:51::53",), search=("lan.example",), sol_max_rt=3600,
    )  # fmt: skip


def test_a_solicit_has_the_bytes_that_the_rfc_says() -> None:
    one = Message(SOLICIT, 1, CLIENT, associations=(Association(7),), wanted=(23, 24), elapsed=0, rapid=True, fqdn="c1")
    assert encode(one) == bytes.fromhex(
        "01 000001"
        "0001 0012 0004000102030405060708090a0b0c0d0e0f"
        "0003 000c 00000007 00000000 00000000"
        "0006 0004 0017 0018"
        "0027 0004 01 02 6331"
        "000e 0000"
        "0008 0002 0000"
    )


def test_a_name_with_a_dot_is_whole_and_one_without_is_not() -> None:
    assert options.pack_fqdn("c1.lan") == b"\1\2c1\3lan\0"
    assert options.pack_fqdn("c1") == b"\1\2c1"
    assert options.fqdn(b"\0\2c1\3lan") == "c1.lan" and options.fqdn(b"\0") == ""


def test_a_name_that_is_not_proper_is_left_out() -> None:
    assert decode(bytes((REPLY, 0, 0, 1)) + options.pack([(options.SEARCH, b"\3a;b\0\3lan\0")])).search == ("lan",)


def option(code: int, value: str) -> bytes:
    return options.pack([(code, bytes.fromhex(value))])


ADDRESS = "20010db8005100000000000000000100"


@pytest.mark.parametrize(
    "wrong",
    [
        b"\0",
        b"\0\1\0",
        b"\0\1\0\5abcd",
        option(options.CLIENT_ID, ""),
        option(options.CLIENT_ID, "0004"),
        option(options.SERVER_ID, "00" * 131),
        option(options.CLIENT_ID, "000401") * 2,
        option(options.DNS, ADDRESS) * 2,
        option(options.DNS, ""),
        option(options.DNS, ADDRESS[2:]),
        option(options.PREFERENCE, "0101"),
        option(options.ELAPSED, "01"),
        option(options.RAPID, "01"),
        option(options.REFRESH, "01"),
        option(options.SOL_MAX_RT, "0001"),
        option(options.INF_MAX_RT, ""),
        option(options.STATUS, "00"),
        option(options.WANTED, "001700"),
        option(options.FQDN, ""),
        option(options.SEARCH, "036161"),
        option(options.SEARCH, "c000"),
        option(options.IA_NA, "0000000700000000000000"),
        option(options.IA_NA, "000000070000000000000000" + "0005001700"),
        option(options.IA_NA, "000000070000000000000000" + "00050017" + ADDRESS + "00" * 7),
        option(options.IA_NA, "000000070000000000000000" + "0005001a" + ADDRESS + "00" * 8 + "000d"),
        option(options.IA_NA, "000000070000000000000000" + "000d0002000d" + "000d0002000d"),
    ],
)
def test_what_is_wrong_is_malformed(wrong: bytes) -> None:
    with pytest.raises(Malformed):
        decode(bytes((ADVERTISE, 0, 0, 1)) + wrong)


@pytest.mark.parametrize("data", [b"", b"\7", b"\7\0\0", b"\0\0\0\1", b"\x0a\0\0\1", b"\x0c\0\0\1", b"\xff\0\0\1"])
def test_what_is_no_message_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


def test_what_is_cut_off_anywhere_is_malformed_or_shorter() -> None:
    whole = 0
    for length in range(len(HAND)):
        try:
            decode(HAND[:length])
            whole += 1
        except Malformed:
            pass
    assert whole == 8  # after the head, and after each option but the last
