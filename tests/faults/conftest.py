"""A place for state directories that costs no disk, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from containernet import bootstrap
from kit.memory import directories


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[Iterator[Path]]:
    """Paths for state directories."""
    monkeypatch.setattr(bootstrap, "time", lambda: 1_000_000_000.0)
    with directories() as found:
        yield found
