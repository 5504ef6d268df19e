"""ContainerNet, the Python API; and the only file that names real adapters.

The rule of this file: a method for each verb, and nothing of a verb in it: it opens what the verb works with, calls it,
makes the view, lets go. So one ContainerNet may be used from threads and after a fork.
"""

from __future__ import annotations

import os
from time import time

from containernet.containers.chain import Chain
from containernet.containers.named import ByName
from containernet.containers.path import ByPath
from containernet.containers.process import ByProcess
from containernet.kernel.door import KernelError
from containernet.kernel.linux import Linux
from containernet.store.files import FILE
from containernet.store.sqlite import Sqlite
from containernet.store.trouble import Damaged
from containernet.this_host import ThisHost
from containernet.verbs.attempt import explained
from containernet.verbs.host import Host, Silence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Concatenate, ParamSpec, TypeVar

    from containernet.containers.door import Containers
    from containernet.kernel.door import Kernel
    from containernet.model.views import EndpointView, NetworkView, PortView
    from containernet.store.door import Store
    from containernet.verbs.host import Report
    from containernet.verbs.services import Services

    P = ParamSpec("P")
    T = TypeVar("T")

STATE_DIR = "/var/lib/containernet"


class ContainerNet(ThisHost):
    """Networks for the containers of this host.

    ``state_dir`` is where what lasts is kept ("": ``$CNET_STATE_DIR``, else ``/var/lib/containernet``). With
    ``dry_run`` nothing is changed: ``plans`` grows by the lines that a person would type instead. ``report`` is told of
    stages, operations and notes. Every method raises :class:`containernet.model.errors.ContainerNetError`; one that
    changes something has done all of it, or nothing.
    """

    def __init__(
        self,
        state_dir: str = "",
        *,
        dry_run: bool = False,
        report: Report | None = None,
        kernel: Callable[[], Kernel] = Linux,
        store: Callable[[bool], Store] | None = None,
        containers: Containers | None = None,
        services: Callable[[], Services] | None = None,
    ) -> None:
        self.state_dir = os.path.abspath(state_dir or os.environ.get("CNET_STATE_DIR", "") or STATE_DIR)
        self.plans: list[str] = []
        self._dry_run = dry_run
        self._report: Report = report or Silence()
        self._kernel = kernel
        self._store = store
        self._services = services or self._agent
        self._containers = containers or Chain((ByProcess(), ByPath(), ByName()))

    def _file(self, changes: bool, check: bool) -> Store:
        """Return the store; where there is none yet, one is made only for a verb that changes something."""
        if not changes and not os.path.exists(os.path.join(self.state_dir, FILE)):
            from containernet.store.memory import Memory

            return Memory()
        return Sqlite(self.state_dir, self._report.note, check=check)

    def _host(self, changes: bool = True, check: bool = False) -> Host:
        """Return what a verb works with; ``check`` has the whole store looked through."""
        store = self._store(check) if self._store else self._file(changes and not self._dry_run, check)
        try:
            kernel = self._kernel()
        except BaseException:
            store.close()
            raise
        return Host(
            kernel, store, self._containers, self._report, now=lambda: int(time()), chance=os.urandom,
            plans=self.plans if self._dry_run else None, state_dir=self.state_dir, services=self._services,
        )  # fmt: skip

    def with_report(self, report: Report) -> ContainerNet:
        """Return the same, reporting to somebody else."""
        return ContainerNet(
            self.state_dir, report=report, kernel=self._kernel, store=self._store, containers=self._containers,
            services=self._services,
        )  # fmt: skip

    def _agent(self) -> Services:
        """Return the services of the agent, which may run or not."""
        from containernet.agent.client import Agent

        return Agent(self.state_dir)

    def ask(self, question: Callable[Concatenate[Host, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the answer to a question, which changes nothing."""
        return self.on_host(lambda host: question(host, *args, **kwargs), changes=False)

    def on_host(self, verb: Callable[[Host], T], *, changes: bool = True, check: bool = False) -> T:
        """Return what a verb returns; if the store turns out to be damaged, it is rebuilt and the verb tried again."""
        try:
            try:
                with self._host(changes, check) as host:
                    return verb(host)
            except Damaged:
                with self._host(changes, True) as host:
                    return verb(host)
        except KernelError as error:
            raise explained(error) from error

    # --- networks ---

    def create(
        self,
        name: str,
        *,
        nat: bool = False,
        internal: bool = False,
        subnets: tuple[str, ...] = (),
        gateways: tuple[str, ...] = (),
        uplink: str = "",
        external_address: str = "",
        mtu: int = 0,
        ipv6: bool = True,
        labels: tuple[str, ...] = (),
        mode: str = "",
        shim: bool = False,
        confirm_within: int = 0,
        yes: bool = False,
    ) -> NetworkView:
        """Create a network behind NAT, an internal one, or one on the uplink's own subnet; return it.

        ``subnets`` are prefixes (one of each IP version; picked if not given), ``gateways`` this host's addresses in
        them; ``uplink`` the only link its traffic may leave by; ``external_address`` the source of what leaves;
        ``mtu`` in bytes, 0 for the uplink's, followed as it changes; ``labels`` are ``KEY=VALUE``. The last kind has
        ``mode`` "bridge", "macvlan" or "routed"; the first moves the host's addresses to a bridge, undone unless its
        gateway answers and, with ``confirm_within`` seconds, :meth:`confirm` is called; ``yes`` asks for neither; of
        the second, with ``shim`` the host and the containers reach each other.
        Raises ``Usage``, ``Conflict``, ``NotFound``, ``Missing``, ``Taken`` (table, uplink), ``Different`` (undone).
        """
        from containernet.verbs.create import create
        from containernet.verbs.views import Views

        def verb(host: Host) -> NetworkView:
            made = create(
                host, name, nat=nat, internal=internal, subnets=tuple(subnets), gateways=tuple(gateways), uplink=uplink,
                external_address=external_address, mtu=mtu, ipv6=ipv6, labels=tuple(labels), mode=mode,
                shim=shim, confirm_within=confirm_within, yes=yes,
            )  # fmt: skip
            host.report.stage("external")
            return Views(host).network(made, ())

        return self.on_host(verb)

    def confirm(self, name: str) -> str:
        """Confirm that this host can be reached although a network moved its addresses. Raises ``NotFound``."""
        from containernet.verbs.confirm import confirm  # no store is opened: whoever waits has its lock

        return confirm(self._kernel, self.state_dir, name, dry=self._dry_run)

    def destroy(self, name: str, *, force: bool = False) -> NetworkView:
        """Take a network away; with ``force`` containers leave it first. Return it with the endpoints it had.

        Raises ``NotFound``, ``Conflict`` (containers are on it).
        """
        from containernet.model.record import replace
        from containernet.model.views import GONE
        from containernet.verbs.destroy import destroy
        from containernet.verbs.views import Views

        def verb(host: Host) -> NetworkView:
            views = Views(host)
            views.load()
            network, endpoints = destroy(host, name, force=force)
            left = tuple(replace(views.endpoint(one, state=GONE), default_route=False) for one in endpoints)
            return views.network(network, left)

        return self.on_host(verb)

    def get(self, name: str = "") -> tuple[NetworkView, ...]:
        """Return all networks with their endpoints, or the one of this name. Raises ``NotFound``."""
        from containernet.verbs.show import networks

        return self.ask(networks, name)

    # --- containers ---

    def join(
        self,
        container: str,
        network: str,
        *,
        ips: tuple[str, ...] = (),
        mac: str = "",
        interface: str = "",
        publish: tuple[str, ...] = (),
        priority: int = 0,
        hostname: str = "",
        client_id: str = "",
        wait: int = 0,
        no_wait: bool = False,
    ) -> EndpointView:
        """Join a container to a network; return its new endpoint.

        ``container`` is a namespace's name, ``pid:N`` or a path; ``ips`` at most one of each subnet (the others are
        picked), on a network without NAT addresses with prefix lengths, "dhcp" or "none"; ``publish`` are ports to open
        at once, ``[EXT-IP:]EXT[-EXT]:INT[-INT][/tcp|udp|sctp]``; the highest ``priority`` among a container's endpoints
        has its default route, then the first joined. An address from DHCP is waited for, ``wait`` seconds (0: 20) or
        with ``no_wait`` not at all; the server is told ``hostname`` ("": the container's name), and as ``client_id``
        "duid" (RFC 4361) or "mac".
        Raises ``NotFound``, ``Conflict`` (address, port, name, full pool or bridge), ``Taken`` (a process's port),
        ``Different`` (no address from DHCP in time; the container has left again).
        """
        from containernet.model.views import ACTIVE
        from containernet.verbs import views
        from containernet.verbs.join import join

        def verb(host: Host) -> EndpointView:
            one, part = join(
                host, container, network, ips=tuple(ips), mac=mac, interface=interface, publish=tuple(publish),
                priority=priority, hostname=hostname, client_id=client_id, wait=wait, no_wait=no_wait,
            )  # fmt: skip
            return views.of(host, part).endpoint(one, state=ACTIVE)

        return self.on_host(verb)

    def leave(self, container: str, network: str, *, endpoint: str = "") -> EndpointView:
        """Take a container off a network; return the endpoint that it had. Raises ``NotFound``, ``Conflict``."""
        from containernet.model.record import replace
        from containernet.model.views import GONE
        from containernet.verbs import views
        from containernet.verbs.leave import leave

        def verb(host: Host) -> EndpointView:
            one, part = leave(host, container, network, endpoint=endpoint)
            return replace(views.of(host, part).endpoint(one, state=GONE), default_route=False)

        return self.on_host(verb)

    def endpoint(self, container: str = "", network: str = "") -> tuple[EndpointView, ...]:
        """Return the endpoints of a container, of a network, of both, or all. Raises ``NotFound``."""
        from containernet.verbs.show import endpoints

        return self.ask(endpoints, container, network)

    def run(
        self, networks: tuple[str, ...], command: tuple[str, ...], *, name: str = "", publish: tuple[str, ...] = ()
    ) -> int:
        """Run a command in a new container on networks; return its exit status (128 + N if signal N ended it).

        The container is gone when the command ends, and all that the command has started in it.
        """
        from containernet.verbs.run import run

        try:
            return run(self._host, tuple(networks), tuple(command), name=name, publish=tuple(publish))
        except KernelError as error:
            raise explained(error) from error

    def exec(self, container: str, command: tuple[str, ...]) -> int:
        """Run a command inside a container's compartment; return its exit status. Raises ``NotFound``."""
        from containernet.verbs.run import execute

        if self._dry_run:
            into = f"nsenter --net={container}" if "/" in container else f"ip netns exec {container}"
            if container.startswith("pid:"):
                into = f"nsenter --net --target {container.removeprefix('pid:')}"
            self.plans.append(f"{into} {' '.join(command)}")
            return 0
        child = self.ask(execute, container, tuple(command))
        try:
            child.go()
            return child.wait()
        finally:
            child.end()

    # --- ports ---

    def open(
        self,
        container: str,
        network: str,
        *,
        internal_port: str | int,
        external_port: str | int = "",
        protocol: str = "tcp",
        external_address: str = "",
        remotes: tuple[str, ...] = (),
        endpoint: str = "",
    ) -> PortView:
        """Open a port of a container to the outside; return the mapping.

        Ports are ``N`` or ``N-M``; without ``external_port`` a free one is picked; ``external_address`` is one of this
        host's ("": all of them); ``remotes`` are the prefixes that may use it (none: everybody).
        Raises ``NotFound``, ``Conflict`` (another mapping has it), ``Taken`` (a process listens on it), ``Usage``.
        """
        from containernet.verbs import views
        from containernet.verbs.open import open_port

        def verb(host: Host) -> PortView:
            mapping, one, part = open_port(
                host, container, network, internal_port=str(internal_port), external_port=str(external_port),
                protocol=protocol, external_address=external_address, remotes=tuple(remotes), endpoint=endpoint,
            )  # fmt: skip
            return views.of(host, part).port(mapping, one)

        return self.on_host(verb)

    def close(
        self,
        container: str = "",
        network: str = "",
        *,
        protocol: str = "tcp",
        external_port: str | int = "",
        external_address: str = "",
        id: int = 0,
    ) -> PortView:
        """Close a port, as it was opened or by the number of its mapping; return that. Raises ``NotFound``."""
        from containernet.verbs.close import close_port
        from containernet.verbs.views import Views

        def verb(host: Host) -> PortView:
            mapping, endpoint = close_port(
                host, container, network, protocol=protocol, external_port=str(external_port),
                external_address=external_address, id=id,
            )  # fmt: skip
            return Views(host).port(mapping, endpoint, active=False)

        return self.on_host(verb)

    def ports(self, container: str = "", network: str = "") -> tuple[PortView, ...]:
        """Return the port mappings of a container, of a network, of both, or all. Raises ``NotFound``."""
        from containernet.verbs.show import ports

        return self.ask(ports, container, network)

    # --- the host agent ---

    def agent(self) -> int:
        """Run the host agent until SIGTERM; return its exit status. Raises ``NotPermitted``, ``Taken`` by another."""
        if self._dry_run:
            self.plans.append("systemctl start containernet-agent")
            return 0
        from containernet.bootstrap_agent import run

        self.ask(lambda host: host.kernel.permit())
        return run(self)
