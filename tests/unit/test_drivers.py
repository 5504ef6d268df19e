"""From what should be to what should be in the kernel: bridges, endpoints, ways out, ports."""

from __future__ import annotations

from typing import TypeVar

import pytest
from hypothesis import given

from containernet.drivers import mapping as ports
from containernet.drivers import nat
from containernet.drivers.endpoint import RULE_PRIORITY, default_of
from containernet.drivers.network import FIRST_TABLE, bridge_mac, common, gateway, mtu_of
from containernet.drivers.objects import OUTSIDE, objects
from containernet.model.network import HOST, INTERNAL, NAT, Compartment, Endpoint, Network
from containernet.model.record import replace
from containernet.plan.intent import Intent
from containernet.plan.objects import Address, Bridge, Element, Object, Route, Rule, Sysctl, Up, Veth
from containernet.plan.ruleset import SETS
from kit.nouns import HOST4, MARK, REPEATABLE, compartment, endpoint, intents, mapping, network, small

T = TypeVar("T", bound=Object)


def made(*parts: object) -> list[Object]:
    """Return the objects of an intent made of these nouns."""
    return objects(
        Intent(
            tuple(one for one in parts if isinstance(one, Network)),
            tuple(one for one in parts if isinstance(one, Compartment)),
            tuple(one for one in parts if isinstance(one, Endpoint)),
        ),
        MARK,
    )


def only(kind: type[T], found: list[Object]) -> list[T]:
    return [one for one in found if isinstance(one, kind)]


def elements(name: str, found: list[Object]) -> list[tuple[object, ...]]:
    return [one.key + one.data for one in only(Element, found) if one.set == name]


# --- networks --------------------------------------------------------------------------------------------------------


def test_a_network_is_a_bridge_with_its_addresses_in_every_set_that_it_belongs_to() -> None:
    found = made(network(7))
    assert only(Bridge, found) == [Bridge("cn-7", bridge_mac(network(7), MARK), 1500, MARK, "n7")]
    assert [one.address for one in only(Address, found)] == ["10.7.0.1/24", "fd00:7::1/64"]
    assert elements("bridges", found) == [("cn-7",)]
    assert elements("pairs", found) == [("cn-7", "cn-7")]
    assert elements("outward", found) == [("cn-7",)]
    assert {one.key for one in only(Sysctl, found) if one.value == "1"} == {nat.FORWARD4, nat.FORWARD6}


def test_without_ipv6_there_is_none_on_the_bridge_and_none_is_forwarded() -> None:
    found = made(network(7, ipv6=False))
    assert {one.key: one.value for one in only(Sysctl, found)} == {
        "net/ipv6/conf/cn-7/disable_ipv6": "1",
        nat.FORWARD4: "1",
    }
    assert [one.address for one in only(Address, found)] == ["10.7.0.1/24"]


def test_the_ways_out() -> None:
    assert elements("uplinks", made(network(7, uplink="up1"))) == [("cn-7", "up1")]
    assert elements("outward", made(network(7, uplink="up1"))) == []
    assert elements("snat4", made(network(7, external_address=HOST4))) == [("cn-7", HOST4)]
    assert elements("snat6", made(network(7, external_address="2001:db8::1"))) == [("cn-7", "2001:db8::1")]


def test_an_internal_network_has_no_way_out_and_changes_no_setting_of_the_host() -> None:
    found = made(network(7, kind=INTERNAL))
    outward = {"outward", "uplinks", "snat4", "snat6"}
    assert not [one for one in only(Element, found) if one.set in outward]
    assert not [one for one in only(Sysctl, found) if "forward" in one.key]
    assert elements("closed", found) == [("cn-7",)]
    assert elements("closed", made(network(7))) == []


def test_the_hosts_forwarding_is_said_once_for_many_networks() -> None:
    found = made(network(1), network(2), network(3))
    assert len(found) == len({one.identity for one in found})


def test_a_bridge_has_the_same_mac_whenever_it_is_made_and_another_elsewhere() -> None:
    macs = {bridge_mac(network(number), mark) for number in (1, 2, 300) for mark in (MARK, MARK + 1)}
    assert len(macs) == 6
    assert all(int(mac[:2], 16) & 3 == 2 for mac in macs)  # locally administered, of one interface


@pytest.mark.parametrize(
    ("uplink", "ipv6", "mtu"),
    [(1500, True, 1500), (1500, False, 1500), (1200, True, 1280), (1200, False, 1200), (0, True, 0)],
)
def test_following_the_uplink_keeps_ipv6_working(uplink: int, ipv6: bool, mtu: int) -> None:
    assert mtu_of(uplink, ipv6) == mtu


def test_every_kind_has_a_driver() -> None:
    assert set(OUTSIDE) >= {NAT, INTERNAL}


def test_a_gateway_has_its_subnets_length() -> None:
    assert [gateway(one) for one in network(7).subnets] == ["10.7.0.1/24", "fd00:7::1/64"]


# --- endpoints -------------------------------------------------------------------------------------------------------


def test_an_endpoint_is_a_pair_that_is_up_with_addresses_and_a_way_out() -> None:
    net, place = network(), compartment()
    one = endpoint(5, net, place)
    found = made(net, place, one)
    assert only(Veth, found) == [Veth("ce-5", place.place, "eth5", one.mac, 1500, "cn-1", MARK, one.name)]
    assert only(Up, found) == [Up(place.place, "eth5")]
    assert [text.address for text in only(Address, found) if text.place == place.place] == list(one.addresses)
    assert only(Route, found) == [
        Route(place.place, "default4", "10.1.0.1", "eth5"),
        Route(place.place, "default6", "fd00:1::1", "eth5"),
    ]
    assert only(Rule, found) == []
    assert elements("self4", found) == [("10.1.0.6", "10.1.0.6")]
    assert elements("self6", found) == [("fd00:1::6", "fd00:1::6")]


def test_nobody_configures_a_container_or_the_host_by_router_advertisements() -> None:
    net, place = network(), compartment()
    found = {(one.place, one.key): one.value for one in only(Sysctl, made(net, place, endpoint(5, net, place)))}
    assert found[place.place, "net/ipv6/conf/eth5/accept_ra"] == "0"
    assert found[HOST, "net/ipv6/conf/cn-1/accept_ra"] == "0"
    assert found[HOST, "net/ipv6/conf/ce-5/disable_ipv6"] == "1"
    bare = network(2, ipv6=False)
    off = {(one.place, one.key): one.value for one in only(Sysctl, made(bare, place, endpoint(5, bare, place)))}
    assert off[place.place, "net/ipv6/conf/eth5/disable_ipv6"] == "1"


def test_the_loopback_link_is_set_up_if_that_is_ours_to_do() -> None:
    net, one = network(), compartment(loopback=True)
    assert Up(one.place, "lo") in made(net, one, endpoint(1, net, one))
    assert Up(one.place, "lo") not in made(net, compartment(), endpoint(1, net, compartment()))


def test_what_waits_for_its_container_is_not_in_the_kernel_nor_are_its_ports() -> None:
    intent = small()
    waiting = tuple(replace(one, cookie=0) for one in intent.compartments)
    found = objects(replace(intent, compartments=waiting), MARK)
    assert found == objects(Intent(intent.networks), MARK)


LEADERS = [
    ([0, 0, 0], 1),  # the first joined
    ([0, 5, 0], 2),  # the highest priority
    ([0, 5, 5], 2),  # of these the first joined
    ([9, 0, 10], 3),
]


@pytest.mark.parametrize(("priorities", "leader"), LEADERS)
def test_who_has_the_default_route(priorities: list[int], leader: int) -> None:
    place, nets = compartment(), [network(1), network(2), network(3)]
    ends = [endpoint(net.id, net, place, priority=level) for net, level in zip(nets, priorities, strict=True)]
    for order in (ends, ends[::-1]):
        found = made(*nets, place, *order)
        main = [(one.destination, one.via) for one in only(Route, found) if one.table == 254]
        assert main == [("default4", f"10.{leader}.0.1"), ("default6", f"fd00:{leader}::1")]


def test_an_internal_network_never_has_the_default_route() -> None:
    place, inner, outer = compartment(), network(1, kind=INTERNAL), network(2)
    ends = [endpoint(1, inner, place, priority=9), endpoint(2, outer, place)]
    main = [one.via for one in only(Route, made(inner, outer, place, *ends)) if one.table == 254]
    assert main == ["10.2.0.1", "fd00:2::1"]
    assert only(Route, made(inner, place, ends[0])) == []


def test_each_ip_version_has_its_own_leader() -> None:
    place, four, both = compartment(), network(1, ipv6=False), network(2)
    ends = [endpoint(1, four, place), endpoint(2, both, place)]
    networks = {1: four, 2: both}
    leaders = [default_of(ends, networks, version) for version in (4, 6)]
    assert [one and one.id for one in leaders] == [1, 2]
    assert default_of(ends[:1], networks, 6) is None


def test_with_several_endpoints_each_address_answers_by_its_own_interface() -> None:
    place, outer, inner = compartment(), network(1), network(2, kind=INTERNAL)
    ends = [endpoint(1, outer, place), endpoint(2, inner, place)]
    found = made(outer, inner, place, *ends)
    rules = {(one.source, one.table, one.priority) for one in only(Rule, found)}
    assert rules == {
        (text.partition("/")[0], FIRST_TABLE + one.id, RULE_PRIORITY) for one in ends for text in one.addresses
    }
    own = {(one.table - FIRST_TABLE, one.destination) for one in only(Route, found) if one.table != 254}
    assert own == {
        (1, "10.1.0.0/24"), (1, "fd00:1::/64"), (1, "default4"), (1, "default6"),
        (2, "10.2.0.0/24"), (2, "fd00:2::/64"),
    }  # fmt: skip


def test_a_default_route_that_was_there_before_us_stays_the_containers_own() -> None:
    net = network()
    for routed, left in {"": ["default4", "default6"], "4": ["default6"], "6": ["default4"], "46": []}.items():
        place = compartment(routed=routed)
        found = made(net, place, endpoint(1, net, place))
        assert [one.destination for one in only(Route, found) if one.table == 254] == left
        assert bool(only(Rule, found)) == bool(routed)


# --- ports -----------------------------------------------------------------------------------------------------------


def test_a_port_leads_to_the_endpoint_in_each_ip_version() -> None:
    found = ports.elements(mapping(external_last=8003), endpoint())
    assert elements("any4", found) == [("tcp", 8001 + n, "10.1.0.2", 80 + n) for n in range(3)]
    assert elements("any6", found) == [("tcp", 8001 + n, "fd00:1::2", 80 + n) for n in range(3)]
    assert len(found) == 6


def test_a_port_of_one_address_is_of_its_ip_version_only() -> None:
    assert ports.elements(mapping(external_address=HOST4), endpoint()) == [
        Element("at4", (HOST4, "tcp", 8001), ("10.1.0.2", 80))
    ]
    assert ports.elements(mapping(external_address="2001:db8::1"), endpoint()) == [
        Element("at6", ("2001:db8::1", "tcp", 8001), ("fd00:1::2", 80))
    ]


def test_a_limited_port_is_closed_to_the_version_that_has_no_prefixes() -> None:
    found = ports.elements(mapping(remotes=("10.9.0.0/16", "10.8.0.0/16")), endpoint())
    assert elements("limited", found) == [("tcp", 8001)]
    assert elements("allowed4", found) == [("tcp", 8001, "10.9.0.0/16"), ("tcp", 8001, "10.8.0.0/16")]
    assert elements("allowed6", found) == []
    assert elements("any6", found), "IPv6 gets as far as the limit"


def test_a_limited_port_of_one_address() -> None:
    found = ports.elements(mapping(external_address=HOST4, remotes=("10.9.0.0/16", "fd09::/32")), endpoint())
    assert elements("limited_at4", found) == [(HOST4, "tcp", 8001)]
    assert elements("allowed_at4", found) == [(HOST4, "tcp", 8001, "10.9.0.0/16")]
    assert elements("limited", found) == elements("limited_at6", found) == elements("allowed_at6", found) == []


def test_a_port_without_limits_is_in_no_set_of_limits() -> None:
    names = {one.set for one in only(Element, ports.elements(mapping(), endpoint()))}
    assert names == {"any4", "any6"}


# --- all of it -------------------------------------------------------------------------------------------------------


@REPEATABLE
@given(intents())
def test_whatever_should_be(intent: Intent) -> None:
    """Nothing twice; every element fits its set; every link is on a bridge that is there."""
    found = objects(intent, MARK)
    assert len({one.identity for one in found}) == len(found)
    for one in only(Element, found):
        key, data = SETS[one.set]
        assert (len(one.key), len(one.data)) == (len(key), len(data)), one
    bridges = {one.name for one in only(Bridge, found)}
    assert {one.bridge for one in only(Veth, found)} <= bridges
    assert len(only(Veth, found)) == len(intent.endpoints)


@REPEATABLE
@given(intents())
def test_a_part_derives_what_the_whole_does(intent: Intent) -> None:
    """The cost follows the change: a compartment with its networks and ports is enough to plan for it."""
    whole = set(objects(intent, MARK))
    for place in intent.compartments:
        ends = tuple(one for one in intent.endpoints if one.compartment_id == place.id)
        nets = tuple(one for one in intent.networks if one.id in {end.network_id for end in ends})
        held = tuple(one for one in intent.mappings if one.endpoint_id in {end.id for end in ends})
        part = objects(Intent(nets, (place,), ends, held), MARK)
        assert set(part) <= whole
        assert {one for one in whole if getattr(one, "place", HOST) == place.place} <= set(part)


def test_the_order_in_which_things_are_common() -> None:
    """A bridge comes before what stands on it."""
    found = common(network(), MARK)
    assert isinstance(found[0], Bridge)
