"""What processes cost while they run: memory, time on a processor, how often they wake.

The rule of this file: read from /proc, of processes that run; shared pages are counted once among those that share
them (PSS), so that sums are what the machine has to give.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Of one process, since it began."""

    cpu: float  # seconds
    wakes: int  # voluntary context switches of all its threads that are there


def memory(processes: Iterable[int]) -> float:
    """Return how many megabytes processes have together."""
    return sum(_proportional(number) for number in processes) * 1024 / 1e6


def _proportional(number: int) -> int:
    for line in Path(f"/proc/{number}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ValueError("the kernel does not tell what is shared")


def cost(number: int) -> Cost:
    """Return what a process has cost."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2].split()
    switches = [_switches(path) for path in Path(f"/proc/{number}/task").glob("*/status")]
    return Cost((int(fields[11]) + int(fields[12])) / TICK, sum(switches))


def _switches(path: Path) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:  # a thread that has ended meanwhile
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


def during(number: int, seconds: float) -> Cost:
    """Return what a process costs in so many seconds from now."""
    before = cost(number)
    time.sleep(seconds)
    after = cost(number)
    return Cost(after.cpu - before.cpu, after.wakes - before.wakes)


def quiet(number: int, seconds: float = 3.0, patience: float = 120.0) -> None:
    """Wait until a process has used no processor for a while."""
    end = time.monotonic() + patience
    while during(number, seconds).cpu > 1 / TICK and time.monotonic() < end:
        pass
