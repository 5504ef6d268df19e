"""Running commands, and how long they take.

The rule of this file: a command that fails ends the measurement with what it said; a process that is started here is
ended here, by its number.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/bin"
ENVIRONMENT = {"PATH": SYSTEM, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
PATIENCE = 600.0  # seconds; some peers take minutes for a thousand ports


class Failed(Exception):
    """A command did not do what it was asked."""


def run(*argv: str, text: str = "", env: Mapping[str, str] | None = None, cwd: str = "/") -> str:
    """Run a command with an environment of its own and return what it printed."""
    try:
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, env={**ENVIRONMENT, **(env or {})}, cwd=cwd,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(argv)[:200]}: not done after {PATIENCE:.0f} s") from None
    if done.returncode:
        said = (done.stderr.strip() + "\n" + done.stdout.strip()).strip()[-1500:]
        raise Failed(f"{' '.join(argv)[:200]}: status {done.returncode}\n{said}")
    return done.stdout


def timed(function: Callable[[], object]) -> float:
    """Return how many milliseconds ``function`` takes."""
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1000


@contextmanager
def running(*argv: str, pinned: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """Keep a process running; its standard output can be read."""
    command = [*on_cpu(pinned), *argv]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd="/")
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a process of ours and wait for it."""
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


def on_cpu(number: int | None) -> list[str]:
    """Return the start of a command line that keeps to one processor."""
    return [] if number is None else ["taskset", "-c", str(number % (os.cpu_count() or 1))]
