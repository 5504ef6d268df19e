"""The 2015 document's own session, through the cmdlets under their names, on a new state."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kit.lab import HOST4, LAN4, Lab
from kit.space import BRIEF

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
"""
OPENED = f"""\
StaticMappingID               : 1
NatName                       : ContainerNat
Protocol                      : TCP
RemoteExternalIPAddressPrefix : 0.0.0.0/0
ExternalIPAddress             : {HOST4}
ExternalPort                  : 50000
InternalIPAddress             : 192.168.1.2
InternalPort                  : 3389
InternalRoutingDomainId       : {{00000000-0000-0000-0000-000000000000}}
Active                        : True
"""
NAMES = [
    "New-ContainerNetwork",
    "Remove-ContainerNetwork",
    "Get-ContainerNetwork",
    "Join-ContainerNetwork",
    "Leave-ContainerNetwork",
    "Open-ContainerPort",
    "Close-ContainerPort",
    "Get-ContainerEndpoint",
]


class Session:
    """Types cmdlets, either under their own names or after ``cnet``."""

    def __init__(self, lab: Lab, installed: bool) -> None:
        self.lab = lab
        self.where = Path(sys.executable).parent if installed else None

    def type(self, line: str, expect: int = 0) -> tuple[str, str]:
        """Run one line as typed; return what it printed and what it said."""
        name, *words = line.split()
        command = (
            [str(self.where / name), *words] if self.where else [sys.executable, "-m", "containernet", name, *words]
        )
        done = self.lab.host.result(*command, env=self.lab.env)
        assert done.returncode == expect, f"{line}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout, done.stderr


@pytest.fixture(params=["installed", "after cnet"])
def session(request: pytest.FixtureRequest, lab: Lab) -> Session:
    installed = request.param == "installed"
    if installed and not os.access(Path(sys.executable).parent / NAMES[0], os.X_OK):
        pytest.skip("the cmdlets are not installed beside this Python: run ./scripts/test")
    return Session(lab, installed)


def both(printed: tuple[str, str]) -> str:
    return printed[0] + printed[1]


def without_blank(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def in_order(wanted: str, text: str) -> None:
    """Assert that all the wanted lines are there, in their order."""
    lines = iter(without_blank(text))
    for line in without_blank(wanted):
        assert line in lines, f"{line!r} is missing or out of order in:\n{text}"


def test_the_documents_session(session: Session) -> None:
    lab = session.lab
    c1 = lab.container("Container1")
    in_order(CREATED, both(session.type("New-ContainerNetwork cnet1 -EnableNat")))
    printed = both(session.type("Join-ContainerNetwork Container1 cnet1"))
    in_order(JOINED, printed)
    name, number, address = next(line.split() for line in without_blank(printed) if line.startswith("Container1_cnet1"))
    heading = next(line.split() for line in without_blank(printed) if line.startswith("Name"))
    assert (heading, name, number, address) == (["Name", "Id", "IPv4Address"], "Container1_cnet1", "2", "192.168.1.2")
    assert c1.ping("192.168.1.1")
    assert c1.ping(LAN4)
    c1.serve(3389, protos="tcp", families="4")
    printed, _ = session.type(
        "Open-ContainerPort Container1 cnet1 -Protocol TCP -ExternalPort 50000 -InternalPort 3389"
    )
    assert without_blank(printed) == without_blank(OPENED)
    assert lab.lan.probe(HOST4, 50000) == f"Container1 {LAN4}"
    assert "cnet1" in both(session.type("Get-ContainerNetwork"))
    assert "192.168.1.2" in both(session.type("Get-ContainerEndpoint Container1 cnet1"))
    session.type("Close-ContainerPort Container1 cnet1 -Protocol TCP -ExternalPort 50000")
    assert lab.lan.probe(HOST4, 50000, timeout=BRIEF) == "refused"
    session.type("Leave-ContainerNetwork Container1 cnet1")
    assert not c1.ping(LAN4, timeout=BRIEF)
    session.type("Remove-ContainerNetwork cnet1")
    assert "cn-" not in lab.world()
    assert "cnet1" not in both(session.type("Get-ContainerNetwork"))


def test_parameters_as_in_powershell(session: Session) -> None:
    lab = session.lab
    lab.container("c1")
    session.type(
        "new-containernetwork -Name n1 -enablen" if session.where is None else "New-ContainerNetwork -Name n1 -enablen"
    )
    session.type("Join-ContainerNetwork c1 n1")
    before = lab.world()
    out = both(session.type("Open-ContainerPort c1 n1 -prot tcp -EXTERNALPORT:50001 -InternalPort:80 -WhatIf"))
    assert "What if" in out
    assert lab.world() == before
    session.type("Open-ContainerPort c1 n1 -prot tcp -EXTERNALPORT:50001 -InternalPort:80 -Verbose")
    assert [p["external_first"] for p in lab.json("ports")] == [50001]
    for name in NAMES:
        out = both(session.type(f"{name} -?"))
        assert name in out


def test_external_ports_of_the_cmdlet_are_held_to_the_documents_range(session: Session) -> None:
    lab = session.lab
    lab.container("c1")
    session.type("New-ContainerNetwork n1 -EnableNat")
    session.type("Join-ContainerNetwork c1 n1")
    for port in (49999, 60001, 80):
        done = both(
            session.type(f"Open-ContainerPort c1 n1 -Protocol TCP -ExternalPort {port} -InternalPort 80", expect=2)
        )
        assert "50000" in done
        assert "60000" in done
    for port in (50000, 60000):
        session.type(f"Open-ContainerPort c1 n1 -Protocol TCP -ExternalPort {port} -InternalPort 80")
    lab.cnet("open", "c1", "n1", "--external-port", "80", "--internal-port", "80")
