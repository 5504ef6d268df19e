"""Networks without NAT in memory: what is decided, in which order it is done, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from containernet.kernel.door import Uplink
from containernet.kernel.managers import manager
from containernet.model.errors import Conflict, ContainerNetError, Different, Missing, NotFound, Taken, Usage
from containernet.model.record import replace
from containernet.plan import moving
from containernet.plan.objects import Bridge, HeldAddress, HeldRoute, Macvlan, Port, Route, Veth
from containernet.plan.operations import Add, Remove
from containernet.plan.text import lines
from containernet.verbs.services import Nobody
from kit.memory import MemoryHost

GATEWAY = "198.51.100.2"
HELD = (
    HeldAddress("up0", "198.51.100.1/24", broadcast="198.51.100.255"),
    HeldAddress("up0", "198.51.100.9/24", label=":1", valid=4000, preferred=3000),
    HeldAddress("up0", "2001:db8:51::1/64"),
    HeldRoute("up0", "default4", GATEWAY, protocol=3),
    HeldRoute("up0", "203.0.113.0/24", GATEWAY, "198.51.100.9", 77, 5, 16),
    HeldRoute("up0", "192.0.2.0/24", "", "198.51.100.1", scope=253, protocol=4),
)
IP = "198.51.100.20/24"


@pytest.fixture
def host(tmp_path: Path) -> MemoryHost:
    """A host with an uplink that has addresses and routes, and two containers."""
    made = MemoryHost(tmp_path / "state")
    made.remember()
    made.kernel.hold(*HELD)
    made.container("c1", "c2")
    return made


def held(host: MemoryHost, link: str) -> set[Any]:
    """Return what the host has on a link."""
    return {replace(one, link="") for one in host.kernel.uplink(link).held}


ALL = {replace(one, link="") for one in HELD}


def test_the_uplink_moves_and_comes_back(host: MemoryHost) -> None:
    before = host.kernel.state
    made = host.net().create("net1")
    assert (made.kind, made.uplink, made.bridge, made.subnets) == ("bridge", "up0", "cn-1", ())
    assert made.mac == host.kernel.uplink("up0").mac
    assert (held(host, "cn-1"), held(host, "up0")) == (ALL, set())
    assert Port("cn-1", "up0") in host.kernel.objects.values()
    assert host.kernel.guards == []
    assert host.agreement() == []
    host.net().destroy("net1")
    assert host.kernel.state[0] == before[0]


def test_the_host_is_never_without_an_address() -> None:
    plan = moving.moved(HELD, "cn-1")
    here = {("up0", one.address) for one in HELD if isinstance(one, HeldAddress)}
    for step in plan:
        assert isinstance(step, Add | Remove)
        thing = step.object
        if isinstance(thing, HeldAddress):
            (here.add if isinstance(step, Add) else here.remove)((thing.link, thing.address))
        assert {address for _, address in here} == {one.address for one in HELD if isinstance(one, HeldAddress)}
    kinds = [(type(step).__name__, type(step.object).__name__) for step in plan if isinstance(step, Add | Remove)]
    assert list(dict.fromkeys(kinds)) == [
        ("Add", "HeldAddress"), ("Add", "HeldRoute"), ("Remove", "HeldRoute"), ("Remove", "HeldAddress"),
    ]  # fmt: skip
    gone = [step.object.address for step in plan if isinstance(step, Remove) and isinstance(step.object, HeldAddress)]
    assert gone.index("198.51.100.9/24") < gone.index("198.51.100.1/24")  # a secondary goes before its primary
    onto = [step.object for step in plan if isinstance(step, Add) and isinstance(step.object, HeldRoute)]
    assert [bool(one.via) for one in onto] == sorted(bool(one.via) for one in onto)


def test_the_lines_that_a_person_would_type() -> None:
    text = lines(moving.moved(HELD, "cn-1"))
    assert "ip address add 198.51.100.9/24 dev cn-1 label cn-1:1 valid_lft 4000 preferred_lft 3000" in text
    assert "ip address add 2001:db8:51::1/64 dev cn-1 nodad" in text
    assert "ip route prepend default via 198.51.100.2 dev cn-1 proto boot" in text
    assert "ip route prepend 192.0.2.0/24 dev cn-1 proto static scope link src 198.51.100.1" in text
    six = HeldRoute("up0", "default6", "fe80::1", metric=1024, protocol=9, expires=90, preference=1)
    assert moving.line("add", six) == (
        "ip -6 route append default via fe80::1 dev up0 proto ra metric 1024 pref high expires 90"
    )
    far = HeldAddress("up0", "192.0.2.5/32", "192.0.2.6/32", scope=253, metric=7, protocol=1, flags=0x300)
    assert moving.line("add", far) == (
        "ip address add 192.0.2.5 peer 192.0.2.6/32 dev up0 scope link metric 7 proto 1 noprefixroute mngtmpaddr"
    )


def test_a_dry_run_prints_the_whole_and_changes_nothing(host: MemoryHost) -> None:
    before = host.kernel.state
    net = host.net(dry_run=True)
    net.create("net1")
    at = [
        next(i for i, line in enumerate(net.plans) if word in line) for word in ("master cn-1", "add 198", "delete 198")
    ]
    assert at == sorted(at)
    assert host.kernel.state == before


def test_nothing_is_taken_away_twice_and_the_host_has_its_addresses_back_first(host: MemoryHost) -> None:
    host.net().create("net1")
    host.net().join("c1", "net1", ips=(IP,))
    net = host.net(dry_run=True)
    net.destroy("net1", force=True)
    assert len(set(net.plans)) == len(net.plans)
    away = [i for i, line in enumerate(net.plans) if line.startswith(("ip -n c1", "ip link delete"))]
    back = [i for i, line in enumerate(net.plans) if line.endswith("dev up0") or " dev up0 " in line]
    assert max(back) < min(away)


def test_a_gateway_that_falls_silent_undoes_all(host: MemoryHost, monkeypatch: pytest.MonkeyPatch) -> None:
    before = host.kernel.state
    monkeypatch.setattr(host.kernel, "answers", lambda link, address: link == "up0")
    with pytest.raises(Different) as error:
        host.net().create("net1")
    assert error.value.code == "gateway-silent"
    assert host.kernel.state == before
    assert host.agreement() == []
    host.net().create("net1", yes=True)  # not asked


def test_a_gateway_that_was_silent_before_is_not_asked(host: MemoryHost) -> None:
    host.kernel.silent.add(GATEWAY)
    host.net().create("net1")
    assert held(host, "cn-1") == ALL


def test_confirmed_or_undone(host: MemoryHost) -> None:
    before = host.kernel.state
    with pytest.raises(Different) as error:
        host.net().create("net1", confirm_within=5)
    assert error.value.code == "not-confirmed"
    assert host.kernel.state == before
    with pytest.raises(NotFound):
        host.net().confirm("net1")
    host.kernel.words.add(f"{host.where}/confirm-net1")
    assert host.net().confirm("net1") == "net1"
    host.net().create("net1", confirm_within=5)
    assert held(host, "cn-1") == ALL


def test_after_a_restart_the_move_waits_for_the_addresses(host: MemoryHost) -> None:
    net = host.net()
    net.create("net1")
    net.join("c1", "net1", ips=(IP,))
    host.kernel.booted = []
    host.kernel.reboot()
    host.container("c1", "c2")
    net.restore()
    assert ("link", "cn-1") not in host.kernel.objects
    with pytest.raises(Missing) as error:
        net.join("c2", "net1")
    assert error.value.code == "network-waiting"
    host.kernel.hold(*HELD)
    net.restore()
    assert held(host, "cn-1") == ALL
    assert any(isinstance(one, Veth) for one in host.kernel.objects.values())
    assert host.agreement() == []
    net.destroy("net1", force=True)
    assert held(host, "up0") == ALL


def test_a_deleted_bridge_comes_back_with_what_the_host_had(host: MemoryHost) -> None:
    host.net().create("net1")
    host.kernel.delete_link("cn-1")
    assert held(host, "up0") == set()
    assert host.net().status().drift
    host.net().repair()
    assert held(host, "cn-1") == {replace(one, link="") for one in moving.lasting(HELD)}
    assert host.agreement() == []


def test_a_bridge_that_is_there_is_taken_as_it_is(host: MemoryHost) -> None:
    host.kernel.add_stranger("br0", "bridge")
    before = set(host.kernel.objects.values())
    made = host.net().create("net1", uplink="br0")
    assert (made.bridge, made.mac) == ("br0", "")
    assert {type(one).__name__ for one in set(host.kernel.objects.values()) - before} == {"Table"}


def test_macvlan(host: MemoryHost) -> None:
    net = host.net()
    made = net.create("net1", mode="macvlan")
    assert (made.kind, made.bridge, held(host, "up0")) == ("macvlan", "", ALL)
    view = net.join("c1", "net1", ips=(IP,))
    place = host.kernel.identify(view.path)
    (one,) = [one for one in host.kernel.objects.values() if isinstance(one, Macvlan)]
    assert (one.place, one.name, one.parent, one.alias) == (place, "eth0", "up0", "c1_net1")
    assert (view.host_link, view.addresses, view.gateways, view.default_route) == ("", (IP,), (GATEWAY,), True)
    assert Route(place, "default4", GATEWAY, "eth0") in host.kernel.objects.values()
    host.remove("c1")
    net.join("c2", "net1", ips=(IP,))  # its address is free
    net.leave("c2", "net1")
    net.repair()
    assert host.agreement() == []


WRONG: tuple[tuple[type[ContainerNetError], dict[str, Any]], ...] = (
    (Usage, {"subnets": ("10.0.0.0/24",)}),
    (Usage, {"external_address": "198.51.100.1"}),
    (Usage, {"mode": "ipvlan"}),
    (Usage, {"mode": "macvlan", "nat": True}),
    (Usage, {"mode": "macvlan", "confirm_within": 5}),
    (Usage, {"confirm_within": 5, "yes": True}),
    (Usage, {"nat": True, "yes": True}),
    (Usage, {"mtu": 9000}),
    (NotFound, {"uplink": "nope0"}),
)


@pytest.mark.parametrize(("kind", "options"), WRONG)
def test_what_cannot_be_created(host: MemoryHost, kind: type[ContainerNetError], options: dict[str, Any]) -> None:
    before = host.kernel.state
    with pytest.raises(kind) as error:
        host.net().create("net1", **options)
    assert error.value.hint
    assert host.kernel.state == before


UNFIT: tuple[tuple[type[ContainerNetError], str, dict[str, Any]], ...] = (
    (Taken, "uplink-managed", {"manager": "NetworkManager"}),
    (Taken, "uplink-managed", {"manager": "dhclient"}),
    (Usage, "uplink-one-mac", {"wireless": True}),
    (Usage, "uplink-one-mac", {"ethernet": False}),
    (Usage, "uplink-loopback", {"loopback": True}),
    (Conflict, "uplink-part", {"master": "bond0"}),
    (Conflict, "uplink-down", {"up": False}),
    (Conflict, "uplink-odd", {"odd": "the route 10.0.0.0/8 has several ways"}),
)


@pytest.mark.parametrize(("kind", "code", "facts"), UNFIT)
def test_uplinks_that_do_not_fit(
    host: MemoryHost, kind: type[ContainerNetError], code: str, facts: dict[str, Any]
) -> None:
    plain = Uplink("up0", "", "02:00:00:00:00:77", 1500, True, True, True)
    host.kernel.uplinks["up0"] = replace(plain, **facts)
    with pytest.raises(kind) as error:
        host.net().create("net1")
    assert (error.value.code, bool(error.value.hint)) == (code, True)
    assert ("link", "cn-1") not in host.kernel.objects


def test_an_uplink_serves_one_bridge(host: MemoryHost) -> None:
    host.net().create("net1")
    for uplink in ("up0", "cn-1"):
        with pytest.raises(Conflict) as error:
            host.net().create("net2", uplink=uplink)
        assert "net1" in error.value.sentence + error.value.hint


class Server(Nobody):
    """Services that run, and give everybody what he waits for."""

    def running(self) -> bool:
        return True


def test_dhcp_is_off_unless_it_is_on(host: MemoryHost) -> None:
    net = host.net(services=Server)
    net.create("net1")
    with pytest.raises(Missing) as error:
        net.join("c1", "net1", ips=("dhcp",))
    assert error.value.code == "dhcp-disabled"
    assert "--ip ADDRESS/LENGTH" in error.value.hint
    assert net.join("c1", "net1", ips=("none",)).addresses == ()
    net.service("dhcp", "enable")
    with pytest.raises(Missing) as error:
        host.net().join("c1", "net1", ips=("dhcp",))
    assert error.value.code == "agent-not-running"
    for ips in ((), ("dhcp",), ("dhcp", "2001:db8:51::7/64")):
        made = net.join("c2", "net1", ips=ips)
        endpoint = host.stored(lambda store, name=made.name: store.endpoint(name))
        assert endpoint.dynamic == "dhcp"
    assert host.agreement() == []


def test_ports_are_refused_with_the_reason(host: MemoryHost) -> None:
    net = host.net()
    net.create("net1")
    net.join("c1", "net1", ips=(IP,))
    for verb in (
        lambda: net.open("c1", "net1", internal_port=80),
        lambda: net.join("c2", "net1", ips=("none",), publish=("8080:80",)),
    ):
        with pytest.raises(Usage) as error:
            verb()
        assert error.value.code == "network-transparent"


def test_nothing_of_it_is_in_our_table(host: MemoryHost) -> None:
    net = host.net()
    net.create("net1")
    net.join("c1", "net1", ips=(IP,))
    assert not [one for one in host.kernel.objects if one[0] == "element"]
    bridge = host.kernel.objects["link", "cn-1"]
    assert isinstance(bridge, Bridge)
    assert bridge.plain


MANAGED = {
    "run/NetworkManager/devices/7": ("[device]\nmanaged=true\n", "NetworkManager"),
    "run/NetworkManager/devices/8": ("[device]\nmanaged=true\n", ""),
    "run/systemd/netif/links/7": ("ADMIN_STATE=configured\n", "systemd-networkd"),
    "run/dhcpcd/up0.pid": ("1\n", "dhcpcd"),
    "run/dhclient.up0.pid": ("1\n", "dhclient"),
    "run/network/ifstate": ("lo=lo\nup0=up0\n", "ifupdown"),
    "etc/network/interfaces": ("auto up0\niface up0 inet static\n", "ifupdown"),
}


@pytest.mark.parametrize("file", MANAGED)
def test_who_manages_a_link(tmp_path: Path, file: str) -> None:
    text, who = MANAGED[file]
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (tmp_path / "proc/1").mkdir(parents=True)
    assert manager("up0", 7, str(tmp_path)) == who
    assert manager("up9", 9, str(tmp_path)) == ""
    path.write_text("ADMIN_STATE=unmanaged\nmanaged=false\n")
    assert manager("up0", 7, str(tmp_path)) == ""
