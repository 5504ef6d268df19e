"""`cnet agent` and `cnet agent status` as a person types them."""

from __future__ import annotations

import json

import pytest
from test_cli_kit import AGENT, Console, on_stub  # noqa: F401

from containernet.cli import complete
from containernet.model.errors import NotFound
from containernet.model.record import plain


def test_status_is_printed_and_is_json(cnet: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    said = cnet("agent", "status")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("version  0.1.0\nprocess  4711\nstate    /var/lib/containernet\nsince    1970-01-01 ")
    assert said.out.endswith("\n\nSERVICE  STATE  FIGURES   WHAT\nrepair   ok     3 passes  -\n")
    assert json.loads(cnet("agent", "status", "--json").out) == plain(AGENT)


def test_an_agent_that_is_not_running_is_an_error(cnet: Console) -> None:
    cnet.net.results["agent_status"] = NotFound("agent-not-running", "The agent is not running.", "Start it.")
    said = cnet("agent", "status")
    assert (said.status, said.out, said.err) == (3, "", "cnet: The agent is not running.\n  Start it.\n")


def test_the_agents_end_is_the_commands(cnet: Console) -> None:
    assert cnet("agent").status == 0
    cnet.net.results["agent"] = 3
    assert cnet("agent", "--json").out == ""
    assert cnet("agent").status == 3
    assert cnet("agent", "--dry-run").out.startswith("ip link add")


def test_the_second_word_is_completed(cnet: Console) -> None:
    assert ("agent", "Run the host agent: what somebody changes is mended at once.") in complete.candidates(
        ["cnet", "ag"]
    )
    assert [name for name, _ in complete.candidates(["cnet", "agent", ""])] == ["status"]
    assert [name for name, _ in complete.candidates(["cnet", "status", ""])] == []
