"""The cmdlets' spelling: PowerShell's grammar, and the transcript of the 2015 document to the column."""

from __future__ import annotations

import io
import json

import pytest
from test_cli_kit import ENDPOINT, NETWORK, PORT, Console, on_stub  # noqa: F401

from containernet.cli import powershell
from containernet.cli.grammar import Command, Param
from containernet.cli.main import main
from containernet.model.errors import Conflict
from containernet.model.record import replace

CREATED = """\
Creating a vSwitch for the network...done.
Enabling IP forwarding between network and external adapter...done.
Picking the NAT external IP address and prefix...done.
Configuring NAT...done.
Network cnet1 created successfully.
"""
JOINED = """\
Configuring compartment...done.
Creating endpoint...done.
Setting default routes...done.
Container Container1 joined network cnet1 successfully.

Name                                                                         Id IPv4Address
Container1_cnet1                                                              2 192.168.1.2
"""
OPENED = """
StaticMappingID               : 1
NatName                       : ContainerNat
Protocol                      : TCP
RemoteExternalIPAddressPrefix : 0.0.0.0/0
ExternalIPAddress             : 10.91.68.239
ExternalPort                  : 50000
InternalIPAddress             : 192.168.1.2
InternalPort                  : 3389
InternalRoutingDomainId       : {00000000-0000-0000-0000-000000000000}
Active                        : True

"""
TRANSCRIPT = [
    ("New-ContainerNetwork cnet1 -EnableNat", CREATED),
    ("New-ContainerNetwork cnet1 -EnableNat\\", CREATED),
    ("Join-ContainerNetwork Container1 cnet1", JOINED),
    ("Open-ContainerPort Container1 cnet1 -Protocol TCP -ExternalPort 50000 -InternalPort 3389", OPENED),
    ("Close-ContainerPort Container1 cnet1 -Protocol TCP -ExternalPort 50000", "TCP port 50000 of container Container1 closed successfully.\n"),
    ("Leave-ContainerNetwork Container1 cnet1", "Removing default routes...done.\nRemoving endpoint...done.\nContainer Container1 left network cnet1 successfully.\n"),
    ("Remove-ContainerNetwork cnet1", "Removing NAT...done.\nRemoving the vSwitch of the network...done.\nNetwork cnet1 removed successfully.\n"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "text"), TRANSCRIPT, ids=[line for line, _ in TRANSCRIPT])
@pytest.mark.parametrize("reported", ["all", "none", "last"])
def test_the_transcript(cnet: Console, line: str, text: str, reported: str) -> None:
    name, *rest = line.split()
    keys = {"New": ("vswitch", "forwarding", "external", "nat"), "Join": ("compartment", "endpoint", "routes")}
    stages = keys.get(name.split("-")[0], ())
    cnet.net.stages = {"all": stages, "none": (), "last": stages[-1:]}[reported]
    said = cnet(name, *rest)
    assert (said.status, said.out, said.err) == (0, text, "")


CALLS = [
    ("New-ContainerNetwork n -EnableNat", "create", {"name": "n", "nat": True}),
    ("new-containernetwork -name n -enablenat:$true", "create", {"name": "n", "nat": True}),
    ("New-ContainerNetwork -EnableNat:$false n -Internal", "create", {"name": "n", "internal": True}),
    ("New-ContainerNetwork n \u2013EnableNat -SubnetPrefix 10.0.0.0/8,fd00::/64", "create", {"name": "n", "nat": True, "subnets": ("10.0.0.0/8", "fd00::/64")}),
    ("New-ContainerNetwork n -Enable -Sub a , b -Disable", "create", {"name": "n", "nat": True, "subnets": ("a", "b"), "ipv6": False}),
    ("New-ContainerNetwork n -DisableIPv6:$false -Sub a, b", "create", {"name": "n", "subnets": ("a", "b")}),
    ("New-ContainerNetwork -NetworkAdapterName eth1 n -Mtu:1400", "create", {"name": "n", "uplink": "eth1", "mtu": 1400}),
    ("New-ContainerNetwork n -EnableNat: $false", "create", {"name": "n"}),
    ("New-ContainerNetwork n -Mtu: 1400", "create", {"name": "n", "mtu": 1400}),
    ("Join-ContainerNetwork n -ContainerName c", "join", {"container": "c", "network": "n"}),
    ("Join-ContainerNetwork -Net n -Cont c -IP 1.2.3.4 -Mac 02-00-00-00-00-01 -Int eth7 -Pri 3", "join", {"container": "c", "network": "n", "ips": ("1.2.3.4",), "mac": "02-00-00-00-00-01", "interface": "eth7", "priority": 3}),
    ("Leave-ContainerNetwork c n -EndpointName c_n_2", "leave", {"container": "c", "network": "n", "endpoint": "c_n_2"}),
    ("Remove-ContainerNetwork n -Force", "destroy", {"name": "n", "force": True}),
    ("Close-ContainerPort -StaticMappingID 1", "close", {"id": 1}),
    ("Get-ContainerNetwork", "get", {}),
    ("Get-ContainerEndpoint c n", "endpoint", {"container": "c", "network": "n"}),
    ("Get-ContainerNetwork -- n", "get", {"name": "n"}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "method", "keywords"), CALLS, ids=[line for line, _, _ in CALLS])
def test_a_cmdlet_calls_what_its_verb_calls(cnet: Console, line: str, method: str, keywords: dict[str, object]) -> None:
    cnet(*line.split())
    assert cnet.net.calls == [(method, keywords)]


MISTAKES = [
    ("Join-ContainerNetwork c", "Cannot process command because of one or more missing mandatory parameters: NetworkName."),
    ("Join-ContainerNetwork c n x", "A positional parameter cannot be found that accepts argument 'x'."),
    ("Join-ContainerNetwork c n -Nope", "A parameter cannot be found that matches parameter name 'Nope'."),
    ("Join-ContainerNetwork c n --ip 1", "A parameter cannot be found that matches parameter name '-ip'."),
    ("Join-ContainerNetwork c n -I x", "Parameter cannot be processed because the parameter name 'I' is ambiguous. Possible matches include: -IPAddress -InterfaceName."),
    ("Join-ContainerNetwork c n -IPAddress", "Missing an argument for parameter 'IPAddress'."),
    ("Join-ContainerNetwork c n -IPAddress -Verbose", "Missing an argument for parameter 'IPAddress'."),
    ("Join-ContainerNetwork c n -Mac a -MacAddress b", "Cannot bind parameter because parameter 'MacAddress' is specified more than once."),
    ("Join-ContainerNetwork c n -Verbose:perhaps", "Cannot convert 'perhaps' to the type that parameter 'Verbose' requires: $true or $false."),
    ("Join-ContainerNetwork c n -Priority x", "-Priority needs a whole number, not 'x'."),
    ("Get-ContainerNetwork -WhatIf", "A parameter cannot be found that matches parameter name 'WhatIf'."),
]  # fmt: skip


@pytest.mark.parametrize(("line", "sentence"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_mistakes_are_told_as_powershell_tells_them(cnet: Console, line: str, sentence: str) -> None:
    name, *rest = line.split()
    said = cnet(name.lower(), *rest)
    assert (said.status, said.out, said.err) == (2, "", f"{name} : {sentence}\n  See '{name} -?'.\n")
    assert cnet.net.calls == []


def test_a_whole_name_wins_over_a_longer_one() -> None:
    params = (Param("a", (), ("Ip",), ""), Param("b", (), ("IpAddress",), ""))
    assert powershell.read(Command("x", "", params, "Test-X"), ["-ip", "1"]).values == {"a": "1", "b": ""}


def test_a_cmdlet_is_a_command_of_its_own_name(cnet: Console) -> None:
    assert main(["Container1", "cnet1"], program="/usr/bin/Join-ContainerNetwork") == 0
    assert cnet.capsys.readouterr().out == JOINED


def test_a_network_without_nat_prints_no_nat_stages(cnet: Console) -> None:
    cnet.net.skipped = ("forwarding", "external", "nat")  # as the verb says it
    out = cnet("New-ContainerNetwork", "cnet1", "-Internal").out
    assert out == "Creating a vSwitch for the network...done.\nNetwork cnet1 created successfully.\n"


def test_a_stage_that_fails_says_so(cnet: Console) -> None:
    cnet.net.stages, cnet.net.results["join"] = ("compartment", "endpoint"), Conflict("taken", "No.", "Yes.")
    said = cnet("Join-ContainerNetwork", "c", "n")
    assert said.out == "Configuring compartment...done.\nCreating endpoint...failed.\n"
    assert (said.status, said.err) == (4, "Join-ContainerNetwork : No.\n  Yes.\n")


def test_open_prints_ranges_and_who_may_use_it(cnet: Console) -> None:
    cnet.net.results["open"] = replace(
        PORT, external_last=50010, internal_last=3399, remotes=("10.0.0.0/8", "fd00::/8"), active=False
    )
    out = cnet("Open-ContainerPort", "c", "n", "-InternalPort", "3389").out
    for line in ("ExternalPort                  : 50000-50010", "RemoteExternalIPAddressPrefix : 10.0.0.0/8, fd00::/8",
                 "Active                        : False"):  # fmt: skip
        assert line in out.splitlines()


@pytest.mark.parametrize(
    "line",
    ["Open-ContainerPort c n -InternalPort 1 -ExternalPort 80", "Open-ContainerPort c n -InternalPort 1 -ExternalPort 60000-60001",
     "Join-ContainerNetwork c n -Publish 8080:80/tcp", "Join-ContainerNetwork c n -Publish 50000:1,1.2.3.4:80:80"],
)  # fmt: skip
def test_cmdlets_hold_external_ports_to_the_range(cnet: Console, line: str) -> None:
    said = cnet(*line.split())
    assert said.status == 2 and "is not in the [50000-60000] range." in said.err
    assert "cnet config set port-range" in said.err
    assert [name for name, _ in cnet.net.calls] == ["config_get"]


@pytest.mark.parametrize("line", ["Open-ContainerPort c n -InternalPort 1 -ExternalPort 60000", "cnet open c n --internal-port 1 --external-port 80",
                                  "Join-ContainerNetwork c n -Publish [fd00::1]:50000-50001:80-81"])  # fmt: skip
def test_ports_within_the_range_and_verbs_are_let_through(cnet: Console, line: str) -> None:
    assert cnet(*line.removeprefix("cnet ").split()).status == 0


def test_what_if_prints_the_plan(cnet: Console) -> None:
    said = cnet("Join-ContainerNetwork", "c", "n", "-WhatIf")
    first, *plan = said.out.splitlines()
    assert first == 'What if: Performing the operation "Join-ContainerNetwork" on target "c, n".'
    assert plan == ["ip link add cn-1 type bridge", "ip link set cn-1 up"]


@pytest.mark.parametrize(("typed", "called"), [("y\n", 1), ("\n", 1), ("what\nYes\n", 1), ("n\n", 0), ("No\n", 0)])
def test_confirm_asks(cnet: Console, monkeypatch: pytest.MonkeyPatch, typed: str, called: int) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    said = cnet("Remove-ContainerNetwork", "n", "-Confirm")
    assert said.status == 0 and len(cnet.net.calls) == called
    assert 'Performing the operation "Remove-ContainerNetwork" on target "n".' in said.err


def test_confirm_without_anybody_does_nothing(cnet: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert cnet("Remove-ContainerNetwork", "n", "-Confirm").status == 2
    assert cnet.net.calls == []


def test_verbose_and_notes_are_powershell_s(cnet: Console) -> None:
    cnet("Join-ContainerNetwork", "c", "n", "-Verbose")
    cnet.net.report.operation("ip link add")
    cnet.net.report.note("Look.")
    assert cnet.capsys.readouterr().err == "VERBOSE: ip link add\nWARNING: Look.\n"


def test_json_of_a_cmdlet(cnet: Console) -> None:
    assert json.loads(cnet("Join-ContainerNetwork", "c", "n", "-Json").out)["compartment"] == 2
    assert json.loads(cnet("--json", "Join-ContainerNetwork", "c", "n").out)["compartment"] == 2
    assert json.loads(cnet("Join-ContainerNetwork", "c", "-Json").out)["error"]["code"] == "usage"


def test_get_lists_networks_containers_and_endpoints(cnet: Console) -> None:
    cnet.net.results["get"] = (NETWORK,)
    assert (
        cnet("Get-ContainerNetwork").out
        == """
Name               : cnet1
Id                 : 1
Mode               : NAT
SubnetPrefix       : {192.168.1.0/24, fd00:1::/64}
GatewayAddress     : {192.168.1.1, fd00:1::1}
NetworkAdapterName : eth0
ExternalIPAddress  : 10.91.68.239/24
Mtu                : 1500
Containers         : {Container1}

Name                                                                         Id IPv4Address
Container1_cnet1                                                              2 192.168.1.2

"""
    )


def test_get_endpoint_displays_the_addresses(cnet: Console) -> None:
    assert (
        cnet("Get-ContainerEndpoint", "Container1", "cnet1").out
        == """
Name           : Container1_cnet1
Id             : 2
Container      : Container1
Network        : cnet1
Interface      : eth0
IPv4Address    : 192.168.1.2
IPv6Address    : fd00:1::2
DefaultGateway : 192.168.1.1, fd00:1::1
MacAddress     : 02-00-00-00-00-02
State          : Active

"""
    )


def test_a_long_name_pushes_the_columns_and_loses_nothing(cnet: Console) -> None:
    cnet.net.results["join"] = replace(ENDPOINT, name="x" * 127)
    assert cnet("Join-ContainerNetwork", "c", "n").out.splitlines()[-1].split() == ["x" * 127, "2", "192.168.1.2"]
