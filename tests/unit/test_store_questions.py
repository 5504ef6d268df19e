"""The store's questions, each against what was put in; and what must never be in it twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from containernet.model.address import packed
from containernet.model.errors import Bug, ContainerNetError
from containernet.model.network import PortMapping
from containernet.model.record import replace
from containernet.plan.intent import Intent, joined, without
from containernet.store.memory import Memory
from containernet.store.sqlite import Sqlite
from kit.nouns import HOST4, REPEATABLE, compartment, endpoint, intents, mapping, network, small

EMPTY = Intent()


@pytest.fixture(params=["on the disk", "in memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sqlite]:
    made = Memory() if request.param == "in memory" else Sqlite(str(tmp_path / "state"))
    yield made
    made.close()


@pytest.fixture
def full(store: Sqlite) -> Sqlite:
    """A store with a small intent in it."""
    store.finish(0, EMPTY, small())
    return store


def test_everything_comes_back_as_it_went(store: Sqlite) -> None:
    intent = small()
    assert store.everything() == EMPTY
    store.finish(0, EMPTY, intent)
    assert store.everything() == intent
    store.finish(0, intent, EMPTY)
    assert store.everything() == EMPTY


@REPEATABLE
@given(some.lists(intents(), max_size=4))
def test_whatever_follows_on_whatever(every: list[Intent]) -> None:
    store, before = Memory(), EMPTY
    for after in every:
        store.finish(0, before, after)
        assert store.everything() == after
        before = after
    store.end()


def test_the_compartments_of_a_network(full: Sqlite) -> None:
    every = full.everything()
    for net in every.networks:
        there = {one.compartment_id for one in every.endpoints if one.network_id == net.id}
        assert {one.id for one in full.compartments(net.id)} == there
        assert set(full.compartments(net.id)) <= set(every.compartments)
    assert full.compartments(99) == ()


def test_odd_texts_come_back(store: Sqlite) -> None:
    odd = network(labels=(("a", "b = c"), ("'", '"'), ("ü", "")), external_address="2001:db8::1", created=7)
    where = compartment(path="/run/netns/it's", container="it's", lasting=False, loopback=True, routed="46")
    store.finish(0, EMPTY, Intent((odd,), (where,), memos=(("key 'x'", "value; DROP TABLE memos"),)))
    assert store.networks() == (odd,)
    assert store.compartment(number=2) == where
    assert store.memo("key 'x'") == "value; DROP TABLE memos"


def test_networks(full: Sqlite) -> None:
    one, two = small().networks
    assert full.networks() == (one, two)
    assert full.network("n1") == one
    assert full.network_of(2) == two
    assert full.network("n3") is full.network("") is None


def test_compartments(full: Sqlite) -> None:
    here, there = small().compartments
    assert full.compartment(container="c2") == full.compartment(number=2) == full.compartment(cookie=1002) == here
    assert full.compartment(cookie=1003) == there
    assert full.compartment(container="c9") is full.compartment(number=9) is full.compartment(cookie=9) is None


def test_endpoints(full: Sqlite) -> None:
    one, two, three = small().endpoints
    assert full.endpoints() == (one, two, three)
    assert full.endpoints(network=1) == (one, three)
    assert full.endpoints(compartment=2) == (one, two)
    assert full.endpoints(network=2, compartment=2) == (two,)
    assert full.endpoints(network=2, compartment=3) == ()
    assert full.endpoint(name=two.name) == full.endpoint(number=2) == two
    assert full.endpoint(name="c9_n9") is full.endpoint(number=9) is None


def test_an_endpoint_without_an_address_is_one(store: Sqlite) -> None:
    bare = endpoint(addresses=())
    store.finish(0, EMPTY, Intent((network(),), (compartment(),), (bare,)))
    assert store.endpoints() == (bare,)


def test_who_has_an_address_or_a_mac(full: Sqlite) -> None:
    one, two, three = small().endpoints
    assert full.holder(1, "10.1.0.2") == full.holder(1, "fd00:1::2") == full.holder(1, mac=one.mac) == one
    assert full.holder(1, "FD00:1:0::4") == three
    assert full.holder(2, mac=two.mac) == two
    assert full.holder(2, "10.1.0.2") is full.holder(1, "10.1.0.9") is full.holder(2, mac=one.mac) is None


def test_which_addresses_are_taken_from_one_on_in_order(full: Sqlite) -> None:
    assert list(full.taken(1, packed("10.1.0.0"))) == [packed("10.1.0.2"), packed("10.1.0.4")]
    assert list(full.taken(1, packed("10.1.0.3"))) == [packed("10.1.0.4")]
    assert list(full.taken(1, packed("fd00:1::3"))) == [packed("fd00:1::4")]
    assert list(full.taken(2, packed("10.2.0.4"))) == []


def test_port_mappings(full: Sqlite) -> None:
    one, two, nine = small().mappings
    assert full.mappings() == (one, two, nine)
    assert full.mappings(1) == (one,)
    assert full.mappings(3) == (two, nine)
    assert full.mapping(9) == nine
    assert full.mapping(3) is None


def test_memos(store: Sqlite) -> None:
    store.finish(0, EMPTY, Intent(memos=(("setting:a", "1"), ("setting:b", "2"), ("settings", "3"), ("t", "4"))))
    assert store.memo("setting:a") == "1"
    assert store.memo("none") == ""
    assert store.memos("setting:") == {"setting:a": "1", "setting:b": "2"}
    store.finish(0, EMPTY, Intent(memos=(("setting:a", ""),)))
    assert store.memo("setting:a") == ""


def test_no_number_is_given_twice(store: Sqlite) -> None:
    assert [store.next_id(kind) for kind in ("networks", "compartments", "endpoints", "mappings")] == [1, 2, 1, 1]
    intent = small()
    store.finish(0, EMPTY, intent)
    numbers = [store.next_id(kind) for kind in ("networks", "compartments", "endpoints", "mappings")]
    assert numbers == [3, 4, 4, 10]
    store.finish(0, intent, EMPTY)
    assert [store.next_id(kind) for kind in ("networks", "compartments", "endpoints", "mappings")] == numbers
    with pytest.raises(Bug):
        store.next_id("memos")


ADDRESSES = ("", HOST4, "198.51.100.9")


@REPEATABLE
@given(some.data())
def test_which_mapping_is_in_the_way(data: some.DataObject) -> None:
    """Against looking at all of them: a wildcard is in everybody's way, and everybody in a wildcard's."""
    store, held = Memory(), list[PortMapping]()
    for number in range(1, data.draw(some.integers(0, 6)) + 1):
        first = data.draw(some.integers(1, 30))
        new = mapping(
            number, external_first=first, external_last=first + data.draw(some.integers(0, 6)),
            protocol=data.draw(some.sampled_from(["tcp", "udp"])),
            external_address=data.draw(some.sampled_from(ADDRESSES)),
        )  # fmt: skip
        if not [one for one in held if _same(one, new.protocol, new.external_address) and _touch(one, new)]:
            held.append(new)
    store.finish(0, EMPTY, Intent((network(),), (compartment(),), (endpoint(),), tuple(held)))
    first = data.draw(some.integers(1, 36))
    asked = mapping(99, external_first=first, external_last=first + data.draw(some.integers(0, 9)))
    address, protocol = data.draw(some.sampled_from(ADDRESSES)), data.draw(some.sampled_from(["tcp", "udp"]))
    found = store.in_the_way(protocol, address, asked.external_first, asked.external_last)
    expected = [one for one in held if _same(one, protocol, address) and _touch(one, asked)]
    assert (found in expected) if expected else found is None
    store.end()


def _same(one: PortMapping, protocol: str, address: str) -> bool:
    return one.protocol == protocol and (not address or one.external_address in ("", address))


def _touch(one: PortMapping, other: PortMapping) -> bool:
    return one.external_first <= other.external_last and other.external_first <= one.external_last


# --- what must never be --------------------------------------------------------------------------------------------

ONE, TWO, HERE, THERE = network(1), network(2), compartment(2), compartment(3)
END = endpoint(1, ONE, HERE)
BASE = Intent((ONE, TWO), (HERE, THERE), (END,), (mapping(1, END, external_last=8005),))
TWICE = {
    "a network's name": Intent((network(3, name="n1"),)),
    "a container's name": Intent((), (compartment(4, container="c2"),)),
    "a cookie": Intent((), (compartment(4, cookie=HERE.cookie),)),
    "an endpoint's name": Intent((), (), (endpoint(2, ONE, THERE, name=END.name),)),
    "an interface of a container": Intent((), (), (endpoint(2, TWO, HERE, interface=END.interface),)),
    "a MAC address of a network": Intent((), (), (endpoint(2, ONE, THERE, mac=END.mac),)),
    "an IPv4 address of a network": Intent((), (), (endpoint(2, ONE, THERE, addresses=END.addresses[:1]),)),
    "an IPv6 address of a network": Intent((), (), (endpoint(2, ONE, THERE, addresses=END.addresses[1:]),)),
    "an external port": Intent((), (), (), (mapping(2, END, external_first=8001, external_last=8001),)),
    "the last port of a range": Intent((), (), (), (mapping(2, END, external_first=8005, external_last=8009),)),
    "the first port of a range": Intent((), (), (), (mapping(2, END, external_first=7000, external_last=8001),)),
    "ports inside of a range": Intent((), (), (), (mapping(2, END, external_first=8002, external_last=8003),)),
    "ports around a range": Intent((), (), (), (mapping(2, END, external_first=7000, external_last=9000),)),
    "an endpoint on no network": Intent((), (), (endpoint(2, network(9), HERE),)),
    "an endpoint of no container": Intent((), (), (endpoint(2, ONE, compartment(9)),)),
    "a port that leads nowhere": Intent((), (), (), (mapping(9, endpoint(9)),)),
    "port 0": Intent((), (), (), (mapping(2, END, external_first=0, external_last=0),)),
    "port 65536": Intent((), (), (), (mapping(2, END, external_first=65536, external_last=65536),)),
    "a range the wrong way round": Intent((), (), (), (mapping(2, END, external_first=9, external_last=8),)),
}  # fmt: skip


@pytest.mark.parametrize("what", TWICE)
def test_what_must_never_be_is_refused_whole(store: Sqlite, what: str) -> None:
    store.finish(0, EMPTY, BASE)
    sequence = store.memo("sequence")
    with pytest.raises(ContainerNetError):
        store.finish(0, EMPTY, joined(Intent((network(8),), memos=(("a", "b"),)), TWICE[what]))
    assert store.everything() == BASE
    assert store.memo("a") == ""
    assert store.memo("sequence") == sequence
    store.finish(0, EMPTY, Intent((network(8),)))  # and it goes on


FINE = {
    "two that wait for their containers": Intent((), (compartment(4, cookie=0), compartment(5, cookie=0))),
    "the same address on another network": Intent((), (), (endpoint(2, TWO, THERE, addresses=END.addresses),)),
    "the same MAC on another network": Intent((), (), (endpoint(2, TWO, THERE, mac=END.mac),)),
    "the same interface in another container": Intent((), (), (endpoint(2, ONE, THERE, interface=END.interface),)),
    "the next port": Intent((), (), (), (mapping(2, END, external_first=8006, external_last=8006),)),
    "the port before": Intent((), (), (), (mapping(2, END, external_first=8000, external_last=8000),)),
    "the same port of another protocol": Intent((), (), (), (mapping(2, END, protocol="udp", external_first=8001),)),
}


@pytest.mark.parametrize("what", FINE)
def test_what_may_well_be(store: Sqlite, what: str) -> None:
    store.finish(0, EMPTY, BASE)
    store.finish(0, EMPTY, FINE[what])
    assert set(store.everything().endpoints) >= set(FINE[what].endpoints)


def test_what_stands_on_something_keeps_it(store: Sqlite) -> None:
    store.finish(0, EMPTY, BASE)
    for gone in (replace(BASE, networks=(TWO,)), replace(BASE, compartments=(THERE,)), replace(BASE, endpoints=())):
        with pytest.raises(ContainerNetError):
            store.finish(0, BASE, gone)
        assert store.everything() == BASE
    store.finish(0, BASE, without(BASE, [END]))
    assert store.holder(1, "10.1.0.2") is None


def test_a_name_an_address_and_a_port_may_change_hands_in_one_commit(store: Sqlite) -> None:
    store.finish(0, EMPTY, BASE)
    again = replace(HERE, id=7, cookie=77)
    fresh = endpoint(9, ONE, again, name=END.name, mac=END.mac, addresses=END.addresses, interface=END.interface)
    port = mapping(2, fresh, external_first=8001, external_last=8005)
    after = joined(without(BASE, [END]), Intent((), (again,), (fresh,), (port,)))
    store.finish(0, BASE, after)
    assert set(store.everything().endpoints) == {fresh}
    assert store.holder(1, "10.1.0.2") == fresh
    assert store.in_the_way("tcp", "", 8001, 8001) == port


CHANGED = {
    "a network": replace(BASE, networks=(replace(ONE, mtu=1280, labels=(("x", "y"),)), TWO)),
    "a compartment": replace(BASE, compartments=(replace(HERE, cookie=0, path="/elsewhere"), THERE)),
    "an endpoint": replace(BASE, endpoints=(replace(END, priority=9, addresses=("10.1.0.77/24",)),)),
    "a mapping": replace(BASE, mappings=(replace(BASE.mappings[0], remotes=("10.0.0.0/8",)),)),
}


@pytest.mark.parametrize("what", CHANGED)
def test_every_kind_of_row_can_change_in_place(store: Sqlite, what: str) -> None:
    store.finish(0, EMPTY, BASE)
    store.finish(0, BASE, CHANGED[what])
    assert store.everything() == CHANGED[what]
