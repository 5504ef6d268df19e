"""Joining and leaving by turns: what the stages that compare peers have in common.

The rule of this file: the container that comes and goes is always the same one, with the same port; before the first
figure counts, its port has been asked from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from bench.figures import Samples, alternating
from bench.host import settle
from bench.peers import KINDS
from bench.peers.peer import Peer, Ports
from bench.process import Failed, timed
from bench.report import say
from bench.settings import Settings

RESIDENT, MEASURED, MANY = 2000, 2001, 2002  # numbers of containers, beyond those of a full host
PORTS = {RESIDENT: [(9000, 80)], MEASURED: [(9001, 80)]}


@contextmanager
def hosts(chosen: Settings, kinds: Sequence[str], suffixes: Sequence[str] = ("",)) -> Iterator[list[Peer]]:
    """Have hosts of these kinds, one for each suffix, with one container on them that stays."""
    with ExitStack() as stack:
        made = []
        for kind in kinds:
            if KINDS[kind].lacks():
                say(f"{kind} is skipped: {KINDS[kind].lacks()}")
                continue
            try:
                made += [started(chosen, kind, suffix, stack) for suffix in suffixes]
            except Failed as why:
                if kind == "cnet":
                    raise
                say(f"{kind} is skipped: {why}")
        yield made
    settle()


def started(chosen: Settings, kind: str, suffix: str, stack: ExitStack) -> Peer:
    """Make one host."""
    peer = KINDS[kind](chosen, KINDS[kind].title + suffix)
    stack.callback(peer.close)
    peer.stay(RESIDENT, PORTS[RESIDENT])
    warm(peer)
    return peer


def warm(peer: Peer) -> None:
    """Join and leave once without counting; the port must answer in between."""
    number, ports = MEASURED, PORTS[MEASURED]
    peer.prepare(number, ports)
    with peer.host:
        peer.join(number, ports)
    if not peer.host.answers(peer.space(number), *ports[0]):
        raise Failed(f"{peer.label}: the published port does not answer")
    with peer.host:
        peer.leave(number, ports)


def measured(peers: Sequence[Peer], rounds: int, ports: Ports = PORTS[MEASURED]) -> tuple[Samples, Samples]:
    """Return what joining and what leaving takes, by the peers' labels."""
    joins, leaves = Samples(), Samples()
    for peer in alternating(rounds, peers):
        with peer.host:
            joins.add(peer.label, timed(partial(peer.join, MEASURED, ports)))
            leaves.add(peer.label, timed(partial(peer.leave, MEASURED, ports)))
    return joins, leaves
