"""Bringing the world to the intent, whatever happened: a killed verb, a restart of the host, foreign hands.

The rule of this file: the same diff that makes a verb's plan, over the whole of what should be. It is the one verb
whose cost is that of everything; it may be interrupted at any point and simply begins again.
"""

from __future__ import annotations

from containernet.drivers.endpoint import announced
from containernet.drivers.network import mtu_of
from containernet.drivers.objects import objects
from containernet.kernel.door import ABSENT, DENIED, UNSUPPORTED, KernelError
from containernet.model.errors import Taken
from containernet.model.network import HOST, Compartment, Endpoint, Network, Place
from containernet.model.record import record, replace
from containernet.plan.diff import diff
from containernet.plan.intent import Intent, without
from containernet.plan.objects import Neighbour, Object, Port, Resolver, Sysctl, Table
from containernet.plan.operations import Operation
from containernet.plan.ownership import ours
from containernet.plan.ruleset import TEXT
from containernet.plan.text import lines
from containernet.store.door import WORLD
from containernet.verbs.containers import found_as, vanished
from containernet.verbs.executor import run, thing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host

ROUNDS = 4  # a mended thing may take another with it: a link set up again has lost its routes
LONG = 50  # operations from which on progress is shown
NOTHING = Intent()
MENDING = "repair"  # in the journal: a mending under way, which is not undone but begun again


@record
class Mended:
    """What was done, and to whom."""

    operations: tuple[Operation, ...] = ()
    freed: tuple[Endpoint, ...] = ()
    restored: tuple[Endpoint, ...] = ()
    waiting: tuple[Endpoint, ...] = ()
    blocked: tuple[str, ...] = ()  # paths of namespaces in which something is in the way


def restart(host: Host, world: str) -> tuple[Endpoint, ...]:
    """Note that the kernel's half is gone: what can come back waits, the rest is freed and returned."""
    host.store.begin(MENDING, NOTHING, NOTHING, ())
    before = host.store.everything()
    lost = {one.id for one in before.compartments if not one.lasting}
    freed = tuple(one for one in before.endpoints if one.compartment_id in lost)
    after = without(before, freed)
    after = replace(
        after, compartments=tuple(replace(one, cookie=0) for one in after.compartments),
        endpoints=_idle(after.endpoints), memos=((WORLD, world),),
    )  # fmt: skip
    host.store.finish(0, before, after)
    return freed


def _idle(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """Return endpoints without the use of their leases: whether these still hold, their servers have to say."""
    if not any(one.leases for one in endpoints):
        return endpoints
    from containernet.plan.leasing import idle

    return tuple(map(idle, endpoints))


def mend(host: Host) -> Mended:
    """Bring everything to what it should be, and what should be to what can be."""
    if host.plans is not None:
        done = assess(host)
        host.plans += lines(done.operations)
        return done
    woken = _wake(host)
    before = host.store.everything()
    freed, after, back = _possible(host, before)
    number = host.store.begin(MENDING, NOTHING, NOTHING, ())
    after, operations, blocked = _converge(host, after, back)
    host.store.finish(number, before, after)
    for one in host.store.unfinished():  # mending that was begun before, and did not come to its end
        if one.verb == MENDING:
            host.store.abandon(one.id)
    host.store.keep_room()
    for path, sentence in blocked.items():
        what = "file" if path.endswith("/resolv.conf") else "container at" if "/" in path else "link"
        host.report.note(f"The {what} {path} could not be mended: {sentence}")
    return replace(_told([*woken, *operations], freed, after, back), blocked=tuple(blocked))


def assess(host: Host) -> Mended:
    """Return what :func:`mend` would do, and to whom."""
    freed, after, back = _possible(host, host.store.everything())
    return _told([*_to_wake(host, after), *drift(host, after)], freed, after, back)


def _wake(host: Host) -> tuple[Operation, ...]:
    """Make the bridges again that the host's uplinks are ports of, where they are gone; return what was done."""
    networks = host.store.networks()
    if not any(one.transparent for one in networks):
        return ()
    from containernet.verbs.transparent import wake

    return wake(host, networks)


def _to_wake(host: Host, intent: Intent) -> tuple[Operation, ...]:
    """Return what :func:`_wake` would do."""
    if not any(one.transparent for one in intent.networks):
        return ()
    from containernet.verbs.transparent import waking_up

    return waking_up(host, intent.networks)


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
    return found_as(replace(compartment, path=place.path, cookie=place.cookie), host.kernel.surroundings(place))


def _following(host: Host, intent: Intent) -> Intent:
    """Return the intent with the MTU of networks that follow their uplink, and with the host's addresses."""
    networks = [_with_mtu(host, one) for one in intent.networks]
    if any(one.shim for one in networks):
        from containernet.verbs.transparent import following

        networks = [following(host, one) for one in networks]
    return replace(intent, networks=tuple(networks))


def _with_mtu(host: Host, network: Network) -> Network:
    if network.mtu_fixed:
        return network
    mtu = mtu_of(host.kernel.way_out(network.uplink).mtu, network.ipv6)
    return replace(network, mtu=mtu) if mtu and mtu != network.mtu else network


def wanted(host: Host, intent: Intent) -> list[Object]:
    """Return all that should be in the kernel."""
    table: list[Object] = [Table(host.mark, TEXT)] if intent.networks else []
    if any(one.transparent for one in intent.networks):
        from containernet.verbs.transparent import awake

        intent = awake(host, intent)
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


def _converge(host: Host, intent: Intent, back: set[int]) -> tuple[Intent, list[Operation], dict[str, str]]:
    """Mend round by round until nothing differs; return the intent that holds, what was done, what is in the way.

    A container in whose namespace something is in the way is left out, so that no container keeps the others from being
    mended; one that has come back waits again.
    """
    told: list[Operation] = []
    blocked: dict[str, str] = {}
    for _ in range(ROUNDS):
        steps = [step for step in drift(host, intent) if _where(step) not in blocked]
        if not steps:
            break
        begun = len(blocked)
        told += _run(host, steps, blocked)
        if len(blocked) > begun:  # perhaps because a container has ended meanwhile
            intent = _without_vanished(host, intent)[1]
    else:
        if drift(host, intent):
            blocked["this host"] = "Another program changes things back as soon as they are mended."
    kept = [replace(one, cookie=0) if one.path in blocked and one.id in back else one for one in intent.compartments]
    intent = replace(intent, compartments=tuple(kept))
    _announce(host, intent, back)
    return intent, told, blocked


def _place(step: Operation) -> Place:
    return getattr(thing(step), "place", HOST)


def _where(step: Operation) -> str:
    """Return what may be in its own way: the path of a container's namespace or file, or a link of the host's own."""
    one = thing(step)
    if isinstance(one, Resolver):
        return one.path
    return _uplink_of(one) or _place(step).path


def _uplink_of(thing: object) -> str:
    """Return the link of the host's own that a thing stands on, "" if it stands on none."""
    own = isinstance(thing, Port) or (isinstance(thing, Neighbour) and thing.place == HOST)
    return thing.link if own else ""  # type: ignore[attr-defined]


def _run(host: Host, steps: list[Operation], blocked: dict[str, str]) -> list[Operation]:
    """Do what can be done; note in ``blocked`` where something is in the way; return what was begun."""
    done: list[Operation] = []
    for start in range(0, len(steps), LONG):
        piece = steps[start : start + LONG]
        while piece:
            begun = len(done)
            try:
                run(host, piece, done, lambda _: "")
                break
            except KernelError as error:
                failed = done.pop()
                _excuse(failed, error, blocked)
                piece = [one for one in piece[len(done) - begun + 1 :] if _where(one) not in blocked]
        if len(steps) > LONG:
            host.report.count("mending", min(start + LONG, len(steps)), len(steps))
    return done


def _excuse(failed: Operation, error: KernelError, blocked: dict[str, str]) -> None:
    """Note a container that something is in the way in; raise if the trouble is the host's."""
    place, one = _place(failed), thing(failed)
    if place != HOST and error.reason not in (DENIED, UNSUPPORTED):
        blocked[place.path] = error.sentence
    elif isinstance(one, Resolver) or _uplink_of(one):  # the uplink is gone or somebody's, or the file's place is
        blocked[_where(failed)] = error.sentence
    elif not (isinstance(one, Sysctl) and error.reason == ABSENT):  # a setting of a link that could not be made
        raise error


def _announce(host: Host, intent: Intent, back: set[int]) -> None:
    places = {one.id: one.place for one in intent.compartments if one.id in back and one.cookie}
    networks = {one.id: one for one in intent.networks}
    for one in intent.endpoints:
        if one.compartment_id in places:
            try:
                host.kernel.do(announced(one, places[one.compartment_id], networks[one.network_id]))
            except KernelError:  # it has ended already: nobody is to hear of it
                continue
