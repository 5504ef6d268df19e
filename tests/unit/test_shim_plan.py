"""The host's own macvlan, in memory: what it is, what leads by it, what is followed, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from containernet.model.errors import ContainerNetError, Usage
from containernet.model.network import HOST
from containernet.plan.objects import HeldAddress, Macvlan, Neighbour, Route, Up
from kit.memory import HOST4, HOST6, MemoryHost

IP, IP6, VIA = "198.51.100.20", "2001:db8:51::20", "fe80::d6:87ff:fe00:1"
OWN4, OWN6 = HeldAddress("up0", f"{HOST4}/24"), HeldAddress("up0", f"{HOST6}/64")


@pytest.fixture
def host(tmp_path: Path) -> MemoryHost:
    """A host with addresses, and two containers."""
    made = MemoryHost(tmp_path / "state")
    made.remember()
    made.kernel.hold(OWN4, OWN6)
    made.container("c1", "c2")
    return made


def test_it_comes_and_goes_with_the_network(host: MemoryHost) -> None:
    before = host.kernel.state
    net = host.net()
    made = net.create("m1", mode="macvlan", shim=True)
    assert (made.kind, made.bridge, made.subnets, made.gateways) == ("macvlan", "", (), ())
    view = net.join("c1", "m1", ips=(f"{IP}/24", f"{IP6}/64"))
    assert (view.addresses, view.gateways) == ((f"{IP}/24", f"{IP6}/64"), ())
    place, there = host.kernel.identify(view.path), set(host.kernel.objects.values())
    wanted = {
        Macvlan(HOST, "cn-1", made.mac, 1500, "up0", 1234567, "m1"),
        Up(HOST, "cn-1"),
        Route(HOST, f"{IP}/32", "", "cn-1", source=HOST4),
        Route(HOST, f"{IP6}/128", "", "cn-1"),
        Neighbour(HOST, "cn-1", IP, view.mac),
        Neighbour(HOST, "cn-1", IP6, view.mac),
        Route(place, f"{HOST6}/128", VIA, "eth0"),
    }
    assert wanted <= there, wanted - there
    assert host.kernel.setting(HOST, "net/ipv4/conf/cn-1/arp_filter") == "1"
    assert host.kernel.setting(HOST, "net/ipv6/conf/cn-1/accept_ra") == "0"
    assert host.agreement() == []
    net.leave("c1", "m1")
    assert not [one for one in host.kernel.objects.values() if isinstance(one, Neighbour | Route)]
    net.destroy("m1")
    assert host.kernel.state == before


def test_the_host_s_addresses_are_followed(host: MemoryHost) -> None:
    net = host.net()
    net.create("m1", mode="macvlan", shim=True)
    view = net.join("c1", "m1", ips=(f"{IP}/24", f"{IP6}/64"))
    place = host.kernel.identify(view.path)
    for one in (OWN4, OWN6):
        del host.kernel.objects[one.identity]
    assert host.net().status().drift == ()  # without any, for a moment, it stays as it is
    for new in (HeldAddress("up0", "198.51.100.7/24"), HeldAddress("up0", "2001:db8:51::7/64")):
        host.kernel.objects[new.identity] = new
    net.repair()
    there = set(host.kernel.objects.values())
    assert Route(HOST, f"{IP}/32", "", "cn-1", source="198.51.100.7") in there
    assert Route(place, "2001:db8:51::7/128", VIA, "eth0") in there
    assert Route(place, f"{HOST6}/128", VIA, "eth0") not in there
    assert host.agreement() == []


def test_it_waits_for_its_uplink(host: MemoryHost) -> None:
    net = host.net()
    host.kernel.add_stranger("up7", "")
    net.create("m1", mode="macvlan", shim=True, uplink="up7")
    net.create("n1", nat=True)
    net.join("c2", "n1")
    host.kernel.strangers.clear()
    host.kernel.reboot()
    host.container("c1", "c2")
    net.restore()
    assert ("macvlan", HOST, "cn-1") not in host.kernel.objects
    assert host.agreement() == []
    host.kernel.add_stranger("up7", "")
    net.repair()
    assert ("macvlan", HOST, "cn-1") in host.kernel.objects


WRONG: tuple[dict[str, Any], ...] = ({"nat": True}, {"internal": True}, {"mode": "routed"}, {"mode": "bridge"}, {})


@pytest.mark.parametrize("options", WRONG)
def test_what_needs_none(host: MemoryHost, options: dict[str, Any]) -> None:
    before = host.kernel.state
    with pytest.raises(Usage) as error:
        host.net().create("m1", shim=True, **options)
    assert (error.value.code, bool(error.value.hint)) == ("shim-nothing", True)
    assert host.kernel.state == before


def test_a_routed_network_beside_it(host: MemoryHost) -> None:
    """The LAN's subnet, which a shim's network knows, is not its own."""
    host.kernel.silent |= {"198.51.100.30"}
    net = host.net()
    net.create("m1", mode="macvlan", shim=True)
    net.create("r1", mode="routed")
    assert net.join("c1", "r1", ips=("198.51.100.30",)).addresses == ("198.51.100.30/32",)
    assert not [one for one in net.doctor() if one.code == "route-overlap"]


def test_the_lines_that_a_person_would_type(host: MemoryHost) -> None:
    host.net().create("m1", mode="macvlan", shim=True)
    net = host.net(dry_run=True)
    net.join("c1", "m1", ips=(f"{IP}/24",))
    mac = "02:d6:87:80:00:01"
    assert "ip route add 198.51.100.20/32 dev cn-1 proto 199 scope global src 198.51.100.1" in net.plans
    assert f"ip neigh replace {IP} lladdr {mac} dev cn-1 nud permanent protocol 199" in net.plans
    other = host.net(dry_run=True)
    other.create("m2", mode="macvlan", shim=True)
    line = "ip link add link up0 name cn-2 address 02:d6:87:00:00:02 mtu 1500 group 1234567 type macvlan mode bridge"
    assert line in other.plans


def test_another_s_link_of_its_name_stays(host: MemoryHost) -> None:
    host.kernel.add_stranger("cn-1", "macvlan")
    with pytest.raises(ContainerNetError):
        host.net().create("m1", mode="macvlan", shim=True)
    assert host.kernel.strangers["cn-1"] == "macvlan"
