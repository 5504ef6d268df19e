"""TCP connections a second through a published port, with one mapping on the host and with ten thousand.

The rule of this file: two hosts by turns, for us and for a bare nftables map; client and server each keep to a
processor, the connections are made and reset at once, some in flight together.
"""

from __future__ import annotations

from contextlib import ExitStack

from bench.figures import Samples, alternating, times
from bench.host import ADDRESS, named, settle
from bench.peers.cnet import Cnet
from bench.peers.peer import Peer
from bench.peers.shell import Shell
from bench.process import Failed, run, running
from bench.report import Report, say
from bench.settings import Settings
from bench.stages.ports import INNER, OUTER, open_ports
from bench.stages.rounds import RESIDENT
from bench.traffic import program

MANY, IN_FLIGHT, LIMIT = 10_000, 16, 0.95
LAST = MANY - 1  # the port that is asked, counted from the first


def stage(chosen: Settings, report: Report) -> None:
    """Measure, print, state the goal."""
    command, language = program(chosen)
    seen = Samples()
    with ExitStack() as stack:
        peers = made(chosen, stack)
        for peer in peers:
            with peer.host.inside(peer.space(RESIDENT)):
                serve(stack, command)
        for peer in alternating(2 * chosen.rounds, peers):  # a round is short, and its figures are far apart
            seen.add(peer.label, rate(peer, command, chosen.connections))
    settle()
    printed(report, seen, language)


def serve(stack: ExitStack, command: list[str]) -> None:
    """Have somebody accept the connections, from now on. Called in the container."""
    server = stack.enter_context(running(*command, "serve", str(INNER + LAST), pinned=1))
    if not server.stdout or server.stdout.readline() != "ready\n":
        raise Failed("nobody listens in the container")


def made(chosen: Settings, stack: ExitStack) -> list[Peer]:
    """Make the four hosts."""
    peers: list[Peer] = []
    for kind in (Cnet, Shell):
        for count in (1, MANY):
            peers.append(kind(chosen, label(kind, count)))
            stack.callback(peers[-1].close)
            say(f"{peers[-1].label}")
            publish(peers[-1], count)
    return peers


def label(kind: type[Peer], count: int) -> str:
    """Return what a host is called."""
    return f"{kind.title}, {count:,} mapping{'s' if count > 1 else ''}"


def publish(peer: Peer, count: int) -> None:
    """Publish the port that is asked, and the rest."""
    ports = [(OUTER + number, INNER + number) for number in range(LAST + 1 - count, LAST + 1)]
    if isinstance(peer, Cnet) and count == MANY:
        peer.stay(RESIDENT, [])
        with peer.host:
            open_ports(peer, count)
    else:
        peer.stay(RESIDENT, ports)


def rate(peer: Peer, command: list[str], count: int) -> float:
    """Return how many connections a second were made."""
    with peer.host.inside(named("outside")):
        words = ("connect", ADDRESS, str(OUTER + LAST), str(count), str(IN_FLIGHT))
        made, failed = run("taskset", "-c", "0", *command, *words).split()
    if failed != "0":
        raise Failed(f"{peer.label}: {failed} connections failed")
    return float(made)


def printed(report: Report, seen: Samples, language: str) -> None:
    """Print the rates, each with its share of the rate with one mapping."""
    rows = []
    for kind in (Cnet, Shell):
        one, many = label(kind, 1), label(kind, MANY)
        name = "cnet" if kind is Cnet else "bare nftables map"
        rows.append((name, seen.shown(one), seen.shown(many), times(seen.ratio(many, one))))
    head = ("through a published port", "1 mapping", f"{MANY:,} mappings", "ratio")
    report.table(f"TCP connections a second ({language} client)", head, rows)
    ratio = seen.ratio(label(Cnet, MANY), label(Cnet, 1))
    report.goal(f"connections a second with {MANY:,} mappings, at least {LIMIT} of one", times(ratio), ratio >= LIMIT)
