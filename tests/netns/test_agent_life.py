"""The life of the host agent: one at a time, root's alone, killed and started again, stopped and asked."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kit.agents import BOUND, RUN, agent, asked, busy, ended, figures, mended, settled, works
from kit.lab import LAN4, ROOT, Lab
from kit.setup import joined
from kit.space import BRIEF, eventually


def test_an_agent_that_is_not_running(lab: Lab) -> None:
    done = lab.result("agent", "status")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "cnet: The agent is not running.\n  Start it: systemctl start containernet-agent, or here: cnet agent.\n"
    )
    assert lab.json_of("agent", "status")["error"]["code"] == "agent-not-running"


def test_an_agent_without_networks_makes_none_and_waits_for_them(lab: Lab) -> None:
    with agent(lab) as process:
        found = asked(lab)
        assert found["pid"] == process.pid
        assert found["state_dir"] == "/var/lib/containernet"
        assert [one["name"] for one in found["services"]] == ["repair", "dhcp"]
        assert lab.host.sh("ls /var/lib/containernet").split() == ["agent-lock"]
        c1, _ = joined(lab)
        before = lab.world()
        settled(lab)
        lab.host.run("nft", "flush", "ruleset")
        mended(lab, "ruleset flushed", before)
        assert c1.ping(LAN4)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told_and_leaves_no_socket(lab: Lab, number: signal.Signals) -> None:
    busy(lab)
    with agent(lab) as process:
        path = Path(f"/proc/{lab.pid}/root/{RUN}/agent.sock")
        assert path.is_socket()
        status, log = ended(process, number)
        assert status == 0
        assert not path.exists()
        lines = log.splitlines()
        assert lines[0].startswith(f"<6>The agent is ready: process {process.pid}")
        assert lines[-1] == "<6>The agent has ended."
        assert all(line.startswith(("<4>", "<5>", "<6>")) for line in lines)


def test_a_second_agent_is_refused(lab: Lab, tmp_path: Path) -> None:
    with agent(lab) as process:
        for elsewhere in ({}, {"CNET_RUN_DIR": str(tmp_path / "run")}, {"CNET_STATE_DIR": str(tmp_path / "state")}):
            env = {**lab.env, **elsewhere}
            done = lab.host.result(sys.executable, "-m", "containernet", "agent", env=env)
            assert done.returncode == 7, done.stderr
            assert f"process {process.pid}" in done.stderr
            assert len(done.stderr.splitlines()) == 2
        assert asked(lab)["pid"] == process.pid
        done = lab.result("agent", "status", "--state-dir", str(tmp_path / "state"))
        assert done.returncode == 3
        assert f"process {process.pid}, is for /var/lib/containernet" in done.stderr


def test_who_is_not_root_is_refused(lab: Lab) -> None:
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", sys.executable]
    done = lab.host.result(*nobody, "-m", "containernet", "agent", env=lab.env)
    assert done.returncode == 5, done.stderr
    with agent(lab):
        done = lab.host.result(*nobody, "-m", "containernet", "agent", "status", env=lab.env)
        assert done.returncode == 5, done.stderr
        lab.host.sh(f"chmod 666 /{RUN}/agent.sock")
        done = lab.host.result(*nobody, "-m", "containernet", "agent", "status", env=lab.env)
        assert done.returncode == 5, "the other end's credentials count, not the file's mode"
        assert "Only root" in done.stderr
        assert asked(lab)


def test_the_capabilities_that_its_unit_leaves_it_suffice(lab: Lab) -> None:
    lines = (ROOT / "share/systemd/containernet-agent.service").read_text().splitlines()
    left = next(line.partition("=")[2].split() for line in lines if line.startswith("CapabilityBoundingSet="))
    names = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in left)
    c1, c2 = busy(lab)
    with agent(lab, "setpriv", "--no-new-privs", "--bounding-set", f"-all,{names}"):
        before = lab.world()
        for hand in ("nft flush ruleset; ip link del cn-1", "ip -n c1 link del eth0", "ip -n c1 route del default"):
            lab.host.sh(hand)
            mended(lab, hand, before)
            assert works(lab, c1, c2), hand
        lab.remove(c2)
        assert eventually(lambda: figures(lab)["freed"] == 1, BOUND)
        assert not figures(lab)["failed"]


def test_it_may_be_killed_at_any_time(lab: Lab) -> None:
    c1, c2 = busy(lab)
    before = lab.world()
    for _ in range(3):
        with agent(lab) as process:
            lab.host.sh("nft flush ruleset; ip link del cn-1")
            ended(process, signal.SIGKILL)
            assert lab.result("agent", "status").returncode == 3
    with agent(lab):
        mended(lab, "what happened while nobody was there", before)
        assert works(lab, c1, c2)
        assert lab.json("status")["interrupted"] == []


def test_a_verb_that_was_killed_is_undone(lab: Lab) -> None:
    busy(lab)
    lab.container("c9")
    with agent(lab):
        for delay in (0.05, 0.07, 0.09, 0.11):
            verb = lab.start("join", "c9", "n1")
            try:
                verb.communicate(timeout=delay)
            except subprocess.TimeoutExpired:
                verb.kill()
                verb.communicate(timeout=10)
            clean = lambda: not (lab.json("status")["interrupted"] or lab.json("status")["drift"])  # noqa: E731
            assert eventually(clean, BOUND)
            assert lab.result("leave", "c9", "n1").returncode in (0, 3)


def test_a_change_of_the_store_is_told_at_once(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    with agent(lab):
        before = settled(lab)["passes"]
        lab.cnet("config", "set", "port-range", "40000-40100")
        assert eventually(lambda: figures(lab)["passes"] > before, BOUND)


def test_a_service_is_stopped_and_started(lab: Lab) -> None:
    busy(lab)
    with agent(lab):
        before = lab.world()
        settled(lab)
        path = f"/proc/{lab.pid}/root/{RUN}/agent.sock"
        assert said(path, "service-stop", "repair")["ok"]["state"] == "stopped"
        lab.host.run("nft", "flush", "ruleset")
        assert eventually(lambda: lab.world() == before, BRIEF) is False
        assert "stopped" in lab.cnet("agent", "status")
        assert said(path, "service-start", "repair")["ok"]["state"] == "ok"
        mended(lab, "the service started again", before)
        assert said(path, "service-restart", "nothing")["error"]["code"] == "service-not-found"
        assert said(path, "services")["ok"][0]["name"] == "repair"


def said(path: str, do: str, name: str = "") -> Any:
    """Say a request to the agent's socket; return the answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(path)
        request = {"v": 1, "do": do, **({"name": name} if name else {})}
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile() as answers:
            return json.loads(answers.readline())


def test_systemd_is_told(lab: Lab, tmp_path: Path) -> None:
    busy(lab)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        lab.env.update(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="400000")
        heard: list[str] = []
        with agent(lab) as process:
            while heard.count("WATCHDOG=1") < 3 or "READY=1" not in heard:
                heard += manager.recv(1000).decode().split("\n")
            assert any(line.startswith("STATUS=repair: ok") for line in heard)
            assert ended(process, signal.SIGTERM)[0] == 0
        while "STOPPING=1" not in heard:
            heard += manager.recv(1000).decode().split("\n")
