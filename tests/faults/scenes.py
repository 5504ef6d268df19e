"""The verbs that are stopped, each in a world that gives it the most to do.

The rule of this file: a scene is a host that is ready, and one call of the tool; both come out the same each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containernet.bootstrap import ContainerNet
from containernet.model.network import HOST
from containernet.plan.objects import HeldAddress
from kit import leases
from kit.leases import LanHost, got, lost, written_or_raised
from kit.leasing import lease
from kit.memory import HOST4, HOST6, MemoryHost

PORTS = ("9000-9003:9000", "53:53/udp")
MAC = "02:00:00:00:00:aa"
ROUTED = tuple(f"198.51.100.{number}" for number in (20, 21, 22, 23))
ROUTED6 = tuple(f"2001:db8:51::{number}" for number in (20, 21, 22, 23))
REMOTES = ("198.51.100.0/24", "2001:db8:51::/64")


@dataclass(frozen=True)
class Scene:
    """What is there before, and the verb."""

    prepare: Callable[[MemoryHost], None]
    verb: Callable[[ContainerNet], Any]
    unseen: bool = False  # what is to be mended is seen by who looks at everything only
    host: type[MemoryHost] = MemoryHost


def empty(host: MemoryHost) -> None:
    host.remember()
    host.container("c1")


def town(host: MemoryHost) -> None:
    """Three networks behind NAT, one internal, five containers, one of them on three networks, ports of all kinds."""
    empty(host)
    host.container("c2", "c3", "c4", "c5")
    net = host.net()
    for name in ("n1", "n2", "n3"):
        net.create(name, nat=True, external_address=HOST4 if name == "n2" else "")
    net.create("inner", internal=True)
    net.join("c1", "n1", publish=("8080:80", "8443:443/tcp"))
    net.join("c1", "n2", publish=(f"{HOST4}:5000-5003:5000/udp",))
    net.join("c1", "inner")
    net.join("c2", "n1", interface="web0")
    net.join("c2", "n1")
    net.join("c3", "n2")
    net.join("c4", "inner")
    net.open("c2", "n1", internal_port=22, external_port=2222, endpoint="c2_n1_2", remotes=REMOTES)


def leased(host: MemoryHost) -> None:
    """The town, in which a server has told two containers of DNS servers; one of them had a file of its own."""
    town(host)
    host.kernel.put_file("c3", "nameserver 192.0.2.1\n")
    for container, network in (("c1", "n2"), ("c3", "n2")):
        lease(host.net(), container, network, dns=("192.0.2.53",), domain="example.org")


def damaged(host: MemoryHost) -> None:
    leased(host)
    host.kernel.edit_file("c1")
    host.kernel.delete_file("c3")


def street(host: MemoryHost) -> None:
    """Two networks that the host routes for, a container on both, another on one, nobody else on the LAN."""
    empty(host)
    host.container("c2", "c3")
    host.kernel.silent |= {*ROUTED, *ROUTED6}
    net = host.net()
    for name in ("r1", "r2"):
        net.create(name, mode="routed")
    net.join("c1", "r1", ips=(ROUTED[0], ROUTED6[0]))
    net.join("c1", "r2", ips=(ROUTED[1],))
    net.join("c2", "r1", ips=(ROUTED[2], ROUTED6[2]))


def deserted(host: MemoryHost) -> None:
    """One of them has vanished."""
    street(host)
    host.remove("c2")


def yard(host: MemoryHost) -> None:
    """A network of macvlans with a shim, two containers on it."""
    empty(host)
    host.container("c2", "c3")
    host.kernel.hold(HeldAddress("up0", f"{HOST4}/24"), HeldAddress("up0", f"{HOST6}/64"))
    net = host.net()
    net.create("m1", mode="macvlan", shim=True)
    net.join("c1", "m1", ips=(f"{ROUTED[0]}/24", f"{ROUTED6[0]}/64"))
    net.join("c2", "m1", ips=(f"{ROUTED[1]}/24",))


def damaged_yard(host: MemoryHost) -> None:
    yard(host)
    host.kernel.delete_link("cn-1")
    host.kernel.objects.pop(("held address", "up0", f"{HOST6}/64"))


def last_routed(host: MemoryHost) -> None:
    street(host)
    net = host.net()
    net.destroy("r2", force=True)


def last(host: MemoryHost) -> None:
    empty(host)
    host.net().create("n1", nat=True)


def flushed(host: MemoryHost) -> None:
    town(host)
    host.kernel.flush_ruleset()
    host.kernel.delete_link("cn-1")
    host.kernel.delete_link("ce-2")


def damaged_street(host: MemoryHost) -> None:
    street(host)
    host.kernel.delete_link("ce-1")
    host.kernel.objects.pop(("neighbour", HOST, "up0", ROUTED[1], True))
    host.kernel.set_setting(HOST, "net/ipv6/conf/up0/proxy_ndp", "0")


def rebooted(host: MemoryHost) -> None:
    leased(host)
    host.kernel.reboot()
    host.container("c1", "c2", "c3", "c5")


def restarted(host: MemoryHost) -> None:
    """A container has ended and is there again, with another namespace under its name."""
    town(host)
    host.container("c1")


def on_lan(host: MemoryHost) -> None:
    """A LAN: two containers have leases, one waits for his first."""
    leases.prepare(host)


def on_a_lan(verb: Callable[[Any], Any]) -> Scene:
    return Scene(on_lan, verb, host=LanHost)


VERBS = {
    "create behind NAT, the first": Scene(empty, lambda net: net.create("n1", nat=True, labels=("a=b",))),
    "create internal": Scene(town, lambda net: net.create("n9", internal=True)),
    "join": Scene(town, lambda net: net.join("c5", "n1")),
    "join once more, with ports": Scene(
        town, lambda net: net.join("c3", "n2", publish=("9000-9003:9000", "53:53/udp"))
    ),
    "join a third network, with priority": Scene(
        town, lambda net: net.join("c1", "n3", priority=5, mac="02:00:00:00:00:aa")
    ),
    "open a range to some": Scene(
        town,
        lambda net: net.open("c3", "n2", internal_port="7000-7003", external_port="7000-7003", remotes=REMOTES),
    ),
    "close": Scene(town, lambda net: net.close("c2", "n1", external_port=2222)),
    "leave, another takes over": Scene(town, lambda net: net.leave("c1", "n1")),
    "leave, the last": Scene(town, lambda net: net.leave("c3", "n2")),
    "a lease that says which servers to ask": Scene(
        leased,
        lambda net: lease(net, "c4", "inner", dns=("192.0.2.53", "2001:db8:51::53"), search=("a.example", "b.example")),
    ),
    "a lease that says something else": Scene(leased, lambda net: lease(net, "c3", "n2", dns=("192.0.2.54",))),
    "a lease that is no more": Scene(leased, lambda net: lease(net, "c1", "n2")),
    "leave with a file that was not the first": Scene(leased, lambda net: net.leave("c3", "n2")),
    "destroy with containers on it": Scene(town, lambda net: net.destroy("n1", force=True)),
    "create a routed one, the first": Scene(empty, lambda net: net.create("r1", mode="routed")),
    "join a routed one": Scene(street, lambda net: net.join("c3", "r2", ips=(ROUTED[3], ROUTED6[3]))),
    "leave a routed one": Scene(street, lambda net: net.leave("c1", "r1")),
    "destroy the last routed one": Scene(last_routed, lambda net: net.destroy("r1", force=True)),
    "create one of macvlans with a shim": Scene(town, lambda net: net.create("m9", mode="macvlan", shim=True)),
    "join one of macvlans with a shim": Scene(
        yard, lambda net: net.join("c3", "m1", ips=(f"{ROUTED[2]}/24", f"{ROUTED6[2]}/64"))
    ),
    "leave one of macvlans with a shim": Scene(yard, lambda net: net.leave("c1", "m1")),
    "destroy one of macvlans with a shim": Scene(yard, lambda net: net.destroy("m1", force=True)),
    "destroy the last": Scene(last, lambda net: net.destroy("n1")),
    "join by DHCP": on_a_lan(lambda net: net.join("c4", "lan", ips=("dhcp",), no_wait=True)),
    "leave with a lease": on_a_lan(lambda net: net.leave("c1", "lan")),
    "destroy with leases": on_a_lan(lambda net: net.destroy("lan", force=True)),
}
MENDING = {
    "join again after a restart of the container": Scene(
        restarted, lambda net: net.join("c1", "n1", publish=("8080:80",)), unseen=True
    ),
    "open at one address, freeing what has vanished": Scene(
        restarted,
        lambda net: net.open("c3", "n2", internal_port=80, external_port=8080, external_address=HOST4),
        unseen=True,
    ),
    "repair after a flush": Scene(flushed, lambda net: net.repair(), unseen=True),
    "repair of files that somebody changed": Scene(damaged, lambda net: net.repair(), unseen=True),
    "join a routed one, its address was another's": Scene(
        deserted, lambda net: net.join("c3", "r2", ips=(ROUTED[2], ROUTED6[2])), unseen=True
    ),
    "repair of routed ones": Scene(damaged_street, lambda net: net.repair(), unseen=True),
    "repair of a shim": Scene(damaged_yard, lambda net: net.repair(), unseen=True),
    "restore after a reboot": Scene(rebooted, lambda net: net.restore()),
    "a verb right after a reboot": Scene(rebooted, lambda net: net.join("c5", "n1")),
    "a join that was waited for": Scene(rebooted, lambda net: net.join("c1", "n3")),
    "a verb onto what was flushed": Scene(flushed, lambda net: net.join("c5", "n1"), unseen=True),
    "a lease is written": on_a_lan(lambda net: written_or_raised(net, [got(3)])),
    "a lease is another one": on_a_lan(
        lambda net: written_or_raised(net, [got(1, leases.lease(99, mtu=0, routes=()))])
    ),
    "a lease is taken away": on_a_lan(lambda net: written_or_raised(net, [lost(1)])),
    "a lease is given back": on_a_lan(lambda net: written_or_raised(net, [lost(2, released=True)])),
    "many leases at once": on_a_lan(
        lambda net: written_or_raised(net, [lost(1), got(2, leases.lease(21)), got(3), got(99)])
    ),
}


def ready(scene: Scene, where: Path) -> MemoryHost:
    """Return a host that is ready for a scene."""
    host = scene.host(where)
    scene.prepare(host)
    return host
