"""Which compartment a container's name stands for now, and which compartments have vanished.

The rule of this file: a compartment is known by its cookie, whatever it is called; the same name after a restart of the
container is another compartment.
"""

from __future__ import annotations

from containernet.containers.door import Found
from containernet.kernel.door import ABSENT, VANISHED, KernelError
from containernet.model.errors import Conflict, NotFound, Usage
from containernet.model.names import shown
from containernet.model.network import Compartment, Place
from containernet.model.record import replace
from containernet.plan.intent import Intent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from containernet.kernel.door import Surroundings
    from containernet.verbs.host import Host


def located(host: Host, found: Found) -> Place:
    """Return where a container is; raise :class:`NotFound` if there is no namespace, :class:`Usage` for the host's."""
    try:
        place = host.kernel.identify(found.path)
    except KernelError as error:
        if error.reason != ABSENT:
            raise
        sentence = f"The container {shown(found.name)} has no network namespace at {found.path}."
        raise NotFound(
            "namespace-not-found", sentence, "It may have ended; 'ip netns list' shows the named ones."
        ) from None
    if place.cookie == int(host.kernel.world().rpartition(":")[2]):
        raise Usage(
            "container-is-host", f"{shown(found.name)} is this host itself, not a container.", "Name a container."
        )
    return place


def alive(host: Host, compartment: Compartment) -> bool:
    """Tell whether a compartment's namespace is the one that it was."""
    if not compartment.cookie:
        return False
    try:
        return host.kernel.identify(compartment.path).cookie == compartment.cookie
    except KernelError as error:
        if error.reason in (ABSENT, VANISHED):
            return False
        raise


def vanished(host: Host, compartments: Iterable[Compartment]) -> list[Compartment]:
    """Return the compartments whose namespace is gone; those that wait for their container are not."""
    return [one for one in compartments if one.cookie and not alive(host, one)]


def known(host: Host, text: str) -> Compartment:
    """Return the compartment of a container that has joined something, alive or not; raise :class:`NotFound`."""
    ours = host.store.compartment(container=text)
    if ours is not None and alive(host, ours):  # also what only we know by name: `cnet run`
        return ours
    found = host.containers.find(text)
    former = ours if found is None else host.store.compartment(container=found.name)
    try:
        place = located(host, found or host.containers.need(text))
    except NotFound:
        if former is None:
            raise
        return former
    compartment = host.store.compartment(cookie=place.cookie) or former
    if compartment is None:
        raise NotFound("not-joined", f"The container {shown(text)} has joined no network.", "'cnet join' joins it.")
    return compartment


def named(host: Host, text: str) -> Found:
    """Return the container that a text names: one of the host's, or one that only we know (`cnet run`)."""
    ours = host.store.compartment(container=text)
    if ours is not None and not ours.lasting and alive(host, ours):
        return Found(ours.container, ours.path, ours.lasting)
    return host.containers.need(text)


def joining(host: Host, found: Found) -> tuple[Compartment, Compartment | None]:
    """Return the compartment that a container is now, known or new, and the one that it was before, if that is gone."""
    place = located(host, found)
    compartment = host.store.compartment(cookie=place.cookie)
    if compartment is not None:
        return (compartment if alive(host, compartment) else _moved(host, compartment, found.path)), None
    new = Compartment(host.store.next_id("compartments"), found.name, found.path, place.cookie, found.lasting)
    former = host.store.compartment(container=found.name)
    if former is not None and former.cookie and alive(host, former):
        sentence = f"Another container is called {shown(found.name)}: the one at {former.path}."
        raise Conflict("container-name-taken", sentence, "Name this one by its path or process (pid:N).")
    return new, former


def found_as(compartment: Compartment, around: Surroundings) -> Compartment:
    """Return a compartment that nothing of ours is in with what was there before us: it stays, or is restored."""
    loopback = next((link.up for link in around.links if link.name == "lo"), False)
    routed = ("4" if around.default4 else "") + ("6" if around.default6 else "")
    return replace(compartment, loopback=not loopback, routed=routed)


def _moved(host: Host, compartment: Compartment, path: str) -> Compartment:
    """Note that a compartment is to be found at another path now; nothing in the kernel changes by that."""
    now = replace(compartment, path=path)
    if not host.dry:
        host.store.finish(0, Intent(compartments=(compartment,)), Intent(compartments=(now,)))
    return now
