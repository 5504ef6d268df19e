"""The questions of the door, and taking pairs away: the same answers in memory and from Linux."""

from __future__ import annotations

import socket
import subprocess

import pytest
import things
from things import BRIDGE, GROUP, TABLE, everything, make, veth
from worlds import Real, World, shell

from containernet.kernel.door import DENIED, EXISTS, Chain, KernelError, Link, Surroundings, WayOut
from containernet.model.errors import NotFound
from containernet.model.network import HOST
from containernet.model.record import replace
from containernet.plan.objects import Bridge, Route, Up
from containernet.plan.operations import Add, Change, Cut, Remove


def test_links_and_addresses_of_the_host(world: World) -> None:
    make(world.kernel, [BRIDGE, things.GATEWAY4, things.GATEWAY6])
    assert world.kernel.exists("cn-1")
    assert "cn-1" in world.kernel.link_names()
    assert not world.kernel.exists("cn-2")
    assert world.kernel.has_address("10.7.0.1")
    assert not world.kernel.has_address("10.7.0.9")
    assert not world.kernel.has_address("fd07::9")


def test_without_a_default_route_there_is_no_way_out(world: World) -> None:
    make(world.kernel, [BRIDGE, things.GATEWAY4])
    assert world.kernel.way_out().link == ""
    assert world.kernel.way_out("cn-9") == WayOut()


def test_the_way_out_by_a_link_is_its_own(world: World) -> None:
    make(world.kernel, [BRIDGE, things.GATEWAY4, things.GATEWAY6])
    if isinstance(world, Real):
        wanted = WayOut("cn-1", "10.7.0.1/24", "cn-1", "fd07::1/64", BRIDGE.mtu)
    else:
        link = Link("cn-1", "bridge", True, BRIDGE.mtu, GROUP, ("10.7.0.1/24", "fd07::1/64"))
        world.kernel.foreign[HOST] = Surroundings((link,), ())
        wanted = WayOut("cn-1", "10.7.0.1/24", "cn-1", "fd07::1/64", BRIDGE.mtu)
    assert world.kernel.way_out("cn-1") == wanted


def test_pairs_that_are_there_are_taken_and_strangers_are_not(world: World) -> None:
    place = world.namespace("c1")
    pairs = [veth(place, number, f"e{number}") for number in range(1, 5)]
    make(world.kernel, [BRIDGE, *pairs])
    world.delete_link("ce-2")
    world.kernel.take(pairs[:1], [Cut(4), Cut(6)])
    assert world.kernel.missing(pairs) == pairs[:2]
    world.kernel.take(pairs[:3], [])  # two of them are gone already
    assert world.kernel.missing(pairs) == pairs[:3]
    with pytest.raises(KernelError) as refusal:
        world.kernel.take([replace(pairs[3], group=GROUP + 1)], [])
    assert refusal.value.reason == EXISTS
    world.kernel.take(pairs, [Cut(4)])
    assert world.kernel.missing(pairs) == pairs


def test_a_route_is_put_in_the_place_of_another_or_of_none(world: World) -> None:
    place = world.namespace("c1")
    make(world.kernel, [BRIDGE, things.GATEWAY4, things.GATEWAY6, *things.inside(place)])
    for old, new in (
        (Route(place, "default4", "10.7.0.1", "eth0"), Route(place, "default4", "10.7.0.9", "eth0")),
        (Route(place, "default6", "fd07::1", "eth0"), Route(place, "default6", "fd07::9", "eth0")),
    ):
        world.kernel.do(Change(old, new))
        assert world.kernel.missing([old, new]) == [old]
        world.kernel.do(Remove(new))
        world.kernel.do(Change(new, old))
        assert world.kernel.missing([old, new]) == [new]


def test_the_way_out_is_what_the_routes_say(real: Real) -> None:
    place = real.namespace("c1")
    uplink = Bridge("cn-9", "02:00:00:00:00:99", 1420, GROUP, "")
    make(real.kernel, [uplink, replace(veth(place, 9), bridge="cn-9", mtu=1420), Up(place, "eth0")])
    shell("ip addr add 198.51.100.1/24 dev cn-9")
    shell("ip -6 addr add 2001:db8:51::1/64 dev cn-9 nodad")
    shell("ip route add default via 198.51.100.2 src 198.51.100.1")
    assert real.kernel.way_out() == WayOut("cn-9", "198.51.100.1/24", "", "", 1420)
    shell("ip -6 route add default via 2001:db8:51::2")
    assert real.kernel.way_out() == WayOut("cn-9", "198.51.100.1/24", "cn-9", "2001:db8:51::1/64", 1420)


def test_chains_of_others_that_see_forwarded_packets(real: Real) -> None:
    make(real.kernel, [TABLE])
    assert real.kernel.chains() == ()
    shell("nft add table ip filter")
    shell("nft add chain ip filter FORWARD { type filter hook forward priority 0 ; policy drop ; }")
    shell("nft add chain ip filter INPUT { type filter hook input priority 0 ; policy drop ; }")
    shell("nft add table inet other")
    shell("nft add chain inet other f { type filter hook forward priority 5 ; }")
    assert set(real.kernel.chains()) == {Chain("ip", "filter", "FORWARD", True), Chain("inet", "other", "f", False)}


def test_without_capabilities_nothing_is_permitted(real: Real) -> None:
    real.kernel.permit()
    code = (
        "from containernet.kernel.linux import Linux\nfrom containernet.kernel.door import KernelError\n"
        "try:\n    Linux().permit()\nexcept KernelError as error:\n    print(error.reason)\n"
    )
    command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", __import__("sys").executable, "-c", code]
    environment = {"PYTHONPATH": "src", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == DENIED


def test_a_child_waits_in_its_place_and_is_ended_with_what_it_left(real: Real) -> None:
    make(real.kernel, [BRIDGE])
    reading, writing = socket.socketpair()
    writing.set_inheritable(True)
    script = f"(sleep 60 >&{writing.fileno()} & ) ; ip -o link show lo up >&{writing.fileno()}; exit 7"
    child = real.kernel.start(("bash", "-c", script), "")
    place = real.kernel.identify(child.path)
    real.kernel.do(Add(Up(place, "lo")))
    child.go()
    assert child.wait() == 7
    writing.close()
    child.end()
    reading.settimeout(5)
    heard = b""
    while piece := reading.recv(4096):  # it ends when the last of them has ended
        heard += piece
    assert b"LOOPBACK,UP" in heard
    reading.close()


def test_a_command_that_is_not_there(real: Real) -> None:
    child = real.kernel.start(("/no/such/command",), "")
    with pytest.raises(NotFound):
        child.go()
    child.end()


def test_nothing_of_a_stranger_is_removed_by_name(world: World) -> None:
    world.stranger("ce-7")
    place = world.namespace("c1")
    with pytest.raises(KernelError) as refusal:
        world.kernel.do(Remove(veth(place, 7)))
    assert refusal.value.reason == EXISTS
    make(world.kernel, everything(place))
    assert world.kernel.exists("ce-7")
