"""Names of hosts and identifiers of clients: what servers are told of a container."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containernet.model import identity
from containernet.model.errors import Usage
from containernet.model.names import host_name
from containernet.verbs.given import spoken

GOOD = ["a", "web", "Web-1", "3com", "a.b.c", "x" * 63, ".".join(["x" * 63] * 3), "xn--bcher-kva"]
BAD = [
    "", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a-.b", "a b", "a_b", "a/b", "x" * 64, "é", "a\n", "\0",
    "a\x1b[0m", ".".join(["x" * 63] * 4) + ".x", "💥",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD, ids=range(len(GOOD)))
def test_names_of_hosts(text: str) -> None:
    assert host_name(text) == text
    assert spoken("web", text) == text


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_is_no_name_of_a_host(text: str) -> None:
    with pytest.raises(Usage) as error:
        host_name(text)
    assert error.value.code == "hostname-invalid"
    assert error.value.sentence.isascii()
    assert error.value.sentence.isprintable()
    if text:
        with pytest.raises(Usage):
            spoken("web", text)


SPOKEN = {
    "web": "web", "/run/netns/web": "web", "pid:7": "", "web_1": "", "web-": "", "/proc/7/ns/net": "", "a.b": "a.b",
}  # fmt: skip


@pytest.mark.parametrize("container", SPOKEN)
def test_what_a_server_is_told_when_nothing_is_said(container: str) -> None:
    """The container's name, if it can be a host's; that it cannot is nobody's mistake."""
    assert spoken(container, "") == SPOKEN[container]


@given(st.binary(min_size=16, max_size=16), st.text(), st.text())
def test_an_identifier_is_of_a_host_a_network_and_a_container(uuid: bytes, network: str, name: str) -> None:
    number = identity.iaid(network, name)
    made = identity.from_uuid(uuid, number)
    assert (len(made), made[:1], made[5:7], made[7:]) == (23, b"\xff", b"\0\4", uuid)
    assert identity.iaid_of(made) == number == identity.iaid(network, name)


def test_numbers_go_round() -> None:
    assert identity.following(7) == 8
    assert identity.following(0xFFFFFFFF) == 0


def test_identifiers_of_other_kinds() -> None:
    assert identity.from_mac(b"\2\0\0\0\0\1") == b"\1\2\0\0\0\0\1"
    assert identity.iaid_of(identity.from_mac(b"\2\0\0\0\0\1")) == -1
    assert identity.iaid_of(b"") == identity.iaid_of(b"\xff\0\0\0") == -1
    with pytest.raises(ValueError):
        identity.from_uuid(b"short", 1)
