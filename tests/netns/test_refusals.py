"""What is refused as it was asked: one clear sentence and a hint, its own exit status, and nothing changed."""

from __future__ import annotations

import json

import pytest

from kit.lab import Lab
from kit.setup import joined, opened, refused

BAD_NAMES = {
    "empty": "",
    "a space": "a b",
    "a slash": "a/b",
    "up and away": "../../etc",
    "a dot": ".",
    "quotes": "a'b",
    "double quotes": 'a"b',
    "a semicolon": "a;reboot",
    "a newline": "a\nb",
    "an escape": "a\x1b[31mb",
    "300 characters": "n" * 300,
    "a leading dash": "-n",
    "a dollar": "$(id)",
    "a star": "*",
    "a colon": "a:b",
    "not ASCII": "nétz",
    "a brace": "n}",
    "a tab": "a\tb",
    "a backslash": "a\\b",
}
OTHER_FORMS = ("a:b", "../../etc", "a/b")  # of a path, or of a resolver: looked for, and not found
BAD_PLACES = [
    "../../../proc/1/ns/net",
    "/etc/passwd",
    "/run/netns",
    "/run/netns/../netns/",
    "pid:",
    "pid:0",
    "pid:-1",
    "pid:abc",
    "pid:99999999999",
]
BAD_SUBNETS = [
    "0.0.0.0/0",
    "10.0.0.0/31",
    "10.0.0.0/32",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0",
    "10.0.0.256/24",
    "::/0",
    "fd00::/129",
    "224.0.0.0/24",
    "127.0.0.0/8",
    "127.5.0.0/24",
    "169.254.0.0/16",
    "ff02::/64",
    "fe80::/64",
    "::1/128",
    "255.255.255.0/24",
    "0.0.0.0/24",
    "abc",
    "192.168.1.0/24",
    "192.168.0.0/16",
    "192.168.1.128/25",
    "198.51.100.0/25",
    "2001:db8:51::/64",
    "10.0.0.0/24,10.0.0.128/25",
]
BAD_CREATE = """
--subnet 10.0.0.0/24 --gateway 10.0.1.1 | --subnet 10.0.0.0/24 --gateway 10.0.0.0 | --gateway x | --uplink nope0
--subnet 10.0.0.0/24 --gateway 10.0.0.255 | --uplink a/b | --uplink lo; | --external-address 192.0.2.1
--external-address 127.0.0.1 | --external-address abc | --mtu 10 | --mtu 70000 | --mtu x | --mtu=-5
--label novalue | --label =v | --internal
"""
BAD_PORTS = ["0", "70000", "65536", "-1", "50010-50000", "1-", "-5", "a", "1-2-3", "50000.5", "0-10", "65530-65540"]
BAD_PORTS += [" ", "50_000", "٣", "1;2"]
BAD_OPEN = """
--protocol icmp | --protocol tcp; | --remote x | --remote 10.0.0.0/33 | --remote= | --endpoint nope
--external-address x | --external-address 192.168.1.2
"""
BAD_PUBLISH = [
    ":",
    "80",
    "a:b",
    "0:80",
    "70000:80",
    "50000:80",
    "50100:80/icmp",
    "1:2:3:4",
    "127.0.0.1:50100:80",
    "50100-50090:80",
    "50100:0",
    "50100:80/tcp/udp",
    "[::1]:50100:80",
]
BAD_JOIN = """
--ip x | --ip 10.0.0.1 | --mac x | --mac 01:00:00:00:00:01 | --mac 00:00:00:00:00:00 | --interface lo
--interface aaaaaaaaaaaaaaaa | --interface a/b | --interface .. | --priority x
"""
NOT_THERE = """
join nobody n1 | join c2 nope | leave c2 n1 | leave nobody n1 | destroy nope | get nope | endpoint c2 nope
close c1 n1 --protocol tcp --external-port 50999 | close c1 n1 --protocol udp --external-port 50000 | close --id 77
open c2 n1 --internal-port 80 | open c1 n2 --internal-port 80 | exec nobody -- true
"""


def commands(text: str) -> list[list[str]]:
    """Return the words of each command of a list."""
    return [part.split() for part in text.replace("\n", "|").split("|") if part.strip()]


@pytest.fixture
def ready(lab: Lab) -> Lab:
    """A lab with a container on a network, a port of it, and a container that has not joined."""
    joined(lab)
    opened(lab, 50000, 80)
    lab.container("c2")
    return lab


def guarded(*operands: str) -> list[str]:
    """Return operands with ``--`` before them where one would be taken for an option."""
    return ["--", *operands] if any(text.startswith("-") for text in operands) else list(operands)


@pytest.mark.parametrize("what", BAD_NAMES)
def test_names(ready: Lab, what: str) -> None:
    name = BAD_NAMES[what]
    refused(ready, "create", "--nat", *guarded(name))
    refused(ready, "destroy", *guarded(name))
    refused(ready, "join", *guarded("c2", name))
    if name not in OTHER_FORMS:
        refused(ready, "join", *guarded(name, "n1"))
    if name:
        refused(ready, "get", *guarded(name))
        refused(ready, "run", "--network", "n1", f"--name={name}", "--", "true")


@pytest.mark.parametrize("place", [*OTHER_FORMS, *BAD_PLACES])
def test_containers_that_are_none(ready: Lab, place: str) -> None:
    refused(ready, "join", place, "n1")


def test_half_a_command(ready: Lab) -> None:
    before = ready.world()
    for command in (
        "create -n --nat",
        "join -x n1",
        "create --nat",
        "join c2",
        "open",
        "frobnicate",
        "open c1 n1 --nope",
    ):
        done = ready.result(*command.split())
        assert done.returncode == 2, f"{command}: {done.stderr}"
        assert "Traceback" not in done.stderr
    assert ready.world() == before


@pytest.mark.parametrize("subnets", BAD_SUBNETS)
def test_subnets(ready: Lab, subnets: str) -> None:
    refused(ready, "create", "n2", "--nat", *[word for subnet in subnets.split(",") for word in ("--subnet", subnet)])


def test_subnets_that_are_not_even_words(ready: Lab) -> None:
    for subnet in ("", "10.0.0.0/24; drop", "10.0.0.0/24\n", " 10.0.0.0/24"):
        refused(ready, "create", "n2", "--nat", "--subnet", subnet)


def test_other_words_of_create(ready: Lab) -> None:
    for options in commands(BAD_CREATE):
        refused(ready, "create", "n2", "--nat", *options)
    refused(ready, "create", "n2", "--nat", "--label", "a=b\nc")
    refused(ready, "create", "n1", "--nat", status=4)
    refused(ready, "create", "n2", "--subnet", "10.0.0.0/24")
    refused(ready, "create", "n2", "--internal", "--external-address", "198.51.100.1")


@pytest.mark.parametrize("port", BAD_PORTS)
def test_ports(ready: Lab, port: str) -> None:
    refused(ready, "open", "c1", "n1", f"--external-port={port}", "--internal-port", "80")
    refused(ready, "open", "c1", "n1", "--external-port", "50100", f"--internal-port={port}")
    refused(ready, "close", "c1", "n1", f"--external-port={port}")


def test_other_words_of_open(ready: Lab) -> None:
    for options in commands(BAD_OPEN):
        refused(ready, "open", "c1", "n1", "--external-port", "50100", "--internal-port", "80", *options)
    for external, internal in (("50100-50110", "80-85"), ("50100-50110", "65530")):
        refused(ready, "open", "c1", "n1", "--external-port", external, "--internal-port", internal)


def test_other_words_of_join(ready: Lab) -> None:
    for text in ("", *BAD_PUBLISH):
        refused(ready, "join", "c2", "n1", f"-p={text}" if not text else "-p", *([text] if text else []))
    for options in commands(BAD_JOIN):
        refused(ready, "join", "c2", "n1", *options)


@pytest.mark.parametrize("command", commands(NOT_THERE), ids=" ".join)
def test_what_is_not_there(ready: Lab, command: list[str]) -> None:
    refused(ready, *command, status=3)


def test_errors_for_programs(ready: Lab) -> None:
    done = ready.result("join", "c2", "nope", "--json")
    told = json.loads(done.stdout or done.stderr)
    told = told.get("error", told)
    assert done.returncode == 3
    assert told["code"]
    assert told["hint"]
