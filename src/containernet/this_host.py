"""The part of the Python API that is about this host: its state, its settings, the agent and its services.

The rule of this file: as in bootstrap.py, a method for each verb and nothing of a verb in it; no adapter is named here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Concatenate, ParamSpec, Protocol, TypeVar

    from containernet.agent.protocol import AgentView
    from containernet.model.views import EndpointView, Finding, LeaseView, RepairView, ServiceStatus, StatusView
    from containernet.verbs.host import Host

    P = ParamSpec("P")
    T = TypeVar("T")
else:
    Protocol = object


class ThisHost(Protocol):
    """See :class:`containernet.bootstrap.ContainerNet`, which knows how a host is opened."""

    state_dir: str
    plans: list[str]
    _dry_run: bool

    def ask(self, question: Callable[Concatenate[Host, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the answer to a question, which changes nothing."""
        raise NotImplementedError

    def on_host(self, verb: Callable[[Host], T], *, changes: bool = True, check: bool = False) -> T:
        """Return what a verb returns."""
        raise NotImplementedError

    def status(self) -> StatusView:
        """Return how the host stands, and what :meth:`repair` would do."""
        from containernet.verbs.show import status

        return self.on_host(lambda host: status(host, self.state_dir), changes=False, check=True)

    def repair(self) -> RepairView:
        """Make the host be as the networks say; return what was done."""
        from containernet.verbs.repair import repair

        return self.on_host(repair, check=True)

    def restore(self) -> RepairView:
        """Make networks again after a restart of the host, and join the containers that are back."""
        return self.repair()

    def doctor(
        self, *, fix: bool = False, confirm: Callable[[Finding], bool] | None = None, uplink: str = ""
    ) -> tuple[Finding, ...]:
        """Return what keeps networks from working, or what an uplink is good for; ``fix``: mend what is agreed to."""
        from containernet.verbs.doctor import doctor

        return self.on_host(lambda it: doctor(it, fix=fix, confirm=confirm, uplink=uplink), changes=fix, check=True)

    def config_get(self, key: str) -> str:
        """Return a setting. Raises ``NotFound``."""
        from containernet.verbs import config

        return self.ask(config.get, key)

    def config_set(self, key: str, value: str) -> None:
        """Change a setting. Raises ``NotFound``, ``Usage``."""
        from containernet.verbs import config

        self.on_host(lambda host: config.change(host, key, value))

    def config_list(self) -> tuple[tuple[str, str, str, str], ...]:
        """Return (key, value, default, what it is for) of every setting."""
        from containernet.verbs import config

        return self.ask(config.listed)

    # --- leases ---

    def leases(self, container: str = "", network: str = "") -> tuple[LeaseView, ...]:
        """Return the leases of a container, of a network, of both, or all. Raises ``NotFound``."""
        from containernet.verbs.show import leases

        return self.ask(leases, container, network)

    def renew(self, container: str, network: str, *, endpoint: str = "", wait: int = 0) -> EndpointView:
        """Have a lease renewed now, or an address leased again that was given back; return the endpoint.

        Waits ``wait`` seconds (0: 20). Raises ``NotFound``, ``Missing`` (no service), ``Different`` (no answer).
        """
        from containernet.verbs.leasing import renew
        from containernet.verbs.views import Views

        return self.on_host(
            lambda host: Views(host).endpoint(renew(host, container, network, endpoint=endpoint, wait=wait))
        )

    def release(self, container: str, network: str, *, endpoint: str = "") -> EndpointView:
        """Give a lease back; the endpoint stays without its address until :meth:`renew`. Return it as it was.

        Raises ``NotFound``, ``Missing`` (no service).
        """
        from containernet.verbs.leasing import releasable, release
        from containernet.verbs.views import Views

        def verb(host: Host) -> EndpointView:
            views = Views(host)
            views.load()
            one = releasable(host, container, network, endpoint=endpoint)
            view = views.endpoint(one)
            release(host, one)
            return view

        return self.on_host(verb)

    # --- the host agent ---

    def agent_status(self) -> AgentView:
        """Return how the host agent and its services are. Raises ``NotFound`` if there is none."""
        from containernet.agent.client import status

        return status(self.state_dir)

    def service(self, name: str, action: str) -> ServiceStatus:
        """Switch a service of the agent on or off, start it anew, or ask how it is; return that.

        ``name`` is "dhcp" or "repair", ``action`` "enable", "disable", "restart" or "status".
        Raises ``NotFound``, ``Conflict`` (containers have their addresses from it), ``Usage``.
        """
        from containernet.verbs.service import service

        return self.on_host(lambda host: service(host, name, action), changes=action in ("enable", "disable"))
