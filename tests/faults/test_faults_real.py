"""SIGKILL at every call of every verb on the real kernel: whatever comes next ends as if nothing had happened."""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

import pytest

from kit.lab import HOST4, LAN4, LAN6, Lab
from kit.named import facts, renamed
from kit.setup import joined
from kit.space import Space

# Counts what a verb does to the kernel and the store, and kills itself at one of these calls.
KILLER = """
import os, signal, sys
from containernet import ContainerNet
from containernet.kernel.linux import Linux
from containernet.store.sqlite import Sqlite
at, when, verb, arguments = int(sys.argv[1]), sys.argv[2], sys.argv[3], eval(sys.argv[4])
count = 0
def counted(kind, name):
    call = getattr(kind, name)
    def wrapper(*args, **kwargs):
        global count
        count += 1
        here = count == at
        if here and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = call(*args, **kwargs)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    setattr(kind, name, wrapper)
for kind, name in ((Linux, "do"), (Linux, "take"), (Sqlite, "begin"), (Sqlite, "finish")):
    counted(kind, name)
net = ContainerNet()
getattr(net, verb)(*arguments[0], **arguments[1])
print(count)
"""
PUBLISHED = ("50500:80", "50600-50602:8000/udp")
VERBS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "create": ("create", ("n9",), {"nat": True}),
    "join": ("join", ("c9", "n1"), {"publish": PUBLISHED}),
    "open": ("open", ("c1", "n1"), {"external_port": "50500-50503", "internal_port": 8000, "remotes": ("10.0.0.0/8",)}),
    "close": ("close", ("c1", "n1"), {"protocol": "udp", "external_port": 50053}),
    "leave": ("leave", ("c2", "n1"), {}),
    "destroy": ("destroy", ("n1",), {"force": True}),
}


def busy(lab: Lab) -> Space:
    """Two networks, a container with ports, a container on both networks, one that has joined nothing."""
    c1, _ = joined(lab, "c1", "n1", "-p", "50000:80", "-p", "50053:53/udp")
    joined(lab, "c2", "n1", "-p", "50001:80", "--priority", "9")
    joined(lab, "c2", "n2")
    lab.container("c9")
    c1.serve(80, protos="tcp", families="4")
    return c1


def works(lab: Lab, c1: Space) -> bool:
    """Tell whether packets go in, out and across."""
    inward = lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"
    return inward and c1.ping(LAN4) and c1.ping(LAN6) and c1.ping("192.168.1.3")


def told(lab: Lab) -> str:
    """Return the world with names in place of numbers."""
    lines = [line.partition(": ") for line in lab.world().splitlines()]
    split = [(head, rest) if mark and head in ("c1", "c2", "c9") else ("", head + mark + rest) for head, mark, rest in lines]
    return renamed(split, facts(lab.json("get")))


def killed(lab: Lab, verb: str, at: int, when: str) -> tuple[bool, str]:
    """Do a verb that kills itself; tell whether it did, and what it printed."""
    name, *arguments = VERBS[verb]
    done = lab.host.result(sys.executable, "-c", KILLER, str(at), when, name, repr(tuple(arguments)), env=lab.env)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0, done.stdout


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_every_call(lab: Lab, verb: str, when: str) -> None:
    c1 = busy(lab)
    before, names = lab.world(), told(lab)
    at = 0
    import time
    t=time.time()
    while True:
        at += 1
        died, printed = killed(lab, verb, at, when)
        if not died:
            break
        mended = lab.json("repair")
        status = lab.json("status")
        assert status["drift"] == status["interrupted"] == [], at
        world = lab.world()
        assert works(lab, c1) or world != before, at
        if world != before:
            break
    print(verb, when, at, time.time()-t)
