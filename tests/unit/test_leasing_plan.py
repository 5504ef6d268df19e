"""What a lease makes of an endpoint, and what of that is in the kernel: addresses, routes, MTU."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from containernet.drivers import transparent
from containernet.drivers.endpoint import RULE_PRIORITY
from containernet.drivers.network import FIRST_TABLE
from containernet.drivers.objects import objects
from containernet.model.lease import Lease, LeasedRoute
from containernet.model.network import BRIDGE, DHCP, MACVLAN, ONLINK, RELEASED, Endpoint, Network
from containernet.model.record import replace
from containernet.plan.intent import Intent
from containernet.plan.leasing import idle, lease_of, used, way_out, with_lease
from containernet.plan.objects import MAIN, Address, Macvlan, Object, Route, Rule, Veth
from kit.nouns import MARK, compartment, endpoint, network

PLACE = compartment()
ROUTER = LeasedRoute("0.0.0.0/0", "198.51.100.2")


def lan(number: int = 1, **more: Any) -> Network:
    """Return a network without NAT."""
    given = {"kind": BRIDGE, "subnets": (), "uplink": f"up{number}", "mac": "02:00:00:00:0f:00", **more}
    return network(number, **given)


def lease(cidr: str = "198.51.100.20/24", *routes: LeasedRoute, **more: Any) -> Lease:
    """Return a lease with routes."""
    address, _, length = cidr.partition("/")
    given = {"routes": routes, **more}
    return Lease(address, int(length or 0), "198.51.100.2", "ff01", 1.0, 600, 300.0, 525.0, **given)


def bare(number: int = 1, net: Network | None = None, **more: Any) -> Endpoint:
    """Return an endpoint that has no address yet."""
    return endpoint(number, net or lan(number), PLACE, **{"addresses": (), "dynamic": DHCP, **more})


def leased(number: int = 1, cidr: str = "198.51.100.20/24", *routes: LeasedRoute, **more: Any) -> Endpoint:
    """Return an endpoint that uses a lease."""
    return with_lease(bare(number, **more), 4, lease(cidr, *(routes or (ROUTER,))), used=True)


def inside(*ends: Endpoint, nets: tuple[Network, ...] = (), **more: Any) -> list[Object]:
    """Return what is in the container."""
    nets = nets or tuple(lan(one.network_id) for one in ends)
    return objects(Intent(nets, (replace(PLACE, **more),), ends), MARK)


def main(found: list[Object]) -> dict[str, tuple[str, str]]:
    """Return the routes of the main table: by destination the router and the interface."""
    every = [one for one in found if isinstance(one, Route) and one.table == MAIN]
    assert len({one.destination for one in every}) == len(every), "two of one destination"
    return {one.destination: (one.via, one.link) for one in every}


def own(found: list[Object], number: int) -> dict[str, str]:
    """Return the routes of an endpoint's own table."""
    return {one.destination: one.via for one in found if isinstance(one, Route) and one.table == FIRST_TABLE + number}


# --- the endpoint ---


def test_a_leased_address_is_an_address_like_any_other() -> None:
    one = leased()
    assert (one.addresses, one.gateways) == (("198.51.100.20/24",), ("198.51.100.2",))
    assert lease_of(one, 4) == lease("198.51.100.20/24", ROUTER)
    assert lease_of(one, 6) is None
    assert used(one, one.leases[0])
    assert Address(PLACE.place, "eth1", "198.51.100.20/24") in inside(one)


def test_a_lease_takes_the_place_of_the_one_before() -> None:
    other = lease("203.0.113.9/25", LeasedRoute("0.0.0.0/0", "203.0.113.1"))
    now = with_lease(leased(), 4, other, used=True)
    assert (now.addresses, now.gateways, now.leases) == (("203.0.113.9/25",), ("203.0.113.1",), (other,))
    without = with_lease(now, 4, None, used=False)
    assert (without.addresses, without.gateways, without.leases) == ((), (), ())
    assert without == bare()


@pytest.mark.parametrize("used_before", [True, False])
def test_a_lease_that_is_not_used_is_kept(used_before: bool) -> None:
    before = with_lease(bare(), 4, lease("198.51.100.20/24", ROUTER), used=used_before)
    now = idle(before)
    assert (now.addresses, now.gateways, now.leases) == ((), (), before.leases)
    assert not used(now, now.leases[0])
    assert idle(now) == now
    assert with_lease(now, 4, now.leases[0], used=True) == leased()


def test_idle_leaves_what_is_not_leased() -> None:
    static = bare(addresses=("2001:db8:51::7/64",), gateways=("2001:db8:51::1",))
    assert idle(static) == static
    assert idle(with_lease(static, 4, lease(), used=True)).addresses == static.addresses
    assert idle(with_lease(static, 4, lease(), used=True)).gateways == static.gateways


def test_given_addresses_of_the_other_version_stay_and_ipv4_comes_first() -> None:
    static = bare(addresses=("2001:db8:51::7/64",), gateways=("2001:db8:51::1",))
    one = with_lease(static, 4, lease("198.51.100.20/24", ROUTER), used=True)
    assert one.addresses == ("198.51.100.20/24", "2001:db8:51::7/64")
    assert one.gateways == ("198.51.100.2", "2001:db8:51::1")
    assert with_lease(one, 4, None, used=False) == static
    assert main(inside(one)) == {"default4": ("198.51.100.2", "eth1"), "default6": ("2001:db8:51::1", "eth1")}


def test_a_lease_of_each_version() -> None:
    six = Lease("2001:db8:51::99", 128, "0001", "0004", 1.0, 600, 300.0, 525.0, family=6)
    for order in permutations(((4, lease()), (6, six))):
        one = bare()
        for version, got in order:
            one = with_lease(one, version, got, used=True)
        assert one.addresses == ("198.51.100.20/24", "2001:db8:51::99/128")
        assert one.leases == (lease(), six)
    assert with_lease(one, 6, None, used=False).leases == (lease(),)
    nothing = replace(six, address="", prefix=0)  # DNS servers only
    assert with_lease(bare(), 6, nothing, used=True).addresses == ()
    assert not used(bare(), nothing)


WAYS = [
    ((), ()),
    ((ROUTER,), ("198.51.100.2",)),
    ((LeasedRoute("0.0.0.0/0", ""),), (ONLINK,)),
    ((LeasedRoute("0.0.0.0/0", "203.0.113.9", onlink=True),), ("203.0.113.9",)),
    ((LeasedRoute("10.0.0.0/8", "198.51.100.9"),), ()),
    ((LeasedRoute("10.0.0.0/8", "198.51.100.9"), ROUTER), ("198.51.100.2",)),
]


@pytest.mark.parametrize(("routes", "way"), WAYS)
def test_where_the_default_route_leads(routes: tuple[LeasedRoute, ...], way: tuple[str, ...]) -> None:
    assert way_out(lease("198.51.100.20/24", *routes)) == way


# --- the kernel ---

ROUTES: list[tuple[str, tuple[LeasedRoute, ...], dict[str, tuple[str, str]]]] = [
    ("option 3", (ROUTER,), {"default4": ("198.51.100.2", "eth1")}),
    ("no way out", (LeasedRoute("10.0.0.0/8", "198.51.100.9"),), {"10.0.0.0/8": ("198.51.100.9", "eth1")}),
    ("on the link", (LeasedRoute("0.0.0.0/0", ""),), {"default4": ("", "eth1")}),
    (
        "a router outside the subnet", (LeasedRoute("0.0.0.0/0", "169.254.1.1", onlink=True),),
        {"169.254.1.1/32": ("", "eth1"), "default4": ("169.254.1.1", "eth1")},
    ),
    (
        "option 121", (ROUTER, LeasedRoute("10.0.0.0/8", "198.51.100.9"), LeasedRoute("192.0.2.0/24", "")),
        {"default4": ("198.51.100.2", "eth1"), "10.0.0.0/8": ("198.51.100.9", "eth1"), "192.0.2.0/24": ("", "eth1")},
    ),
    (
        "its own prefix", (LeasedRoute("198.51.100.0/24", "198.51.100.9"), LeasedRoute("198.51.100.0/25", "")),
        {"198.51.100.0/25": ("", "eth1")},
    ),
    (
        "by a router outside the subnet",
        (LeasedRoute("10.0.0.0/8", "169.254.1.1", onlink=True), LeasedRoute("11.0.0.0/8", "169.254.1.1", onlink=True)),
        {"169.254.1.1/32": ("", "eth1"), "10.0.0.0/8": ("169.254.1.1", "eth1"), "11.0.0.0/8": ("169.254.1.1", "eth1")},
    ),
    (
        "both ways by it",
        (LeasedRoute("0.0.0.0/0", "169.254.1.1", True), LeasedRoute("10.0.0.0/8", "169.254.1.1", True)),
        {"169.254.1.1/32": ("", "eth1"), "default4": ("169.254.1.1", "eth1"), "10.0.0.0/8": ("169.254.1.1", "eth1")},
    ),
    (
        "a way to a router by itself",
        (LeasedRoute("169.254.1.1/32", "169.254.1.1", True), LeasedRoute("10.0.0.0/8", "169.254.1.1", True)),
        {"169.254.1.1/32": ("", "eth1"), "10.0.0.0/8": ("169.254.1.1", "eth1")},
    ),
    (
        "a way to a router on the link",
        (LeasedRoute("169.254.1.1/32", ""), LeasedRoute("0.0.0.0/0", "169.254.1.1", True)),
        {"169.254.1.1/32": ("", "eth1"), "default4": ("169.254.1.1", "eth1")},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("routes", "expected"), [row[1:] for row in ROUTES], ids=[row[0] for row in ROUTES])
def test_the_routes_of_a_lease(routes: tuple[LeasedRoute, ...], expected: dict[str, tuple[str, str]]) -> None:
    one = leased(1, "198.51.100.20/24", *routes)
    found = main(inside(one))
    assert found == expected
    reached = list(found)
    for destination, (via, _) in found.items():  # in the order in which they are made
        if f"{via}/32" in found:
            assert reached.index(f"{via}/32") < reached.index(destination)
    assert main(inside(idle(one))) == {}
    assert main(inside(one, cookie=0)) == {}


def test_a_container_that_had_a_way_out_keeps_it_and_answers_by_its_interface_all_the_same() -> None:
    one = leased(1, "198.51.100.20/24", ROUTER, LeasedRoute("10.0.0.0/8", "198.51.100.9"))
    found = inside(one, routed="4")
    assert main(found) == {"10.0.0.0/8": ("198.51.100.9", "eth1")}
    assert own(found, 1) == {"198.51.100.0/24": "", "default4": "198.51.100.2", "10.0.0.0/8": "198.51.100.9"}
    assert Rule(PLACE.place, "198.51.100.20", FIRST_TABLE + 1, RULE_PRIORITY) in found


def test_of_several_leases_the_first_has_the_default_route_and_each_its_own_table() -> None:
    ends = [
        leased(1, "198.51.100.20/24", ROUTER, LeasedRoute("10.0.0.0/8", "198.51.100.9")),
        leased(2, "203.0.113.20/24", LeasedRoute("0.0.0.0/0", "203.0.113.1"), LeasedRoute("11.0.0.0/8", "203.0.113.9")),
    ]
    for order in permutations(ends):
        found = inside(*order)
        assert main(found) == {
            "default4": ("198.51.100.2", "eth1"), "10.0.0.0/8": ("198.51.100.9", "eth1"),
            "11.0.0.0/8": ("203.0.113.9", "eth2"),
        }  # fmt: skip
        assert own(found, 1) == {"198.51.100.0/24": "", "default4": "198.51.100.2", "10.0.0.0/8": "198.51.100.9"}
        assert own(found, 2) == {"203.0.113.0/24": "", "default4": "203.0.113.1", "11.0.0.0/8": "203.0.113.9"}


@pytest.mark.parametrize(("priorities", "first"), [((0, 0), 1), ((0, 5), 2), ((5, 5), 1)])
def test_of_several_routes_to_one_destination_that_of_the_first_endpoint_holds(
    priorities: tuple[int, int], first: int
) -> None:
    ends = [
        leased(1, "198.51.100.20/24", LeasedRoute("10.0.0.0/8", "198.51.100.9"), priority=priorities[0]),
        leased(2, "203.0.113.20/24", LeasedRoute("10.0.0.0/8", "203.0.113.9"), priority=priorities[1]),
    ]
    router = {1: "198.51.100.9", 2: "203.0.113.9"}[first]
    assert main(inside(*ends)) == {"10.0.0.0/8": (router, f"eth{first}")}


def test_a_router_that_two_links_have_is_reached_by_one_of_them() -> None:
    """As in clouds, where every subnet has the same router outside of it."""
    far = LeasedRoute("0.0.0.0/0", "169.254.1.1", onlink=True)
    ends = [
        leased(1, "198.51.100.20/32", far),
        leased(2, "203.0.113.20/32", far, LeasedRoute("10.0.0.0/8", "169.254.1.1", onlink=True)),
    ]
    found = inside(*ends)
    assert main(found) == {"169.254.1.1/32": ("", "eth1"), "default4": ("169.254.1.1", "eth1")}
    assert own(found, 2) == {
        "203.0.113.20/32": "", "169.254.1.1/32": "", "default4": "169.254.1.1", "10.0.0.0/8": "169.254.1.1",
    }  # fmt: skip


def test_what_another_endpoint_is_connected_to_is_not_led_elsewhere() -> None:
    """The kernel has that route already, and takes no second one."""
    near = endpoint(1, network(1, ipv6=False), PLACE)
    far = leased(2, "203.0.113.20/24", ROUTER, LeasedRoute("10.1.0.0/24", "203.0.113.9"))
    found = inside(near, far, nets=(network(1, ipv6=False), lan(2)))
    assert "10.1.0.0/24" not in main(found)
    assert main(found)["default4"] == ("10.1.0.1", "eth1")
    assert own(found, 2)["10.1.0.0/24"] == "203.0.113.9", "who is talked to from there is answered from there"


def test_two_leases_of_one_subnet() -> None:
    ends = [leased(number, f"198.51.100.{number}0/24", net=lan(1)) for number in (1, 2)]
    found = inside(*ends, nets=(lan(1),))
    assert main(found) == {"default4": ("198.51.100.2", "eth1")}
    assert own(found, 1) == own(found, 2)


MTUS = [((), 1500), ((0,), 1500), ((1400,), 1400), ((9000,), 1500), ((1400, 1300), 1300)]


@pytest.mark.parametrize(("given", "mtu"), MTUS)
@pytest.mark.parametrize("kind", [BRIDGE, MACVLAN])
def test_the_mtu_is_the_least_of_all(kind: str, given: tuple[int, ...], mtu: int) -> None:
    net = replace(lan(1, kind=kind), mac="" if kind == MACVLAN else lan(1).mac)
    leases = tuple(lease(mtu=one, family=family) for one, family in zip(given, (4, 6), strict=False))
    (link,) = [one for one in inside(bare(leases=leases), nets=(net,)) if isinstance(one, Veth | Macvlan)]
    assert link.mtu == mtu


def test_who_has_given_his_lease_back_has_a_link_and_nothing_else() -> None:
    one = bare(dynamic=RELEASED)
    found = inside(one)
    assert main(found) == {}
    assert [thing for thing in found if isinstance(thing, Address)] == []
    assert len([thing for thing in found if isinstance(thing, Veth)]) == 1


def test_the_prefix_of_an_address() -> None:
    assert transparent.prefix_of("198.51.100.20/24") == "198.51.100.0/24"
    assert transparent.prefix_of("198.51.100.200/25") == "198.51.100.128/25"
    assert transparent.prefix_of("198.51.100.20/32") == "198.51.100.20/32"
    assert transparent.prefix_of("2001:db8:51::7/64") == "2001:db8:51::/64"
