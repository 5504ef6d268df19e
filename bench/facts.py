"""What a run is made on: the machine, the versions of everything that is compared.

The rule of this file: read, never remembered; what cannot be read is said to be unknown.
"""

from __future__ import annotations

import os
import platform
from datetime import date

from bench.peers import KINDS, dhcp
from bench.peers.peer import package_version
from bench.process import Failed, run
from bench.settings import ROOT, Settings


def gathered(chosen: Settings) -> str:
    """Return the facts, one a line."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    asked = " ".join((*chosen.stages, *(["--quick"] if chosen.quick else [])))
    made_on = f"{os.cpu_count()} processors, Linux {platform.release()}, {_distribution()}"
    lines = (
        f"{date.today()}, `bench/run {asked}`, {chosen.rounds} rounds; median [p10..p90] throughout",
        f"{made_on}, Python {platform.python_version()}; load at the start {load}",
        f"state on {_filesystem(chosen)}; commit {_commit()}",
        *(f"{name}: {_version(name, chosen)}" for name in chosen.peers),
        *(f"{name}: {_package(name)}" for name in dhcp.PACKAGES if "dhcp" in chosen.stages),
    )
    return "".join(f"* {line}\n" for line in lines) + "\n"


def _version(name: str, chosen: Settings) -> str:
    why = KINDS[name].lacks()
    if why:
        return f"not measured, {why}"
    try:
        return KINDS[name].version(chosen)
    except (OSError, Failed):
        return "unknown version"


def _package(name: str) -> str:
    try:
        return package_version(dhcp.PACKAGES[name])
    except (OSError, Failed):
        return "unknown version"


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"


def _filesystem(chosen: Settings) -> str:
    return run("stat", "-f", "-c", "%T", str(chosen.disk)).strip()


def _commit() -> str:
    git = ("git", "-c", "safe.directory=*", "-C", str(ROOT))
    try:
        changed = run(*git, "status", "--porcelain", "--", "src").strip()
        return run(*git, "rev-parse", "--short", "HEAD").strip() + (" with changes in src/" if changed else "")
    except (OSError, Failed):
        return "unknown"
