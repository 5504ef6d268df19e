"""Whose is what: only what carries our mark, or has a twin in what should be, is ever looked at by a plan."""

from __future__ import annotations

import pytest
from hypothesis import given

from containernet.drivers.objects import objects
from containernet.model.network import HOST, Place
from containernet.model.record import replace
from containernet.plan.diff import diff
from containernet.plan.intent import Intent
from containernet.plan.objects import Address, Bridge, Element, Object, Resolver, Route, Rule, Sysctl, Table, Up, Veth
from containernet.plan.operations import Add
from containernet.plan.ownership import ours
from containernet.plan.ruleset import TEXT
from kit.nouns import MARK, REPEATABLE, intents, small

PLACE = Place("/run/netns/c2", 1002)
TABLE = Table(MARK, TEXT)
THEIRS = MARK + 1


@pytest.mark.parametrize(
    "one",
    [
        Bridge("cn-9", "02:00:00:00:00:09", 1500, MARK, "old"),
        Veth("ce-9", PLACE, "eth9", "02:00:00:00:00:09", 1500, "cn-9", MARK, "old"),
        Veth("ce-9", HOST, "", "", 1500, "", MARK, "of a container that has vanished"),
        TABLE,
        Route(PLACE, "default4", "10.7.0.1", "eth9"),
        Route(PLACE, "10.7.0.0/24", "", "eth9", 10_009),
        Rule(PLACE, "10.7.0.9", 10_009, 10_000),
        Resolver("c2", ("192.0.2.53",), (), MARK),
        Resolver("c2", (), (), 0),
    ],
)
def test_what_carries_our_mark_is_ours_though_nobody_wants_it(one: Object) -> None:
    assert ours([one], [], MARK) == [one]


@pytest.mark.parametrize(
    "one",
    [
        Bridge("cn-9", "02:00:00:00:00:09", 1500, THEIRS, "n9"),
        Bridge("cn-9", "02:00:00:00:00:09", 1500, 0, ""),
        Veth("ce-9", PLACE, "eth9", "02:00:00:00:00:09", 1500, "cn-9", THEIRS, ""),
        Table(THEIRS, TEXT),
        Resolver("c2", ("192.0.2.53",), (), THEIRS),
    ],
)
def test_what_carries_another_mark_is_not_though_it_has_our_name(one: Object) -> None:
    twins = [replace(one, **({"mark": MARK} if isinstance(one, Table | Resolver) else {"group": MARK}))]
    assert ours([one], twins, MARK) == []


@pytest.mark.parametrize(
    "one",
    [
        Address(HOST, "cn-1", "10.1.0.1/24"),
        Address(PLACE, "eth0", "10.1.0.2/24"),
        Up(PLACE, "eth0"),
        Sysctl(HOST, "net/ipv4/ip_forward", "0"),
        Route(HOST, "10.9.0.0/16", "10.1.0.7", "cn-1"),
        Rule(HOST, "10.9.0.1", 77, 77),
    ],
)
def test_what_has_no_mark_is_ours_if_it_has_a_twin(one: Object) -> None:
    assert ours([one], [], MARK) == []
    assert ours([one], [one], MARK) == [one]


def test_a_setting_is_ours_in_whatever_state_it_is() -> None:
    found = Sysctl(HOST, "net/ipv4/ip_forward", "0")
    assert ours([found], [Sysctl(HOST, found.key, "1")], MARK) == [found]


def test_elements_are_ours_if_the_table_is() -> None:
    element = Element("any4", ("tcp", 80), ("10.1.0.2", 80))
    assert ours([element, TABLE], [], MARK) == [element, TABLE]
    assert ours([element, Table(THEIRS, TEXT)], [element], MARK) == []
    assert ours([element], [element], MARK) == []


STRANGERS: list[Object] = [
    Bridge("cn-77", "02:00:00:00:00:77", 1500, THEIRS, ""),
    Veth("ce-77", PLACE, "eth77", "02:00:00:00:00:77", 1500, "cn-77", 0, ""),
    Address(HOST, "cn-77", "10.77.0.1/24"),
    Address(HOST, "cn-1", "10.77.0.2/24"),
    Address(PLACE, "eth1", "10.77.0.3/24"),
    Up(PLACE, "eth77"),
    Route(HOST, "10.78.0.0/16", "10.77.0.9", "cn-77"),
    Rule(HOST, "10.77.0.1", 77, 77),
]


@REPEATABLE
@given(intents())
def test_a_repair_never_touches_what_is_not_ours(intent: Intent) -> None:
    should = [TABLE, *objects(intent, MARK)]
    plan = diff(ours([*should, *STRANGERS], should, MARK), should)
    assert plan == []
    nothing = diff(ours([*objects(small(), MARK), *STRANGERS, Table(THEIRS, TEXT)], [], MARK), [])
    assert not [step for step in nothing if getattr(step, "object", None) in STRANGERS]


def test_a_table_of_another_store_is_never_changed_into_ours() -> None:
    """The kernel then refuses the Add: the verb has found out before."""
    assert diff(ours([Table(THEIRS, TEXT)], [TABLE], MARK), [TABLE]) == [Add(TABLE)]
