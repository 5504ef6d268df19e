"""ContainerNet itself: the installed command, a process for each verb, its state on a disk.

The rule of this file: the command line as a person types it; only a full host is made in one process, to save time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from bench.peers.peer import Peer, Ports
from bench.process import run
from bench.settings import ROOT, Settings

SUBNET = "10.93.0.0/16"
HOSTS = count(1)


class Cnet(Peer):
    """IPv4 and IPv6, every change on the disk before it returns, what was made read back."""

    title = "cnet"

    @classmethod
    def version(cls, chosen: Settings) -> str:
        return run(chosen.cnet, "--version").strip()

    def start(self) -> None:
        state = self.chosen.disk / f"state{next(HOSTS)}"
        self.env = {"CNET_STATE_DIR": str(state)}
        with self.host:
            self.cnet("create", "net1", "--nat", "--subnet", SUBNET)

    def cnet(self, *words: str) -> str:
        """Run the command. Called on the host."""
        return run(self.chosen.cnet, *words, env=self.env)

    def worker(self, *words: str) -> str:
        """Run what is done through the Python API, in a process of its own."""
        with self.host:
            return run(self.chosen.python, "-m", "bench.worker", *words, env=self.env, cwd=str(ROOT))

    def join(self, number: int, ports: Ports) -> None:
        publish = (word for outer, inner in ports for word in ("-p", f"{outer}:{inner}"))
        self.cnet("join", f"c{number}", "net1", *publish)

    def leave(self, number: int, ports: Ports) -> None:  # noqa: ARG002
        self.cnet("leave", f"c{number}", "net1")

    def fill(self, numbers: Sequence[int], first_port: int, ports_each: int = 1) -> None:
        self.containers(numbers)
        self.worker("fill", str(numbers[0]), str(len(numbers)), str(first_port), str(ports_each))
