"""The command line of the benchmark: which stages, how many rounds, which peers.

The rule of this file: it measures nothing. It reads the options, runs the stages and prints the goals.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from bench import facts
from bench.peers import KINDS, PACKAGES, dhcp
from bench.process import Failed
from bench.report import Report, say
from bench.settings import Settings
from bench.stages import STAGES

WITH_PEERS = {"join", "growth"}


def options() -> argparse.ArgumentParser:
    """Return what can be typed."""
    parser = argparse.ArgumentParser(prog="bench/run", description="Measure ContainerNet side by side with its peers.")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"{', '.join(STAGES)}; all of them by default")
    parser.add_argument("--rounds", type=int, default=0, metavar="N", help="rounds of each comparison (21; quick: 5)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller numbers: a look, not a result")
    parser.add_argument("--peers", default=",".join(KINDS), metavar="LIST", help="of %(default)s")
    parser.add_argument("--disk", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--wanted", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--facts", action="store_true", help=argparse.SUPPRESS)
    return parser


def settings(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Settings:
    """Return the options, checked."""
    stages, peers = given.stages or list(STAGES), given.peers.split(",")
    for names, known in ((stages, STAGES), (peers, KINDS)):
        if strange := sorted(set(names) - set(known)):
            parser.error(f"not known: {', '.join(strange)}; known are {', '.join(known)}")
    if given.rounds < 0:
        parser.error("--rounds must be a positive number")
    rounds = given.rounds or (5 if given.quick else 21)
    chosen = tuple(kind for kind in KINDS if kind in peers)
    return Settings(tuple(stages), rounds, given.quick, chosen, given.disk or Path())


def wanted(chosen: Settings) -> str:
    """Return a line for each peer that is not there: its name and its Debian packages."""
    kinds = {}
    if WITH_PEERS & set(chosen.stages):
        kinds = {PACKAGES[name]: name for name in chosen.peers if KINDS[name].lacks()}
    if "dhcp" in chosen.stages:
        kinds.update({dhcp.PACKAGES[name]: name for name in dhcp.missing()})
    return "".join(f"{name} {packages}\n" for packages, name in kinds.items() if packages)


def measure(chosen: Settings) -> bool:
    """Run the stages; return whether every goal is met."""
    report = Report(quick=chosen.quick)
    for name in chosen.stages:
        say(f"stage {name}")
        try:
            STAGES[name](chosen, report)
        except Failed as why:
            report.failed(name, str(why))
    return report.end()


def main() -> int:
    """Do what was typed; 1 says that a goal is not met."""
    parser = options()
    given = parser.parse_args()
    chosen = settings(parser, given)
    if given.wanted or given.facts:  # outside of the lab, where the versions of packages are known
        print(wanted(chosen) if given.wanted else facts.gathered(chosen), end="")
        return 0
    if os.environ.get("CNET_LAB") != "1":
        parser.error("start this through bench/run: it needs namespaces of its own")
    return 0 if measure(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
