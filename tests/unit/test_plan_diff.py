"""Plans: what is done, in which order, and that all of it can be undone."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from containernet.drivers.objects import objects
from containernet.kernel.door import ABSENT, EXISTS, VANISHED, KernelError
from containernet.model.record import replace
from containernet.plan.diff import diff
from containernet.plan.intent import Intent, joined, without
from containernet.plan.objects import (
    Address,
    Bridge,
    Element,
    Object,
    Route,
    Rule,
    Sysctl,
    Table,
    Up,
    Veth,
)
from containernet.plan.operations import Add, Change, Elements, Operation, Remove
from containernet.plan.ruleset import TEXT
from kit.memory import Memory
from kit.nouns import MARK, REPEATABLE, compartment, endpoint, intents, mapping, network, small

ORDER = [Table, Element, Bridge, Veth, Sysctl, Up, Address, Route, Rule]
TABLE = Table(MARK, TEXT)


def whole(intent: Intent) -> list[Object]:
    """Return all that should be in the kernel, our table with it."""
    return [*([TABLE] if intent.networks else []), *objects(intent, MARK)]


def kinds(plan: list[Operation]) -> list[type]:
    """Return what is made, in order, each kind named once in a row."""
    found: list[type] = []
    for step in plan:
        kind = Element if isinstance(step, Elements) else type(step.object if isinstance(step, Add) else step.after)
        if not found or found[-1] is not kind:
            found.append(kind)
    return found


def test_all_is_made_in_the_order_in_which_it_stands_on_each_other() -> None:
    plan = diff([], whole(small()))
    assert kinds(plan) == ORDER
    assert sum(isinstance(step, Elements) for step in plan) == 1


def test_all_is_taken_in_the_opposite_order_but_for_the_elements_which_go_first() -> None:
    plan = diff(whole(small()), [])
    assert isinstance(plan[0], Elements)
    assert plan[0].add == ()
    ranks = [ORDER.index(type(step.object)) for step in plan[1:] if isinstance(step, Remove)]
    assert len(ranks) == len(plan) - 1
    assert ranks == sorted(ranks, reverse=True)


def test_nothing_to_do() -> None:
    assert diff(whole(small()), reversed(whole(small()))) == []


def test_what_comes_is_made_before_what_goes_is_taken() -> None:
    one, two = network(1), network(2)
    before = Intent((one,), (compartment(),), (endpoint(1, one),))
    after = Intent((two,), (compartment(),), (endpoint(2, two),))
    plan = diff(whole(before), whole(after))
    makes = [index for index, step in enumerate(plan) if isinstance(step, Add | Change)]
    takes = [index for index, step in enumerate(plan) if isinstance(step, Remove)]
    assert makes
    assert takes
    assert max(makes) < min(takes)


def test_protection_changes_before_any_link() -> None:
    """Also where the table itself has to be made whole."""
    plan = diff([Table(MARK, ""), Element("any4", ("tcp", 1), ("10.1.0.2", 1))], whole(small()))
    assert plan[0] == Change(Table(MARK, ""), TABLE)
    assert isinstance(plan[1], Elements)
    assert plan[1].remove == (Element("any4", ("tcp", 1), ("10.1.0.2", 1)),)


def test_an_element_that_leads_elsewhere_is_one_change_of_one_transaction() -> None:
    old, new = Element("any4", ("tcp", 1), ("10.1.0.2", 1)), Element("any4", ("tcp", 1), ("10.1.0.3", 1))
    assert diff([TABLE, old], [TABLE, new]) == [Elements(add=(new,), remove=(old,))]


def test_a_pair_in_another_namespace_is_made_anew() -> None:
    old = objects(Intent((network(),), (compartment(),), (endpoint(),)), MARK)
    new = objects(Intent((network(),), (compartment(cookie=77),), (endpoint(),)), MARK)
    pairs = [one for one in (*old, *new) if isinstance(one, Veth)]
    plan = diff(old, new)
    assert plan[:2] == [Remove(pairs[0]), Add(pairs[1])]


def test_a_link_changes_in_place() -> None:
    before, after = (whole(Intent((network(mtu=mtu),))) for mtu in (1500, 1400))
    (step,) = diff(before, after)
    assert isinstance(step, Change)
    assert isinstance(step.after, Bridge)
    assert step.after.mtu == 1400


@REPEATABLE
@given(intents(), intents(), some.integers())
def test_the_order_of_what_is_found_does_not_matter(one: Intent, two: Intent, seed: int) -> None:
    """A kernel lists its objects in any order; the plan is the same."""
    before = whole(one)
    shuffled = list(before)
    Random(seed).shuffle(shuffled)
    assert diff(shuffled, whole(two)) == diff(before, whole(two))


# --- done and undone -------------------------------------------------------------------------------------------------


def settled(intent: Intent, kernel: Memory) -> Intent:
    """Return an intent whose containers are those of a kernel."""
    places = tuple(replace(one, cookie=kernel.identify(one.path).cookie) for one in intent.compartments)
    return replace(intent, compartments=places)


def try_it(kernel: Memory, operation: Operation, allowed: tuple[str, ...]) -> None:
    """Do an operation as the executor does it."""
    try:
        kernel.do(operation)
    except KernelError as error:
        if error.reason not in allowed:
            raise


def carry_out(kernel: Memory, plan: list[Operation]) -> None:
    for step in plan:
        try_it(kernel, step, (ABSENT, VANISHED) if isinstance(step, Remove) else ())


def undo(kernel: Memory, plan: list[Operation]) -> None:
    for step in reversed(plan):
        if step.inverse is not None:
            try_it(kernel, step.inverse, (ABSENT, VANISHED, EXISTS))


def there(kernel: Memory) -> set[Object]:
    return {*kernel.objects.values()}


def lasting(wanted: list[Object]) -> set[Object]:
    return {one for one in wanted if not isinstance(one, Sysctl)}


@REPEATABLE
@given(intents(), intents(), some.data())
def test_every_plan_does_what_it_should_and_can_be_undone_from_anywhere(
    one: Intent, two: Intent, data: some.DataObject
) -> None:
    kernel = Memory()
    for number in (2, 3, 4):
        kernel.add_namespace(f"/run/netns/c{number}")
    before, after = whole(settled(one, kernel)), whole(settled(two, kernel))
    carry_out(kernel, diff([], before))
    assert kernel.missing(before) == []
    assert there(kernel) == lasting(before)
    plan = diff(before, after)

    half = kernel.copy()
    done = plan[: data.draw(some.integers(0, len(plan)))]
    carry_out(half, done)
    undo(half, done)
    assert there(half) == lasting(before)
    assert half.missing(before) == []

    carry_out(kernel, plan)
    assert kernel.missing(after) == []
    assert there(kernel) == lasting(after)
    undo(kernel, plan)
    assert there(kernel) == lasting(before)
    assert kernel.missing(before) == []


@REPEATABLE
@given(intents(), intents())
def test_a_plan_that_was_never_begun_can_be_undone_too(one: Intent, two: Intent) -> None:
    """What a killed verb has got done is not known: all of its plan is undone."""
    kernel = Memory()
    for number in (2, 3, 4):
        kernel.add_namespace(f"/run/netns/c{number}")
    before, after = whole(settled(one, kernel)), whole(settled(two, kernel))
    carry_out(kernel, diff([], before))
    undo(kernel, diff(before, after))
    carry_out(kernel, diff([one for one in there(kernel) if not isinstance(one, Sysctl)], [*lasting(before)]))
    assert there(kernel) == lasting(before)


# --- parts of an intent ----------------------------------------------------------------------------------------------


def test_without_endpoints_their_ports_and_emptied_compartments_go() -> None:
    intent = small()
    left = without(intent, [intent.endpoints[2]])
    assert [one.id for one in left.endpoints] == [1, 2]
    assert [one.id for one in left.mappings] == [1]
    assert [one.id for one in left.compartments] == [2]
    assert left.networks == intent.networks
    assert without(intent, [intent.endpoints[0]]).compartments == intent.compartments


def test_of_the_same_row_the_last_counts_in_the_order_of_the_first() -> None:
    old, new = network(1), network(1, mtu=1400)
    both = joined(Intent((old, network(2)), memos=(("a", "1"),)), Intent((new,), memos=(("a", "2"), ("b", "1"))))
    assert both.networks == (new, network(2))
    assert both.memos == (("a", "2"), ("b", "1"))


@pytest.mark.parametrize("step", [Add(TABLE), Change(Table(MARK, ""), TABLE), Elements((), ()), Remove(TABLE)])
def test_the_inverse_of_the_inverse_is_the_operation(step: Operation) -> None:
    assert step.inverse
    assert step.inverse.inverse == step


def test_nothing_but_the_changed_is_touched() -> None:
    """The cost follows the change: one more port is one element in each IP version."""
    intent = small()
    more = replace(intent, mappings=(*intent.mappings, mapping(20, intent.endpoints[0])))
    (step,) = diff(whole(intent), whole(more))
    assert isinstance(step, Elements)
    assert [one.set for one in step.add] == ["any4", "any6"]
    assert step.remove == ()


def test_ranks_cover_the_closed_list() -> None:
    """A new kind of object without a place in the order would be noticed here."""
    kinds_of_plan = {type(one) for one in whole(small())}
    assert kinds_of_plan == {*ORDER}
    assert all(one is not other for one, other in pairwise(ORDER))
