"""What every peer can do: join containers to one network behind NAT and publish their ports, each on a host of its own.

The rule of this file: containers are numbers, ``c<number>`` by name; ports are pairs of (outer, inner). What is not
part of joining, such as making the container, happens before the clock starts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from bench.host import Host, named
from bench.process import run
from bench.settings import Settings

Ports = Sequence[tuple[int, int]]


class Peer:
    """One way of giving containers a network."""

    packages = ""  # of Debian, if something is missing
    title = ""

    def __init__(self, chosen: Settings, label: str = "") -> None:
        self.chosen, self.label = chosen, label or self.title
        self.host = Host(*self.mounts())
        self.made: set[int] = set()
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @classmethod
    def lacks(cls) -> str:
        """Return why it cannot be measured here, or nothing."""
        return ""

    @classmethod
    def version(cls, chosen: Settings) -> str:
        """Return the version of what is measured."""
        raise NotImplementedError

    def mounts(self) -> tuple[str, str]:
        """Return lines of shell for the host: before and after it gets its own /sys and /run."""
        return "", ""

    def start(self) -> None:
        """Make the network."""

    def close(self) -> None:
        """End all of it."""
        self.host.close()

    def space(self, number: int) -> str:
        """Return where the container's network namespace stands, on the host."""
        return named(f"c{number}")

    def containers(self, numbers: Sequence[int]) -> None:
        """Make containers that have no network yet."""
        new = [number for number in numbers if number not in self.made]
        self.host.containers([f"c{number}" for number in new])
        self.made.update(new)

    def prepare(self, number: int, ports: Ports) -> None:  # noqa: ARG002
        """Make the container that is to be joined with these ports, if it is not there."""
        self.containers([number])

    def join(self, number: int, ports: Ports) -> None:
        """Join a container to the network and publish its ports. Called on the host, with the clock running."""
        raise NotImplementedError

    def leave(self, number: int, ports: Ports) -> None:
        """The undoing of it. Called on the host, with the clock running."""
        raise NotImplementedError

    def stay(self, number: int, ports: Ports) -> None:
        """Have one more container on the network that is there to stay."""
        self.prepare(number, ports)
        with self.host:
            self.join(number, ports)

    def fill(self, numbers: Sequence[int], first_port: int) -> None:
        """Have many of them, with a published port each."""
        for number in numbers:
            self.stay(number, [(first_port + number, 80)])


def none_of(paths: Sequence[str]) -> str:
    """Return why a peer cannot be had: none of these files is there. Nothing if one is."""
    return "" if found(paths) else f"there is no {paths[0]}"


def found(paths: Sequence[str]) -> str:
    """Return the first of these files that is there."""
    return next((path for path in paths if os.access(path, os.X_OK)), "")


def package_version(name: str) -> str:
    """Return the version of a Debian package."""
    return f"{name} {run('dpkg-query', '-W', '-f', '${Version}', name)}"
