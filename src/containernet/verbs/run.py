"""Run a command in a new container, or inside one that is there.

The rule of this file: a new container is joined before its command starts, and has left when it has ended, whatever
happens in between. The host's lock is not held while the command runs.
"""

from __future__ import annotations

from containernet.containers.door import Found
from containernet.drivers.resolver import name_of
from containernet.model.errors import Conflict
from containernet.model.names import container_name, namespace_name
from containernet.model.ports import publication
from containernet.model.record import replace
from containernet.plan.intent import Intent, without
from containernet.verbs.attempt import attempt
from containernet.verbs.containers import alive, located
from containernet.verbs.executor import carry_out
from containernet.verbs.join import join
from containernet.verbs.leave import cuts, farewell
from containernet.verbs.part import need_network, of_compartments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from containernet.kernel.door import Child
    from containernet.verbs.host import Host


def run(
    hosts: Callable[[], Host],
    networks: tuple[str, ...],
    command: tuple[str, ...],
    *,
    name: str,
    publish: tuple[str, ...],
) -> int:
    """Run a command in a new container on networks, its ports open on the first; return the command's exit status."""
    with hosts() as host:
        name = container_name(name) if name else f"run-{host.chance(3).hex()}"
        for text in publish:
            publication(text)
        child = _started(host, networks, command, name)
        if child is None:
            return 0
    try:
        for position, network in enumerate(networks):
            with hosts() as host:
                found = Found(name, child.path, lasting=False)
                join(host, found, network, publish=publish if not position else ())
        child.go()
        return child.wait()
    finally:
        child.end()
        try:
            with hosts() as host:
                _gone(host, name, child.lasting_path)
        finally:
            child.close()


def _started(host: Host, networks: tuple[str, ...], command: tuple[str, ...], name: str) -> Child | None:
    """Return the waiting process; None for a dry run, which prints what a person would type."""
    for network in networks:
        need_network(host.store, network)
    former = host.store.compartment(container=name)
    if (former is not None and (not former.cookie or alive(host, former))) or host.containers.find(name):
        raise Conflict("container-exists", f"There is a container {name} already.", "Take another name.")
    if host.plans is not None:
        host.plans += [f"ip netns add {name}", *(f"cnet join {name} {network}" for network in networks)]
        host.plans += [f"ip netns exec {name} {' '.join(command)}", f"ip netns delete {name}"]
        return None
    host.kernel.permit()
    return host.kernel.start(command, "", name)


def _gone(host: Host, name: str, path: str) -> None:
    """Free all that the container had; its namespace is still to be found at a path."""

    def verb() -> None:
        compartment = host.store.compartment(container=name)
        if compartment is None:
            return
        before = of_compartments(host.store, [compartment.id])
        if any(lease.address for one in before.endpoints for lease in one.leases):
            moved = replace(compartment, path=path)
            host.store.finish(0, Intent(compartments=(compartment,)), Intent(compartments=(moved,)))
            farewell(host, before.endpoints, moved=True)
        carry_out(host, "leave", before, without(before, before.endpoints), last=cuts(before.endpoints))

    attempt(host, verb)


def execute(host: Host, container: str, command: tuple[str, ...]) -> Child:
    """Return a process that waits inside a container's compartment."""
    host.kernel.permit()
    ours = host.store.compartment(container=container)
    if ours is not None and alive(host, ours):
        return host.kernel.start(command, ours.path, name_of(ours))
    path = located(host, host.containers.need(container)).path
    return host.kernel.start(command, path, namespace_name(path))
