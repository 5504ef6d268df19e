"""Networks without NAT: a cold join beside one behind NAT, and what a move of the uplink costs who talks to the host.

The rule of this file: joined by turns on two hosts in the same rounds, each with one endpoint on it that stays; after
every join that is tried, the container talks to who is outside.
"""

from __future__ import annotations

import json
import subprocess
from functools import partial

from bench.figures import Samples, times
from bench.host import ADDRESS, Host, named, settle
from bench.peers.cnet import Cnet
from bench.peers.dhcp import Lan
from bench.process import ENVIRONMENT, Failed, timed
from bench.report import Report, say
from bench.settings import ROOT, Settings
from bench.stages.rounds import MEASURED, RESIDENT, measured

NAT, LAN = "behind NAT", "transparent (--ip)"
LIMIT = 1.1
STEPS = {"cnet create lan": ("create", "lan", "--mode", "bridge"), "cnet destroy lan": ("destroy", "lan")}
NOTE = "No port is published. Behind NAT: IPv4 and IPv6; transparent: IPv4 as given, IPv6 by router advertisements."
MOVE_NOTE = "A ping every 2 ms from the LAN to the host's address, which moves to the bridge and back."


def stage(chosen: Settings, report: Report) -> None:
    """Measure both, print, state the goals."""
    joined(chosen, report)
    moved(chosen, report)


def joined(chosen: Settings, report: Report) -> None:
    """Join and leave by turns behind NAT and without."""
    peers: list[Cnet] = []
    try:
        peers += [Cnet(chosen, NAT), Lan(chosen, LAN)]
        for peer in peers:
            tried(peer)
        joins, leaves = measured(peers, chosen.rounds, [])
    finally:
        for peer in peers:
            peer.close()
        settle()
    rows = [(name, joins.shown(name), leaves.shown(name)) for name in (NAT, LAN)]
    report.table(
        "Join without NAT, a process for each", ("a container joins and leaves", "join, ms", "leave, ms"), rows, NOTE
    )
    ratio = joins.ratio(LAN, NAT)
    report.goal(f"cold join, transparent, at most {LIMIT} of NAT's", times(ratio), ratio <= LIMIT)


def tried(peer: Cnet) -> None:
    """Have one endpoint that stays; join and leave once without counting: packets must flow in between."""
    peer.stay(RESIDENT, [])
    peer.stay(MEASURED, [])
    for number in (RESIDENT, MEASURED):
        if not peer.host.reaches(peer.space(number)):
            raise Failed(f"{peer.label}: a container that has joined cannot talk to the outside")
    with peer.host:
        peer.leave(MEASURED, [])


def moved(chosen: Settings, report: Report) -> None:
    """Move the host's address to a bridge and back, again and again, while somebody talks to it."""
    say("moving the uplink")
    peer, took, lost, gaps = Cnet(chosen), Samples(), Samples(), Samples()
    try:
        for name in [name for _ in range(chosen.slow_rounds) for name in STEPS]:
            with Pings(peer.host, chosen) as pings, peer.host:
                took.add(name, timed(partial(peer.cnet, *STEPS[name])))
            lost.add(name, pings.lost)
            gaps.add(name, pings.gap)
    finally:
        peer.close()
        settle()
    rows = [
        (name, took.shown(name), f"{sum(lost.of[name]):.0f}", f"{max(lost.of[name]):.0f}", gaps.shown(name))
        for name in STEPS
    ]
    head = (f"{chosen.slow_rounds} moves each way", "ms", "pings lost, all", "most in one", "longest silence, ms")
    report.table("Moving the uplink", head, rows, MOVE_NOTE)
    every = [count for name in STEPS for count in lost.of[name]]
    seen = f"{sum(map(bool, every))} of {len(every)} moves lost any"
    report.goal(
        "moving the uplink loses no ping of 2 ms spacing, as a rule", seen, 2 * sum(map(bool, every)) < len(every)
    )


class Pings:
    """Somebody on the LAN who talks to the host meanwhile."""

    def __init__(self, host: Host, chosen: Settings) -> None:
        with host.inside(named("outside")):
            self._process = subprocess.Popen(
                [chosen.python, "-m", "bench.pings", ADDRESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True, env=ENVIRONMENT, cwd=str(ROOT),
            )  # fmt: skip
        self.lost = self.gap = 0.0

    def __enter__(self) -> Pings:
        assert self._process.stdout
        if self._process.stdout.readline() != "ready\n":
            raise Failed("the host does not answer from the LAN")
        return self

    def __exit__(self, *_: object) -> None:
        said, _ = self._process.communicate(timeout=30)
        found = json.loads(said)
        self.lost, self.gap = found["lost"], found["gap"]
