"""Repair of everything after a stranger's ``nft flush ruleset``, and the listing of a full host.

The rule of this file: before, the port is dead; after, it answers again. The clock runs for the one command.
"""

from __future__ import annotations

from functools import partial

from bench.figures import Samples, alternating, digits
from bench.peers.cnet import Cnet
from bench.process import Failed, run, timed
from bench.report import Report, say
from bench.settings import Settings
from bench.stages.rounds import PORTS, RESIDENT

FIRST_PORT, PORTS_EACH = 20000, 20
REPAIR_LIMIT, GET_LIMIT = 2.0, 60.0  # seconds; milliseconds


def stage(chosen: Settings, report: Report) -> None:
    """Measure, print, state the goals."""
    full, empty = Cnet(chosen, "full host"), Cnet(chosen, "empty host")
    try:
        say(f"{chosen.endpoints} endpoints with {PORTS_EACH} ports each")
        full.fill(range(chosen.endpoints), FIRST_PORT, PORTS_EACH)
        empty.stay(RESIDENT, PORTS[RESIDENT])
        repairs, gets = repaired(full, chosen), listed([empty, full], chosen.rounds)
    finally:
        empty.close()
        full.close()
    printed(report, chosen, repairs, gets)


def repaired(peer: Cnet, chosen: Settings) -> Samples:
    """Return what repair takes."""
    seen = Samples()
    last = (FIRST_PORT + chosen.endpoints * PORTS_EACH - 1, 79 + PORTS_EACH)
    space = peer.space(chosen.endpoints - 1)
    for _ in range(chosen.slow_rounds):
        with peer.host:
            run("nft", "flush", "ruleset")
            flushed = timed(lambda: peer.cnet("repair"))
        if not peer.host.answers(space, *last):
            raise Failed("after a repair, a published port does not answer")
        with peer.host:
            seen.add("nothing to repair", timed(lambda: peer.cnet("repair")))
        seen.add("after nft flush ruleset", flushed)
    return seen


def listed(peers: list[Cnet], rounds: int) -> Samples:
    """Return what the listing of networks takes."""
    seen = Samples()
    for peer in alternating(rounds, peers):
        with peer.host:
            seen.add(peer.label, timed(partial(peer.cnet, "get")))
    return seen


def printed(report: Report, chosen: Settings, repairs: Samples, gets: Samples) -> None:
    """Print the figures, state the goals."""
    size = f"{chosen.endpoints} endpoints and {chosen.endpoints * PORTS_EACH:,} ports"
    rows = [(f"cnet repair, {name}", repairs.shown(name)) for name in repairs.of]
    rows += [(f"cnet get, {name}", gets.shown(name)) for name in gets.of]
    report.table(f"A host with {size}", ("command", "ms"), rows)
    took = repairs.median("after nft flush ruleset") / 1000
    report.goal(f"repair of {size}, at most {REPAIR_LIMIT:.0f} s", f"{took:.2f} s", took <= REPAIR_LIMIT)
    took = gets.median("full host")
    report.goal(f"get with {chosen.endpoints} endpoints, at most {GET_LIMIT:.0f} ms", digits(took), took <= GET_LIMIT)
