"""Leave against the deletion of one veth pair, which waits for every processor: no way of leaving is quicker.

The rule of this file: twice by turns, each with its like: a process with a process, a call with a message.
"""

from __future__ import annotations

from bench.figures import Samples, alternating, times
from bench.peers.cnet import Cnet
from bench.process import run, timed
from bench.report import Report
from bench.settings import Settings
from bench.stages.python import LEAVE, VETH, in_process
from bench.stages.rounds import MEASURED, PORTS, RESIDENT, warm

LIMIT = 1.5
CNET, IP = "cnet leave", "ip link delete"
BRIDGE = """
ip link add floor type bridge
ip address add 10.94.0.1/16 dev floor
ip link set floor up
ip netns add floor
"""
PAIR = """
ip link add floor0 type veth peer name eth0 netns floor
ip link set floor0 master floor up
ip -n floor link set eth0 up
ip -n floor address add 10.94.0.2/16 dev eth0
ip -n floor address add fd00:94::2/64 dev eth0 nodad
ip -n floor route add default via 10.94.0.1
"""


def stage(chosen: Settings, report: Report) -> None:
    """Measure both ways, print, state the goals."""
    seen, inside = processes(chosen), in_process(chosen)
    rows = [
        ("a process for each", seen.shown(CNET), seen.shown(IP), times(seen.ratio(CNET, IP))),
        ("in one process", inside.shown(LEAVE), inside.shown(VETH), times(inside.ratio(LEAVE, VETH))),
    ]
    report.table("Leave against deleting one veth pair", ("way", "leave, ms", "veth, ms", "ratio"), rows)
    for what, ratio in (("a process", seen.ratio(CNET, IP)), ("in process", inside.ratio(LEAVE, VETH))):
        report.goal(f"leave ({what}), at most {LIMIT} of deleting a veth", times(ratio), ratio <= LIMIT)


def processes(chosen: Settings) -> Samples:
    """Return what both take as processes, by turns."""
    peer, seen = Cnet(chosen), Samples()
    try:
        peer.stay(RESIDENT, PORTS[RESIDENT])
        warm(peer)
        with peer.host:
            run("sh", "-ec", BRIDGE)
            for name in alternating(chosen.rounds, [CNET, IP]):
                seen.add(name, once(peer, name))
    finally:
        peer.close()
    return seen


def once(peer: Cnet, name: str) -> float:
    """Return what one of them takes."""
    if name == IP:
        run("sh", "-ec", PAIR)
        return timed(lambda: run("ip", "link", "delete", "floor0"))
    peer.join(MEASURED, PORTS[MEASURED])
    return timed(lambda: peer.leave(MEASURED, PORTS[MEASURED]))
