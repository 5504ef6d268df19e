"""The verbs' spelling: what is read, what is called, what is printed."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_cli_kit import ENDPOINT, INTERNAL, NETWORK, PORT, Console, on_stub  # noqa: F401

from containernet.cli import table
from containernet.model.errors import Conflict, ContainerNetError, NotFound
from containernet.model.record import plain, replace

CALLS = [
    ("create net1 --nat", "create", {"name": "net1", "nat": True}),
    ("create --nat net1 --subnet 10.0.0.0/8 --subnet=fd00::/64", "create", {"name": "net1", "nat": True, "subnets": ("10.0.0.0/8", "fd00::/64")}),
    ("create n --internal --gateway 10.0.0.1 --mtu 1400 --no-ipv6 --label a=b", "create", {"name": "n", "internal": True, "gateways": ("10.0.0.1",), "mtu": 1400, "ipv6": False, "labels": ("a=b",)}),
    ("create n --nat --uplink eth1 --external-address 1.2.3.4", "create", {"name": "n", "nat": True, "uplink": "eth1", "external_address": "1.2.3.4"}),
    ("destroy net1", "destroy", {"name": "net1"}),
    ("destroy net1 --force", "destroy", {"name": "net1", "force": True}),
    ("get", "get", {}),
    ("get net1", "get", {"name": "net1"}),
    ("join c n", "join", {"container": "c", "network": "n"}),
    ("join -- c n", "join", {"container": "c", "network": "n"}),
    ("join c n --ip 1.2.3.4 --ip fd00::1 --mac 02:00:00:00:00:01 --interface eth5 --priority 7", "join", {"container": "c", "network": "n", "ips": ("1.2.3.4", "fd00::1"), "mac": "02:00:00:00:00:01", "interface": "eth5", "priority": 7}),
    ("join c n -p 80:80 -p81:81 -p=82:82 --publish 83:83", "join", {"container": "c", "network": "n", "publish": ("80:80", "81:81", "82:82", "83:83")}),
    ("leave c n --endpoint c_n_2", "leave", {"container": "c", "network": "n", "endpoint": "c_n_2"}),
    ("open c n --protocol UDP --external-port 50000-50010 --internal-port 1-11 --remote 10.0.0.0/8 --endpoint e --external-address 1.1.1.1", "open", {"container": "c", "network": "n", "protocol": "udp", "external_port": "50000-50010", "internal_port": "1-11", "remotes": ("10.0.0.0/8",), "endpoint": "e", "external_address": "1.1.1.1"}),
    ("open c n --internal-port 80", "open", {"container": "c", "network": "n", "internal_port": "80"}),
    ("close c n --external-port 50000", "close", {"container": "c", "network": "n", "external_port": "50000"}),
    ("close --id 3", "close", {"id": 3}),
    ("endpoint", "endpoint", {}),
    ("ports c n", "ports", {"container": "c", "network": "n"}),
    ("status", "status", {}),
    ("repair", "repair", {}),
    ("restore", "restore", {}),
    ("config get port-range", "config_get", {"key": "port-range"}),
    ("config set port-range 1-2", "config_set", {"key": "port-range", "value": "1-2"}),
    ("config list", "config_list", {}),
    ("run --network a --network b -p 1:1 --name x -- sh -c ls", "run", {"networks": ("a", "b"), "publish": ("1:1",), "name": "x", "command": ("sh", "-c", "ls")}),
    ("run --network a sh -c ls", "run", {"networks": ("a",), "command": ("sh", "-c", "ls")}),
    ("exec c -- ip -br a", "exec", {"container": "c", "command": ("ip", "-br", "a")}),
    ("exec c ip -br a", "exec", {"container": "c", "command": ("ip", "-br", "a")}),
    ("exec c -- --json", "exec", {"container": "c", "command": ("--json",)}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "method", "keywords"), CALLS, ids=[line for line, _, _ in CALLS])
def test_a_command_line_calls_the_api_with_what_was_given(
    cnet: Console, line: str, method: str, keywords: dict[str, object]
) -> None:
    cnet(*line.split())
    assert cnet.net.calls == [(method, keywords)]


MISTAKES = [
    ("jion", "cnet has no command 'jion'.", "Did you mean 'join'?"),
    ("rm net1", "cnet has no command 'rm'.", "Did you mean 'destroy'?"),
    ("joi c n", "cnet has no command 'joi'.", "Did you mean 'join'?"),
    ("Join-ContainerNetwrok c n", "cnet has no command 'Join-ContainerNetwrok'.", "Did you mean 'Join-ContainerNetwork'?"),
    ("zzz", "cnet has no command 'zzz'.", "See 'cnet help'."),
    ("config", "'cnet config' needs one word more.", "Say 'cnet config get', 'cnet config set' or 'cnet config list'."),
    ("join c", "'cnet join' needs NETWORK.", "See 'cnet join --help'."),
    ("join c n x", "'x' is one word too many for 'cnet join'.", "See 'cnet join --help'."),
    ("join c n --ips 1", "'cnet join' has no option '--ips'.", "Did you mean '--ip'?"),
    ("join c n --ip", "--ip needs a value.", "See 'cnet join --help'."),
    ("join c n --ip --mac x", "--ip needs a value.", "See 'cnet join --help'."),
    ("join c n --mac a --mac b", "--mac is given twice.", "See 'cnet join --help'."),
    ("join c n --priority -1", "--priority needs a value.", "See 'cnet join --help'."),
    ("join c n --priority=x", "--priority needs a whole number, not 'x'.", "See 'cnet join --help'."),
    ("join c n --priority=\u00b2", "--priority needs a whole number, not '\\xb2'.", "See 'cnet join --help'."),
    ("join c n --json=1", "--json takes no value.", "See 'cnet join --help'."),
    ("open c n --protocol icmp --internal-port 1", "--protocol is one of tcp, udp, sctp, not 'icmp'.", "See 'cnet open --help'."),
    ("open c n", "'cnet open' needs --internal-port PORT[-PORT].", "See 'cnet open --help'."),
    ("close c n", "'cnet close' needs --external-port PORT[-PORT].", "See 'cnet close --help'."),
    ("close", "'cnet close' needs CONTAINER.", "See 'cnet close --help'."),
    ("run sh", "'cnet run' needs --network NETWORK.", "See 'cnet run --help'."),
    ("exec c --", "'cnet exec' needs COMMAND.", "See 'cnet exec --help'."),
    ("--jsn get", "'cnet get' has no option '--jsn'.", "Did you mean '--json'?"),
    ("help nosuch", "There is no help on 'nosuch'.", "See 'cnet help'."),
    ("completion tcsh", "SHELL is one of bash, zsh, fish, not 'tcsh'.", "See 'cnet completion --help'."),
]  # fmt: skip


@pytest.mark.parametrize(("line", "sentence", "hint"), MISTAKES, ids=[line for line, _, _ in MISTAKES])
def test_a_mistake_is_one_sentence_and_one_hint(cnet: Console, line: str, sentence: str, hint: str) -> None:
    said = cnet(*line.split())
    assert (said.status, said.out, said.err) == (2, "", f"cnet: {sentence}\n  {hint}\n")
    assert cnet.net.calls == []


@pytest.mark.parametrize(
    "line", ["--json --state-dir /s -v get", "get --json --state-dir=/s --verbose", "--state-dir /s get -v --json"]
)
def test_common_options_stand_before_or_after_the_verb(cnet: Console, line: str) -> None:
    said = cnet(*line.split())
    assert json.loads(said.out)[0]["name"] == "cnet1"
    assert cnet.net.made == {"state_dir": "/s", "dry_run": False}
    assert cnet.net.report.verbose


PRINTED = {
    "create n": "cnet1: 192.168.1.0/24, fd00:1::/64, behind NAT as 10.91.68.239 by eth0\n",
    "destroy n": "cnet1: destroyed, 1 endpoint taken off it; 192.168.1.0/24, fd00:1::/64 free again\n",
    "join c n": "Container1 joined cnet1: eth0 192.168.1.2/24, fd00:1::2/64, default route\n",
    "leave c n": "Container1 left cnet1: eth0 192.168.1.2/24, fd00:1::2/64\n",
    "open c n --internal-port 1": "10.91.68.239:50000/tcp -> 192.168.1.2:3389 (Container1, mapping 1)\n",
    "close --id 1": "closed 10.91.68.239:50000/tcp -> 192.168.1.2:3389 (Container1, mapping 1)\n",
    "get": (
        "NAME   KIND      SUBNETS                     UPLINK  EXTERNAL       MTU  ENDPOINTS\n"
        "cnet1  nat       192.168.1.0/24,fd00:1::/64  eth0    10.91.68.239  1500          1\n"
        "db     internal  192.168.1.0/24,fd00:1::/64  -       -             1500          0\n"
    ),
    "endpoint": (
        "ENDPOINT          CONTAINER   NETWORK  INTERFACE  ADDRESSES                    MAC                DEFAULT  PORTS  STATE\n"
        "Container1_cnet1  Container1  cnet1    eth0       192.168.1.2/24,fd00:1::2/64  02:00:00:00:00:02  yes          0  active\n"
    ),
    "ports": (
        "ID  PROTOCOL  EXTERNAL            INTERNAL          CONTAINER   NETWORK  FROM  STATE\n"
        " 1  tcp       10.91.68.239:50000  192.168.1.2:3389  Container1  cnet1    all   active\n"
    ),
    "status": (
        "version    0.1.0\nstate      /var/lib/containernet\nnetworks   1\nendpoints  1\nports      1\n"
        "nftables   our table is there\ndrift      none\n"
    ),
    "repair": "mended: nft add table inet containernet\nfreed: a_b (its container is gone)\nwaiting: c_d (its container is not back yet)\n",
    "restore": "Everything is as it should be.\n",
    "config get port-range": "50000-60000\n",
    "config set port-range 1-2": "port-range = 1-2\n",
    "config list": (
        "KEY         VALUE        DEFAULT      FOR\n"
        "port-range  50000-60000  50000-60000  The ports that cmdlets may open.\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("line", PRINTED)
def test_what_a_verb_prints(cnet: Console, line: str) -> None:
    said = cnet(*line.split())
    assert (said.status, said.out, said.err) == (0, PRINTED[line], "")


def test_get_of_one_network_prints_its_facts_and_its_endpoints(cnet: Console) -> None:
    cnet.net.results["get"] = (NETWORK,)
    out = cnet("get", "cnet1").out
    assert out.startswith("cnet1\nkind      nat\nsubnets   192.168.1.0/24, fd00:1::/64\n")
    assert "external  10.91.68.239/24\n" in out and "labels    tier=web\n\nENDPOINT  " in out


def test_join_prints_its_ports(cnet: Console) -> None:
    six = replace(
        PORT, shown_address="2001:db8::1", external_last=50010, internal_last=3399, internal_address="fd00:1::2"
    )
    cnet.net.results["join"] = replace(ENDPOINT, default_route=False, ports=(PORT, six))
    assert cnet("join", "c", "n").out == (
        "Container1 joined cnet1: eth0 192.168.1.2/24, fd00:1::2/64\n"
        "  10.91.68.239:50000/tcp -> 192.168.1.2:3389\n"
        "  [2001:db8::1]:50000-50010/tcp -> [fd00:1::2]:3389-3399\n"
    )


def test_an_internal_network_has_no_way_out(cnet: Console) -> None:
    cnet.net.results["create"] = INTERNAL
    assert cnet("create", "db", "--internal").out == "db: 192.168.1.0/24, fd00:1::/64, internal, no way out\n"


def test_a_host_without_an_uplink_is_told_so(cnet: Console) -> None:
    cnet.net.results["create"] = replace(NETWORK, uplink="", external_address="")
    assert cnet("create", "n", "--nat").out.endswith("behind NAT; this host has no way out now\n")


@pytest.mark.parametrize("verb", ["get", "endpoint", "ports"])
def test_an_empty_list_is_said_on_standard_error_only(cnet: Console, verb: str) -> None:
    cnet.net.results[verb] = ()
    said = cnet(verb)
    assert said.out == "" and said.err.startswith("No ") and "cnet " in said.err
    assert cnet(verb, "--json").out == "[]\n"


@pytest.mark.parametrize(
    "line", ["create n", "join c n", "open c n --internal-port 1", "leave c n", "close --id 1", "destroy n", "status"]
)
def test_json_is_the_view(cnet: Console, line: str) -> None:
    verb = line.split()[0]
    assert json.loads(cnet(*line.split(), "--json").out) == plain(cnet.net.results[verb])


def test_json_of_one_network_is_an_object_and_of_settings_has_names(cnet: Console) -> None:
    cnet.net.results["get"] = (NETWORK,)
    assert json.loads(cnet("get", "cnet1", "--json").out)["bridge"] == "cn-1"
    assert json.loads(cnet("config", "get", "port-range", "--json").out) == {
        "key": "port-range",
        "value": "50000-60000",
    }
    assert json.loads(cnet("config", "list", "--json").out)[0]["default"] == "50000-60000"


def test_a_dry_run_prints_the_plan_and_nothing_else(cnet: Console) -> None:
    assert cnet("create", "n", "--nat", "--dry-run").out == "ip link add cn-1 type bridge\nip link set cn-1 up\n"
    assert cnet.net.made["dry_run"]
    plan = json.loads(cnet("--dry-run", "--json", "create", "n").out)
    assert plan == {"plan": ["ip link add cn-1 type bridge", "ip link set cn-1 up"]}


@pytest.mark.parametrize(("line", "status"), [("run --network a -- false", 7), ("exec c -- false", 3)])
def test_the_exit_status_is_the_commands(cnet: Console, line: str, status: int) -> None:
    said = cnet(*line.split())
    assert (said.status, said.out) == (status, "")


@pytest.mark.parametrize("kind", [NotFound, Conflict])
def test_an_error_has_its_exit_status_sentence_and_hint(cnet: Console, kind: type[ContainerNetError]) -> None:
    cnet.net.results["join"] = kind("some-code", "It cannot be.", "Do this.")
    said = cnet("join", "c", "n")
    assert (said.status, said.out, said.err) == (kind.exit_status, "", "cnet: It cannot be.\n  Do this.\n")
    told = json.loads(cnet("--json", "join", "c", "n").out)
    assert told == {"error": {"code": "some-code", "kind": kind.kind, "sentence": "It cannot be.", "hint": "Do this."}}


def test_an_unexpected_error_is_our_bug(cnet: Console) -> None:
    cnet.net.results["join"] = RuntimeError("boom")
    said = cnet("join", "c", "n")
    assert said.status == 70
    assert said.err.startswith("cnet: This is a bug in ContainerNet: RuntimeError: boom\n  Run it again with -v")
    assert "Traceback" in cnet("join", "c", "n", "-v").err


def test_short_switches_may_stand_together(cnet: Console) -> None:
    assert cnet("join", "-vh").out == cnet("join", "--help").out


def test_interrupted(cnet: Console) -> None:
    cnet.net.results["join"] = KeyboardInterrupt()
    assert cnet("join", "c", "n").status == 130


def test_verbose_prints_operations_on_standard_error(cnet: Console) -> None:
    cnet("join", "c", "n", "-v")
    cnet.net.report.operation("ip link add")
    assert cnet.capsys.readouterr().err == "+ ip link add\n"


WORD = st.one_of(
    st.sampled_from([w for command in table.COMMANDS for w in command.verb.split()]),
    st.sampled_from([name for command in table.COMMANDS for param in command.params for name in param.verb]),
    st.sampled_from(
        ["--", "-", "-?", "--json", "-v", "--help", "--version", "--state-dir", "c", "n", "-p", "=", "--=", ""]
    ),
    st.sampled_from([f"-{name}" for command in table.COMMANDS for param in command.params for name in param.cmdlet]),
    st.sampled_from(table.CMDLETS),
    st.text(max_size=8),
)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORD, max_size=7))
def test_no_command_line_ever_ends_in_a_traceback(cnet: Console, words: list[str]) -> None:
    if any(word.startswith("__") for word in words):
        return
    said = cnet(*words)
    assert "Traceback" not in said.err and said.status in (0, 1, 2, 3, 7), (words, said)
