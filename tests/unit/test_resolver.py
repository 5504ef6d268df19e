"""Which DNS servers a container asks: from leases to a file's text, and from any text back; hostile words left out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from containernet.drivers.objects import objects
from containernet.drivers.resolver import SEARCH, SERVERS, name_of
from containernet.model.errors import Different
from containernet.model.network import INTERNAL, Compartment, Endpoint
from containernet.model.record import replace
from containernet.plan.diff import diff
from containernet.plan.intent import Intent
from containernet.plan.objects import Resolver, Route
from containernet.plan.operations import Add, Remove
from containernet.plan.resolver import MADE, content, parsed
from containernet.plan.text import text
from kit import leasing
from kit.memory import MemoryHost, directories
from kit.nouns import MARK, REPEATABLE, compartment, endpoint, lease, network

ONE = Resolver("c2", ("192.0.2.53", "2001:db8::53"), ("a.example", "b.example"), MARK)
NETS = (network(1), network(2), network(3, kind=INTERNAL))


def made(*endpoints: Endpoint, place: Compartment | None = None) -> list[Resolver]:
    """Return the files of an intent with these endpoints."""
    found = objects(Intent(NETS, (place or compartment(),), endpoints), MARK)
    return [one for one in found if isinstance(one, Resolver)]


def test_a_lease_with_servers_is_a_file_and_one_without_is_none() -> None:
    assert made(endpoint(1, leases=(lease(),))) == [ONE]
    assert made(endpoint(1)) == []
    assert made(endpoint(1, leases=(lease(dns=()),))) == []
    assert made(endpoint(1, leases=(lease(),)), place=compartment(cookie=0)) == []  # it waits for its container


def test_the_domain_stands_in_where_there_is_no_search_list() -> None:
    assert made(endpoint(1, leases=(lease(search=(), domain="example.org"),))) == [
        replace(ONE, search=("example.org",))
    ]
    assert made(endpoint(1, leases=(lease(domain="example.org"),))) == [ONE]
    assert made(endpoint(1, leases=(lease(search=(), domain=""),))) == [replace(ONE, search=())]


def test_the_endpoint_with_the_default_route_comes_first_then_priority_then_the_first_joined() -> None:
    ends = [
        endpoint(1, NETS[2], leases=(lease(dns=("192.0.2.1",), search=("one.example",)),), priority=9),  # no way out
        endpoint(2, NETS[0], leases=(lease(dns=("192.0.2.2",), search=("two.example", "ONE.example")),)),
        endpoint(3, NETS[1], leases=(lease(dns=("192.0.2.3", "192.0.2.2"), search=()),), priority=5),
    ]
    (found,) = made(*ends)
    assert found.servers == ("192.0.2.3", "192.0.2.2", "192.0.2.1")
    assert found.search == ("one.example", "two.example")
    (found,) = made(*ends, place=compartment(routed="46"))  # another has the default route: it says nothing of ours
    assert found.servers == ("192.0.2.1", "192.0.2.3", "192.0.2.2")


def test_both_versions_are_one_list_of_three() -> None:
    four, six = lease(dns=("192.0.2.1", "192.0.2.2")), lease(family=6, dns=("fe80::1", "2001:db8::1"), search=())
    (found,) = made(endpoint(1, leases=(four, six), interface="lan"))
    assert found.servers == ("192.0.2.1", "192.0.2.2", "fe80::1%lan")
    assert len(found.servers) == SERVERS


def test_a_search_list_ends_where_the_room_ends() -> None:
    long = [f"{letter * 60}.example" for letter in "abcdef"]
    (found,) = made(endpoint(1, leases=(lease(search=tuple(long)),)))
    assert found.search == tuple(long[:3])
    exact = ("a" * 63 + "." + "b" * 63, "c" * 63 + "." + "d" * 63, "e")
    (found,) = made(endpoint(1, leases=(lease(search=exact),)))
    assert len(" ".join(found.search)) <= SEARCH


@pytest.mark.parametrize(
    "word",
    [
        "a b",
        "a\nnameserver 6.6.6.6",
        "a\tb",
        "a\0b",
        "",
        "a'b",
        "$(id)",
        "-x",
        ".",
        "a\u2028b",
        "b\xfccher.de",
        "x" * 254,
    ],
)
def test_what_is_no_name_is_left_out(word: str) -> None:
    assert made(endpoint(1, leases=(lease(search=(word, "fine.example")),))) == [replace(ONE, search=("fine.example",))]
    assert made(endpoint(1, leases=(lease(search=(), domain=word),))) == [replace(ONE, search=())]


@pytest.mark.parametrize("word", ["192.0.2.53\n", "192.0.2", "::1 ::2", "fe80::1%eth0", "", "name.example", "1.2.3.4;"])
def test_what_is_no_address_is_left_out(word: str) -> None:
    assert made(endpoint(1, leases=(lease(dns=(word, *ONE.servers)),))) == [ONE]


@REPEATABLE
@given(some.lists(some.text(), max_size=4), some.lists(some.text(), max_size=4), some.text())
def test_whatever_a_server_says_a_line_is_a_line(dns: list[str], search: list[str], domain: str) -> None:
    said = lease(dns=("192.0.2.53", *dns), search=tuple(search), domain=domain)
    (found,) = made(endpoint(1, leases=(said,)))
    for line in content(found, made=False).splitlines()[2:]:
        assert re.fullmatch(r"search( [A-Za-z0-9_.-]+)+|nameserver [0-9a-f.:]+", line)
    assert all(line.isprintable() for line in text(Add(found)))


def test_who_has_a_name_in_etc() -> None:
    def name(path: str, container: str = "c2", *, lasting: bool = True) -> str:
        return name_of(compartment(path=path, container=container, lasting=lasting))

    assert name("/run/netns/web", "other") == "web"
    assert name("/var/run/netns/web.1") == "web.1"
    assert name("/proc/7/ns/net", "run-a1b2c3", lasting=False) == "run-a1b2c3"
    for path in (
        "/run/netns/",
        "/run/netns/..",
        "/run/netns/.web",
        "/run/netns/a b",
        "/run/netns/a/b",
        "/srv/netns/web",
    ):
        assert name(path) == ""
    assert name("/proc/7/ns/net", "pid:7", lasting=False) == ""
    assert name("/proc/7/ns/net", "of-a-runtime") == ""


def test_a_file_is_the_last_that_is_made_and_the_first_that_goes() -> None:
    intent = Intent(NETS, (compartment(),), (endpoint(1, leases=(lease(),)), endpoint(2, NETS[1])))
    every = objects(intent, MARK)
    assert diff([], every)[-1] == Add(ONE)
    takes = [step for step in diff(every, []) if isinstance(step, Remove)]
    assert takes[0] == Remove(ONE)
    assert any(isinstance(step.object, Route) for step in takes)


# --- text and back ---

words = some.from_regex(r"[a-z0-9][a-z0-9-]{0,20}(\.[a-z0-9]{1,9}){0,3}", fullmatch=True)
servers = some.ip_addresses().map(str)
resolvers = some.builds(
    Resolver, words, some.lists(servers, min_size=1, max_size=3).map(tuple), some.lists(words, max_size=4).map(tuple),
    some.integers(0, 2**32 - 1),
)  # fmt: skip


@REPEATABLE
@given(resolvers, some.booleans())
def test_a_file_says_what_it_was_written_for(one: Resolver, with_directory: bool) -> None:
    assert parsed(content(one, with_directory)) == (one, with_directory)


@REPEATABLE
@given(resolvers, some.integers(0, 400), some.text(min_size=1, max_size=3))
def test_a_file_with_anything_else_in_it_is_another(one: Resolver, at: int, more: str) -> None:
    plain = content(one, made=False)
    edited = plain[: at % len(plain)] + more + plain[at % len(plain) :]
    found = parsed(edited)
    assert found is None or found[0] != one or found[1]


@pytest.mark.parametrize("text", ["", "nameserver 192.0.2.1\n", "# DNS servers of a b, by ContainerNet", MADE])
def test_what_does_not_say_so_is_not_ours(text: str) -> None:
    assert parsed(text) is None


def test_without_leases_nothing_of_this_is_loaded() -> None:
    """A join behind NAT pays nothing for it."""
    import subprocess

    code = (
        "import sys\nfrom containernet.verbs import join\nfrom containernet.kernel import linux\n"
        "from containernet.drivers import objects\n"
        "print([name for name in sys.modules if 'resolv' in name or name.endswith('.lease') or name == 're'])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": "src"}
    )
    assert done.stdout.strip() == "[]"


# --- on a host in memory ---


@pytest.fixture
def host() -> Iterator[MemoryHost]:
    """A host with two containers on a network, each with a lease."""
    with directories() as places:
        made = MemoryHost(next(places))
        made.container("c1", "c2")
        made.net().create("n1", nat=True)
        for name in ("c1", "c2"):
            made.net().join(name, "n1")
            leasing.lease(made.net(), name, "n1", dns=("192.0.2.53",))
        yield made


def test_a_file_in_the_way_keeps_nothing_else_from_being_mended(host: MemoryHost) -> None:
    for file in ("first", "second"):  # the one is moved aside, the other has no place to be moved to
        host.kernel.put_file("c1", file)
        with suppress(Different):
            host.net().repair()
    host.kernel.delete_file("c2")
    host.kernel.delete_link("ce-1")
    with pytest.raises(Different, match=r"but for /etc/netns/c1/resolv\.conf"):
        host.net().repair()
    (left,) = [line for line in host.net().status().drift if line.startswith("printf")]
    assert left.endswith("/etc/netns/c1/resolv.conf")
    assert host.kernel.files == {"c1": "second"}
    assert host.kernel.aside == {"c1": "first"}
    assert ("resolver", "c2") in host.kernel.objects
    assert ("link", "ce-1") in host.kernel.objects
    host.net().leave("c1", "n1")
    assert host.kernel.files == {"c1": "second"}


def test_files_of_another_store_are_not_touched(host: MemoryHost) -> None:
    theirs = Resolver("elsewhere", ("192.0.2.99",), (), 7)
    host.kernel.do(Add(theirs))
    host.kernel.delete_file("c1")
    host.net().repair()
    assert host.kernel.objects[theirs.identity] == theirs
    host.net().destroy("n1", force=True)
    assert [one for one in host.kernel.objects.values() if isinstance(one, Resolver)] == [theirs]


def test_a_dry_run_shows_the_lines(host: MemoryHost) -> None:
    net = host.net(dry_run=True)
    net.leave("c2", "n1")
    assert "rm -f /etc/netns/c2/resolv.conf" in net.plans
