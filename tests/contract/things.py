"""A small network of each test's own: one bridge, one container, one of each object."""

from __future__ import annotations

from containernet.kernel.door import Kernel
from containernet.model.network import HOST, Place
from containernet.plan.objects import Address, Bridge, Element, Object, Resolver, Route, Rule, Sysctl, Table, Up, Veth
from containernet.plan.operations import Add
from containernet.plan.ruleset import TEXT

GROUP = 0x636E
MAC = "02:00:00:00:00:02"
BRIDGE = Bridge("cn-1", "02:00:00:00:00:01", 1400, GROUP, "n1")
GATEWAY4 = Address(HOST, "cn-1", "10.7.0.1/24")
GATEWAY6 = Address(HOST, "cn-1", "fd07::1/64")
TABLE = Table(0xC0FFEE, TEXT)
PORT = Element("any4", ("tcp", 8080), ("10.7.0.2", 80))
ELEMENTS = (
    PORT,
    Element("any6", ("udp", 53), ("fd07::2", 53)),
    Element("at4", ("192.0.2.1", "sctp", 9), ("10.7.0.2", 9)),
    Element("at6", ("2001:db8::1", "tcp", 9), ("fd07::2", 9)),
    Element("bridges", ("cn-1",)),
    Element("pairs", ("cn-1", "cn-1")),
    Element("self4", ("10.7.0.2", "10.7.0.2")),
    Element("snat4", ("cn-1",), ("192.0.2.1",)),
    Element("limited", ("tcp", 8080)),
    Element("allowed4", ("tcp", 8080, "198.51.100.0/24")),
    Element("allowed4", ("tcp", 8080, "203.0.113.7/32")),
    Element("allowed6", ("tcp", 8080, "2001:db8::/32")),
)


def veth(place: Place, number: int = 1, peer: str = "eth0") -> Veth:
    """The pair of a container."""
    return Veth(f"ce-{number}", place, peer, MAC, 1400, "cn-1", GROUP, "c_n1")


def resolver(place: Place) -> Resolver:
    """The resolv.conf of a container."""
    return Resolver(place.path.rpartition("/")[2], ("10.7.0.53", "fd07::53"), ("n1.example", "example"), GROUP)


def inside(place: Place) -> list[Object]:
    """What a container has, in the order in which it is made."""
    return [
        veth(place),
        Up(place, "lo"),
        Up(place, "eth0"),
        Address(place, "eth0", "10.7.0.2/24"),
        Address(place, "eth0", "fd07::2/64"),
        Route(place, "default4", "10.7.0.1", "eth0"),
        Route(place, "default6", "fd07::1", "eth0"),
        Route(place, "10.9.0.0/16", "", "eth0", 1001),
        Rule(place, "10.7.0.2", 1001, 700),
        Rule(place, "fd07::2", 1001, 700),
        Sysctl(place, "net/ipv4/ip_forward", "1"),
    ]


def everything(place: Place) -> list[Object]:
    """One network with one container, in the order in which it is made."""
    return [BRIDGE, GATEWAY4, GATEWAY6, *inside(place), TABLE, *ELEMENTS, resolver(place)]


def make(kernel: Kernel, objects: list[Object]) -> None:
    """Add objects in order."""
    for one in objects:
        kernel.do(Add(one))
