"""The door to Linux: all that the rest of ContainerNet can ask of a kernel, real or fake.

The rule of this file: one narrow interface, in the words of ``plan``; nothing behind it decides anything.
"""

from __future__ import annotations

from containernet.model.errors import ContainerNetError
from containernet.model.network import Place
from containernet.model.record import record
from containernet.plan.objects import Held, Object, Veth
from containernet.plan.operations import Cut, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol
else:
    Protocol = object

EXISTS = "exists"  # Add of what is there (perhaps somebody else's)
ABSENT = "absent"  # Remove or Change of what is not there, or Add onto what is not there
VANISHED = "vanished"  # the namespace of a place is gone, or another one stands at its path
FULL = "full"  # the bridge has no port left
DENIED = "denied"  # no permission
UNSUPPORTED = "unsupported"  # this kernel, or a library of this host, lacks it
OTHER = "other"


DHCPV6, DHCPV6_ONLY_MORE = 0x40, 0x80  # a router says: addresses by DHCPv6 (M); or what goes with them (O)


class KernelError(ContainerNetError):
    """The kernel refused; ``reason`` is one of the words above, ``sentence`` says it with the kernel's own."""

    kind = "kernel"

    def __init__(self, reason: str, sentence: str, hint: str = "") -> None:
        super().__init__(f"kernel-{reason}", sentence, hint)
        self.reason = reason


@record
class Link:
    """A link as somebody's namespace has it, for choosing names and uplinks."""

    name: str
    kind: str  # "veth", "bridge", … or "" for a real device
    up: bool
    mtu: int
    group: int
    addresses: tuple[str, ...]  # with prefix lengths, global scope only
    alias: str = ""


@record
class Surroundings:
    """What stands in a namespace that is not ours, as far as deciding needs it."""

    links: tuple[Link, ...]
    routes: tuple[str, ...]  # destinations of the routes of all tables, without default routes, local and multicast
    default4: str = ""  # the link that the IPv4 default route leads to; "": there is none
    default6: str = ""
    prefers: tuple[str, ...] = ()  # the addresses that the host itself sends from by the default routes


@record
class WayOut:
    """How the host itself reaches the outside now; "" where it does not. Sources are with prefix lengths."""

    link4: str = ""
    source4: str = ""
    link6: str = ""
    source6: str = ""
    mtu: int = 0  # of the link of IPv4, else of IPv6; 0: there is none

    @property
    def link(self) -> str:
        """The link that traffic leaves by: IPv4's, else IPv6's."""
        return self.link4 or self.link6


@record
class Chain:
    """A base chain of somebody else's that sees forwarded packets (nft(8), base chains)."""

    family: str
    table: str
    name: str
    drops: bool  # its policy is to drop, or it ends in a refusal of what it does not know
    owner: str = ""  # "docker", "ufw", "firewalld" where its table tells


@record
class Uplink:
    """A link of the host that containers may be put on the outside by, and all that is to be known before."""

    name: str
    kind: str  # "bridge", "veth", … or "" for a real device
    mac: str
    mtu: int
    up: bool
    carrier: bool
    ethernet: bool  # it has MAC addresses
    loopback: bool = False
    wireless: bool = False
    master: str = ""  # the bridge or bond that it is a part of
    manager: str = ""  # the program that gives it its addresses and would undo what we do; "": none is seen
    held: tuple[Held, ...] = ()  # the host's own addresses and routes there, in the order in which they are given
    odd: str = ""  # what of them cannot be moved
    settings: tuple[tuple[str, str], ...] = ()  # its settings that are not the host's default, "ipv4/rp_filter"


@record
class Present:
    """What a container's interface has now."""

    addresses: tuple[str, ...]  # of global scope, usable, with prefix lengths
    gateways: tuple[str, ...]  # of its default routes over this interface
    mtu: int


@record
class Probe:
    """What a stranger on a link hears."""

    passes: bool  # the gateway answers its MAC address
    dhcp: str  # the server that offers an address; "": none
    router: str  # the router that advertises; "": none


@record
class Heard:
    """What routers have told a container's interface, and the numbers by which news about it are known."""

    flags: int  # DHCPV6 and DHCPV6_ONLY_MORE, as far as they say so
    namespace: int  # ip-netns(8), set
    index: int  # of the interface


class Guard(Protocol):
    """A process that undoes what we do to the host's own addresses, if we cannot."""

    def confirmed(self, seconds: float) -> bool:
        """Wait for a word from ``Kernel.confirm``; tell whether it came in time."""

    def release(self) -> None:
        """Let it go: all is done, or undone."""


class Child(Protocol):
    """A process that was made in a compartment and waits for the word to become a command."""

    @property
    def path(self) -> str:
        """The path of its network namespace."""

    @property
    def lasting_path(self) -> str:
        """A path of its namespace that leads there until :meth:`close`, whether the command has ended or not."""

    def close(self) -> None:
        """Let go of the namespace."""

    def go(self) -> None:
        """Let it become the command; raise ``NotFound`` if there is no such command."""

    def wait(self) -> int:
        """Wait for its end, passing signals on; return its exit status as a shell has it."""

    def end(self) -> None:
        """End it and all that it has started."""


class Kernel(Protocol):
    """What a kernel does for us. Every method raises :class:`KernelError` when the kernel refuses."""

    def world(self) -> str:
        """Return a word for this kernel since it started and this host namespace; another word: all of ours is gone."""

    def identify(self, path: str) -> Place:
        """Return the place behind a namespace's path, with its cookie; ABSENT if there is no namespace."""

    def surroundings(self, place: Place) -> Surroundings:
        """Return what else stands in a namespace."""

    def way_out(self, link: str = "") -> WayOut:
        """Return how the host reaches the outside, by a link if one is given. Cost: flat."""

    def permit(self) -> None:
        """Raise DENIED if this process may not do what we do."""

    def chains(self) -> tuple[Chain, ...]:
        """Return the base chains of others that see forwarded packets."""

    def has_address(self, address: str) -> bool:
        """Tell whether an address is one of the host's own."""

    def link_names(self) -> set[str]:
        """Return the names of the host's links."""

    def exists(self, link: str) -> bool:
        """Tell whether the host has a link of this name."""

    def do(self, operation: Operation) -> None:
        """Do one operation; when it raises, it has done all of it or nothing, but for what the error says."""

    def missing(self, objects: Iterable[Object]) -> list[Object]:
        """Return those of the objects that are not in the kernel exactly so. Cost: of these objects only."""

    def read(self, places: Iterable[Place], sysctls: Iterable[Object]) -> set[Object]:
        """Return all of ours: on the host, in these places, and the present state of these settings.

        A table whose chains are not exactly those of its text comes back with the text "". Costs the whole: for repair.
        A place that has vanished has nothing.
        """

    def setting(self, place: Place, key: str) -> str:
        """Return the present value of a sysctl; ABSENT if there is none."""

    def owner(self) -> int:
        """Return the mark of the table of our name, 0 if there is no such table."""

    def busy_port(self, protocol: str, address: str, first: int, last: int) -> tuple[int, str] | None:
        """Return the first port of the range that a process of the host has bound, and what is known of it.

        ``address`` "" means every address of the host but the loopback ones.
        """

    def take(self, pairs: Sequence[Veth], cuts: Sequence[Cut]) -> None:
        """Remove veth pairs, as far as they are there, and forget connections; raise EXISTS for somebody else's link.

        One wait for RCU (15 to 30 ms) for all of it, however many there are.
        """

    def flush_group(self, names: Iterable[str]) -> None:
        """Remove many links in one go (one RCU wait for all of them)."""

    def start(self, command: tuple[str, ...], path: str, name: str = "") -> Child:
        """Return a process that waits in the namespace behind a path, "" for a new one.

        What /etc/netns has for ``name`` when it is let go, it sees in /etc (ip-netns(8)).
        """

    def uplink(self, name: str) -> Uplink:
        """Return a link of the host with all that is to be known of it; ABSENT if there is none."""

    def present(self, place: Place, link: str) -> Present:
        """Return what a container's interface has now; ABSENT if it is not there."""

    def advertised(self, place: Place, link: str) -> Heard:
        """Return what routers have told a container's interface; ABSENT if there is none."""

    def answers(self, link: str, address: str) -> str:
        """Return the MAC address of who answers for an address on a link of the host (ARP, NDP); "": nobody does."""

    def probe(self, link: str, gateway: str) -> Probe:
        """Ask what answers a MAC address that is not the host's; takes some seconds where nobody does."""

    def guard(self, undoing: Sequence[Operation], note: str, word: str, seconds: float) -> Guard:
        """Return a process that does ``undoing`` if this one dies, or is not done in time, and is then ended.

        ``note`` is the path of a file that tells a person how to do that by hand: it is on the disk when this returns,
        and gone when all is done; its name ends in ".undone" when that process has undone. ``word`` is the path at
        which :meth:`confirm` is heard.
        """

    def confirm(self, word: str) -> bool:
        """Give the word that somebody waits for; tell whether somebody does."""

    def install(self, package: str) -> None:
        """Install a package of the system; raise OTHER if that fails."""

    def close(self) -> None:
        """Let go of every socket and thread, and of every namespace."""
