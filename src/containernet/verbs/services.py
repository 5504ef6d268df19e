"""The door to the host agent's services, as far as verbs need one.

The rule of this file: one narrow interface; a verb that needs no service never opens it, and works without an agent.
"""

from __future__ import annotations

from containernet.model.errors import Missing, NotFound
from containernet.model.network import DHCP
from containernet.store.door import SETTING

LONGEST_WAIT = 600  # seconds for an address
START = "Start it: systemctl start containernet-agent, or here: cnet agent."

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from containernet.verbs.host import Host
else:
    Protocol = object


class Services(Protocol):
    """What the agent does for verbs. Raises ``ContainerNetError`` where that is not said otherwise."""

    def running(self) -> bool:
        """Tell whether the agent runs, for our state directory."""

    def lease(self, endpoint: str, wait: int) -> None:
        """Wait until an endpoint has its address; raise :class:`Different` if it has none after so many seconds."""

    def renew(self, endpoint: str, wait: int) -> None:
        """Ask the server for more time, and wait for that."""

    def release(self, endpoint: str) -> None:
        """Give an endpoint's lease back; returns when the address is off its interface."""

    def farewell(self, endpoints: Iterable[str], *, moved: bool) -> bool:
        """Give the leases of endpoints back that are about to go; tell whether that was done.

        ``moved``: the store says since a moment ago that their namespace is elsewhere.
        """

    def states(self) -> dict[str, str]:
        """Return what the DHCP service is at, by endpoint and IP version (``web_lan/4``); nothing: none runs."""

    def state(self, service: str) -> tuple[str, str, tuple[tuple[str, int], ...]]:
        """Return the state of a service, a sentence on it, and its figures; raise ``NotFound``."""

    def restart(self, service: str) -> None:
        """Start a service anew; raise ``NotFound``."""


class Nobody:
    """Where there is no agent."""

    def running(self) -> bool:
        """There is none."""
        return False

    def lease(self, endpoint: str, wait: int) -> None:
        """Nobody leases."""

    def renew(self, endpoint: str, wait: int) -> None:
        """Nobody renews."""

    def release(self, endpoint: str) -> None:
        """Nobody releases."""

    def farewell(self, endpoints: Iterable[str], *, moved: bool) -> bool:  # noqa: ARG002
        """Nobody gives anything back."""
        return False

    def states(self) -> dict[str, str]:
        """Nobody is at anything."""
        return {}

    def state(self, service: str) -> tuple[str, str, tuple[tuple[str, int], ...]]:  # noqa: ARG002
        """There is none."""
        raise none_runs()

    def restart(self, service: str) -> None:  # noqa: ARG002
        """There is none."""
        raise none_runs()


def none_runs() -> NotFound:
    """Return the error for an agent that is not there."""
    return NotFound("agent-not-running", "The agent is not running.", START)


def enabled(host: Host) -> bool:
    """Tell whether the service is switched on."""
    return host.store.memo(f"{SETTING}{DHCP}") == "on"


def need_service(host: Host) -> None:
    """Raise :class:`Missing` if nobody would lease an address now."""
    if not enabled(host):
        raise Missing(
            "dhcp-disabled", "The DHCP client service is off.",
            "Switch it on: cnet service dhcp enable. Or say --ip ADDRESS/LENGTH, or none, and run a client yourself.",
        )  # fmt: skip
    if host.plans is None and not host.services.running():
        raise Missing("agent-not-running", "The agent, which leases addresses from DHCP, is not running.", START)
