"""`cnet run` and `cnet exec`: a command in a container of its own, or inside one that is there."""

from __future__ import annotations

import subprocess

from kit.lab import Lab
from kit.setup import joined, refused
from kit.space import eventually


def test_run_makes_a_container_for_a_command(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    lab.lan.serve(7, families="4")
    before = lab.world()
    script = "ip -o -4 address show eth0 && ping -c1 -W2 192.168.1.1 >/dev/null && echo pinged; exit 7"
    done = lab.result("run", "--network", "n1", "--", "sh", "-c", script)
    assert done.returncode == 7, done.stderr
    assert "192.168.1.2/24" in done.stdout
    assert "pinged" in done.stdout
    assert lab.world() == before
    assert lab.json("endpoint") == []


def test_run_with_a_name_and_a_port(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    lab.cnet("create", "n2", "--nat")
    before = lab.world()
    process = lab.start(
        "run",
        "--network",
        "n1",
        "--network",
        "n2",
        "--name",
        "web",
        "-p",
        "50000:80",
        "--",
        "sh",
        "-c",
        "echo up; cat; sleep 60",
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        assert [v["network"] for v in lab.json("endpoint", "web")] == ["n1", "n2"]
        assert len(lab.json("ports")) == 1
        refused(lab, "run", "--network", "n1", "--name", "web", "--", "true")
        assert "eth1" in lab.cnet("exec", "web", "--", "ip", "link")
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert eventually(lambda: lab.world() == before), lab.world()
    assert lab.json("endpoint") == []
    assert lab.json("ports") == []


def test_run_whose_networks_are_unknown_runs_nothing(lab: Lab) -> None:
    before = lab.world()
    done = lab.result("run", "--network", "nope", "--", "echo", "ran")
    assert done.returncode == 3
    assert "ran" not in done.stdout
    assert lab.world() == before
    lab.cnet("create", "n1", "--nat")
    before = lab.world()
    assert lab.result("run", "--network", "n1", "--", "/no/such/command").returncode not in (0, 70)
    assert lab.world() == before
    assert lab.json("endpoint") == []


def test_run_survives_the_death_of_its_starter(lab: Lab) -> None:
    """SIGKILL of ``cnet run`` itself: the next command finds nothing of it after its container is gone."""
    lab.cnet("create", "n1", "--nat")
    before = lab.world()
    process = lab.start("run", "--network", "n1", "--", "sh", "-c", "echo up; exec sleep 60")
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    inside = eventually(lambda: [pid for pid, words in lab.tenants() if words.startswith("sleep 60")])
    process.kill()
    for pid in inside:
        subprocess.run(["kill", "-9", str(pid)], check=False)
    process.communicate(timeout=10)
    eventually(lambda: lab.result("repair").returncode == 0 and lab.world() == before, timeout=10)
    assert lab.world() == before
    assert lab.json("endpoint") == []


def test_exec_runs_inside(lab: Lab) -> None:
    joined(lab)
    assert "192.168.1.2" in lab.cnet("exec", "c1", "--", "ip", "-4", "address", "show", "eth0")
    assert lab.result("exec", "c1", "--", "sh", "-c", "exit 9").returncode == 9
    assert lab.result("exec", "c1", "--", "/no/such").returncode not in (0, 70)
    assert lab.result("exec", "c1", "--", "cat", text="through\n").stdout == "through\n"
    refused(lab, "exec", "nobody", "--", "true", status=3)
