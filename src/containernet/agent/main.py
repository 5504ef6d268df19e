"""The host agent: one process that runs the services, until SIGTERM or SIGINT; SIGHUP: look at everything now.

The rule of this file: from start to end in the order in which it happens. It may be killed at any time: nothing of it
lasts but a lock that ends with it, and a socket that the next one replaces.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
from contextlib import suppress
from time import time

from containernet import __version__
from containernet.agent import systemd
from containernet.agent.claim import Claim
from containernet.agent.client import run_dir
from containernet.agent.protocol import AgentView
from containernet.agent.reactor import Asyncio
from containernet.agent.roster import Roster
from containernet.agent.server import Server
from containernet.model.errors import ContainerNetError, Missing
from containernet.services.door import ERROR, INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from containernet.services.door import Service, Watch

M_ARENA_MAX = -8
STOPPING = 10.0  # seconds for work under way when the agent is told to end


def run(state_dir: str, services: tuple[Service, ...], store: Callable[[], Watch]) -> int:
    """Run the agent of a state directory; return its exit status. ``store`` opens what tells of the store's changes."""
    _one_heap()
    try:
        with Claim(state_dir, 0o700, "agent-lock"), Claim(run_dir(), 0o755, "agent.lock"):
            return asyncio.run(Agent(state_dir, services).live(store))
    except OSError as error:
        if isinstance(error, ContainerNetError):
            raise
        hint = "Is fs.inotify.max_user_instances too small, or 'ulimit -n'?"
        raise Missing("agent-watch", f"The agent cannot watch this host: {error.strerror or error}.", hint) from error


class Agent:
    """One life of the agent."""

    def __init__(self, state_dir: str, services: tuple[Service, ...]) -> None:
        self._roster = Roster(services, AgentView(__version__, os.getpid(), state_dir, int(time()), ()))
        self._server = Server(run_dir(), self._roster.answer)
        self._status = 0

    async def live(self, store: Callable[[], Watch]) -> int:
        """Run until told to end; return the exit status."""
        self._end = asyncio.Event()
        reactor = Asyncio(self._changed)
        self._signals(asyncio.get_running_loop())
        watch = store()
        try:
            await self._server.open()
            reactor.watch(watch.fileno(), lambda: self._roster.changed() if watch.news() else None)
            self._roster.start(reactor)
            _settle()
            self._beat(reactor)
            systemd.log(INFO, f"The agent is ready: process {os.getpid()}, version {__version__}.")
            systemd.notify("READY=1", f"STATUS={self._roster.sentence()}")
            await self._end.wait()
        finally:
            systemd.notify("STOPPING=1")
            reactor.unwatch(watch.fileno())
            watch.close()
            self._roster.stop()
            await asyncio.sleep(0)  # who has waited for a service hears that it has ended
            self._server.close()
        if not await reactor.idle(STOPPING):
            systemd.log(WARNING, "The agent ends with a pass under way; the next verb or agent takes it up.")
        systemd.log(INFO, "The agent has ended.")
        return self._status

    def _signals(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        loop.add_signal_handler(signal.SIGHUP, self._roster.look)
        loop.set_exception_handler(self._broken)

    def _broken(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something of ours has raised what it must not: end, and be started again."""
        from traceback import format_exception

        error = context.get("exception")
        lines = "".join(format_exception(error)).splitlines() if error is not None else []
        for line in [f"This is a bug in ContainerNet: {context.get('message')}", *lines]:
            systemd.log(ERROR, line)
        self._status = 70
        self._end.set()

    def _changed(self) -> None:
        systemd.notify(f"STATUS={self._roster.sentence()}")

    def _beat(self, reactor: Asyncio) -> None:
        """Tell the watchdog that the loop turns, twice as often as it wants to hear."""
        if bound := systemd.watchdog():
            systemd.notify("WATCHDOG=1")
            reactor.at(reactor.now() + bound / 2, lambda: self._beat(reactor))


def _one_heap() -> None:
    """Have all threads share one heap of the C library (mallopt(3)): each would keep one, as big as it ever was."""
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def _settle() -> None:
    """Collect garbage again: commands do without, because they end first. What is loaded now stays for good."""
    gc.enable()
    gc.collect()
    gc.freeze()
