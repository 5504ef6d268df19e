"""The contract suite's worlds: each test runs in memory, and in Linux where this process has a private namespace."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from worlds import Fake, Real, World

REASON = "needs a private namespace: run ./scripts/test"
in_lab = pytest.mark.skipif(os.environ.get("CNET_LAB") != "1", reason=REASON)


@pytest.fixture(params=["fake", pytest.param("real", marks=in_lab)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world with nothing of ours in it."""
    made: World = Fake() if request.param == "fake" else Real()
    yield made
    made.end()


@pytest.fixture
def real() -> Iterator[Real]:
    """Linux, for what only a real kernel can show."""
    if os.environ.get("CNET_LAB") != "1":
        pytest.skip(REASON)
    made = Real()
    yield made
    made.end()
