"""Many at once: every verb is a process of its own, and none may lose, double or refuse anything without cause."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from kit.lab import HOST4, LAN4, Lab
from kit.setup import joined


def at_once(lab: Lab, commands: list[list[str]]) -> list[tuple[int, str]]:
    """Start all, then wait for all."""
    started = [lab.start(*command) for command in commands]
    ended = [process.communicate(timeout=120) for process in started]
    return [(process.returncode, error) for process, (_, error) in zip(started, ended, strict=True)]


def test_fifty_joins_at_once(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    spaces = [lab.container(f"c{number}") for number in range(50)]
    done = at_once(lab, [["join", f"c{number}", "n1", "-p", f"{51000 + number}:80"] for number in range(50)])
    assert all(status == 0 for status, _ in done), [error for status, error in done if status]
    views = lab.json("endpoint")
    addresses = [view["addresses"][0] for view in views]
    assert len(views) == len(set(addresses)) == 50
    for space in (spaces[0], spaces[49]):
        space.serve(80, protos="tcp", families="4")
        assert space.ping(LAN4)
        assert lab.lan.probe(HOST4, 51000 + int(space.name[1:])) == f"{space.name} {LAN4}"
    assert lab.json("status")["drift"] == []
    done = at_once(lab, [["leave", f"c{number}", "n1"] for number in range(50)])
    assert all(status == 0 for status, _ in done), [error for status, error in done if status]
    assert "ce-" not in lab.world()
    assert lab.json("ports") == []


def test_fifty_different_verbs_at_once(lab: Lab) -> None:
    for number in range(10):
        joined(lab, f"c{number}")
        lab.container(f"d{number}")
    lab.cnet("open", "c9", "n1", "--external-port", "53000", "--internal-port", "80")
    commands = []
    for number in range(10):
        commands += [
            ["create", f"m{number}", "--nat"],
            ["join", f"d{number}", "n1"],
            ["get", "--json"],
            ["leave", f"c{number}", "n1"],
        ]
        commands += [
            ["open", f"c{(number + 1) % 10}", "n1", "--external-port", str(52000 + number), "--internal-port", "80"]
        ]
    done = at_once(lab, commands)
    for command, (status, error) in zip(commands, done, strict=True):
        assert status == 0 or (command[0] == "open" and status == 3), (command, error)  # its container may have left
    made = lab.json("get")
    assert len(made) == 11
    assert len({network["subnets"][0] for network in made}) == 11
    assert {view["container"] for view in lab.json("endpoint")} == {f"d{number}" for number in range(10)}
    assert lab.json("ports") == []
    assert lab.json("status")["drift"] == []


def test_of_fifty_for_the_same_thing_one_wins(lab: Lab) -> None:
    for number in range(10):
        joined(lab, f"c{number}")
    commands = [
        ["open", f"c{number}", "n1", "--external-port", "50000", "--internal-port", "80"] for number in range(10)
    ]
    commands += [["create", "same", "--nat"]] * 10
    done = at_once(lab, commands)
    for slot in (done[:10], done[10:]):
        assert sorted(status for status, _ in slot) == [0] + [4] * 9, slot
    assert len(lab.json("ports")) == 1
    assert len([n for n in lab.json("get") if n["name"] == "same"]) == 1


def holds_a_lock(pid: int) -> bool:
    """Tell whether a process holds a flock now."""
    fields = (line.split() for line in Path("/proc/locks").read_text().splitlines())
    return any("->" not in words and words[1] == "FLOCK" and words[4] == str(pid) for words in fields)


def stuck(lab: Lab) -> subprocess.Popen[str]:
    """Return a verb that was stopped while it holds the lock."""
    for attempt in range(40):
        process = lab.start("create", f"stuck{attempt}", "--nat")
        while process.poll() is None:
            if holds_a_lock(process.pid):
                process.send_signal(signal.SIGSTOP)
                break
        if process.poll() is None and holds_a_lock(process.pid):
            return process
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=20)
    raise AssertionError("no verb was ever seen to hold a lock (flock)")


def test_a_stuck_holder_of_the_lock_is_named(lab: Lab) -> None:
    joined(lab)
    holder = stuck(lab)
    try:
        lab.cnet("get", timeout=10)  # readers are never held up
        done = lab.result("create", "n2", "--nat", timeout=60)
        assert done.returncode == 7, done.stderr
        assert "Traceback" not in done.stderr
        assert str(holder.pid) in done.stderr, f"{holder.pid} is not named: {done.stderr}"
    finally:
        holder.send_signal(signal.SIGCONT)
        holder.communicate(timeout=20)
    lab.cnet("create", "n2", "--nat")


def test_readers_are_not_held_up_by_writers(lab: Lab) -> None:
    joined(lab)
    done = at_once(lab, [["get"], ["create", "n2", "--nat"], ["ports"], ["endpoint"], ["status"]])
    assert [status for status, _ in done] == [0] * 5, done
