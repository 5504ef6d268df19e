"""What a client needs of the engine that it is in.

The rule of this file: one narrow interface, in the engine's words; a test can be an engine, too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Protocol

    from containernet.model.network import Place
    from containernet.services.dhcp4.runner import Runner
    from containernet.services.dhcp4.words import Effect
else:
    Protocol = object


class Shell(Protocol):
    """What a client needs of the engine that it is in."""

    def clock(self) -> float:
        """Return the boottime clock."""

    def chance(self) -> float:
        """Return a number from 0 up to 1."""

    def inside(self, place: Place, function: Callable[[], socket.socket]) -> socket.socket:
        """Return what a function returns in a namespace; raise VANISHED if that is not there any more."""

    def watch(self, sock: socket.socket, client: Runner) -> None:
        """Call ``client.ready`` when a socket has something."""

    def let_go(self, sock: socket.socket) -> None:
        """Have a socket closed."""

    def lasting(self, client: Runner, effect: Effect) -> None:
        """Have the hands do what outlives an exchange."""

    def lost(self, client: Runner, sentence: str) -> None:
        """Learn that the namespace or the interface of a client is gone."""
