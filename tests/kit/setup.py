"""The shortest way to a container on a network, for tests that are about something else.

The rule of this file: only through the command, as a person would; nothing of the project is imported.
"""

from __future__ import annotations

from typing import Any

from kit.lab import Lab
from kit.space import Space


def bare(addresses: list[str]) -> dict[int, str]:
    """Return addresses without their prefix lengths, by family."""
    return {6 if ":" in text else 4: text.partition("/")[0] for text in addresses}


def joined(lab: Lab, container: str = "c1", network: str = "n1", *options: str) -> tuple[Space, dict[int, str]]:
    """Join a container to a network, each made if need be; return it and its addresses by family."""
    if not any(made["name"] == network for made in lab.json("get")):
        lab.cnet("create", network, "--nat")
    there = container in lab.host.sh("ls /run/netns").split()
    space = lab.inside(container) if there else lab.container(container)
    return space, bare(lab.json("join", container, network, *options)["addresses"])


def opened(
    lab: Lab,
    external: int | str,
    internal: int | str,
    proto: str = "tcp",
    *options: str,
    to: tuple[str, str] = ("c1", "n1"),
) -> Any:
    """Open a port to a container; return the mapping."""
    ports = ["--protocol", proto, "--external-port", str(external), "--internal-port", str(internal)]
    return lab.json("open", *to, *ports, *options)


def refused(lab: Lab, *argv: str, status: int | None = None, says: str = "") -> str:
    """Run a command that must be refused: one sentence, a hint, its own exit status, and nothing changed.

    Returns what was said.
    """
    before = lab.world()
    done = lab.result(*argv)
    shown = f"cnet {argv!r}: status {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.returncode in ((2, 3, 4, 5, 6, 7, 8) if status is None else (status,)), shown
    assert "Traceback" not in done.stderr, shown
    assert 1 <= len(done.stderr.strip().splitlines()) <= 3, shown
    assert len(done.stderr) < 600, shown
    assert says.lower() in done.stderr.lower(), shown
    assert all(line.isprintable() for line in done.stderr.splitlines()), shown
    assert lab.world() == before, f"changed something: {shown}"
    return done.stderr
