"""Where the time and the memory of one cold join go.

The rule of this file: the interpreter's own account of its imports, next to starts of less and less; memory as the
kernel counted it for the process alone.
"""

from __future__ import annotations

from functools import partial

from bench.figures import Samples, alternating, digits, spread
from bench.peers.cnet import Cnet
from bench.process import run, timed
from bench.report import Report
from bench.settings import Settings
from bench.stages.rounds import MEASURED, PORTS, RESIDENT, warm

LIMIT = 40  # megabytes
SHOWN = 12  # modules
# The peak is inherited by a child that shares its parent's memory until it starts: so the parent is a small one.
PEAK = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
number = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(number, 0)
print(usage.ru_maxrss)
sys.exit(1 if status else 0)
"""


def stage(chosen: Settings, report: Report) -> None:
    """Measure, print, state the goal."""
    peer = Cnet(chosen)
    try:
        peer.stay(RESIDENT, PORTS[RESIDENT])
        warm(peer)
        with peer.host:
            modules, starts, peak = imports(peer), started(peer), peaks(peer)
    finally:
        peer.close()
    printed(report, modules, starts, peak)


def words() -> list[str]:
    """Return the join that is looked at, as a command line after the command."""
    outer, inner = PORTS[MEASURED][0]
    return ["join", f"c{MEASURED}", "net1", "-p", f"{outer}:{inner}"]


def imports(peer: Cnet) -> dict[str, int]:
    """Return the microseconds that each module took by itself, as the interpreter counts them."""
    script = '"$@" 2>&1 >/dev/null'
    chosen = peer.chosen
    said = run("sh", "-c", script, "sh", chosen.python, "-X", "importtime", chosen.cnet, *words(), env=peer.env)
    peer.leave(MEASURED, [])
    found = {}
    for line in said.splitlines():
        own, *_, name = line.removeprefix("import time:").split("|")
        if own.strip().isdigit():
            found[name.strip()] = int(own)
    return found


def started(peer: Cnet) -> Samples:
    """Return what starts of less and less take, by turns."""
    chosen, seen = peer.chosen, Samples()
    commands = {
        "cnet --version": [chosen.cnet, "--version"],
        "python -c pass": [chosen.python, "-c", "pass"],
        "python -I -S -c pass": [chosen.python, "-I", "-S", "-c", "pass"],
        "true": ["true"],
    }
    for name in alternating(chosen.rounds, list(commands)):
        seen.add(name, timed(partial(run, *commands[name], env=peer.env)))
    return seen


def peaks(peer: Cnet) -> list[float]:
    """Return the peak memory of joins, in megabytes."""
    chosen, seen = peer.chosen, []
    for _ in range(chosen.slow_rounds):
        command = (chosen.python, "-I", "-S", "-c", PEAK, chosen.cnet, *words())
        seen.append(int(run(*command, env=peer.env)) * 1024 / 1e6)
        peer.leave(MEASURED, [])
    return seen


def printed(report: Report, modules: dict[str, int], starts: Samples, peak: list[float]) -> None:
    """Print the figures, state the goal."""
    slow = sorted(modules, key=lambda name: -modules[name])[:SHOWN]
    rows = [(f"{len(modules)} modules", digits(sum(modules.values()) / 1000))]
    rows += [(f"`{name}`", digits(modules[name] / 1000)) for name in slow]
    report.table("Modules that one join loads, the slowest", ("module", "by itself, ms"), rows)
    rows = [(name, starts.shown(name)) for name in starts.of]
    report.table("Starts", ("command", "ms"), [*rows, ("peak memory of one join, MB", spread(peak))])
    report.goal(f"peak memory of one join, less than {LIMIT} MB", f"{max(peak):.1f} MB", max(peak) < LIMIT)
