"""A place for state directories that costs no disk, and a clock that stands still."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from containernet import bootstrap
from containernet.store import pool

MEMORY = Path("/dev/shm")


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[Iterator[Path]]:
    """Paths for state directories: nothing is there yet, and in the end nothing is left."""
    monkeypatch.setattr(bootstrap, "time", lambda: 1_000_000_000.0)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory:
        yield (Path(directory) / str(number) for number in count())
        pool.drain()
