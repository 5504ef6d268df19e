"""The journal of verbs under way: what is put in comes out, and nothing in it can run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from containernet.drivers.objects import objects
from containernet.model.network import HOST, Place
from containernet.plan.diff import diff
from containernet.plan.intent import Intent
from containernet.plan.objects import Sysctl, Table
from containernet.plan.operations import Add, Announce, Change, Cut, Elements, Remove
from containernet.plan.ruleset import TEXT
from containernet.store.journal import KINDS, decoded, encoded
from containernet.store.sqlite import Sqlite
from kit.nouns import MARK, REPEATABLE, intents, small

texts = some.text(max_size=12)
numbers = some.integers(-(2**63), 2**64)
places = some.builds(Place, texts, numbers)
settings = some.builds(Sysctl, places, texts, texts)
operations = (
    some.builds(Add, settings)
    | some.builds(Remove, some.builds(Table, numbers, texts))
    | some.builds(Change, settings, settings)
    | some.builds(Cut, some.sampled_from([4, 6]), texts, texts, texts, some.tuples(numbers, numbers), texts)
    | some.builds(Announce, places, texts, texts, some.lists(texts).map(tuple))
)


@REPEATABLE
@given(intents(), intents())
def test_a_verb_comes_back_with_its_plan(before: Intent, after: Intent) -> None:
    plan = tuple(diff(objects(before, MARK), objects(after, MARK)))
    for one in (before, after, plan):
        assert decoded(encoded(one)) == one


@REPEATABLE
@given(some.lists(operations).map(tuple))
def test_any_text_and_number_comes_back(plan: tuple[Any, ...]) -> None:
    assert decoded(encoded(plan)) == plan
    assert [type(one) for one in decoded(encoded(plan))] == [type(one) for one in plan]


def test_every_operation_and_object_can_be_kept() -> None:
    kinds = {type(one) for one in objects(small(), MARK)} | {Add, Remove, Change, Elements, Cut, Announce, Table}
    assert kinds <= set(KINDS.values())


BAD = (
    "",
    "(",
    "__import__('os').abort()",
    "{'Place': ('/x', open('/etc/passwd'))}",
    "{'system': ('true',)}",
    "{'Place': ('/x', 1), 'Add': ()}",
    "{'Place': ('/x',)}",
    "{'Place': ('/x', 1, 2)}",
    "{}",
)


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:20])
def test_another_text_is_refused_as_documented(text: str) -> None:
    with pytest.raises(ValueError):
        decoded(text)


def test_a_verb_under_way_is_seen_by_others_until_it_is_finished_or_undone(tmp_path: Path) -> None:
    mine, other = Sqlite(str(tmp_path)), Sqlite(str(tmp_path))
    extra = (Add(Table(MARK, TEXT)), Change(Sysctl(HOST, "net/ipv4/ip_forward", "0"), Sysctl(HOST, "x", "1")))
    first = mine.begin("create", Intent(), small(), extra)
    second = mine.begin("join", small(), Intent(), ())
    assert first != second
    seen = other.unfinished()
    assert [(one.id, one.verb, one.who) for one in seen] == [
        (first, "create", f"pid {os.getpid()}"),
        (second, "join", f"pid {os.getpid()}"),
    ]
    assert (seen[0].before, seen[0].after, seen[0].extra) == (Intent(), small(), extra)
    assert other.everything() == Intent(), "what is under way is not so yet"
    mine.finish(first, Intent(), small())
    assert [one.id for one in other.unfinished()] == [second]
    assert other.everything() == small()
    mine.abandon(second)
    assert other.unfinished() == ()
    assert other.everything() == small()
    mine.close()
    other.close()
