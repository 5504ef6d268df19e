"""All resolvers as one: the first that knows the container answers.

The rule of this file: the order is that of the list; who finds nothing has said where it looked.
"""

from __future__ import annotations

from containernet.model.errors import NotFound
from containernet.model.names import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.containers.door import Found, Resolver


class Chain:
    """Asks resolvers in turn."""

    def __init__(self, resolvers: tuple[Resolver, ...]) -> None:
        self._resolvers = resolvers

    def find(self, text: str) -> Found | None:
        """Return the container that the first resolver finds, None if none does."""
        return next((found for one in self._resolvers if (found := one.find(text)) is not None), None)

    def need(self, text: str) -> Found:
        """Return the container; raise :class:`NotFound` with the places that were looked into."""
        found = self.find(text)
        if found is None:
            places = ", ".join(place for one in self._resolvers if (place := one.looked(text)))
            raise NotFound(
                "container-not-found", f"There is no container {shown(text)}; looked in {places or 'no place'}.",
                "Name a network namespace, a process (pid:N) or a namespace's path; 'ip netns list' shows the first.",
            )  # fmt: skip
        return found
