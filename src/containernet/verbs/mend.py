"""Bringing the world to the intent, whatever happened: a killed verb, a restart of the host, foreign hands.

The rule of this file: the same diff that makes a verb's plan, over the whole of what should be. It is the one verb whose
cost is that of everything; it may be interrupted at any point and simply begins again.
"""

from __future__ import annotations

from containernet.drivers.objects import objects
from containernet.kernel.door import ABSENT, EXISTS, OTHER, VANISHED, KernelError
from containernet.model.errors import Different, Taken
from containernet.model.network import HOST, Compartment, Endpoint, Network
from containernet.model.record import record, replace
from containernet.plan.diff import diff
from containernet.plan.intent import Intent, without
from containernet.plan.objects import Bridge, Element, Object, Sysctl, Table
from containernet.plan.operations import Add, Announce, Operation
from containernet.plan.ownership import ours
from containernet.plan.ruleset import TEXT
from containernet.plan.text import lines
from containernet.store.door import WORLD
from containernet.verbs.containers import no_loopback, vanished
from containernet.verbs.executor import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host

ROUNDS = 4  # a mended thing may take another with it: a link set up again has lost its routes
LONG = 50  # operations from which on progress is shown
NOTHING = Intent()


@record
class Mended:
    """What was done, and to whom."""

    operations: tuple[Operation, ...] = ()
    freed: tuple[Endpoint, ...] = ()
    restored: tuple[Endpoint, ...] = ()
    waiting: tuple[Endpoint, ...] = ()


def restart(host: Host, world: str) -> None:
    """Note that the host has restarted and the kernel's half is gone: what can come back waits for its container, the rest is freed."""
    before = host.store.everything()
    lost = {one.id for one in before.compartments if not one.lasting}
    after = without(before, [one for one in before.endpoints if one.compartment_id in lost])
    after = replace(
        after, compartments=tuple(replace(one, cookie=0) for one in after.compartments), memos=((WORLD, world),)
    )
    host.store.finish(0, before, after)


def mend(host: Host) -> Mended:
    """Bring everything to what it should be, and what should be to what can be."""
    if host.plans is not None:
        done = assess(host)
        host.plans += lines(done.operations)
        return done
    before = host.store.everything()
    freed, after, back = _possible(host, before)
    number = host.store.begin("repair", NOTHING, NOTHING, ())
    after, operations = _converge(host, after, back)
    host.store.finish(number, before, after)
    host.store.keep_room()
    return _told(operations, freed, after, back)


def assess(host: Host) -> Mended:
    """Return what :func:`mend` would do, and to whom."""
    freed, after, back = _possible(host, host.store.everything())
    return _told(drift(host, after), freed, after, back)


def _possible(host: Host, intent: Intent) -> tuple[tuple[Endpoint, ...], Intent, set[int]]:
    """Return what is freed, what can be, and the compartments whose container is back."""
    freed, after = _without_vanished(host, intent)
    after, back = _with_returned(host, after)
    return freed, _following(host, after), back


def _told(operations: list[Operation], freed: tuple[Endpoint, ...], after: Intent, back: set[int]) -> Mended:
    waiting = {one.id for one in after.compartments if not one.cookie}
    restored = [one for one in after.endpoints if one.compartment_id in back and one.compartment_id not in waiting]
    late = [one for one in after.endpoints if one.compartment_id in waiting]
    return Mended(tuple(operations), freed, tuple(restored), tuple(late))


def _without_vanished(host: Host, intent: Intent) -> tuple[tuple[Endpoint, ...], Intent]:
    gone = {one.id for one in vanished(host, intent.compartments)}
    freed = tuple(one for one in intent.endpoints if one.compartment_id in gone)
    return freed, without(intent, freed)


def _with_returned(host: Host, intent: Intent) -> tuple[Intent, set[int]]:
    """Return the intent with the containers that are back where they are now, and the numbers of their compartments."""
    cookies = {one.cookie for one in intent.compartments}
    compartments, back = [], set()
    for one in intent.compartments:
        now = one if one.cookie else _returned(host, one)
        if now != one and now.cookie not in cookies:
            back.add(one.id)
            cookies.add(now.cookie)
            compartments.append(now)
        else:
            compartments.append(one)
    return replace(intent, compartments=tuple(compartments)), back


def _returned(host: Host, compartment: Compartment) -> Compartment:
    found = host.containers.find(compartment.container)
    if found is None:
        return compartment
    try:
        place = host.kernel.identify(found.path)
    except KernelError:
        return compartment
    return replace(compartment, path=place.path, cookie=place.cookie, loopback=no_loopback(host, place))


def _following(host: Host, intent: Intent) -> Intent:
    """Return the intent with the MTU of networks that follow their uplink."""
    return replace(intent, networks=tuple(_with_mtu(host, one) for one in intent.networks))


def _with_mtu(host: Host, network: Network) -> Network:
    if network.mtu_fixed:
        return network
    mtu = host.kernel.way_out(network.uplink).mtu
    return replace(network, mtu=mtu) if mtu and mtu != network.mtu else network


def wanted(host: Host, intent: Intent) -> list[Object]:
    """Return all that should be in the kernel."""
    table: list[Object] = [Table(host.mark, TEXT)] if intent.networks else []
    return [*table, *objects(intent, host.mark)]


def drift(host: Host, intent: Intent) -> list[Operation]:
    """Return what would bring the world to an intent; raise :class:`Taken` if our table's name is another's."""
    should = wanted(host, intent)
    if host.kernel.owner() not in (0, host.mark):
        raise table_taken()
    places = {one.place for one in intent.compartments if one.cookie}
    sysctls = [one for one in should if isinstance(one, Sysctl)]
    world = host.kernel.read(places, sysctls)
    return diff(ours(world, should, host.mark), should)


def table_taken() -> Taken:
    """Return the error for a table of our name that is not ours."""
    return Taken(
        "table-taken", "There is an nftables table 'inet containernet' that is not of this store.",
        "Use the store that made it (--state-dir), or, if nobody needs it: nft delete table inet containernet.",
    )  # fmt: skip


def _converge(host: Host, intent: Intent, back: set[int]) -> tuple[Intent, list[Operation]]:
    """Mend round by round until nothing differs; a returned container that cannot be joined waits again."""
    told: list[Operation] = []
    for _ in range(ROUNDS):
        steps = drift(host, intent)
        if not steps:
            _announce(host, intent, back)
            return intent, told
        try:
            _run(host, steps)
        except KernelError as error:
            intent = _less(host, intent, steps, error, back)
        told += steps
    left = drift(host, intent)
    if left:
        raise Different(
            "repair-incomplete", f"{len(left)} things are not as they should be after {ROUNDS} attempts: {host.brief(left)[0]}.",
            "Another program may be changing them back; 'cnet status' shows them.",
        )  # fmt: skip
    return intent, told


def _run(host: Host, steps: list[Operation]) -> None:
    done: list[Operation] = []
    for start in range(0, len(steps), LONG):
        run(host, steps[start : start + LONG], done, lambda _: "")
        if len(steps) > LONG:
            host.report.count("mending", len(done), len(steps))


def _less(host: Host, intent: Intent, steps: list[Operation], error: KernelError, back: set[int]) -> Intent:
    """Return the intent without the returned containers in whose way something is; raise if that is not the matter."""
    if error.reason == VANISHED:
        return _without_vanished(host, intent)[1]
    if error.reason not in (EXISTS, ABSENT, OTHER) or not back:
        raise error
    places = {one.place for one in intent.compartments if one.id in back}
    blocked = {
        step.object.place.path
        for step in steps
        if isinstance(step, Add) and not isinstance(step.object, Table | Bridge | Element) and step.object.place in places
        and step.object in host.kernel.missing([step.object])
    }  # fmt: skip
    if not blocked:
        raise error
    host.report.note(f"Not joined again: {', '.join(sorted(blocked))}. {error.sentence}")
    kept = [replace(one, cookie=0) if one.path in blocked and one.id in back else one for one in intent.compartments]
    return replace(intent, compartments=tuple(kept))


def _announce(host: Host, intent: Intent, back: set[int]) -> None:
    places = {one.id: one.place for one in intent.compartments if one.id in back and one.cookie}
    for one in intent.endpoints:
        if one.compartment_id in places and places[one.compartment_id] != HOST:
            host.kernel.do(Announce(places[one.compartment_id], one.interface, one.mac, one.addresses))
