"""The verbs on a kernel in memory: what they give back, in every state that a thing can be in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from containernet.bootstrap import ContainerNet
from containernet.kernel.door import Chain
from containernet.model.network import HOST
from containernet.model.views import ACTIVE, GONE, WAITING, Finding
from containernet.plan.intent import Intent
from containernet.plan.operations import Announce, Cut
from kit.memory import HOST4, HOST6, MemoryHost, difference, directories


@pytest.fixture
def host() -> Iterator[MemoryHost]:
    """A host with containers, and no network yet."""
    with directories() as places:
        made = MemoryHost(next(places))
        made.container("c1", "c2", "c3")
        yield made


@pytest.fixture
def net(host: MemoryHost) -> ContainerNet:
    return host.net()


# --- networks --------------------------------------------------------------------------------------------------------


def test_a_network_as_it_is_made(net: ContainerNet) -> None:
    view = net.create("n1", nat=True, labels=("a=b",))
    assert (view.name, view.id, view.kind, view.bridge) == ("n1", 1, "nat", "cn-1")
    assert view.subnets[0] == "192.168.1.0/24"
    assert view.gateways[0] == "192.168.1.1"
    assert view.subnets[1].startswith("fd")
    assert view.subnets[1].endswith(":1::/64")
    assert (view.uplink, view.external_address, view.external_prefix) == ("up0", HOST4, f"{HOST4}/24")
    assert (view.mtu, view.ipv6, view.labels, view.endpoints) == (1500, True, (("a", "b"),), ())
    assert net.get() == net.get("n1") == (view,)


def test_subnets_are_picked_one_after_another_around_what_is_taken(net: ContainerNet) -> None:
    picked = [net.create(name, nat=True).subnets[0] for name in ("a", "b")]
    net.create("given", internal=True, subnets=("192.168.3.128/25", "fd99::/64"), gateways=("192.168.3.200", "fd99::7"))
    picked.append(net.create("c", internal=True, ipv6=False).subnets[0])
    assert picked == ["192.168.1.0/24", "192.168.2.0/24", "192.168.4.0/24"]
    assert net.get("given")[0].gateways == ("192.168.3.200", "fd99::7")
    assert len(net.get("c")[0].subnets) == 1


def test_a_given_way_out(host: MemoryHost, net: ContainerNet) -> None:
    view = net.create("n1", nat=True, uplink="up0", external_address=HOST6, mtu=1400)
    assert (view.uplink, view.external_address, view.mtu) == ("up0", HOST6, 1400)
    inner = net.create("n2", internal=True)
    assert (inner.uplink, inner.external_address) == ("", "")


def test_without_ipv6_on_the_host_a_network_has_none(host: MemoryHost, net: ContainerNet) -> None:
    host.kernel.set_setting(HOST, "net/ipv6/conf/all/disable_ipv6", "1")
    view = net.create("n1", nat=True)
    assert (view.ipv6, view.subnets) == (False, ("192.168.1.0/24",))
    assert net.join("c1", "n1").addresses == ("192.168.1.2/24",)


def test_a_host_that_learns_its_ipv6_route_from_routers_keeps_it(host: MemoryHost, net: ContainerNet) -> None:
    """A host that forwards ignores router advertisements unless accept_ra is 2 (ip-sysctl.rst)."""
    net.create("n1", nat=True)
    assert host.kernel.setting(HOST, "net/ipv6/conf/up0/accept_ra") == "2"
    assert host.kernel.setting(HOST, "net/ipv6/conf/all/forwarding") == "1"


def test_with_the_last_network_the_table_goes(host: MemoryHost, net: ContainerNet) -> None:
    net.create("n1", nat=True)
    net.create("n2", internal=True)
    net.destroy("n1")
    assert host.kernel.owner()
    net.destroy("n2")
    assert host.kernel.objects == {}
    assert net.get() == ()


def test_what_is_destroyed_is_told_with_what_was_on_it(host: MemoryHost, net: ContainerNet) -> None:
    net.create("n1", nat=True)
    net.join("c1", "n1", publish=("8080:80",))
    view = net.destroy("n1", force=True)
    assert [(one.name, one.state, one.default_route) for one in view.endpoints] == [("c1_n1", GONE, False)]
    assert [port.active for one in view.endpoints for port in one.ports] == [False]
    assert Cut(4, source="192.168.1.2") in host.kernel.cuts
    assert Cut(4, answers="192.168.1.2") in host.kernel.cuts


# --- endpoints -------------------------------------------------------------------------------------------------------


def test_an_endpoint_as_it_is_made(host: MemoryHost, net: ContainerNet) -> None:
    net.create("n1", nat=True)
    view = net.join("c1", "n1", publish=("8080:80",))
    assert (view.name, view.container, view.compartment, view.network) == ("c1_n1", "c1", 2, "n1")
    assert (view.interface, view.host_link, view.path, view.state) == ("eth0", "ce-1", "/run/netns/c1", ACTIVE)
    assert view.addresses[0] == "192.168.1.2/24"
    assert view.gateways == net.get("n1")[0].gateways
    assert (view.default_route, view.mtu, view.priority) == (True, 1500, 0)
    assert int(view.mac[:2], 16) & 3 == 2
    (port,) = view.ports
    assert (port.external_first, port.internal_first, port.internal_address) == (8080, 80, "192.168.1.2")
    assert net.endpoint() == net.endpoint("c1") == net.endpoint("c1", "n1") == net.endpoint(network="n1") == (view,)
    assert isinstance(host.kernel.announced[-1], Announce)
    assert host.kernel.announced[-1].addresses == view.addresses


def test_what_was_asked_for_is_what_there_is(net: ContainerNet) -> None:
    made = net.create("n1", nat=True, subnets=("10.7.0.0/24", "fd07::/64"))
    view = net.join("c1", "n1", ips=("10.7.0.77", "fd07::77"), mac="02-00-00-00-00-AA", interface="web0", priority=3)
    assert view.addresses == ("10.7.0.77/24", "fd07::77/64")
    assert (view.mac, view.interface, view.priority) == ("02:00:00:00:00:aa", "web0", 3)
    assert net.join("c2", "n1", ips=("fd07::99",)).addresses == ("10.7.0.2/24", "fd07::99/64")
    assert made.name == "n1"


def test_names_of_second_endpoints_and_interfaces(net: ContainerNet) -> None:
    net.create("n1", nat=True)
    net.create("n2", nat=True)
    views = [net.join("c1", name) for name in ("n1", "n2", "n1")]
    assert [(view.name, view.interface) for view in views] == [
        ("c1_n1", "eth0"), ("c1_n2", "eth1"), ("c1_n1_2", "eth2"),
    ]  # fmt: skip
    net.leave("c1", "n2")
    assert net.join("c1", "n2").interface == "eth1"


def test_who_has_the_default_route(net: ContainerNet) -> None:
    for name in ("n1", "n2", "n3"):
        net.create(name, nat=True)
    net.create("inner", internal=True)

    def leader() -> list[str]:
        return [view.network for view in net.endpoint("c1") if view.default_route]

    net.join("c1", "inner", priority=9)
    assert leader() == []
    net.join("c1", "n1")
    net.join("c1", "n2")
    assert leader() == ["n1"]
    net.join("c1", "n3", priority=1)
    assert leader() == ["n3"]
    net.leave("c1", "n3")
    net.leave("c1", "n1")
    assert leader() == ["n2"]


def test_addresses_are_handed_out_in_turn(net: ContainerNet) -> None:
    net.create("n1", nat=True, ipv6=False)
    given = [net.join(name, "n1").addresses[0] for name in ("c1", "c2")]
    net.leave("c1", "n1")
    given.append(net.join("c3", "n1").addresses[0])
    assert given == ["192.168.1.2/24", "192.168.1.3/24", "192.168.1.4/24"]


def test_what_leaves_is_told_as_it_was(net: ContainerNet) -> None:
    net.create("n1", nat=True)
    joined = net.join("c1", "n1", publish=("8080:80",))
    left = net.leave("c1", "n1")
    assert (left.name, left.addresses, left.state, left.default_route) == (joined.name, joined.addresses, GONE, False)
    assert [port.external_first for port in left.ports] == [8080]
    assert net.endpoint() == ()


def test_the_states_of_an_endpoint(host: MemoryHost, net: ContainerNet) -> None:
    net.create("n1", nat=True)
    for name in ("c1", "c2"):
        net.join(name, "n1", publish=(f"808{name[1]}:80",))

    def states() -> dict[str, str]:
        return {view.container: view.state for view in net.endpoint()}

    host.remove("c2")
    assert states() == {"c1": ACTIVE, "c2": GONE}
    assert [(port.container, port.active) for port in net.ports()] == [("c1", True), ("c2", False)]
    assert net.repair().freed == ("c2_n1",)
    host.kernel.reboot()
    status = net.status()
    assert (status.waiting, status.table, len(status.drift)) == (1, False, 1)
    told = net.restore()
    assert (told.waiting, told.restored) == (("c1_n1",), ())
    assert states() == {"c1": WAITING}
    host.container("c1")
    assert net.restore().restored == ("c1_n1",)
    assert states() == {"c1": ACTIVE}


def test_a_container_that_waits_is_joined_again_by_the_next_join(host: MemoryHost, net: ContainerNet) -> None:
    net.create("n1", nat=True)
    net.create("n2", nat=True)
    before = net.join("c1", "n1", publish=("8080:80",))
    host.kernel.reboot()
    net.restore()
    host.container("c1")
    net.join("c1", "n2")
    after = {view.network: view for view in net.endpoint("c1")}
    assert after["n1"].addresses == before.addresses
    assert {view.state for view in after.values()} == {ACTIVE}
    assert host.agreement() == []


# --- ports -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def joined(net: ContainerNet) -> ContainerNet:
    """Containers c1 and c2 on a network behind NAT."""
    net.create("n1", nat=True)
    net.join("c1", "n1")
    net.join("c2", "n1")
    return net


def test_a_port_as_it_is_opened(joined: ContainerNet) -> None:
    view = joined.open(
        "c1", "n1", internal_port="80-82", external_port="8000-8002", protocol="UDP", external_address=HOST4,
        remotes=("10.0.0.0/25", "10.0.0.128/25"),
    )  # fmt: skip
    assert (view.id, view.nat, view.protocol) == (1, "ContainerNat", "udp")
    assert (view.external_address, view.shown_address) == (HOST4, HOST4)
    assert (view.external_first, view.external_last) == (8000, 8002)
    assert (view.internal_address, view.internal_first, view.internal_last) == ("192.168.1.2", 80, 82)
    assert (view.remotes, view.container, view.endpoint, view.active) == (("10.0.0.0/24",), "c1", "c1_n1", True)
    assert joined.ports() == joined.ports("c1") == joined.ports("c1", "n1") == joined.ports(network="n1") == (view,)
    assert joined.ports("c2") == ()


def test_free_ports_are_picked_in_turn(host: MemoryHost, joined: ContainerNet) -> None:
    joined.config_set("port-range", "50000-50005")
    host.kernel.bind_port("tcp", "", 50001)
    picked = [joined.open("c1", "n1", internal_port=port).external_first for port in (80, 81)]
    joined.close(id=1)
    picked.append(joined.open("c1", "n1", internal_port="90-91").external_first)
    picked.append(joined.open("c1", "n1", internal_port=92).external_first)
    picked.append(joined.open("c1", "n1", internal_port=93).external_first)
    assert picked == [50000, 50002, 50003, 50005, 50000]


def test_ports_are_closed_as_they_were_opened(host: MemoryHost, joined: ContainerNet) -> None:
    joined.open("c1", "n1", internal_port=80, external_port=8080)
    joined.open("c1", "n1", internal_port=80, external_port=8080, protocol="udp")
    joined.open("c2", "n1", internal_port=80, external_port=9090, external_address=HOST4)
    closed = joined.close("c1", "n1", external_port=8080)
    assert (closed.protocol, closed.active) == ("tcp", False)
    assert joined.close("c2", "n1", external_port=9090).external_address == HOST4
    assert joined.close(id=2).protocol == "udp"
    assert joined.ports() == ()
    assert Cut(4, "tcp", ports=(8080, 8080), answers="192.168.1.2") in host.kernel.cuts
    assert host.agreement() == []


def test_the_ports_of_a_vanished_container_are_free_for_who_asks(host: MemoryHost, joined: ContainerNet) -> None:
    joined.open("c1", "n1", internal_port=80, external_port=8080)
    host.remove("c1")
    assert joined.open("c2", "n1", internal_port=80, external_port=8080).container == "c2"
    assert [view.container for view in joined.endpoint()] == ["c2"]
    assert host.agreement() == []


# --- this host -------------------------------------------------------------------------------------------------------


def test_how_the_host_stands(host: MemoryHost, joined: ContainerNet) -> None:
    joined.open("c1", "n1", internal_port=80, external_port=8080)
    status = joined.status()
    assert (status.networks, status.endpoints, status.ports, status.waiting) == (1, 2, 1, 0)
    assert (status.table, status.drift, status.interrupted) == (True, (), ())
    assert status.state_dir == str(host.where)
    host.kernel.delete_link("ce-1")
    host.kernel.flush_ruleset()
    status = joined.status()
    assert not status.table
    assert any("ip link add ce-1" in line for line in status.drift)
    assert all(len(line) <= 400 for line in status.drift)


def test_a_repair_says_what_it_did_and_does_nothing_twice(host: MemoryHost, joined: ContainerNet) -> None:
    before = host.kernel.state
    host.kernel.delete_link("cn-1")
    host.kernel.damage_table()
    mended = joined.repair().mended
    assert any("ip link add cn-1" in line for line in mended)
    assert difference(before, host.kernel.state) == []
    assert joined.repair().mended == ()


def test_networks_follow_the_mtu_of_the_uplink(host: MemoryHost, joined: ContainerNet) -> None:
    joined.create("fixed", nat=True, mtu=1300)
    around = host.kernel.foreign[HOST]
    uplink = around.links[0]
    fresh = type(uplink)(uplink.name, uplink.kind, True, 1400, 0, uplink.addresses)
    host.kernel.foreign[HOST] = type(around)(
        (fresh,), around.routes, around.default4, around.default6, around.prefers
    )  # fmt: skip
    joined.repair()
    assert {view.name: view.mtu for view in joined.get()} == {"n1": 1400, "fixed": 1300}
    assert {view.mtu for view in joined.endpoint()} == {1400}


VERBS: dict[str, Callable[[ContainerNet], Any]] = {
    "create": lambda net: net.create("n9", nat=True),
    "destroy": lambda net: net.destroy("n1", force=True),
    "join": lambda net: net.join("c3", "n1", publish=("9000:80",)),
    "leave": lambda net: net.leave("c1", "n1"),
    "open": lambda net: net.open("c1", "n1", internal_port=80, external_port=8081),
    "close": lambda net: net.close("c1", "n1", external_port=8080),
    "repair": lambda net: net.repair(),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_dry_run_tells_and_changes_nothing(host: MemoryHost, joined: ContainerNet, verb: str) -> None:
    joined.open("c1", "n1", internal_port=80, external_port=8080)
    if verb == "repair":
        host.kernel.flush_ruleset()
    world, intent, cuts = host.kernel.state, host.intent, len(host.kernel.cuts)
    dry = host.net(dry_run=True)
    VERBS[verb](dry)
    assert dry.plans
    assert (host.kernel.state, host.intent, len(host.kernel.cuts)) == (world, intent, cuts)
    VERBS[verb](joined)
    assert host.kernel.state != world


def test_settings(net: ContainerNet) -> None:
    assert net.config_get("port-range") == "50000-60000"
    net.config_set("subnet-pool", "10.9.0.1/16")
    assert net.config_get("subnet-pool") == "10.9.0.0/16"
    assert net.create("n1", nat=True).subnets[0] == "10.9.1.0/24"
    assert {key: value for key, value, *_ in net.config_list()} == {
        "port-range": "50000-60000", "subnet-pool": "10.9.0.0/16",
    }  # fmt: skip


def test_what_doctor_finds_and_mends(host: MemoryHost, joined: ContainerNet) -> None:
    def codes(severities: tuple[str, ...] = ("warning", "error")) -> set[str]:
        return {one.code for one in joined.doctor() if one.severity in severities}

    assert codes() == set()
    host.kernel.set_setting(HOST, "net/ipv4/ip_forward", "0")
    host.kernel.flush_ruleset()
    host.kernel.delete_link("ce-1")
    host.remove("c2")
    host.kernel.foreign_chains.append(Chain("ip", "filter", "FORWARD", True))
    host.kernel.set_setting(HOST, "net/ipv4/neigh/default/gc_thresh3", "2")
    found = codes()
    assert found == {"forwarding-off", "table-missing", "drift", "vanished", "firewall-drops", "neighbours"}
    asked: list[str] = []

    def agree(finding: Finding) -> bool:
        asked.append(finding.code)
        return True

    told = joined.doctor(fix=True, confirm=agree)
    assert set(asked) == {"forwarding-off", "table-missing", "drift", "vanished"}
    assert {one.code for one in told if one.fixed} == set(asked)
    assert codes() == {"firewall-drops"}
    assert all(one.hint for one in joined.doctor() if one.severity != "ok")


def begun(host: MemoryHost) -> None:
    """Begin a verb and leave it there."""
    host.stored(lambda store: store.begin("join", Intent(), Intent(), ()))


def test_a_verb_is_interrupted_when_its_process_is_gone_not_before(host: MemoryHost, joined: ContainerNet) -> None:
    def told() -> tuple[int, int]:
        found = [one for one in joined.doctor() if one.code == "interrupted"]
        return len(joined.status().interrupted), len(found)

    begun(host)  # by this process, which is there
    assert told() == (0, 0)
    joined.repair()
    pid = os.fork()
    if not pid:
        begun(host)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert told() == (1, 1)
    assert joined.status().interrupted == (f"join (pid {pid})",)
    joined.create("n9", internal=True)
    assert told() == (0, 0)
