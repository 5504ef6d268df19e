"""Asking the agent, from another process.

The rule of this file: one question, one answer, and a bound on the wait for it.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from errno import EACCES, ECONNREFUSED, ENOENT, ENOTDIR, EPERM

from containernet.agent import protocol
from containernet.agent.protocol import AgentView, Request
from containernet.model.errors import ContainerNetError, Different, NotFound, NotPermitted, Usage
from containernet.verbs.services import none_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

RUN_DIR, SOCKET = "/run/containernet", "agent.sock"
PATIENCE = 5.0  # seconds
GIVING_BACK = 15  # seconds for a lease to be given back: one as a rule
LONGEST = 1 << 20  # bytes of an answer
PIECE = 4 << 10  # characters of names in one request: in JSON one may take twelve bytes


def run_dir() -> str:
    """Return where the agent has its socket."""
    return os.path.abspath(os.environ.get("CNET_RUN_DIR", "") or RUN_DIR)


def status(state_dir: str) -> AgentView:
    """Return how the agent of a state directory is; raise ``NotFound`` if there is none."""
    found = protocol.view(ask(Request(protocol.STATUS)))
    if os.path.realpath(found.state_dir) != os.path.realpath(state_dir):
        raise protocol.of_another(found, state_dir)
    return found


def ask(asked: Request) -> Any:
    """Return the agent's answer as plain values; raise ``NotFound`` if there is no agent, and what it refuses with."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE + asked.wait)
        try:
            connection.connect(os.path.join(run_dir(), SOCKET))
            with suppress(BrokenPipeError):  # it has refused already, and says why
                connection.sendall(protocol.said(asked))
            line = _line(connection)
        except OSError as error:
            raise _explained(error) from None
    return protocol.result(line)


class Agent:
    """See :class:`containernet.verbs.services.Services`: the services of the agent of a state directory."""

    def __init__(self, state_dir: str) -> None:
        self._state_dir = state_dir

    def _ask(self, do: str, name: str = "", wait: int = 0) -> Any:
        status(self._state_dir)  # another state directory's agent has endpoints of the same names
        return ask(Request(do, name, wait))

    def running(self) -> bool:
        """Tell whether it runs."""
        try:
            status(self._state_dir)
        except NotFound:
            return False
        return True

    def lease(self, endpoint: str, wait: int) -> None:
        """Wait until an endpoint has its address."""
        self._ask(protocol.LEASE, endpoint, wait)

    def renew(self, endpoint: str, wait: int) -> None:
        """Have a lease renewed."""
        self._ask(protocol.RENEW, endpoint, wait)

    def release(self, endpoint: str) -> None:
        """Have a lease given back."""
        self._ask(protocol.RELEASE, endpoint, GIVING_BACK)

    def farewell(self, endpoints: Iterable[str], *, moved: bool) -> bool:
        """Have the leases given back of endpoints that are about to go."""
        try:
            for names in _lines(endpoints):
                self._ask(protocol.FAREWELL, names, int(moved))
        except ContainerNetError:  # they go all the same, and their leases end by themselves
            return False
        return True

    def state(self, service: str) -> tuple[str, str, tuple[tuple[str, int], ...]]:
        """Return how a service is."""
        one = next((one for one in status(self._state_dir).services if one.name == service), None)
        if one is None:
            raise protocol.no_service(service)
        return one.state, one.sentence, tuple(one.figures.items())

    def restart(self, service: str) -> None:
        """Start a service anew."""
        self._ask(protocol.RESTART, service)

    def states(self) -> dict[str, str]:
        """Return what the DHCP service is at."""
        try:
            return dict(self._ask(protocol.LEASES))
        except ContainerNetError:
            return {}


def _lines(names: Iterable[str]) -> list[str]:
    """Return names, one a line, in pieces that a request has space for."""
    found: list[str] = []
    for name in names:
        if found and len(found[-1]) + len(name) < PIECE:
            found[-1] += f"\n{name}"
        else:
            found.append(name)
    return found


def _line(connection: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"\n"):
        more = connection.recv(1 << 16)
        if not more or len(found) > LONGEST:
            raise TimeoutError
        found += more
    return found


def _explained(error: OSError) -> ContainerNetError:
    if error.errno in (ENOENT, ENOTDIR, ECONNREFUSED):
        return none_runs()
    if error.errno in (EACCES, EPERM):
        return NotPermitted("agent-not-permitted", "Only root may ask the agent.", "Run it as root.")
    if error.errno is None and not isinstance(error, TimeoutError):  # the path is too long for a socket
        return Usage(
            "run-dir-invalid", f"The agent's socket cannot be used: {error}.", "Set CNET_RUN_DIR to a shorter path."
        )
    return Different("agent-silent", "The agent does not answer.", "See its log: journalctl -u containernet-agent.")


def holder(path: str) -> int:
    """Return the process that listens on a socket, 0 if there is none (unix(7), SO_PEERCRED)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        try:
            connection.connect(path)
            return peer(connection)[0]
        except OSError:
            return 0


def peer(connection: Any) -> tuple[int, int]:
    """Return the process and the user at the other end."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, user = int.from_bytes(raw[:4], "little"), int.from_bytes(raw[4:8], "little")
    return pid, user
