"""What of ours is in the kernel: a closed list of objects, each a frozen value.

The rule of this file: an object says all that :mod:`containernet.kernel` needs to make it, find it again and compare
it; two objects with one ``identity`` are the same thing in two states. Pure: the intent and the world are both sets of
these, and a plan is their difference.
"""

from __future__ import annotations

from containernet.model.network import Place
from containernet.model.record import record

TABLE = "containernet"  # our one nftables table, family inet
ROUTE_PROTOCOL = 199  # rtnetlink's rtm_protocol of our routes and rules; nobody else's in rtnetlink.h
MAIN = 254  # RT_TABLE_MAIN


@record
class Sysctl:
    """A kernel setting; ``key`` in sysctl(8)'s path form: ``net/ipv6/conf/cn-1/accept_ra``."""

    place: Place
    key: str
    value: str

    @property
    def identity(self) -> tuple[object, ...]:
        return ("sysctl", self.place, self.key)


@record
class Table:
    """The nftables table with its static chains; ``text`` is its definition, ``mark`` says whose it is."""

    mark: int
    text: str

    @property
    def identity(self) -> tuple[object, ...]:
        return ("table",)


@record
class Bridge:
    """A bridge of the host, up, STP off, its MAC pinned; ``group`` is the mark (ip-link(8), group)."""

    name: str
    mac: str
    mtu: int
    group: int
    alias: str

    @property
    def identity(self) -> tuple[object, ...]:
        return ("link", self.name)


@record
class Veth:
    """A veth pair: ``name`` on the host, up, a hairpin port of ``bridge``; ``peer`` in ``place``."""

    name: str
    place: Place
    peer: str
    mac: str  # of the peer
    mtu: int  # of both ends
    bridge: str
    group: int
    alias: str

    @property
    def identity(self) -> tuple[object, ...]:
        return ("link", self.name)


@record
class Up:
    """A link inside a container that is set up (the host's ends are made up)."""

    place: Place
    link: str

    @property
    def identity(self) -> tuple[object, ...]:
        return ("up", self.place, self.link)


@record
class Address:
    """An address on a link, with its prefix length; IPv6 without duplicate detection: our pools hand it out once."""

    place: Place
    link: str
    address: str

    @property
    def identity(self) -> tuple[object, ...]:
        return ("address", self.place, self.link, self.address)


@record
class Route:
    """A route of ours; ``via`` "" means on the link itself; ``destination`` "default4", "default6" or a prefix."""

    place: Place
    destination: str
    via: str
    link: str
    table: int = MAIN

    @property
    def identity(self) -> tuple[object, ...]:
        return ("route", self.place, self.destination, self.table)


@record
class Rule:
    """A routing rule of ours: what has this source address looks up this table."""

    place: Place
    source: str
    table: int
    priority: int

    @property
    def identity(self) -> tuple[object, ...]:
        return ("rule", self.place, self.source)


@record
class Element:
    """One element of a set (``data`` empty) or map of our table.

    Key and data are fields of the set's type in order: link names, protocol names, port numbers, addresses, prefixes.
    """

    set: str
    key: tuple[str | int, ...]
    data: tuple[str | int, ...] = ()

    @property
    def identity(self) -> tuple[object, ...]:
        return ("element", self.set, self.key)


Object = Sysctl | Table | Bridge | Veth | Up | Address | Route | Rule | Element
