"""Ports as people write them: what is understood, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from containernet.model.errors import Usage
from containernet.model.ports import Wanted, external_address, port_range, protocol, publication, wanted
from kit.nouns import REPEATABLE


@pytest.mark.parametrize(
    ("text", "ports"),
    [("80", (80, 80)), ("1", (1, 1)), ("65535", (65535, 65535)), ("8000-8010", (8000, 8010)), ("7-7", (7, 7))],
)
def test_a_range(text: str, ports: tuple[int, int]) -> None:
    assert port_range(text) == ports


BAD_RANGES = (
    "", "0", "65536", "80-", "-80", "-", "80-79", "1-2-3", "8 0", " 80", "80\n", "+80", "0x50", "1e3", "٣", "８０",
    "http", "80.0", "80-65536", "0-1", "999999999999",
)  # fmt: skip


@pytest.mark.parametrize("text", BAD_RANGES)
def test_no_range(text: str) -> None:
    with pytest.raises(Usage) as refusal:
        port_range(text)
    assert refusal.value.code == "port-invalid"
    assert refusal.value.hint
    assert refusal.value.sentence.isprintable()


@REPEATABLE
@given(some.text(max_size=8))
def test_no_text_breaks_it(text: str) -> None:
    try:
        first, last = port_range(text)
    except Usage:
        return
    assert 1 <= first <= last <= 65535


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("8080:80", Wanted("tcp", "", 8080, 8080, 80)),
        ("8080:80/udp", Wanted("udp", "", 8080, 8080, 80)),
        ("8080:80/SCTP", Wanted("sctp", "", 8080, 8080, 80)),
        ("8000-8010:80-90", Wanted("tcp", "", 8000, 8010, 80)),
        ("8000-8010:80", Wanted("tcp", "", 8000, 8010, 80)),  # as many from 80 on
        ("192.0.2.1:8080:80", Wanted("tcp", "192.0.2.1", 8080, 8080, 80)),
        ("[2001:DB8::1]:8080:80/udp", Wanted("udp", "2001:db8::1", 8080, 8080, 80)),
        ("65535:65535", Wanted("tcp", "", 65535, 65535, 65535)),
    ],
)
def test_a_publication(text: str, mapping: Wanted) -> None:
    assert publication(text) == mapping


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "publish-invalid"),
        ("80", "publish-invalid"),
        (":80", "publish-invalid"),
        ("8080:", "publish-invalid"),
        (":8080:80", "publish-invalid"),
        ("8080:80/", "publish-invalid"),
        ("2001:db8::1:8080:80", "publish-invalid"),
        ("[2001:db8::1:8080:80", "publish-invalid"),
        ("2001:db8::1]:8080:80", "publish-invalid"),
        ("[]:8080:80", "publish-invalid"),
        ("8080:80/icmp", "protocol-invalid"),
        ("8080:80/tcp/udp", "protocol-invalid"),
        ("0:80", "port-invalid"),
        ("8080:0", "port-invalid"),
        ("8080:http", "port-invalid"),
        ("65530-65535:65535", "port-invalid"),
        ("8000-8001:80-82", "port-sizes"),
        ("8000:80-81", "port-sizes"),
        ("0.0.0.0:8080:80", "address-any"),
        ("[::]:8080:80", "address-any"),
        ("127.0.0.1:8080:80", "address-loopback"),
        ("127.9.9.9:8080:80", "address-loopback"),
        ("[::1]:8080:80", "address-loopback"),
        ("192.0.2:8080:80", "address-invalid"),
        ("host:8080:80", "address-invalid"),
        ("192.0.2.1/32:8080:80", "publish-invalid"),
    ],
)
def test_no_publication(text: str, code: str) -> None:
    with pytest.raises(Usage) as refusal:
        publication(text)
    assert refusal.value.code in (code, "protocol-invalid" if "/" in text else code)
    assert refusal.value.hint


@REPEATABLE
@given(some.text("0123456789:[]-/.tcpudx", max_size=20))
def test_no_publication_breaks_it(text: str) -> None:
    try:
        found = publication(text)
    except Usage:
        return
    size = found.external_last - found.external_first
    assert 1 <= found.external_first <= found.external_last <= 65535
    assert 1 <= found.internal_first <= found.internal_first + size <= 65535
    assert found.protocol in ("tcp", "udp", "sctp")


@REPEATABLE
@given(
    some.sampled_from(["tcp", "udp", "sctp"]),
    some.sampled_from(["", "192.0.2.1", "2001:db8::1"]),
    some.integers(1, 65000),
    some.integers(0, 500),
    some.integers(1, 65000),
)
def test_what_is_written_is_understood(kind: str, address: str, first: int, more: int, inside: int) -> None:
    shown = f"[{address}]:" if ":" in address else f"{address}:" if address else ""
    text = f"{shown}{first}-{first + more}:{inside}-{inside + more}/{kind}"
    assert publication(text) == Wanted(kind, address, first, first + more, inside)
    assert wanted(kind, address, f"{first}-{first + more}", str(inside)) == publication(text)


def test_without_an_external_port_as_many_as_inside_are_wanted() -> None:
    assert wanted("tcp", "", "", "80") == Wanted("tcp", "", 0, 0, 80)
    assert wanted("tcp", "", "", "80-89") == Wanted("tcp", "", 0, 9, 80)


def test_who_may_use_it_is_kept() -> None:
    assert wanted("tcp", "", "1", "1", ("10.0.0.0/8",)).remotes == ("10.0.0.0/8",)


@pytest.mark.parametrize("text", ["", "icmp", "tcp ", "6", "TC P"])
def test_no_protocol(text: str) -> None:
    with pytest.raises(Usage):
        protocol(text)


def test_an_address_is_kept_in_its_one_form() -> None:
    assert external_address("2001:0DB8:0::1") == "2001:db8::1"
    assert external_address("") == ""
