"""The host agent in a lab: started and waited for, asked, ended; and how long a foreign hand's work was there.

The rule of this file: whoever starts an agent gets it in a `with`, at whose end it is ended by its process id; every
wait has a bound.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kit.lab import HOST4, LAN4, Lab
from kit.setup import joined, opened
from kit.space import Space, eventually

BOUND = 5.0  # seconds for what is mended in much less; the time that was seen is printed
QUIET = 1.5  # seconds without a pass after which none comes
RUN = "run/containernet"  # below the root of the lab's host


@contextmanager
def agent(lab: Lab, *through: str) -> Iterator[subprocess.Popen[str]]:
    """Run the agent on the lab's host, by way of another command; it is ready, and has looked at everything once."""
    command = [*lab.host.enter, *through, sys.executable, "-m", "containernet", "agent"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=lab.env)
    try:
        assert eventually(lambda: asked(lab), 20), "the agent does not answer"
        assert eventually(lambda: figures(lab)["passes"], 20), "the agent does not look"
        yield process
    finally:
        ended(process, signal.SIGTERM)


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """End the agent by its process id; return its exit status and what it has logged, which is printed too."""
    if process.poll() is None:
        os.kill(process.pid, number)
    if process.stderr and not process.stderr.closed:
        try:
            log = process.communicate(timeout=20)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            log = process.communicate(timeout=20)[1]
        print(log)
        return process.returncode, log
    return process.returncode, ""


def asked(lab: Lab) -> Any:
    """Return what the agent says of itself, None if it does not answer."""
    done = lab.result("agent", "status", "--json")
    return json.loads(done.stdout) if done.returncode == 0 else None


def figures(lab: Lab) -> dict[str, int]:
    """Return the figures of the service `repair`."""
    found: dict[str, int] = lab.json("agent", "status")["services"][0]["figures"]
    return found


def settled(lab: Lab) -> dict[str, int]:
    """Return the figures when no more passes come: none has for a while."""
    seen = [figures(lab)]
    while eventually(lambda: figures(lab) != seen[-1], QUIET):
        seen.append(figures(lab))
    return seen[-1]


def mended(lab: Lab, what: str, before: str) -> None:
    """Wait until the world is as it was."""
    began = time.monotonic()
    assert eventually(lambda: lab.world() == before, BOUND), f"{what}: not mended in {BOUND} s"
    print(f"{what}: seen mended after {time.monotonic() - began:.3f} s")


def busy(lab: Lab) -> tuple[Space, Space]:
    """Two containers on a network, one with an open port that it serves."""
    c1, _ = joined(lab)
    c2, _ = joined(lab, "c2")
    opened(lab, 50000, 80)
    c1.serve(80, protos="tcp", families="4")
    return c1, c2


def works(lab: Lab, c1: Space, c2: Space) -> bool:
    """Tell whether packets go in, out and between."""
    return (
        lab.lan.probe(HOST4, 50000, timeout=BOUND) == f"c1 {LAN4}"
        and c1.ping(LAN4, BOUND)
        and c2.ping("192.168.1.2", BOUND)
    )
