"""The stub of the Python API that the tests of the command line share, and how they run it.

The rule of this file: `Stub` records how it was called and gives back the 2015 document's network, container and port.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from containernet.agent.protocol import AgentView, ServiceView
from containernet.cli.main import main
from containernet.model.record import replace
from containernet.model.views import EndpointView, Finding, NetworkView, PortView, RepairView, StatusView

PORT = PortView(
    1, "ContainerNat", "tcp", "", "10.91.68.239", 50000, 50000, "192.168.1.2", 3389, 3389, (),
    "Container1", "cnet1", "Container1_cnet1", True,
)  # fmt: skip
ENDPOINT = EndpointView(
    "Container1_cnet1", "Container1", 2, "cnet1", "eth0", "02:00:00:00:00:02", ("192.168.1.2/24", "fd00:1::2/64"),
    ("192.168.1.1", "fd00:1::1"), True, 1500, 0, "ce-1", "/run/netns/Container1", "active", (), 0,
)  # fmt: skip
NETWORK = NetworkView(
    "cnet1", 1, "nat", ("192.168.1.0/24", "fd00:1::/64"), ("192.168.1.1", "fd00:1::1"), "eth0", "10.91.68.239",
    "10.91.68.239/24", 1500, True, "cn-1", "02:00:00:00:00:01", (("tier", "web"),), (ENDPOINT,), 0,
)  # fmt: skip
INTERNAL = replace(
    NETWORK, name="db", kind="internal", uplink="", external_address="", external_prefix="", endpoints=()
)
FINDINGS = (
    Finding("nftables-missing", "error", "nftables is not installed.", "Install the package nftables.", True),
    Finding("forwarding-off", "ok", "IP forwarding is on.", "", False),
)
AGENT = AgentView("0.1.0", 4711, "/var/lib/containernet", 0, (ServiceView("repair", "ok", "", {"passes": 3}),))
PLAN = ["ip link add cn-1 type bridge", "ip link set cn-1 up"]


class Stub:
    """What the command line sees as ContainerNet; `results` may hold a value, an error or a list of them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.made: dict[str, Any] = {}
        self.plans: list[str] = []
        self.stages: tuple[str, ...] = ()
        self.results: dict[str, Any] = {
            "create": replace(NETWORK, endpoints=()), "destroy": NETWORK, "get": (NETWORK, INTERNAL), "join": ENDPOINT,
            "leave": ENDPOINT, "open": PORT, "close": PORT, "endpoint": (ENDPOINT,), "ports": (PORT,),
            "status": StatusView("0.1.0", "/var/lib/containernet", 1, 1, 0, 1, True, (), ()),
            "repair": RepairView(("nft add table inet containernet",), ("a_b",), (), ("c_d",)),
            "restore": RepairView((), (), (), ()), "config_get": "50000-60000", "config_set": None,
            "config_list": (("port-range", "50000-60000", "50000-60000", "The ports that cmdlets may open."),),
            "run": 7, "exec": 3, "doctor": FINDINGS, "agent": 0, "agent_status": AGENT, "confirm": "cnet1",
        }  # fmt: skip

    def __call__(self, state_dir: str = "", *, dry_run: bool = False, report: Any = None) -> Stub:
        self.made = {"state_dir": state_dir, "dry_run": dry_run}
        self.report, self.plans = report, list(PLAN) if dry_run else []
        return self

    def __getattr__(self, name: str) -> Any:
        if name not in self.__dict__.get("results", ()):
            raise AttributeError(name)
        return lambda **given: self.answer(name, given)

    def config_get(self, key: str) -> Any:
        return self.answer("config_get", {"key": key})

    def answer(self, name: str, given: dict[str, Any]) -> Any:
        """Record the call, report the stages, and give the result or raise it."""
        self.calls.append((name, given))
        for stage in self.stages:
            self.report.stage(stage)
        result = self.results[name]
        if isinstance(result, list):
            result = result.pop(0)
        if isinstance(result, BaseException):
            raise result
        return result


class Console:
    """Runs command lines on a stub and remembers what was printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.net, self.capsys = Stub(), capsys

    def __call__(self, *words: str) -> SimpleNamespace:
        status = main(list(words))
        said = self.capsys.readouterr()
        return SimpleNamespace(status=status, out=said.out, err=said.err)


def make(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    """Return a console whose ContainerNet is a stub."""
    console = Console(capsys)
    module = ModuleType("containernet.bootstrap")
    module.ContainerNet = console.net  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "containernet.bootstrap", module)
    monkeypatch.delenv("CNET_STATE_DIR", raising=False)
    return console


@pytest.fixture(name="cnet")
def on_stub(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    """A console on a stub."""
    return make(monkeypatch, capsys)
