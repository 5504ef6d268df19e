"""The services of the agent, by name.

The rule of this file: who is started and stopped, and what is answered about it; no sockets.
"""

from __future__ import annotations

from containernet.agent import protocol
from containernet.agent.protocol import AgentView, Later, Request, ServiceView
from containernet.services.door import NOTICE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.services.door import Reactor, Service


class Roster:
    """Starts, stops and asks services."""

    def __init__(self, services: tuple[Service, ...], about: AgentView) -> None:
        self._services = {one.name: one for one in services}
        self._asked = {word: one for one in services for word in one.asks}
        self._about = about
        self._reactor: Reactor | None = None

    def start(self, reactor: Reactor) -> None:
        """Start all services."""
        self._reactor = reactor
        for one in self._services.values():
            one.start(reactor)

    def stop(self) -> None:
        """Stop all services, the last first."""
        for one in reversed(self._services.values()):
            one.stop()

    def changed(self) -> None:
        """Tell all services that the store has changed."""
        for one in self._services.values():
            one.changed()

    def look(self) -> None:
        """Have all services look at everything now."""
        for one in self._services.values():
            one.look()

    def answer(self, line: bytes) -> bytes | Later:
        """Return the answer to a line; raise :class:`protocol.Broken` if it is no request."""
        asked = protocol.request(line)
        if asked.do in self._asked:
            later = Later()
            self._asked[asked.do].ask(asked.do, asked.name, asked.wait, later.say)
            return later
        return protocol.answer(self._answer(asked))

    def _answer(self, asked: Request) -> object:
        if asked.do == protocol.STATUS:
            return self.view()
        if asked.do == protocol.SERVICES:
            return self.view().services
        service = self._services.get(asked.name)
        if service is None or self._reactor is None:
            raise protocol.no_service(asked.name)
        if asked.do in (protocol.STOP, protocol.RESTART):
            service.stop()
        if asked.do in (protocol.START, protocol.RESTART):
            service.start(self._reactor)
        self._reactor.log(NOTICE, f"{asked.do} {asked.name}")
        self._reactor.changed()
        return _view(service)

    def view(self) -> AgentView:
        """Return how everything is."""
        about = self._about
        services = tuple(_view(one) for one in self._services.values())
        return AgentView(about.version, about.pid, about.state_dir, about.started, services)

    def sentence(self) -> str:
        """Return the same in a few words, for systemctl(1)."""
        return "; ".join(f"{one.name}: {one.sentence or one.state}" for one in self.view().services)


def _view(service: Service) -> ServiceView:
    health = service.health()
    return ServiceView(service.name, health.state, health.sentence, dict(health.figures))
