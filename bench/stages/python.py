"""Join from Python: a process that is there already.

The rule of this file: what ``from containernet import ContainerNet`` gives its user, in a process of its own.
"""

from __future__ import annotations

import json

from bench.figures import Samples
from bench.peers.cnet import Cnet
from bench.report import Report
from bench.settings import Settings
from bench.stages.rounds import MEASURED, PORTS, RESIDENT, warm

JOIN, LEAVE, VETH = "join", "leave", "delete a veth pair (one netlink message)"


def stage(chosen: Settings, report: Report) -> None:
    """Measure, print, state the goal."""
    seen = in_process(chosen)
    rows = [(name, seen.shown(name)) for name in seen.of]
    report.table("In one Python process", ("call", "ms"), rows)
    report.goal("join from Python, at most 8 ms", f"{seen.median(JOIN):.2f} ms", seen.median(JOIN) <= 8)


def in_process(chosen: Settings) -> Samples:
    """Return what join, leave and the bare deletion of a pair take in one process, by turns."""
    peer = Cnet(chosen)
    try:
        peer.stay(RESIDENT, PORTS[RESIDENT])
        warm(peer)
        found = json.loads(peer.worker("rounds", str(chosen.rounds), f"c{MEASURED}"))
    finally:
        peer.close()
    seen = Samples()
    for name, values in ((JOIN, found["join"]), (LEAVE, found["leave"]), (VETH, found["veth"])):
        for value in values:
            seen.add(name, value)
    return seen
