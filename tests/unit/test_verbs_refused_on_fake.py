"""What the verbs refuse on a kernel in memory: by which error, with a hint, and nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from containernet.bootstrap import ContainerNet
from containernet.kernel.door import Link, Surroundings
from containernet.model.errors import Conflict, ContainerNetError, Missing, NotFound, Taken, Usage
from containernet.model.network import HOST
from containernet.plan.objects import Table
from containernet.plan.operations import Add
from containernet.plan.ruleset import TEXT
from kit.memory import AROUND, HOST4, HOST6, UPLINK, MemoryHost, directories

Do = Callable[[ContainerNet], Any]


@pytest.fixture
def host() -> Iterator[MemoryHost]:
    """A network behind NAT with c1 (twice, with ports) and c2, another with c2, an internal one with c3."""
    with directories() as places:
        made = MemoryHost(next(places))
        made.container("c1", "c2", "c3", "free")
        net = made.net()
        net.create("n1", nat=True, subnets=("10.7.0.0/24", "fd07::/64"))
        net.create("four", nat=True, ipv6=False)
        net.create("inner", internal=True)
        net.join("c1", "n1", ips=("10.7.0.7",), mac="02:00:00:00:00:aa", publish=("8080-8089:80", "5353:53/udp"))
        net.join("c1", "n1", interface="second")
        net.join("c2", "n1", publish=(f"{HOST4}:9090:90",))
        net.join("c2", "four")
        net.join("c3", "inner")
        made.kernel.bind_port("tcp", "", 22, "pid 22 (sshd)")
        made.kernel.bind_port("tcp", "127.0.0.1", 631, "pid 63 (cupsd)")
        made.kernel.add_stranger("cn-77")
        yield made


REFUSED: dict[str, tuple[type[ContainerNetError], Do]] = {
    # create
    "network-exists": (Conflict, lambda net: net.create("n1", nat=True)),
    "kind-both": (Usage, lambda net: net.create("x", nat=True, internal=True)),
    "subnet-taken": (Conflict, lambda net: net.create("x", nat=True, subnets=("10.7.0.128/25",))),
    "subnet-taken, by a route": (Conflict, lambda net: net.create("x", nat=True, subnets=("198.51.0.0/16",))),
    "uplink-not-found": (NotFound, lambda net: net.create("x", nat=True, uplink="up7")),
    "interface-invalid, as an uplink": (Usage, lambda net: net.create("x", nat=True, uplink="a/b")),
    "address-not-ours": (NotFound, lambda net: net.create("x", nat=True, external_address="192.0.2.1")),
    "address-not-ours, loopback": (NotFound, lambda net: net.create("x", nat=True, external_address="127.0.0.1")),
    "internal-outside": (Usage, lambda net: net.create("x", internal=True, uplink="up0")),
    "gateway-outside": (Usage, lambda net: net.create("x", nat=True, gateways=("10.9.0.1",))),
    "subnet-ipv6": (Usage, lambda net: net.create("x", nat=True, ipv6=False, subnets=("fd99::/64",))),
    "mtu-invalid": (Usage, lambda net: net.create("x", nat=True, mtu=1000)),
    "name-invalid": (Usage, lambda net: net.create("a b", nat=True)),
    # destroy
    "network-not-found": (NotFound, lambda net: net.destroy("x")),
    "network-in-use": (Conflict, lambda net: net.destroy("n1")),
    # join
    "network-not-found, to join": (NotFound, lambda net: net.join("free", "x")),
    "container-not-found": (NotFound, lambda net: net.join("nobody", "n1")),
    "address-outside": (Usage, lambda net: net.join("free", "n1", ips=("10.8.0.7",))),
    "address-taken": (Conflict, lambda net: net.join("free", "n1", ips=("10.7.0.7",))),
    "address-reserved, the gateway's": (Usage, lambda net: net.join("free", "n1", ips=("10.7.0.1",))),
    "address-reserved, the network's": (Usage, lambda net: net.join("free", "n1", ips=("10.7.0.0",))),
    "address-reserved, broadcast": (Usage, lambda net: net.join("free", "n1", ips=("10.7.0.255",))),
    "address-reserved, anycast": (Usage, lambda net: net.join("free", "n1", ips=("fd07::",))),
    "address-many": (Usage, lambda net: net.join("free", "n1", ips=("10.7.0.8", "10.7.0.9"))),
    "address-invalid": (Usage, lambda net: net.join("free", "n1", ips=("10.7.0",))),
    "mac-taken": (Conflict, lambda net: net.join("free", "n1", mac="02:00:00:00:00:AA")),
    "mac-invalid": (Usage, lambda net: net.join("free", "n1", mac="03:00:00:00:00:aa")),
    "interface-exists": (Conflict, lambda net: net.join("c1", "four", interface="second")),
    "interface-invalid": (Usage, lambda net: net.join("free", "n1", interface="lo")),
    "priority-invalid": (Usage, lambda net: net.join("free", "n1", priority=-1)),
    "network-internal": (Usage, lambda net: net.join("free", "inner", publish=("7000:70",))),
    "port-mapped": (Conflict, lambda net: net.join("free", "n1", publish=("7000:70", "8089:80"))),
    "port-twice": (Usage, lambda net: net.join("free", "n1", publish=("7000-7005:70", "7005:70"))),
    "port-twice, by a wildcard": (Usage, lambda net: net.join("free", "n1", publish=("7000:70", f"{HOST4}:7000:70"))),
    "port-listened": (Taken, lambda net: net.join("free", "n1", publish=("22:22",))),
    "publish-invalid": (Usage, lambda net: net.join("free", "n1", publish=("80",))),
    # leave
    "endpoint-ambiguous": (Conflict, lambda net: net.leave("c1", "n1")),
    "endpoint-not-found": (NotFound, lambda net: net.leave("c1", "n1", endpoint="c2_n1")),
    "not-joined": (NotFound, lambda net: net.leave("c3", "n1")),
    "not-joined, to anything": (NotFound, lambda net: net.leave("free", "n1")),
    "container-not-found, to leave": (NotFound, lambda net: net.leave("nobody", "n1")),
    # open
    "port-mapped, a range": (Conflict, lambda net: net.open("c2", "n1", internal_port=1, external_port="8000-8080")),
    "port-mapped, on one address": (
        Conflict, lambda net: net.open("c2", "n1", internal_port=1, external_port=8080, external_address=HOST4)
    ),
    "port-mapped, by one address": (Conflict, lambda net: net.open("c2", "n1", internal_port=1, external_port=9090)),
    "port-listened, in a range": (Taken, lambda net: net.open("c2", "n1", internal_port=1, external_port="20-25")),
    "address-version": (
        Usage, lambda net: net.open("c2", "four", internal_port=1, external_port=1, external_address=HOST6)
    ),
    "address-not-ours, to open at": (
        NotFound, lambda net: net.open("c2", "n1", internal_port=1, external_port=1, external_address="192.0.2.1")
    ),
    "endpoint-ambiguous, to open": (Conflict, lambda net: net.open("c1", "n1", internal_port=1)),
    "network-internal, to open": (Usage, lambda net: net.open("c3", "inner", internal_port=1)),
    "port-sizes": (Usage, lambda net: net.open("c2", "n1", internal_port="1-2", external_port="1-3")),
    "prefix-invalid": (Usage, lambda net: net.open("c2", "n1", internal_port=1, remotes=("everybody",))),
    # close
    "mapping-not-found": (NotFound, lambda net: net.close("c1", "n1", external_port=8080)),
    "mapping-not-found, by its number": (NotFound, lambda net: net.close(id=99)),
    "mapping-not-found, of another": (NotFound, lambda net: net.close("c2", "n1", external_port="8080-8089")),
    "port-invalid": (Usage, lambda net: net.close("c1", "n1")),
    # the rest
    "network-not-found, to get": (NotFound, lambda net: net.get("x")),
    "not-joined, to show": (NotFound, lambda net: net.endpoint("free")),
    "setting-not-found": (NotFound, lambda net: net.config_set("no-such", "1")),
    "port-invalid, as a setting": (Usage, lambda net: net.config_set("port-range", "9-1")),
    "pool-invalid": (Usage, lambda net: net.config_set("subnet-pool", "10.0.0.0/25")),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_and_nothing_has_changed(host: MemoryHost, what: str) -> None:
    kind, verb = REFUSED[what]
    world, intent, cuts = host.kernel.state, host.intent, len(host.kernel.cuts)
    with pytest.raises(kind) as refusal:
        verb(host.net())
    assert refusal.value.code == what.partition(",")[0]
    assert refusal.value.sentence.endswith(".")
    assert refusal.value.hint.endswith(".")
    assert (host.kernel.state, host.intent, len(host.kernel.cuts)) == (world, intent, cuts)


def refused(kind: type[ContainerNetError], verb: Callable[[], Any]) -> str:
    with pytest.raises(kind) as refusal:
        verb()
    return refusal.value.code


def test_a_process_on_loopback_is_in_nobodys_way(host: MemoryHost) -> None:
    assert host.net().open("c2", "n1", internal_port=1, external_port=631).active


def test_a_subnet_that_is_full(host: MemoryHost) -> None:
    net = host.net()
    net.create("small", nat=True, subnets=("10.6.0.0/29",), ipv6=False)
    host.container(*(f"m{number}" for number in range(6)))
    for number in range(5):
        net.join(f"m{number}", "small")
    assert refused(Conflict, lambda: net.join("m5", "small")) == "addresses-exhausted"
    host.remove("m2")
    assert net.join("m5", "small").addresses == ("10.6.0.4/29",), "what a vanished container had is free"
    assert {view.container for view in net.endpoint(network="small")} == {"m0", "m1", "m3", "m4", "m5"}
    assert host.agreement() == []


def test_ports_that_are_used_up(host: MemoryHost) -> None:
    net = host.net()
    net.config_set("port-range", "50000-50002")
    net.open("c2", "n1", internal_port="1-2")
    assert refused(Conflict, lambda: net.open("c2", "n1", internal_port="1-2")) == "ports-exhausted"
    net.open("c2", "n1", internal_port=1)
    assert refused(Conflict, lambda: net.open("c2", "n1", internal_port=1)) == "ports-exhausted"
    assert net.open("c2", "n1", internal_port=1, protocol="udp").external_first == 50000


def test_a_pool_that_is_used_up(host: MemoryHost) -> None:
    net = host.net()
    net.config_set("subnet-pool", "10.9.0.0/23")
    net.create("a", nat=True)
    net.create("b", nat=True)
    assert refused(Conflict, lambda: net.create("c", nat=True)) == "pool-full"


def test_another_stores_table(host: MemoryHost) -> None:
    host.kernel.flush_ruleset()
    host.kernel.do(Add(Table(7, TEXT)))
    before = host.kernel.state
    assert refused(Taken, lambda: host.net().create("x", nat=True)) == "table-taken"
    assert refused(Taken, lambda: host.net().repair()) == "table-taken"
    assert host.kernel.state == before


def test_links_of_somebody_else_with_our_next_names(host: MemoryHost) -> None:
    for name in ("cn-4", "ce-6"):
        host.kernel.add_stranger(name)
    net = host.net()
    assert net.create("x", nat=True).bridge == "cn-5"
    assert net.join("free", "x").host_link == "ce-7"
    assert {"cn-4", "ce-6"} <= set(host.kernel.strangers)
    assert host.agreement() == []


def test_a_link_of_somebody_else_where_ours_was(host: MemoryHost) -> None:
    net = host.net()
    host.kernel.delete_link("cn-1")
    host.kernel.add_stranger("cn-1")
    before = host.kernel.state
    assert refused(Taken, net.repair) == "taken"
    assert host.kernel.strangers["cn-1"]
    host.kernel.delete_link("cn-1")
    net.repair()
    assert host.agreement() == []
    assert before != host.kernel.state


def test_no_ipv6_on_the_host(host: MemoryHost) -> None:
    host.kernel.set_setting(HOST, "net/ipv6/conf/all/disable_ipv6", "1")
    assert refused(Missing, lambda: host.net().create("x", nat=True, subnets=("fd99::/64",))) == "ipv6-missing"


def test_addresses_that_the_host_has_meanwhile(host: MemoryHost) -> None:
    host.kernel.foreign[HOST] = Surroundings(
        (UPLINK, Link("vpn0", "tun", True, 1400, 0, ("10.66.0.5/16",))), (*AROUND.routes, "172.30.0.0/16"), "up0", "up0"
    )
    net = host.net()
    for subnet in ("10.66.9.0/24", "172.30.255.0/24"):
        assert refused(Conflict, lambda subnet=subnet: net.create("x", nat=True, subnets=(subnet,))) == "subnet-taken"


def test_two_containers_of_one_name(host: MemoryHost) -> None:
    """A name stands for one compartment; while that is there, no other can take it."""
    host.container("other")
    moved = host.kernel.identify("/run/netns/other")

    class Renamed(MemoryHost):
        def find(self, text: str) -> Any:
            found = super().find("other" if text == "c2" else text)
            return type(found)("c2", moved.path) if text == "c2" else found

    twin = Renamed(host.where, host.kernel)
    assert refused(Conflict, lambda: twin.net().join("c2", "four")) == "container-name-taken"
