"""What all tests share: the lab of the kit, and the reason why a test that needs a kernel is skipped elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.lab import Lab
from kit.private import separate

NEEDS_KERNEL = {"lab", "make_lab"}
REASON = "needs a private namespace: run ./scripts/test"


def pytest_configure(config: pytest.Config) -> None:
    """Name our marks, so that a mistyped one is an error; part from the other test processes."""
    config.addinivalue_line(
        "markers", "lab(bridge_nf=1, mtu=1500, uplinks=1, ipv6=True): how the lab of a test is made"
    )
    config.addinivalue_line("markers", "kernel: the test changes the network namespace that it runs in")
    separate()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what would change the network of this machine."""
    if os.environ.get("CNET_LAB") == "1":
        return
    for item in items:
        if NEEDS_KERNEL & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("kernel"):
            item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Make labs; each is looked through for left-overs when the test ends."""
    with ExitStack() as stack:
        count = iter(range(99))
        yield lambda **options: stack.enter_context(Lab(tmp_path / str(next(count)), **options))


@pytest.fixture
def lab(request: pytest.FixtureRequest, make_lab: Callable[..., Lab]) -> Lab:
    """A lab as the test's ``lab`` mark asks for it."""
    mark = request.node.get_closest_marker("lab")
    options: dict[str, Any] = mark.kwargs if mark else {}
    return make_lab(**options)
