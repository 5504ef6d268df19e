"""What only networks without NAT have: macvlans, neighbours, a port that is not ours, what the host holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from things import BRIDGE, GROUP, make
from worlds import World, shell

from containernet.kernel.door import ABSENT, EXISTS, OTHER, VANISHED, KernelError, Link, Surroundings
from containernet.model.network import HOST, Place
from containernet.model.record import replace
from containernet.plan.moving import moved
from containernet.plan.objects import (
    Address,
    HeldAddress,
    HeldRoute,
    Macvlan,
    Neighbour,
    Object,
    Port,
    Route,
    Up,
    Veth,
)
from containernet.plan.operations import Add, Announce, Change, Operation, Remove

FOUR, SECOND = HeldAddress("up0", "192.0.2.1/24", broadcast="192.0.2.255"), HeldAddress("up0", "192.0.2.9/24")
SIX = HeldAddress("up0", "2001:db8:9::1/64")
DEFAULT = HeldRoute("up0", "default4", "192.0.2.254", protocol=3)
TABLED = HeldRoute("up0", "203.0.113.0/24", "192.0.2.253", "192.0.2.9", 77, 5, 16)
HELD = (FOUR, SECOND, SIX, DEFAULT, TABLED)
PLAIN = replace(BRIDGE, plain=True)
PORT = Port("cn-1", "up0")


@pytest.fixture
def uplink(world: World) -> Iterator[World]:
    """A world with an uplink that goes nowhere, and nothing on it."""
    if world.real:
        shell("ip link add up0 mtu 1500 type veth peer name far0")
        shell("ip link set up0 up")
        shell("ip link set far0 up")
    else:
        world.kernel.foreign[HOST] = Surroundings((Link("up0", "veth", True, 1500, 0, ()),), ())  # type: ignore[union-attr]
    yield world
    if world.real:
        shell("ip link del up0")


def refused(world: World, operation: Operation) -> str:
    with pytest.raises(KernelError) as refusal:
        world.kernel.do(operation)
    assert refusal.value.sentence.endswith(".")
    return refusal.value.reason


def macvlan(place: Place, name: str = "eth0", mac: str = "02:00:00:00:00:0b") -> Macvlan:
    return Macvlan(place, name, mac, 1400, "up0", GROUP, "c_n1")


def test_a_macvlan_is_made_found_changed_and_taken_away(uplink: World) -> None:
    place = uplink.namespace("c1")
    one = macvlan(place)
    inside = [
        one,
        Up(place, "eth0"),
        Address(place, "eth0", "192.0.2.3/24"),
        Route(place, "default4", "192.0.2.254", "eth0"),
    ]
    assert uplink.kernel.missing(inside) == inside
    make(uplink.kernel, inside)
    assert uplink.kernel.missing(inside) == []
    assert uplink.kernel.read([place], []) - {Up(place, "lo")} == set(inside)
    assert refused(uplink, Add(one)) == EXISTS
    others: list[Object] = [replace(one, mac="02:00:00:00:00:99"), replace(one, mtu=1500), replace(one, alias="")]
    others += [replace(one, parent="far0"), replace(one, group=1), replace(one, name="eth1")]
    assert uplink.kernel.missing(others) == others
    after = replace(one, mac="02:00:00:00:00:0c", mtu=1300, alias="other")
    uplink.kernel.do(Change(one, after))
    assert uplink.kernel.missing([one, after]) == [one]
    assert refused(uplink, Remove(replace(after, group=1))) == EXISTS
    uplink.kernel.do(Remove(after))
    assert refused(uplink, Remove(after)) == ABSENT
    assert uplink.kernel.read([place], []) <= {Up(place, "lo")}


def test_a_macvlan_needs_its_parent_and_its_place(uplink: World) -> None:
    place = uplink.namespace("c1")
    assert refused(uplink, Add(replace(macvlan(place), parent="none0"))) == ABSENT
    make(uplink.kernel, [macvlan(place)])
    assert "eth0" in {link.name for link in uplink.kernel.surroundings(place).links}
    uplink.remove_namespace(place)
    assert refused(uplink, Add(macvlan(place))) == VANISHED
    assert refused(uplink, Remove(macvlan(place))) == VANISHED
    assert uplink.kernel.missing([macvlan(place)]) == [macvlan(place)]
    again = uplink.namespace("c1")
    make(uplink.kernel, [macvlan(again)])  # its MAC is free again


def test_a_link_becomes_a_port_and_is_none_again(uplink: World) -> None:
    assert refused(uplink, Add(PORT)) == ABSENT
    make(uplink.kernel, [PLAIN, PORT])
    assert uplink.kernel.missing([PLAIN, PORT, BRIDGE, Port("cn-2", "up0")]) == [BRIDGE, Port("cn-2", "up0")]
    assert uplink.kernel.read([], []) == {PLAIN, PORT}
    assert refused(uplink, Add(PORT)) == EXISTS
    assert uplink.kernel.uplink("up0").master == "cn-1"
    uplink.kernel.do(Remove(PORT))
    assert refused(uplink, Remove(PORT)) == ABSENT
    assert uplink.kernel.read([], []) == {PLAIN}
    assert refused(uplink, Add(Port("cn-1", "none0"))) == ABSENT
    make(uplink.kernel, [PORT])
    uplink.kernel.do(Remove(PLAIN))
    assert uplink.kernel.missing([PORT]) == [PORT]


def test_a_bridge_can_be_made_plain(uplink: World) -> None:
    make(uplink.kernel, [BRIDGE])
    uplink.kernel.do(Change(BRIDGE, PLAIN))
    assert uplink.kernel.missing([BRIDGE, PLAIN]) == [BRIDGE]


def test_what_the_host_holds_is_given_found_and_taken(uplink: World) -> None:
    assert uplink.kernel.uplink("up0").held == ()
    assert uplink.kernel.missing(HELD) == list(HELD)
    make(uplink.kernel, list(HELD))
    assert uplink.kernel.missing(HELD) == []
    assert {one.identity for one in uplink.kernel.uplink("up0").held} == {one.identity for one in HELD}
    for one in HELD:
        assert refused(uplink, Add(one)) == EXISTS, one
    for one in reversed(HELD):
        uplink.kernel.do(Remove(one))
        assert refused(uplink, Remove(one)) == ABSENT, one
    assert uplink.kernel.uplink("up0").held == ()


def test_what_the_host_holds_moves_whole_and_back(uplink: World) -> None:
    make(uplink.kernel, [*HELD, PLAIN, PORT])
    held = uplink.kernel.uplink("up0").held
    plan = moved(held, "cn-1")
    for step in plan:
        uplink.kernel.do(step)
    assert uplink.kernel.uplink("up0").held == ()
    assert uplink.kernel.uplink("cn-1").held == tuple(replace(one, link="cn-1") for one in held)
    for step in reversed(plan):
        inverse = step.inverse
        assert inverse is not None
        uplink.kernel.do(inverse)
    assert uplink.kernel.uplink("up0").held == held
    assert uplink.kernel.uplink("cn-1").held == ()
    uplink.kernel.do(Remove(PLAIN))


def test_a_route_that_cannot_be(uplink: World) -> None:
    assert refused(uplink, Add(DEFAULT)) == OTHER
    assert refused(uplink, Add(replace(FOUR, link="none0"))) == ABSENT
    make(uplink.kernel, [FOUR, DEFAULT])
    uplink.kernel.do(Remove(FOUR))  # the last: the link's routes go with it
    assert uplink.kernel.missing([DEFAULT]) == [DEFAULT]


def test_an_uplink_is_described(uplink: World) -> None:
    found = uplink.kernel.uplink("up0")
    assert (found.kind, found.mtu, found.up, found.ethernet, found.master) == ("veth", 1500, True, True, "")
    assert not (found.wireless or found.loopback or found.manager or found.odd)
    with pytest.raises(KernelError) as refusal:
        uplink.kernel.uplink("none0")
    assert refusal.value.reason == ABSENT


def test_what_an_interface_has_now(uplink: World) -> None:
    place = uplink.namespace("c1")
    make(uplink.kernel, [macvlan(place), Up(place, "eth0"), Address(place, "eth0", "192.0.2.3/24")])
    make(uplink.kernel, [Route(place, "default4", "192.0.2.254", "eth0")])
    now = uplink.kernel.present(place, "eth0")
    assert (now.addresses, now.gateways, now.mtu) == (("192.0.2.3/24",), ("192.0.2.254",), 1400)
    with pytest.raises(KernelError) as refusal:
        uplink.kernel.present(place, "eth9")
    assert refusal.value.reason == ABSENT


def test_nobody_answers_on_a_link_that_goes_nowhere(uplink: World) -> None:
    if not uplink.real:
        uplink.kernel.silent = {"192.0.2.254", "2001:db8:9::ff"}  # type: ignore[union-attr]
    make(uplink.kernel, [FOUR, SIX])
    assert not uplink.kernel.answers("up0", "192.0.2.254")
    assert not uplink.kernel.answers("up0", "2001:db8:9::ff")
    with pytest.raises(KernelError):
        uplink.kernel.answers("none0", "192.0.2.254")


def routed(place: Place) -> list[Object]:
    """Return what an endpoint has that the host routes for, in the order in which it is made."""
    return [
        Veth("ce-1", place, "eth0", "02:00:00:00:00:0b", 1400, "", GROUP, "c_n1"),
        Up(place, "eth0"),
        Address(HOST, "ce-1", "169.254.1.1/32"),
        Address(HOST, "ce-1", "fe80::1/64"),
        Address(place, "eth0", "192.0.2.3/32"),
        Address(place, "eth0", "2001:db8:9::3/128"),
        Route(HOST, "192.0.2.3/32", "", "ce-1"),
        Route(HOST, "2001:db8:9::3/128", "", "ce-1"),
        Route(place, "169.254.1.1/32", "", "eth0"),
        Route(place, "default4", "169.254.1.1", "eth0"),
        Route(place, "fe80::1/128", "", "eth0"),
        Route(place, "default6", "fe80::1", "eth0"),
        Neighbour(HOST, "up0", "192.0.2.3"),
        Neighbour(HOST, "up0", "2001:db8:9::3"),
        Neighbour(place, "eth0", "192.0.2.99", "02:00:00:00:00:99"),
        Neighbour(place, "eth0", "2001:db8:9::99", "02:00:00:00:00:99"),
    ]


def test_what_a_routed_endpoint_has(uplink: World) -> None:
    place = uplink.namespace("c1")
    all_of_it = routed(place)
    pair = all_of_it[0]
    assert uplink.kernel.missing(all_of_it) == all_of_it
    make(uplink.kernel, all_of_it)
    assert uplink.kernel.missing(all_of_it) == []
    assert uplink.kernel.read([place], []) - {Up(place, "lo")} == set(all_of_it)
    for one in all_of_it:
        assert isinstance(one, Up) or refused(uplink, Add(one)) == EXISTS, one
    others: list[Object] = [Neighbour(HOST, "up0", "192.0.2.4"), Neighbour(HOST, "ce-1", "192.0.2.3")]
    others += [Neighbour(place, "eth0", "192.0.2.99", "02:00:00:00:00:98"), Neighbour(place, "eth0", "192.0.2.99")]
    assert uplink.kernel.missing(others) == others
    for one in reversed(all_of_it[6:]):
        uplink.kernel.do(Remove(one))
        assert refused(uplink, Remove(one)) == ABSENT, one
    assert uplink.kernel.read([place], []) - {Up(place, "lo")} == set(all_of_it[:6])
    uplink.kernel.do(Remove(pair))
    assert uplink.kernel.missing(all_of_it) == all_of_it


def test_a_neighbour_is_changed_and_goes_with_its_link(uplink: World) -> None:
    place = uplink.namespace("c1")
    make(uplink.kernel, routed(place))
    before = Neighbour(place, "eth0", "192.0.2.99", "02:00:00:00:00:99")
    after = replace(before, mac="02:00:00:00:00:98")
    uplink.kernel.do(Change(before, after))
    assert uplink.kernel.missing([before, after]) == [before]
    uplink.kernel.do(Remove(Up(place, "eth0")))
    assert uplink.kernel.missing([after]) == [after]
    uplink.remove_namespace(place)
    left = [one for one in uplink.kernel.read([], []) if not isinstance(one, Up)]
    assert set(left) == {Neighbour(HOST, "up0", "192.0.2.3"), Neighbour(HOST, "up0", "2001:db8:9::3")}
    for one in left:
        uplink.kernel.do(Remove(one))


def test_a_neighbour_needs_its_link_and_its_place(uplink: World) -> None:
    place = uplink.namespace("c1")
    for one in (Neighbour(HOST, "none0", "192.0.2.3"), Neighbour(place, "none0", "192.0.2.3", "02:00:00:00:00:99")):
        assert refused(uplink, Add(one)) == ABSENT
        assert refused(uplink, Remove(one)) == ABSENT
    uplink.remove_namespace(place)
    assert refused(uplink, Add(Neighbour(place, "eth0", "192.0.2.3", "02:00:00:00:00:99"))) == VANISHED


def test_the_host_tells_of_addresses_that_it_answers_for(uplink: World) -> None:
    uplink.kernel.do(Announce(HOST, "up0", "", ("192.0.2.3/32", "2001:db8:9::3/128")))
    assert refused(uplink, Announce(HOST, "none0", "", ("192.0.2.3/32",))) == ABSENT


def test_a_macvlan_of_the_host_s_own(uplink: World) -> None:
    shim = Macvlan(HOST, "cn-1", "02:00:00:00:00:0c", 1400, "up0", GROUP, "net1")
    make(uplink.kernel, [FOUR, SECOND])
    all_of_it: list[Object] = [
        shim,
        Up(HOST, "cn-1"),
        Route(HOST, "192.0.2.3/32", "", "cn-1", source="192.0.2.9"),
        Route(HOST, "2001:db8:9::3/128", "", "cn-1"),
        Neighbour(HOST, "cn-1", "192.0.2.3", "02:00:00:00:00:0b"),
        Neighbour(HOST, "cn-1", "2001:db8:9::3", "02:00:00:00:00:0b"),
    ]
    assert uplink.kernel.missing(all_of_it) == all_of_it
    make(uplink.kernel, all_of_it)
    assert uplink.kernel.missing(all_of_it) == []
    assert uplink.kernel.read([], []) == set(all_of_it)
    assert uplink.kernel.exists("cn-1")
    assert refused(uplink, Add(shim)) == EXISTS
    others: list[Object] = [replace(shim, group=1), replace(shim, parent="far0")]
    others += [Route(HOST, "192.0.2.3/32", "", "cn-1")]
    assert uplink.kernel.missing(others) == others
    after = Route(HOST, "192.0.2.3/32", "", "cn-1", source="192.0.2.1")
    uplink.kernel.do(Change(all_of_it[2], after))
    assert uplink.kernel.missing([after]) == []
    uplink.delete_link("cn-1")
    assert uplink.kernel.read([], []) == set()
    make(uplink.kernel, [shim])
    uplink.kernel.do(Remove(shim))
    assert refused(uplink, Remove(shim)) == ABSENT
