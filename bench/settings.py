"""What one run of the benchmark is asked for, and the sizes that follow from it.

The rule of this file: every number that makes a run longer or shorter is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Settings:
    """The options of a run."""

    stages: tuple[str, ...]
    rounds: int
    quick: bool
    peers: tuple[str, ...]
    disk: Path  # a directory of this run on a real disk, with the installed project in it

    @property
    def endpoints(self) -> int:
        """How many endpoints a full host has."""
        return 50 if self.quick else 500

    @property
    def more_ports(self) -> int:
        """How many ports one more container publishes on a host that is fuller still."""
        return 100 if self.quick else 1000

    @property
    def slow_rounds(self) -> int:
        """Rounds of what takes seconds each."""
        return max(3, self.rounds // 3)

    @property
    def crowds(self) -> int:
        """Rounds of what makes and ends a whole crowd of containers each time."""
        return min(3, self.slow_rounds) if not self.quick else 1

    @property
    def idle(self) -> float:
        """Seconds that a process is watched which has nothing to do."""
        return 5.0 if self.quick else 30.0

    @property
    def connections(self) -> int:
        """TCP connections of one round."""
        return 1000 if self.quick else 5000

    @property
    def cnet(self) -> str:
        """The installed command."""
        return str(self.disk / "venv" / "bin" / "cnet")

    @property
    def python(self) -> str:
        """The interpreter that the project is installed for."""
        return str(self.disk / "venv" / "bin" / "python")
