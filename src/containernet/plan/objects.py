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
ETC = "/etc/netns"  # a folder for each named namespace, whose files stand for those of /etc there (ip-netns(8))
LINK_LOCAL = "169.254."  # RFC 3927: such an address has link scope, and nothing beyond the link is sent from it
GATEWAY4, GATEWAY6 = "169.254.1.1", "fe80::1"  # this host, to a container that it routes for
GATEWAYS = {4: f"{GATEWAY4}/32", 6: f"{GATEWAY6}/64"}  # as the host's end has them
PREFIXES = ("cn-", "ce-")  # what the names of our bridges, and of our other links, begin with
FORMER = ".resolv.conf.before-cnet"  # what the name of a file ends with that was there before ours


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
    plain: bool = False  # frames pass it as they are: no firewall of the host's, no snooping, at once

    @property
    def identity(self) -> tuple[object, ...]:
        return ("link", self.name)


@record
class Veth:
    """A veth pair: ``name`` on the host, up, a port of ``bridge``; ``peer`` in ``place``."""

    name: str
    place: Place
    peer: str
    mac: str  # of the peer
    mtu: int  # of both ends
    bridge: str
    group: int
    alias: str
    hairpin: bool = True  # what the container sends may come back to it: a port of its own that leads to it

    @property
    def identity(self) -> tuple[object, ...]:
        return ("link", self.name)


@record
class Macvlan:
    """A macvlan in bridge mode on the host's link ``parent``; ``name`` in ``place``, nothing of it on the host."""

    place: Place
    name: str
    mac: str
    mtu: int
    parent: str
    group: int
    alias: str

    @property
    def identity(self) -> tuple[object, ...]:
        return ("macvlan", self.place, self.name)


@record
class Port:
    """A link of the host, not ours, that is a port of a bridge of ours."""

    bridge: str
    link: str

    @property
    def identity(self) -> tuple[object, ...]:
        return ("port", self.link)


@record
class Neighbour:
    """A neighbour on a link that nobody is asked for: it is at ``mac``; "": the place itself answers for it (proxy)."""

    place: Place
    link: str
    address: str
    mac: str = ""

    @property
    def identity(self) -> tuple[object, ...]:
        return ("neighbour", self.place, self.link, self.address, not self.mac)


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
    source: str = ""  # which address of its own the place takes; "": the kernel's choice

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


@record
class HeldAddress:
    """An address of the host's own, with all that belongs to it, on the link that it is on now."""

    link: str
    address: str  # with its prefix length
    peer: str = ""  # the other end's, of a point-to-point address
    broadcast: str = ""
    label: str = ""  # what follows the link's name in it: ":1"
    scope: int = 0
    flags: int = 0  # IFA_F_* that are given, not found out: MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN
    valid: int = 0xFFFFFFFF  # seconds
    preferred: int = 0xFFFFFFFF
    metric: int = 0  # of its prefix route
    protocol: int = 0  # who gave it (IFAPROT_*)

    @property
    def identity(self) -> tuple[object, ...]:
        return ("held address", self.link, self.address)


@record
class HeldRoute:
    """A route of the host's own, with all that belongs to it, over the link that it leads to now."""

    link: str
    destination: str  # a prefix, "default4" or "default6"
    via: str = ""
    source: str = ""
    table: int = MAIN
    metric: int = 0
    protocol: int = 0
    scope: int = 0
    tos: int = 0
    flags: int = 0  # RTNH_F_ONLINK
    preference: int = -1  # RFC 4191; -1: it has none
    expires: int = 0  # seconds; 0: never
    metrics: tuple[tuple[int, int], ...] = ()  # RTAX_*: mtu and the like

    @property
    def identity(self) -> tuple[object, ...]:
        return ("held route", self.link, self.destination, self.via, self.table, self.metric, self.tos)


@record
class Resolver:
    """The resolv.conf of a container; ``name`` is the container's in /etc/netns, ``mark`` says whose the file is.

    Without servers it is a file of ours that is not as we wrote it; with mark 0, only the traces of one.
    """

    name: str
    servers: tuple[str, ...]
    search: tuple[str, ...]
    mark: int

    @property
    def identity(self) -> tuple[object, ...]:
        return ("resolver", self.name)

    @property
    def path(self) -> str:
        """Where the file is."""
        return f"{ETC}/{self.name}/resolv.conf"

    @property
    def former(self) -> str:
        """Where a file that was there before is kept; not beside it: ip-netns(8) would look for its like in /etc."""
        return f"{ETC}/.{self.name}{FORMER}"


Held = HeldAddress | HeldRoute
Beside = Macvlan | Port | Neighbour | Held | Resolver  # what few have: networks without NAT, containers with leases
Plain = Sysctl | Table | Bridge | Veth | Up | Address | Route | Rule | Element
Object = Plain | Beside
