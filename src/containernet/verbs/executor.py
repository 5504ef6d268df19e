"""Doing a plan: journal, do, read back, commit; or undo.

The rule of this file: the only place where operations are done one after another. Whatever stops it, an exception here
or SIGKILL anywhere, the operations are undone in reverse, the one that failed included; by this process, or by the next
verb from what the journal says.
"""

from __future__ import annotations

from containernet.drivers.nat import FORWARD4, FORWARD6
from containernet.drivers.objects import objects
from containernet.kernel.door import ABSENT, EXISTS, UNSUPPORTED, VANISHED, KernelError
from containernet.model.errors import ContainerNetError, Different, Missing
from containernet.model.network import HOST
from containernet.plan.diff import diff
from containernet.plan.intent import Intent
from containernet.plan.objects import HeldAddress, HeldRoute, Object, Port, Sysctl, Veth
from containernet.plan.operations import Add, Change, Cut, Elements, Operation, Remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from containernet.verbs.host import Host
    from containernet.verbs.watch import Watch

    T = TypeVar("T")

GONE = (ABSENT, VANISHED)
UNTOUCHED = (EXISTS, UNSUPPORTED)  # refusals after which nothing was done: what is there is somebody else's
SHARED = (FORWARD4, FORWARD6, "/proxy_ndp", "/proxy_delay")  # how settings end that are others' as much as ours
TAKING = ("leave", "close", "destroy", "repair", "restore")  # verbs that work on a full disk


def carry_out(
    host: Host,
    verb: str,
    before: Intent,
    after: Intent,
    *,
    extra: tuple[Operation, ...] = (),
    last: tuple[Operation, ...] = (),
    stage: Callable[[Operation], str] = lambda _: "",
    watch: Watch | None = None,
) -> None:
    """Bring the kernel and the store from ``before`` to ``after``.

    ``extra`` are operations that do not follow from the two (our table; it is undone with the rest); ``last`` those
    without an inverse, done at the end; ``watch`` stands by while what the host is reached by is moved. Raises
    :class:`KernelError` after all was undone.
    """
    old, new = objects(before, host.mark), objects(after, host.mark)
    extra += _shared(host, new)
    plan = _composed(old, new, extra)
    if host.plans is not None:
        from containernet.plan.text import lines

        host.plans += lines([*plan, *last])
        return
    number = _with_room(host, verb, lambda: host.store.begin(verb, before, after, extra))
    done: list[Operation] = []
    try:
        if watch:
            watch.begin(number, plan)
        run(host, [*plan, *last], done, stage)
        read_back(host, plan)
        if watch:
            watch.verify()
        _with_room(host, verb, lambda: host.store.finish(number, before, after))
    except BaseException as error:
        if host.store.pending(number):  # else it is done, and only its caller was interrupted
            if isinstance(error, KernelError) and error.reason in UNTOUCHED and done:
                done.pop()
            if undo(host, done):
                host.store.abandon(number)
        raise
    finally:
        if watch:
            watch.end()
    if verb in TAKING:
        host.store.keep_room()


def _with_room(host: Host, verb: str, function: Callable[[], T]) -> T:
    """Return what a function of the store returns; what takes away may use the last reserve of a full disk."""
    try:
        return function()
    except Missing as error:
        if error.code != "disk-full" or verb not in TAKING or not host.store.make_room():
            raise
    return function()


def _shared(host: Host, new: list[Object]) -> tuple[Operation, ...]:
    """Return what is to be done to what we share with others, as far as it is not so already.

    Forwarding may have been on before us: its undoing depends on how it was found.
    """
    wanted = [one for one in new if is_shared(one)]
    absent = host.kernel.missing(wanted) if wanted else []
    return tuple(
        Change(Sysctl(one.place, one.key, host.kernel.setting(one.place, one.key)), one)
        for one in absent
        if isinstance(one, Sysctl)
    )


def is_shared(one: Object) -> bool:
    """Tell whether an object is others' as much as ours."""
    return isinstance(one, Sysctl) and one.place == HOST and one.key.endswith(SHARED)


def composed(before: Intent, after: Intent, extra: Iterable[Operation], mark: int) -> list[Operation]:
    """Return the whole plan of a verb, from what the journal holds of it."""
    return _composed(objects(before, mark), objects(after, mark), extra)


def _composed(old: list[Object], new: list[Object], extra: Iterable[Operation]) -> list[Operation]:
    """Return the plan: what of ``extra`` makes comes first, what of it takes away comes last.

    What moves the host's own addresses comes when all links are there, and before any goes; settings of the bridge that
    they move to come before it has a port.
    """
    steps = diff([one for one in old if not is_shared(one)], [one for one in new if not is_shared(one)])
    moves = [one for one in extra if _moves(one)]
    make = [one for one in extra if not isinstance(one, Remove) and one not in moves]
    take = [one for one in extra if isinstance(one, Remove) and one not in moves]
    return [*make, *(_with_moves(steps, moves) if moves else steps), *take]


def _with_moves(steps: list[Operation], moves: list[Operation]) -> list[Operation]:
    """Return steps with what moves the host's own addresses in its place."""
    made = [isinstance(step, Add) and isinstance(step.object, Port) for step in steps]
    first = made.index(True) if True in made else 0
    at = next((i for i, step in enumerate(steps) if isinstance(step, Remove)), len(steps))
    before = [one for one in moves if isinstance(one, Add) and isinstance(one.object, Sysctl)]
    return [*steps[:first], *before, *steps[first:at], *(one for one in moves if one not in before), *steps[at:]]


def _moves(operation: Operation) -> bool:
    """Tell whether an operation gives, or takes away, what is the host's own; or a setting of the bridge for it."""
    one = thing(operation)
    return isinstance(one, HeldAddress | HeldRoute) or (isinstance(one, Sysctl) and "/cn-" in one.key)


def thing(operation: Operation) -> object:
    """Return what an operation is about."""
    return operation.after if isinstance(operation, Change) else getattr(operation, "object", None)


def run(host: Host, plan: Iterable[Operation], done: list[Operation], stage: Callable[[Operation], str]) -> None:
    """Do operations in order; ``done`` grows by each before it is begun."""
    for batch in _batches(plan):
        for operation in batch:
            if key := stage(operation):
                host.report.stage(key)
            host.tell(operation)
        done += batch
        if _pair(batch[0]) or isinstance(batch[0], Cut):
            pairs = [pair for one in batch if (pair := _pair(one))]
            host.kernel.take(pairs, [one for one in batch if isinstance(one, Cut)])
        else:
            do(host, batch[0])


def _batches(plan: Iterable[Operation]) -> list[list[Operation]]:
    """Return operations one by one; removals of veth pairs, and the cuts that follow on them, are one batch."""
    found: list[list[Operation]] = []
    for operation in plan:
        if found and _together(found[-1][-1], operation):
            found[-1].append(operation)
        else:
            found.append([operation])
    return found


def _together(last: Operation, operation: Operation) -> bool:
    """Tell whether an operation goes into the batch of the one before it."""
    if isinstance(operation, Cut):
        return isinstance(last, Cut) or _pair(last) is not None
    return _pair(operation) is not None and _pair(last) is not None


def _pair(operation: Operation) -> Veth | None:
    """Return the veth pair that an operation removes, if it does."""
    return operation.object if isinstance(operation, Remove) and isinstance(operation.object, Veth) else None


def do(host: Host, operation: Operation) -> None:
    """Do one operation; what is to be taken away and is not there has been taken away."""
    try:
        host.kernel.do(operation)
    except KernelError as error:
        if not (isinstance(operation, Remove) and error.reason in GONE):
            raise


def made(plan: Iterable[Operation]) -> list[Object]:
    """Return the objects that a plan makes or changes."""
    found: list[Object] = []
    for operation in plan:
        match operation:
            case Add():
                found.append(operation.object)
            case Change():
                found = [one for one in found if one != operation.before]  # it was made so only for a while
                found.append(operation.after)
            case Elements():
                found += operation.add
    return found


def read_back(host: Host, plan: list[Operation]) -> None:
    lost = host.kernel.missing(made(plan))
    if lost:
        raise Different(
            "read-back", f"The kernel does not show what was just made: {lost[0]}.",
            "Another program may be changing the same things; look at its log, then try again.",
        )  # fmt: skip


def undo(host: Host, done: Iterable[Operation]) -> bool:
    """Undo operations in reverse, as far as each was done; tell whether nothing stood in the way."""
    clean = True
    for operation in reversed(list(done)):
        inverse = operation.inverse
        if inverse is None:
            continue
        try:
            host.kernel.do(inverse)
        except KernelError as error:
            if error.reason not in (*GONE, EXISTS):
                host.report.note(f"Undoing left something behind: {error.sentence} 'cnet repair' mends it.")
                clean = False
        except ContainerNetError as error:
            host.report.note(f"Undoing left something behind: {error.sentence}")
            clean = False
    return clean
