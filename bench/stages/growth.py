"""How joining one more container grows with what is there already: an empty host and a full one, by turns.

The rule of this file: one peer at a time, so that none pays for another's crowd; both its hosts live on the same
machine in the same rounds, so that what the machine does meets both.
"""

from __future__ import annotations

from bench.figures import Samples, digits, times
from bench.peers import KINDS
from bench.peers.peer import Peer
from bench.process import timed
from bench.report import Report, say
from bench.settings import Settings
from bench.stages.rounds import MANY, hosts, measured

EMPTY, FULL = " (empty)", " (full)"
LIMIT = 1.3
LEFT_OUT = ("docker",)  # its growth is the daemon's: see docker-api
FIRST_PORT, FIRST_OF_MANY = 10000, 20000
NOTE = "'Took': while the host was made full; cnet's endpoints in one process."


def stage(chosen: Settings, report: Report) -> None:
    """Measure each peer, print, state the goals."""
    rows = []
    for kind in dict.fromkeys(["cnet", *chosen.peers]):
        if kind in LEFT_OUT or KINDS[kind].lacks():
            continue
        with hosts(chosen, [kind], (EMPTY, FULL)) as peers:
            if len(peers) == 2:
                rows.append(row(chosen, report, *peers))
    endpoints, ports = chosen.endpoints, chosen.more_ports
    head = (
        "join one more, ms", "empty host", f"{endpoints} endpoints", "ratio", "empty host", f"+ {ports:,} ports",
        "ratio", "an endpoint took", f"{ports:,} ports took",
    )  # fmt: skip
    report.table("Join on a full host", head, rows, NOTE)


def row(chosen: Settings, report: Report, empty: Peer, full: Peer) -> tuple[str, ...]:
    """Make a host full in two steps and compare it with an empty one after each."""
    say(f"{full.title}: {chosen.endpoints} endpoints")
    numbers = range(chosen.endpoints)
    each = timed(lambda: full.fill(numbers, FIRST_PORT)) / len(numbers)
    crowded = compared(chosen, empty, full)
    say(f"{full.title}: {chosen.more_ports} ports more")
    ports = [(FIRST_OF_MANY + number, 1000 + number) for number in range(chosen.more_ports)]
    many = timed(lambda: full.stay(MANY, ports))
    published = compared(chosen, empty, full)
    if full.title == KINDS["cnet"].title:
        goal(report, f"with {chosen.endpoints} endpoints", crowded, empty, full)
        goal(report, f"with {chosen.more_ports:,} more published ports", published, empty, full)
    return (
        full.title, *cells(crowded, empty, full), *cells(published, empty, full),
        f"{digits(each)} ms", f"{digits(many)} ms",
    )  # fmt: skip


def compared(chosen: Settings, empty: Peer, full: Peer) -> Samples:
    """Return what joining takes on both."""
    joins, _ = measured([empty, full], chosen.rounds)
    return joins


def cells(joins: Samples, empty: Peer, full: Peer) -> tuple[str, str, str]:
    """Return the figures of both, and their ratio."""
    return joins.shown(empty.label), joins.shown(full.label), times(joins.ratio(full.label, empty.label))


def goal(report: Report, what: str, joins: Samples, empty: Peer, full: Peer) -> None:
    """State that joining must not grow."""
    ratio = joins.ratio(full.label, empty.label)
    report.goal(f"cold join {what}, at most {LIMIT} of the empty host's", times(ratio), ratio <= LIMIT)
