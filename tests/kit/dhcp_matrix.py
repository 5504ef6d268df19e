"""What one real server does, row by row, as a client comes to see it.

The rule of this file: only what is the same for every IP version; rows and answers are each version's own.
"""

from __future__ import annotations

from collections.abc import Callable

from kit.dhcp import Server
from kit.dhcp_lan import Lan

Rows = list[tuple[str, Callable[[], str]]]


class Rowed:
    """What one server does; ``keys`` are the containers that find it out."""

    keys: tuple[str, ...] = ()

    def __init__(self, lan: Lan, server: Server) -> None:
        self.lan, self.server = lan, server
        lan.plug(*self.keys)

    def made(self) -> Rows:
        """Return every row and what finds it out; they build on one another, in this order."""
        raise NotImplementedError

    def rows(self) -> dict[str, str]:
        """Return every row and its answer."""
        return {name: act() for name, act in self.made()}

    def release(self) -> str:
        held = self.lan.lease("c1")
        assert self.server.has(held.address)
        self.lan.engine.release("c1")
        assert self.lan.until(lambda: "c1" not in self.lan.engine)
        assert self.lan.did("c1", "unconfigure")[-1] == "released"
        assert self.lan.hands.held("c1") == [] and self.lan.hands.kept("c1") is None
        return "freed" if self.server.has(held.address, False) else "still leased"
