"""Every object: made, found, found again, refused twice, changed, taken away, refused when it is gone."""

from __future__ import annotations

import pytest
import things
from things import BRIDGE, ELEMENTS, GROUP, PORT, TABLE, everything, make, resolver, veth
from worlds import SETTING, World

from containernet.kernel.door import ABSENT, EXISTS, FULL, OTHER, VANISHED, KernelError
from containernet.model.network import HOST, Place
from containernet.model.record import replace
from containernet.plan.objects import Address, Element, Object, Route, Rule, Sysctl, Table, Up, Veth
from containernet.plan.operations import Add, Announce, Change, Cut, Elements, Operation, Remove


def refused(world: World, operation: Operation) -> str:
    with pytest.raises(KernelError) as refusal:
        world.kernel.do(operation)
    assert refusal.value.sentence.endswith(".")
    return refusal.value.reason


def test_all_that_is_added_is_read_back(world: World) -> None:
    place = world.namespace("c1")
    objects = everything(place)
    assert world.kernel.missing(objects) == objects
    make(world.kernel, objects)
    assert world.kernel.missing(objects) == []
    assert world.kernel.read([place], [Sysctl(place, SETTING, "?")]) == set(objects)


def test_what_is_there_cannot_be_added(world: World) -> None:
    objects = everything(world.namespace("c1"))
    make(world.kernel, objects)
    for one in objects:
        if not isinstance(one, Up | Sysctl | Element):  # these are states: having them twice is having them
            assert refused(world, Add(one)) == EXISTS, one
    assert world.kernel.missing(objects) == []


def test_what_is_removed_is_missing_and_cannot_be_removed_again(world: World) -> None:
    place = world.namespace("c1")
    objects = [one for one in everything(place) if not isinstance(one, Up | Sysctl)]
    make(world.kernel, everything(place))
    for one in reversed(objects):
        world.kernel.do(Remove(one))
        assert one in world.kernel.missing(objects)
        assert refused(world, Remove(one)) == ABSENT, one
    assert world.kernel.missing(objects) == objects


def test_a_difference_in_any_field_is_missing(world: World) -> None:
    place = world.namespace("c1")
    make(world.kernel, everything(place))
    pair = veth(place)
    others: list[Object] = [
        replace(BRIDGE, mac="02:00:00:00:00:99"),
        replace(BRIDGE, mtu=1500),
        replace(BRIDGE, group=1),
        replace(BRIDGE, alias="n2"),
        replace(pair, peer="eth1"),
        replace(pair, mac="02:00:00:00:00:99"),
        replace(pair, mtu=1500),
        replace(pair, bridge="cn-2"),
        replace(pair, alias=""),
        Address(place, "eth0", "10.7.0.2/25"),
        Address(HOST, "cn-2", "10.7.0.1/24"),
        Route(place, "default4", "10.7.0.9", "eth0"),
        Route(place, "default4", "10.7.0.1", "eth0", 1001),
        Rule(place, "10.7.0.2", 1001, 701),
        Up(place, "eth1"),
        Sysctl(place, SETTING, "0"),
        Sysctl(place, "net/ipv4/no_such", "0"),
        replace(PORT, data=("10.7.0.3", 80)),
        replace(PORT, key=("udp", 8080)),
        Element("allowed4", ("tcp", 8080, "198.51.100.0/25")),
        Table(TABLE.mark + 1, TABLE.text),
        replace(resolver(place), servers=("10.7.0.53",)),
        replace(resolver(place), search=("n1.example",)),
        replace(resolver(place), mark=GROUP + 1),
        replace(resolver(place), name="c2"),
    ]
    assert world.kernel.missing(others) == others


def test_links_are_changed_in_place(world: World) -> None:
    place = world.namespace("c1")
    make(world.kernel, everything(place))
    changed: list[tuple[Object, Object]] = [
        (BRIDGE, replace(BRIDGE, mtu=1300, alias="n1 again", mac="02:00:00:00:00:09")),
        (veth(place), replace(veth(place), mtu=1300, alias="other", mac="02:00:00:00:00:0a")),
    ]
    for before, after in changed:
        world.kernel.do(Change(before, after))
        assert world.kernel.missing([before, after]) == [before]


def test_settings_are_written_changed_and_read(world: World) -> None:
    for place in (HOST, world.namespace("c1")):
        off, on = Sysctl(place, SETTING, "0"), Sysctl(place, SETTING, "1")
        world.kernel.do(Add(on))
        assert world.kernel.setting(place, SETTING) == "1"
        world.kernel.do(Change(on, off))
        assert world.kernel.missing([off, on]) == [on]
        world.kernel.do(Remove(off))
        assert world.kernel.setting(place, SETTING) == "0"
        assert refused(world, Add(Sysctl(place, "net/ipv4/no_such", "1"))) == ABSENT
    with pytest.raises(KernelError):
        world.kernel.setting(HOST, "kernel/hostname")


def test_what_lacks_what_it_stands_on_is_refused(world: World) -> None:
    place = world.namespace("c1")
    lacking: list[Object] = [
        veth(place),
        Address(HOST, "cn-1", "10.7.0.1/24"),
        Address(place, "eth0", "10.7.0.1/24"),
        Up(place, "eth0"),
        Route(place, "default4", "10.7.0.1", "eth0"),
        PORT,
    ]
    for one in lacking:
        assert refused(world, Add(one)) == ABSENT, one
    assert world.kernel.read([place], []) <= {Up(place, "lo")}


def test_a_vanished_place_has_nothing_and_takes_nothing(world: World) -> None:
    place = world.namespace("c1")
    objects = everything(place)
    make(world.kernel, objects)
    world.remove_namespace(place)
    host = {one for one in objects if getattr(one, "place", HOST) == HOST}  # a file among them
    assert set(world.kernel.missing(objects)) == set(objects) - host
    assert world.kernel.read([place], []) == host
    told = Announce(place, "eth0", things.MAC, ("10.7.0.2",))
    operations = [Add(Up(place, "lo")), Add(veth(place, 2)), Remove(things.inside(place)[3]), told]
    assert [refused(world, one) for one in operations] == [VANISHED] * 4
    again = world.namespace("c1")
    assert again.cookie != place.cookie
    assert [refused(world, one) for one in operations] == [VANISHED] * 4
    make(world.kernel, things.inside(again))
    assert world.kernel.missing(everything(again)) == []


def test_a_path_that_is_no_namespace(world: World) -> None:
    place = world.namespace("c1")
    assert world.kernel.identify(place.path) == place
    for path in ("/run/netns/none", "/etc/hostname", "/tmp"):
        with pytest.raises(KernelError) as refusal:
            world.kernel.identify(path)
        assert refusal.value.reason == ABSENT


def test_a_dead_link_takes_what_stands_on_both_its_ends(world: World) -> None:
    place = world.namespace("c1")
    make(world.kernel, everything(place))
    world.kernel.do(Remove(veth(place)))
    stays = {one for one in everything(place) if getattr(one, "place", HOST) == HOST or isinstance(one, Rule)}
    assert world.kernel.read([place], []) == stays | {Up(place, "lo")}


def test_a_link_that_is_set_down_loses_its_routes(world: World) -> None:
    place = world.namespace("c1")
    make(world.kernel, everything(place))
    world.kernel.do(Remove(Up(place, "eth0")))
    left = {one for one in world.kernel.read([place], []) if isinstance(one, Up | Route | Address)}
    assert {one for one in left if one.place == place} == {Up(place, "lo"), Address(place, "eth0", "10.7.0.2/24")}


def test_a_route_needs_a_working_link_and_a_gateway_that_can_be_reached(world: World) -> None:
    place = world.namespace("c1")
    pair, _, up, address, *_ = things.inside(place)
    make(world.kernel, [BRIDGE, pair])
    default = Route(place, "default4", "10.7.0.1", "eth0")
    assert refused(world, Add(default)) == OTHER
    make(world.kernel, [up])
    assert refused(world, Add(default)) == OTHER
    make(world.kernel, [address, default])
    world.kernel.do(Remove(address))  # the last of its family: IPv4 leaves the link, and its routes with it
    assert world.kernel.missing([default]) == [default]


def test_somebody_elses_link_is_left_alone(world: World) -> None:
    world.stranger("cn-1")
    place = world.namespace("c1")
    assert refused(world, Add(BRIDGE)) == EXISTS
    assert refused(world, Remove(BRIDGE)) == EXISTS
    assert refused(world, Change(BRIDGE, BRIDGE)) == EXISTS
    world.delete_link("cn-1")
    make(world.kernel, [BRIDGE, veth(place)])
    for one in (BRIDGE, veth(place)):
        assert refused(world, Remove(replace(one, group=GROUP + 1))) == EXISTS
    assert world.kernel.missing([BRIDGE, veth(place)]) == []


def test_a_name_that_the_container_has_is_refused(world: World) -> None:
    place = world.namespace("c1")
    make(world.kernel, [BRIDGE, veth(place)])
    assert refused(world, Add(veth(place, 2))) == EXISTS
    assert world.kernel.missing([veth(place), veth(place, 2)]) == [veth(place, 2)]


def test_a_bridge_that_is_deleted_leaves_its_ports_without_one(world: World) -> None:
    place = world.namespace("c1")
    make(world.kernel, everything(place))
    world.delete_link("cn-1")
    found = world.kernel.read([place], [])
    assert replace(veth(place), bridge="") in found
    assert {one for one in found if one == BRIDGE or (isinstance(one, Address) and one.place == HOST)} == set()
    world.kernel.do(Add(BRIDGE))
    world.kernel.do(Change(replace(veth(place), bridge=""), veth(place)))
    assert world.kernel.missing([BRIDGE, veth(place)]) == []


def test_a_pair_whose_container_is_not_asked_for_has_no_place(world: World) -> None:
    place = world.namespace("c1")
    make(world.kernel, [BRIDGE, veth(place)])
    pairs = [one for one in world.kernel.read([], []) if isinstance(one, Veth)]
    assert pairs == [replace(veth(place), place=HOST, peer="", mac="")]


def test_a_full_bridge_says_so(world: World) -> None:
    if world.real:
        pytest.skip("1,023 joins: test_linux has it")
    place = world.namespace("c1")
    make(world.kernel, [BRIDGE, *(veth(place, number, f"e{number}") for number in range(1023))])
    assert refused(world, Add(veth(place, 2000))) == FULL


def test_elements_change_all_or_not(world: World) -> None:
    world.kernel.do(Add(TABLE))
    world.kernel.do(Elements(ELEMENTS))
    assert world.kernel.missing(ELEMENTS) == []
    other, new = replace(PORT, data=("10.7.0.9", 80)), Element("any4", ("tcp", 1), ("10.7.0.2", 1))
    before = world.kernel.read([], [])
    assert refused(world, Elements(add=(new, other))) == EXISTS
    assert refused(world, Elements(add=(new,), remove=(PORT, Element("any4", ("tcp", 2), ("10.7.0.2", 2))))) == ABSENT
    assert world.kernel.read([], []) == before
    world.kernel.do(Elements(add=(other, new), remove=(PORT,)))
    assert world.kernel.missing([PORT, other, new]) == [PORT]
    world.kernel.do(Elements(add=(other, new), remove=(other, new)))
    world.kernel.do(Elements(add=ELEMENTS[:1], remove=(other, new)))
    assert world.kernel.read([], []) == before
    world.kernel.do(Elements(remove=ELEMENTS))
    assert world.kernel.read([], []) == {TABLE}


def test_many_elements_are_one_change(world: World) -> None:
    many = tuple(Element("any4", ("udp", port), ("10.7.0.2", port)) for port in range(1, 10_001))
    world.kernel.do(Add(TABLE))
    assert refused(world, Elements(add=(*many, replace(many[5000], data=("10.7.0.3", 1))))) == EXISTS
    assert world.kernel.read([], []) == {TABLE}
    world.kernel.do(Elements(many))
    assert world.kernel.missing(many) == []
    assert world.kernel.read([], []) == {TABLE, *many}
    world.kernel.do(Elements(remove=many))
    assert world.kernel.read([], []) == {TABLE}


def test_the_table_is_ours_by_its_mark(world: World) -> None:
    assert world.kernel.owner() == 0
    world.kernel.do(Add(TABLE))
    assert world.kernel.owner() == TABLE.mark
    assert refused(world, Add(Table(7, TABLE.text))) == EXISTS
    world.kernel.do(Remove(TABLE))
    assert world.kernel.owner() == 0
    assert refused(world, Change(TABLE, TABLE)) == ABSENT


def test_a_damaged_table_is_seen_and_repaired_with_its_elements(world: World) -> None:
    make(world.kernel, [TABLE, *ELEMENTS])
    world.damage_table()
    damaged = Table(TABLE.mark, "")
    assert world.kernel.missing([TABLE]) == [TABLE]
    assert world.kernel.read([], []) == {damaged, *ELEMENTS}
    world.kernel.do(Change(damaged, TABLE))
    assert world.kernel.read([], []) == {TABLE, *ELEMENTS}


def test_a_flushed_ruleset_takes_table_and_elements(world: World) -> None:
    make(world.kernel, [TABLE, *ELEMENTS])
    world.flush_ruleset()
    assert world.kernel.read([], []) == set()
    assert refused(world, Elements(add=(PORT,))) == ABSENT


def test_many_links_go_together(world: World) -> None:
    place = world.namespace("c1")
    pairs = [veth(place, number, f"e{number}") for number in range(20)]
    make(world.kernel, [BRIDGE, *pairs])
    world.kernel.flush_group([pair.name for pair in pairs[:-1]] + ["ce-none"])
    assert world.kernel.missing(pairs) == pairs[:-1]


def test_surroundings(world: World) -> None:
    place = world.namespace("c1")
    make(world.kernel, everything(place))
    links = {link.name: link for link in world.kernel.surroundings(HOST).links}
    assert (links["cn-1"].kind, links["cn-1"].group, links["cn-1"].alias) == ("bridge", GROUP, "n1")
    assert links["cn-1"].addresses == ("10.7.0.1/24", "fd07::1/64")
    assert "eth0" in {link.name for link in world.kernel.surroundings(place).links}
    world.remove_namespace(place)
    with pytest.raises(KernelError) as refusal:
        world.kernel.surroundings(place)
    assert refusal.value.reason == VANISHED


def test_nothing_to_cut_and_nobody_to_tell_is_no_error(world: World) -> None:
    place = world.namespace("c1")
    make(world.kernel, [BRIDGE, *things.inside(place)])
    for family in (4, 6):
        world.kernel.do(Cut(family))
    world.kernel.do(Announce(place, "eth0", things.MAC, ("10.7.0.2", "fd07::2")))
    assert refused(world, Announce(place, "eth9", things.MAC, ("10.7.0.2",))) == ABSENT


def test_the_world_has_a_word(world: World) -> None:
    assert world.kernel.world() == world.kernel.world()
    assert Place("", 0) == HOST
