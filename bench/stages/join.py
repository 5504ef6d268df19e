"""A container joined to a network behind NAT with one port published: a cold process, against every peer.

The rule of this file: one host for each peer, with one endpoint on it, so that no peer makes its bridge anew each time.
"""

from __future__ import annotations

from bench.figures import Samples, times
from bench.peers import KINDS
from bench.report import Report
from bench.settings import Settings
from bench.stages.rounds import hosts, measured

CNET = KINDS["cnet"].title
LIMITS = {"cni": 0.6, "netavark": 1.0, "docker": 1.0, "docker-api": 1.0}  # of cnet's share of a peer's time
NOTE = (
    "cnet: IPv4 and IPv6, on the disk before it returns, read back. The others: IPv4. "
    "'ours' is cnet's median as a share of theirs."
)


def stage(chosen: Settings, report: Report) -> None:
    """Measure, print, state the goals."""
    kinds = list(dict.fromkeys(["cnet", *chosen.peers]))
    with hosts(chosen, kinds) as peers:
        joins, leaves = measured(peers, chosen.rounds)
    rows = [
        (name, joins.shown(name), times(joins.ratio(CNET, name)), leaves.shown(name), times(leaves.ratio(CNET, name)))
        for name in joins.of
    ]
    head = ("a container joins and leaves", "join, ms", "ours", "leave, ms", "ours")
    report.table("Join with one published port, a process for each", head, rows, NOTE)
    goals(joins, report)


def goals(joins: Samples, report: Report) -> None:
    """State what join must reach."""
    seen = joins.median(CNET)
    report.goal("cold join, at most 30 ms", f"{seen:.1f} ms", seen <= 30)
    for kind, limit in LIMITS.items():
        name = KINDS[kind].title
        if name in joins.of:
            ratio = joins.ratio(CNET, name)
            text = f"cold join, at most {limit} of {name}" if limit < 1 else f"cold join, faster than {name}"
            report.goal(text, times(ratio), ratio <= limit if limit < 1 else ratio < 1)
