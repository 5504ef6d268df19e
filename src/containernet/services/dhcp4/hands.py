"""What the engine needs of who runs it: a way into namespaces, and hands for what a lease changes outside.

The rule of this file: two narrow interfaces. The kernel, the store and the log stay with who gives them.
"""

from __future__ import annotations

from containernet.model.lease import Lease
from containernet.model.network import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, TypeVar

    T = TypeVar("T")
else:
    Protocol = object


class Spaces(Protocol):
    """A way into namespaces (``kernel.netns.Spaces``)."""

    def call(self, place: Place, function: Callable[[], T]) -> T:
        """Return what a function returns when a thread in the place runs it; raise VANISHED if that is gone."""

    def leave(self) -> None:
        """Be in no namespace any more."""


class Hands(Protocol):
    """What a lease does outside. A method may raise ``ContainerNetError`` or ``OSError``."""

    def configure(self, key: str, lease: Lease, before: Lease | None) -> None:
        """Bring the interface to what a lease says, from what the one before it said; told again, do no harm."""

    def unconfigure(self, key: str, lease: Lease, reason: str) -> None:
        """Take what a lease says off the interface; ``reason`` is "expired", "refused" or "released"."""

    def save(self, key: str, lease: Lease) -> None:
        """Keep a lease durably; it comes before its ``configure``."""

    def forget(self, key: str) -> None:
        """Keep none any more."""

    def tell(self, key: str, level: str, sentence: str) -> None:
        """Say something: "debug", "info", "warning" or "error"."""

    def lost(self, key: str) -> None:
        """Learn that the namespace or interface is gone; the client has ended, its lease is still kept."""
