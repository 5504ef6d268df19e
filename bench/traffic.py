"""The program that makes connections: compiled if there is a compiler, else the same in Python.

The rule of this file: it only says which command to run; both take the same words and print the same.
"""

from __future__ import annotations

from bench.peers.peer import found
from bench.process import run
from bench.settings import ROOT, Settings

COMPILERS = ("/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang")
FOLDER = ROOT / "bench"


def program(chosen: Settings) -> tuple[list[str], str]:
    """Return the command, and the language it is written in."""
    compiler = found(COMPILERS)
    if not compiler:
        return [chosen.python, "-I", str(FOLDER / "load.py")], "Python"
    target = chosen.disk / "load"
    run(compiler, "-O2", "-Wall", "-Wextra", "-o", str(target), str(FOLDER / "load.c"))
    return [str(target)], "C"
