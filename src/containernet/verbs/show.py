"""Questions: networks, endpoints, ports, and how the host stands.

The rule of this file: nothing is changed, and nobody who changes something is waited for.
"""

from __future__ import annotations

import os

from containernet import __version__
from containernet.model.errors import NotFound
from containernet.model.network import Endpoint
from containernet.model.views import EndpointView, NetworkView, PortView, StatusView
from containernet.plan.objects import Table
from containernet.plan.ruleset import TEXT
from containernet.store.door import WORLD
from containernet.verbs.containers import known
from containernet.verbs.mend import assess
from containernet.verbs.part import need_network
from containernet.verbs.views import Views

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.model.views import LeaseView
    from containernet.store.door import Unfinished
    from containernet.verbs.host import Host


def networks(host: Host, name: str = "") -> tuple[NetworkView, ...]:
    """Return all networks, or the one of this name."""
    only = need_network(host.store, name).id if name else 0
    views = Views(host)
    every = views.load()
    members: dict[int, list[EndpointView]] = {}
    for endpoint in every.endpoints:
        if only in (0, endpoint.network_id):
            members.setdefault(endpoint.network_id, []).append(views.endpoint(endpoint))
    wanted = [one for one in every.networks if only in (0, one.id)]
    return tuple(views.network(one, tuple(members.get(one.id, ()))) for one in wanted)


def endpoints(host: Host, container: str = "", network: str = "") -> tuple[EndpointView, ...]:
    """Return the endpoints of a container, of a network, of both, or all."""
    views, chosen = _looked_at(host, container, network)
    return tuple(map(views.endpoint, chosen))


def _looked_at(host: Host, container: str, network: str) -> tuple[Views, tuple[Endpoint, ...]]:
    """Return endpoints, and what makes views of them: both as of one moment."""
    views = Views(host)
    if container:
        return views, _chosen(host, container, network)
    only = need_network(host.store, network).id if network else 0
    return views, tuple(one for one in views.load().endpoints if only in (0, one.network_id))


def found(host: Host, container: str = "", network: str = "") -> tuple[Endpoint, ...]:
    """Return the endpoints of a container, of a network, of both, or all, as they are in the store."""
    if container:
        return _chosen(host, container, network)
    return host.store.endpoints(network=need_network(host.store, network).id if network else 0)


def _chosen(host: Host, container: str, network: str) -> tuple[Endpoint, ...]:
    net = need_network(host.store, network).id if network else 0
    compartment = known(host, container)
    found = host.store.endpoints(network=net, compartment=compartment.id)
    if not found:
        where = f" on the network {network}" if network else ""
        raise NotFound(
            "not-joined", f"The container {compartment.container} has no endpoint{where}.", "'cnet join' joins it."
        )
    return found


def leases(host: Host, container: str = "", network: str = "") -> tuple[LeaseView, ...]:
    """Return the leases of a container, of a network, of both, or all; who waits for his first is among them."""
    from containernet.verbs.leases import of

    leased = [one for one in found(host, container, network) if one.leases or one.dynamic]
    states = host.services.states() if leased else {}
    return tuple(view for one in leased for view in of(one, states))


def ports(host: Host, container: str = "", network: str = "") -> tuple[PortView, ...]:
    """Return the port mappings of a container, of a network, of both, or all, in the order of opening."""
    views, chosen = _looked_at(host, container, network)
    found = [port for endpoint in chosen for port in views.ports_of(endpoint)]
    return tuple(sorted(found, key=lambda port: port.id))


def status(host: Host, state_dir: str) -> StatusView:
    """Return how the host stands, and what a repair would do."""
    every = host.store.everything()
    restarted = host.store.memo(WORLD) not in ("", host.kernel.world())
    waiting = {one.id for one in every.compartments if one.lasting and (not one.cookie or restarted)}
    table = Table(host.mark, TEXT)
    lines = ("the host has restarted: cnet restore",) if restarted else _drift(host)
    return StatusView(
        version=__version__, state_dir=state_dir, networks=len(every.networks), endpoints=len(every.endpoints),
        waiting=sum(one.compartment_id in waiting for one in every.endpoints), ports=len(every.mappings),
        table=not host.kernel.missing([table]), drift=lines,
        interrupted=tuple(f"{one.verb} ({one.who})" for one in interrupted(host)),
    )  # fmt: skip


def _drift(host: Host) -> tuple[str, ...]:
    """Return what a repair would do: to the kernel, and to endpoints whose container is gone."""
    found = assess(host)
    gone = tuple(f"cnet leave {one.container} {one.network} --endpoint {one.name}" for one in found.freed)
    return (*host.brief(list(found.operations)), *gone)


def interrupted(host: Host) -> list[Unfinished]:
    """Return the verbs whose process has died."""
    return [one for one in host.store.unfinished() if not os.path.exists(f"/proc/{one.who.removeprefix('pid ')}")]
