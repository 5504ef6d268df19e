"""The door to whoever knows containers by name.

The rule of this file: a resolver says where a container's namespace can be opened; whether it is one is the kernel's
word.
"""

from __future__ import annotations

from containernet.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


@record
class Found:
    """A container: its one name, where its namespace is, and whether it comes back after a restart of the host."""

    name: str
    path: str
    lasting: bool = True


class Containers(Protocol):
    """All resolvers as one."""

    def find(self, text: str) -> Found | None:
        """Return the container, None if nobody knows it; raise ``Usage`` if there can be none of this name."""

    def need(self, text: str) -> Found:
        """Return the container; raise ``NotFound`` with the places that were looked into."""


class Resolver(Protocol):
    """Turns what a person typed into a container."""

    def find(self, text: str) -> Found | None:
        """Return the container; None if this resolver knows none of this name; raise ``Usage`` if it cannot be one."""

    def looked(self, text: str) -> str:
        """Return where it looked for it, as part of a sentence; "" if such a text is not its business."""
