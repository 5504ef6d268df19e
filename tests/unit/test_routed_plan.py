"""Networks that the host routes for, in memory: what is decided, what is refused, what is put back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from containernet.kernel.door import Uplink
from containernet.kernel.fake_uplink import MAC
from containernet.model.errors import Conflict, ContainerNetError, Missing, Usage
from containernet.model.network import HOST
from containernet.model.record import replace
from containernet.plan.intent import Intent
from containernet.plan.objects import Address, HeldAddress, HeldRoute, Neighbour, Route, Veth
from containernet.plan.operations import Add, Announce, Remove
from containernet.plan.text import lines
from containernet.verbs.services import Nobody
from kit.memory import OF_A_LINK, MemoryHost

GATEWAY, IP, IP6 = "198.51.100.2", "198.51.100.20", "2001:db8:51::20"
SILENT = {IP, IP6, "198.51.100.21", "198.51.100.22", "198.51.100.255", "203.0.113.5"}
NDP, ACCEPT = "net/ipv6/conf/up0/proxy_ndp", "net/ipv6/conf/up0/accept_ra"


@pytest.fixture
def host(tmp_path: Path) -> MemoryHost:
    """A host with an uplink, on whose LAN nobody has the addresses that are asked for, and two containers."""
    made = MemoryHost(tmp_path / "state")
    made.remember()
    made.kernel.hold(HeldAddress("up0", "198.51.100.1/24"), HeldRoute("up0", "default4", GATEWAY, protocol=3))
    made.kernel.silent |= SILENT
    made.container("c1", "c2")
    return made


def test_all_of_it_comes_and_goes(host: MemoryHost) -> None:
    before = host.kernel.state
    net = host.net()
    made = net.create("r1", mode="routed")
    assert (made.kind, made.uplink, made.bridge, made.mac, made.subnets) == ("routed", "up0", "", "", ())
    view = net.join("c1", "r1", ips=(f"{IP}/24", IP6))
    assert (view.addresses, view.host_link) == ((f"{IP}/32", f"{IP6}/128"), "ce-1")
    assert (view.gateways, view.default_route) == (("169.254.1.1", "fe80::1"), True)
    there = host.kernel.objects.values()
    assert {Neighbour(HOST, "up0", IP), Neighbour(HOST, "up0", IP6), Route(HOST, f"{IP}/32", "", "ce-1")} <= set(there)
    assert not [one for one in there if one.identity[0] == "element"]
    assert host.kernel.announced == [Announce(HOST, "up0", "", (f"{IP}/32", f"{IP6}/128"))]
    assert host.agreement() == []
    net.leave("c1", "r1")
    net.destroy("r1")
    after = host.kernel.state
    assert after[0] == before[0]
    kept = {"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1", ACCEPT: "2"}
    assert {key[1]: value for key, value in after[1].items() if before[1][key] != value} == kept


def test_the_uplink_is_as_it_was_when_nobody_is_routed_for(host: MemoryHost) -> None:
    for found in ("0", "1"):
        host.kernel.set_setting(HOST, NDP, found)
        net = host.net()
        net.create("r1", mode="routed")
        net.create("r2", mode="routed")
        net.destroy("r1")
        assert host.kernel.setting(HOST, NDP) == "1"
        net.destroy("r2")
        assert host.kernel.setting(HOST, NDP) == found
        assert host.kernel.setting(HOST, "net/ipv4/neigh/up0/proxy_delay") == "80"


def test_what_somebody_has_changed_meanwhile_stays(host: MemoryHost) -> None:
    net = host.net()
    net.create("r1", mode="routed")
    host.kernel.set_setting(HOST, "net/ipv4/neigh/up0/proxy_delay", "7")
    net.destroy("r1")
    assert host.kernel.setting(HOST, "net/ipv4/neigh/up0/proxy_delay") == "7"


WRONG: tuple[tuple[type[ContainerNetError], str, tuple[str, ...]], ...] = (
    (Usage, "address-needed", ()),
    (Usage, "address-needed", ("none",)),
    (Missing, "dhcp-disabled", ("dhcp",)),
    (Usage, "address-reserved", ("198.51.100.255",)),
    (Usage, "address-reserved", ("169.254.1.1",)),
    (Usage, "address-reserved", ("fe80::1",)),
    (Conflict, "address-in-use", ("198.51.100.77",)),
    (Conflict, "address-in-use", (GATEWAY,)),
    (Conflict, "address-taken", ("198.51.100.1",)),
    (Conflict, "address-taken", ("192.168.0.9",)),
)


@pytest.mark.parametrize(("kind", "code", "ips"), WRONG)
def test_addresses_that_are_refused(
    host: MemoryHost, kind: type[ContainerNetError], code: str, ips: tuple[str, ...]
) -> None:
    net = host.net()
    net.create("r1", mode="routed")
    net.create("n1", nat=True, subnets=("192.168.0.0/24",))
    before = host.kernel.state
    with pytest.raises(kind) as error:
        net.join("c1", "r1", ips=ips)
    assert (error.value.code, bool(error.value.hint)) == (code, True)
    assert host.kernel.state == before


def test_an_address_is_one_container_s_on_all_routed_networks(host: MemoryHost) -> None:
    net = host.net()
    for name in ("r1", "r2"):
        net.create(name, mode="routed")
    net.join("c1", "r1", ips=(IP,))
    for name in ("r1", "r2"):
        with pytest.raises(Conflict) as error:
            net.join("c2", name, ips=(IP,))
        assert error.value.code == "address-taken"
    host.remove("c1")
    net.join("c2", "r2", ips=(IP,))
    assert Route(HOST, f"{IP}/32", "", "ce-2") in host.kernel.objects.values()
    assert host.agreement() == []


def test_a_gateway_that_answers_for_all_is_nobody_in_particular(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.kernel, "answers", lambda link, address: MAC)
    net = host.net()
    net.create("r1", mode="routed")
    net.join("c1", "r1", ips=(IP,))
    with pytest.raises(Conflict):
        net.join("c2", "r1", ips=(GATEWAY,))


PLAIN = Uplink("up0", "", "02:00:00:00:00:77", 1500, True, True, True)


def test_wireless_fits_and_what_has_no_mac_does_not(host: MemoryHost) -> None:
    net = host.net()
    host.kernel.uplinks["up0"] = replace(PLAIN, wireless=True, manager="NetworkManager")
    for mode in ("bridge", "macvlan"):
        with pytest.raises(Usage) as error:
            net.create("n1", mode=mode)
        assert "--mode routed" in error.value.hint
    net.create("r1", mode="routed")
    host.kernel.uplinks["up0"] = replace(PLAIN, ethernet=False)
    with pytest.raises(Usage) as error:
        net.create("r2", mode="routed")
    assert "--nat" in error.value.hint
    host.kernel.uplinks["up0"] = replace(PLAIN, master="bond0")
    with pytest.raises(Conflict) as conflict:
        net.create("r2", mode="routed")
    assert conflict.value.code == "uplink-part"


def test_a_bridge_does_not_take_the_uplink_of_a_routed_network(host: MemoryHost) -> None:
    net = host.net()
    net.create("r1", mode="routed")
    with pytest.raises(Conflict) as error:
        net.create("n1")
    assert error.value.code == "uplink-routed"
    net.create("n2", mode="macvlan")


def test_without_ipv6_nothing_of_it_is_touched(host: MemoryHost) -> None:
    net = host.net()
    net.create("r1", mode="routed", ipv6=False)
    assert host.kernel.setting(HOST, "net/ipv6/conf/all/forwarding") == "0"
    assert host.kernel.setting(HOST, NDP) == "0"
    with pytest.raises(Usage) as error:
        net.join("c1", "r1", ips=(IP6,))
    assert error.value.code == "address-ipv6"
    net.join("c1", "r1", ips=(IP,))
    assert host.kernel.setting(HOST, "net/ipv6/conf/ce-1/disable_ipv6") == "1"


def test_repair_takes_up_what_is_ours_and_nothing_else(host: MemoryHost) -> None:
    net = host.net()
    net.create("r1", mode="routed")
    net.join("c1", "r1", ips=(IP, IP6))
    mine = Neighbour(HOST, "up0", IP)
    stale = Neighbour(HOST, "up0", "198.51.100.99")
    for step in (Remove(mine), Remove(Route(HOST, f"{IP}/32", "", "ce-1")), Add(stale)):
        host.kernel.do(step)
    net.repair()
    assert mine in host.kernel.objects.values()
    assert stale not in host.kernel.objects.values()
    assert host.agreement() == []


def test_after_a_restart_it_waits_for_its_uplink(host: MemoryHost) -> None:
    net = host.net()
    host.kernel.add_stranger("up7", "")
    for key, value in OF_A_LINK.items():
        host.kernel.set_setting(HOST, key.format("up7"), value)
    net.create("r1", mode="routed", uplink="up7")
    net.join("c1", "r1", ips=(IP,))
    net.create("n1", nat=True)
    net.join("c2", "n1")
    host.kernel.strangers.clear()
    host.kernel.reboot()
    host.container("c1", "c2")
    net.restore()
    assert not [one for one in host.kernel.objects.values() if isinstance(one, Neighbour)]
    assert [one.name for one in host.kernel.objects.values() if isinstance(one, Veth)] == ["ce-2"]
    with pytest.raises(Missing) as error:
        net.join("c2", "r1", ips=("198.51.100.21",))
    assert error.value.code == "network-waiting"
    host.kernel.add_stranger("up7", "")
    for key, value in OF_A_LINK.items():
        host.kernel.set_setting(HOST, key.format("up7"), value)
    net.repair()
    assert Neighbour(HOST, "up7", IP) in host.kernel.objects.values()
    assert host.agreement() == []


def test_the_lines_that_a_person_would_type(host: MemoryHost) -> None:
    net = host.net(dry_run=True)
    net.create("r1", mode="routed")
    assert f"sysctl -w {NDP}=1" in net.plans
    host.net().create("r1", mode="routed")
    before: Any = host.kernel.state
    net = host.net(dry_run=True)
    net.join("c1", "r1", ips=(IP, IP6))
    for line in (
        "ip link set ce-1 up alias 'c1_r1'",
        "ip address add 169.254.1.1/32 dev ce-1 scope link",
        "ip address add fe80::1/64 dev ce-1 nodad",
        "ip route add 198.51.100.20/32 dev ce-1 proto 199 scope global",
        "ip -6 route add 2001:db8:51::20/128 dev ce-1 proto 199",
        "ip neigh add proxy 198.51.100.20 dev up0 protocol 199",
        "ip neigh add proxy 2001:db8:51::20 dev up0 protocol 199",
        "ip -n c1 route add default via 169.254.1.1 dev eth0 proto 199",
        "ip -n c1 -6 route add default via fe80::1 dev eth0 proto 199",
        "arpsend -U -i 198.51.100.20 -c 1 up0",
        "ndsend 2001:db8:51::20 up0",
    ):
        assert line in net.plans, line
    assert not any("hairpin" in line for line in net.plans)
    assert host.kernel.state == before
    known = Neighbour(HOST, "up0", IP, "02:00:00:00:00:01")
    assert lines([Add(known), Remove(known), Remove(Neighbour(HOST, "up0", IP))]) == [
        "ip neigh replace 198.51.100.20 lladdr 02:00:00:00:00:01 dev up0 nud permanent protocol 199",
        "ip neigh delete 198.51.100.20 dev up0",
        "ip neigh delete proxy 198.51.100.20 dev up0",
    ]


class Running(Nobody):
    """Services that run."""

    def running(self) -> bool:
        return True


def test_a_leased_address_is_put_on_whole_and_answered_for(host: MemoryHost) -> None:
    """The service writes the address with the length of the server's prefix, and the server's gateway."""
    net = host.net(services=lambda: Running())
    host.stored(lambda store: store.finish(0, Intent(), Intent(memos=(("setting:dhcp", "on"),))))
    net.create("r1", mode="routed")
    made = net.join("c1", "r1", ips=("dhcp",), no_wait=True)
    endpoint = host.stored(lambda store: store.endpoint(made.name))
    assert (endpoint.dynamic, endpoint.addresses, endpoint.gateways) == ("dhcp", (), ("169.254.1.1",))
    leased = replace(endpoint, addresses=(f"{IP}/24",), gateways=(GATEWAY,))
    host.stored(lambda store: store.finish(0, Intent(endpoints=(endpoint,)), Intent(endpoints=(leased,))))
    net.repair()
    place = host.kernel.identify(made.path)
    wanted = {
        Address(place, "eth0", f"{IP}/32"),
        Route(place, "default4", "169.254.1.1", "eth0"),
        Route(HOST, f"{IP}/32", "", "ce-1"),
        Neighbour(HOST, "up0", IP),
    }
    assert wanted <= set(host.kernel.objects.values())
    assert not [one for one in host.kernel.objects.values() if isinstance(one, Route) and one.via == GATEWAY]
    assert host.agreement() == []
