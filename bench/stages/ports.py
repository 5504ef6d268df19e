"""Many ports opened and closed in one call.

The rule of this file: inner ports differ from outer ones, so that nothing but a mapping of each port will do; after the
call a port from the middle is asked from outside.
"""

from __future__ import annotations

from bench.figures import Samples, alternating
from bench.peers.cnet import Cnet
from bench.process import Failed, timed
from bench.report import Report
from bench.settings import Settings
from bench.stages.rounds import RESIDENT

OUTER, INNER = 20000, 30000
LIMITS = {1000: 0.2, 10_000: 1.5}  # seconds


def stage(chosen: Settings, report: Report) -> None:
    """Measure, print, state the goals."""
    peer = Cnet(chosen)
    try:
        peer.stay(RESIDENT, [])
        opens, closes = measured(peer, chosen.slow_rounds)
    finally:
        peer.close()
    rows = [(f"{int(name):,}", opens.shown(name), closes.shown(name)) for name in opens.of]
    report.table("Many ports in one call of the command", ("ports", "open, ms", "close, ms"), rows)
    for count, limit in LIMITS.items():
        seen = opens.median(str(count)) / 1000
        report.goal(f"{count:,} ports opened in one call, at most {limit} s", f"{seen:.3f} s", seen <= limit)


def measured(peer: Cnet, rounds: int) -> tuple[Samples, Samples]:
    """Return what opening and closing takes, by the number of ports."""
    opens, closes = Samples(), Samples()
    for count in LIMITS:
        once(peer, count, Samples(), Samples())
    for count in alternating(rounds, list(LIMITS)):
        once(peer, count, opens, closes)
    return opens, closes


def once(peer: Cnet, count: int, opens: Samples, closes: Samples) -> None:
    """Open, ask, close."""
    with peer.host:
        opens.add(str(count), timed(lambda: open_ports(peer, count)))
    if not peer.host.answers(peer.space(RESIDENT), OUTER + count // 2, INNER + count // 2):
        raise Failed("a port that was opened does not answer")
    with peer.host:
        span = f"{OUTER}-{OUTER + count - 1}"
        closes.add(str(count), timed(lambda: peer.cnet("close", f"c{RESIDENT}", "net1", "--external-port", span)))


def open_ports(peer: Cnet, count: int) -> None:
    """Open as many ports. Called on the host."""
    span = f"{OUTER}-{OUTER + count - 1}"
    peer.cnet("open", f"c{RESIDENT}", "net1", "--external-port", span, "--internal-port", str(INNER))
