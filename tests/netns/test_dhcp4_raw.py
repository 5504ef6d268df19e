"""Leases for containers that the host routes for: by frames of the uplink, with its one MAC address, from real servers.

The rule of this file: the host's half (route, proxy entry) is made by ``ip``, as a routed network has it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from containernet.model.lease import Lease
from containernet.model.network import Place
from containernet.services.dhcp4.message import ACK
from kit.dhcp import SERVERS, Server, Udhcpd
from kit.dhcp_lan import Lan
from kit.dhcp_process import FileHands, setup_of
from kit.lab import Lab
from kit.space import eventually

ROUTER = """
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.neigh.up0.proxy_delay=0
"""
PLUG = """
ip netns add {0}
ip link add ce-{0} type veth peer name eth0 netns {0}
ip link set ce-{0} up
ip addr add 169.254.1.1/32 scope link dev ce-{0}
ip -n {0} link set eth0 up
ip -n {0} route add 169.254.1.1 dev eth0
ip -n {0} route add default via 169.254.1.1
"""


class RoutedHands(FileHands):
    """Hands that put an address on a container, and have the host lead to it and answer for it."""

    def __init__(self, directory: Path, lab: Lab) -> None:
        super().__init__(directory)
        self.lab = lab

    def configure(self, key: str, lease: Lease, before: Lease | None) -> None:
        if before and before.address != lease.address:
            self.unconfigure(key, before, "another")
        if f"{lease.address}/32" not in self.lab.host.sh(f"ip -n {key} addr"):
            self.lab.host.sh(
                f"ip -n {key} addr add {lease.address}/32 dev eth0\n"
                f"ip route add {lease.address}/32 dev ce-{key} scope global\n"
                f"ip neigh add proxy {lease.address} dev up0"
            )
        self.note(key, "configure", lease.cidr)

    def unconfigure(self, key: str, lease: Lease, reason: str) -> None:
        self.lab.host.sh(
            f"ip neigh del proxy {lease.address} dev up0\n"
            f"ip route del {lease.address}/32; ip -n {key} addr del {lease.address}/32 dev eth0"
        )
        self.note(key, "unconfigure", reason)


class Routed(Lan):
    """Containers that the host routes for; their clients are all in the host's namespace."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        super().__init__(lab, directory)
        lab.host.sh("ip link set up0 nomaster; ip link del br0; ip addr add 198.51.100.1/24 dev up0" + ROUTER)
        self.hands = RoutedHands(directory, lab)
        self.uplink = lab.host.json("ip", "-j", "link", "show", "dev", "up0")[0]["address"]
        self.here: Place = self.spaces.identify(f"/proc/{lab.pid}/ns/net")
        self.reborn()

    def plug(self, *keys: str) -> None:
        for key in keys:
            self.lab.host.sh(PLUG.format(key))
            self.containers[key] = self.lab.inside(key)

    def add(self, key: str, lease: Lease | None = None, *, configured: bool = False, **setup: object) -> None:
        made = setup_of(key, self.uplink, **{"raw": True, "broadcast": True, **setup})
        self.engine.add(key, self.here, "up0", made, lease, configured)

    def sent(self, **want: object) -> dict[str, object]:
        """Return the last frame to a server of this kind that was seen outside."""
        frame = self.lab.lan.sniffed(dport=67, **want)
        assert frame is not None, want
        return frame


@pytest.mark.parametrize("name", [name for name in SERVERS if name != Udhcpd.name])
def test_two_containers_one_mac_address(lab: Lab, tmp_path: Path, name: str) -> None:
    with Routed(lab, tmp_path / "kept") as lan, SERVERS[name](lab.lan, "lan0", tmp_path / "server") as server:
        lan.plug("c1", "c2")
        lab.lan.sniff("lan0")
        one, two = lan.leased("c1"), lan.leased("c2")
        assert one.address != two.address
        assert server.has(one.address)
        assert server.has(two.address)
        for held, key in ((one, "c1"), (two, "c2")):
            assert lab.lan.ping(held.address)
            assert lan.containers[key].ping(server.own)
        renewed(lan, one)
        rebound(lan, server)
        restarted(lan)
        released(lan, server)
        assert lab.lan.ping(two.address)
        assert lab.lan.sniffed(0.5, what="nothing") is None
        assert lab.lan.peer.ask("sources", key="wire")["sources"] == [lan.uplink]


def renewed(lan: Routed, one: Lease) -> None:
    """RENEW goes from the leased address to the server's MAC address, and is heard of."""
    far = lan.lab.lan.json("ip", "-j", "link", "show", "dev", "lan0")[0]["address"]
    lan.skip(30)
    lan.engine.renew("c1")
    assert lan.renewed("c1", one)
    assert lan.lease("c1").address == one.address
    assert lan.sent(src=one.address, dst=one.server)["destination"] == far


def rebound(lan: Routed, server: Server) -> None:
    """A server that is away from T1 on, and back by T2, is asked by broadcast."""
    before = lan.lease("c1")
    server.stop()
    lan.skip(before.renew_at - lan.engine.clock())
    assert lan.name("c1") == "RENEWING"
    server.start()
    lan.skip(before.rebind_at - lan.engine.clock())
    assert lan.renewed("c1", before)
    assert lan.lease("c1").address == before.address
    assert lan.sent(src=before.address, dst="255.255.255.255")["destination"] == "ff:ff:ff:ff:ff:ff"


def restarted(lan: Routed) -> None:
    """After a restart of the process the MAC address of the server is not known: RENEW goes to all, and is answered."""
    before = lan.lease("c1")
    lan.reborn()
    for key in ("c1", "c2"):
        lan.add(key, lan.hands.kept(key), configured=True, probe="off")
        lan.bound(key)
    assert lan.lease("c1").address == before.address
    assert not lan.did("c1", "unconfigure")
    again = lan.lease("c1")
    lan.engine._clients["c1"]._nearby.clear()
    lan.skip(30)
    lan.engine.renew("c1")
    assert lan.renewed("c1", again)


def released(lan: Routed, server: Server) -> None:
    """RELEASE is sent from the leased address, and the server has heard it."""
    held = lan.lease("c1")
    lan.engine.release("c1")
    assert lan.until(lambda: "c1" not in lan.engine)
    assert lan.did("c1", "unconfigure") == ["released"]
    assert eventually(lambda: server.has(held.address, False))


def test_an_address_that_somebody_has_is_declined(lab: Lab, tmp_path: Path) -> None:
    server = SERVERS["dnsmasq"](lab.lan, "lan0", tmp_path / "server", first=50, last=51)
    with Routed(lab, tmp_path / "kept") as lan, server:
        lab.lan.sh("ip addr add 198.51.100.50/24 dev lan0")
        lan.plug("c1")
        assert lan.leased("c1").address == "198.51.100.51"


def test_a_server_that_goes_by_the_mac_address_has_one_address_for_all(lab: Lab, tmp_path: Path) -> None:
    """busybox udhcpd knows clients by their MAC address only: there, leases for routed containers cannot be."""
    with Routed(lab, tmp_path / "kept") as lan, Udhcpd(lab.lan, "lan0", tmp_path / "server"):
        lan.plug("c1", "c2")
        first = lan.leased("c1", probe="off")
        lan.engine.remove("c1")
        lan.hands.unconfigure("c1", first, "to see")
        assert lan.leased("c2", probe="off").address == first.address
        assert {one.yiaddr for one in lan.replies if one.kind == ACK} == {first.address}
