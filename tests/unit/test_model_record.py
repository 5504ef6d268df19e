"""Records: frozen values, as ``dataclass(frozen=True, slots=True)`` makes them, without its import."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from containernet.model.network import HOST, Network, Place, PortMapping, Subnet
from containernet.model.record import fields, plain, record, replace
from containernet.plan.objects import Sysctl, Up


@record
class Pair:
    """Two fields, one with a default."""

    first: int
    second: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        return len(self.second)


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
    """What a record should behave like."""

    first: int
    second: tuple[int, ...] = ()


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, (2,)), {}),
    ((), {"first": 1}),
    ((1,), {"second": (2, 3)}),
    ((), {"second": (2,), "first": 1}),
    ((), {}),
    ((1, (2,), 3), {}),
    ((1,), {"third": 3}),
    ((1,), {"first": 1}),
    ((), {"second": ()}),
]


@pytest.mark.parametrize(("args", "named"), CALLS)
def test_it_is_made_like_a_dataclass(args: tuple[Any, ...], named: dict[str, Any]) -> None:
    try:
        model = Model(*args, **named)
    except TypeError:
        with pytest.raises(TypeError):
            Pair(*args, **named)
        return
    made = Pair(*args, **named)
    assert (made.first, made.second) == (model.first, model.second)


def test_it_is_compared_by_its_fields_and_kind() -> None:
    assert Pair(1, (2,)) == Pair(1, (2,))
    assert hash(Pair(1, (2,))) == hash(Pair(1, (2,)))
    assert Pair(1) != Pair(2)
    assert Pair(1) != Model(1)
    assert Subnet("a", "b") != Place("a", "b")  # type: ignore[arg-type]
    assert len({Pair(1), Pair(1), Pair(2)}) == 2


def test_it_is_frozen_and_has_no_room_for_more() -> None:
    made = Pair(1)
    for name in ("first", "other"):
        with pytest.raises(AttributeError):
            setattr(made, name, 2)
    with pytest.raises(AttributeError):
        del made.first  # type: ignore[misc]
    assert made == Pair(1)


def test_it_is_printed_by_its_fields() -> None:
    assert repr(Pair(1, (2,))) == "Pair(first=1, second=(2,))"


def test_it_is_copied_and_pickled() -> None:
    """Our own are; this one lives in a test."""
    network = Network(1, "n1", "nat", (Subnet("10.0.0.0/24", "10.0.0.1"),), 1500, labels=(("a", "b"),))
    for one in (network, PortMapping(1, 2, "tcp", "", 80, 81, 80), HOST, Up(HOST, "lo")):
        assert copy.deepcopy(one) == one
        assert pickle.loads(pickle.dumps(one)) == one


def test_a_copy_with_changes() -> None:
    assert replace(Pair(1, (2,)), first=5) == Pair(5, (2,))
    assert fields(Pair) == fields(Pair(1)) == ("first", "second")
    with pytest.raises(TypeError):
        replace(Pair(1), third=1)


def test_a_field_may_have_any_name() -> None:
    """As in ``dataclasses.replace``, whose first argument has no name."""
    assert replace(Sysctl(HOST, "net/ipv4/ip_forward", "0"), value="1") == Sysctl(HOST, "net/ipv4/ip_forward", "1")


def test_properties_and_matching_work() -> None:
    made = Pair(1, (2, 3))
    assert made.size == 2
    match made:
        case Pair(first, (second, _)):
            assert (first, second) == (1, 2)
        case _:
            pytest.fail("a record is matched by its fields")


def test_it_becomes_plain_data() -> None:
    network = Network(1, "n1", "nat", (Subnet("10.0.0.0/24", "10.0.0.1"),), 1500, labels=(("a", "b"),))
    told: Any = plain({"made": network, "of": frozenset([1])})
    assert told["made"]["subnets"] == [{"prefix": "10.0.0.0/24", "gateway": "10.0.0.1"}]
    assert told["made"]["labels"] == [["a", "b"]]
    assert told["of"] == [1]


def test_a_record_without_fields_is_as_good_as_any_other() -> None:
    @record
    class Nothing:
        pass

    assert Nothing() == Nothing() and len({Nothing(), Nothing()}) == 1
