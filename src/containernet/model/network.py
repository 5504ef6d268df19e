"""The nouns: network, subnet, compartment, endpoint, port mapping.

The rule of this file: these are what the store keeps and what the drivers read, nothing that can be derived from them
is a field. The confusable pair: a *container* is a name; a *compartment* is the network namespace that the name stands
for now. The same name after ``ip netns del`` and ``ip netns add`` is another compartment.
"""

from __future__ import annotations

from containernet.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.model.lease import Lease

NAT = "nat"
INTERNAL = "internal"
BRIDGE, MACVLAN, ROUTED = "bridge", "macvlan", "routed"  # without NAT: on the subnet of the host's uplink
TRANSPARENT = (BRIDGE, MACVLAN, ROUTED)
DHCP, RELEASED = "dhcp", "released"  # whether an endpoint's address is leased
ONLINK = "0.0.0.0"
PROTOCOLS = ("tcp", "udp", "sctp")
HOST_COMPARTMENT = 1
BRIDGE_PORTS = 1023  # BR_MAX_PORTS - 1 (net/bridge/br_private.h)


@record
class Place:
    """Where something is: the host's namespace (:data:`HOST`), or the one behind ``path`` if its cookie is ``cookie``.

    The cookie is the kernel's own number of a network namespace (socket(7), SO_NETNS_COOKIE): unlike an inode number
    it is never given twice while the host is up.
    """

    path: str
    cookie: int


HOST = Place("", 0)


@record
class Subnet:
    """A prefix of a network and the host's address in it; of a network without NAT only where it has a shim."""

    prefix: str
    gateway: str


@record
class Network:
    """Endpoints that may talk freely, isolated from other networks."""

    id: int
    name: str
    kind: str  # NAT, INTERNAL or one of TRANSPARENT
    subnets: tuple[Subnet, ...]
    mtu: int
    mtu_fixed: bool = False  # False: follows the uplink
    ipv6: bool = True
    uplink: str = ""  # the only link that its traffic may leave by; "": any; without NAT there always is one
    external_address: str = ""  # given by the user: the source of what leaves; "": whatever the uplink has
    labels: tuple[tuple[str, str], ...] = ()
    created: int = 0  # seconds since 1970
    mac: str = ""  # BRIDGE: the uplink's, for our bridge ("": the uplink is a bridge, not ours); MACVLAN: of the shim

    @property
    def transparent(self) -> bool:
        """Whether its containers are on the subnet of the host's uplink."""
        return self.kind in TRANSPARENT

    @property
    def bridge(self) -> str:
        """The name of its bridge; "" if it has none."""
        if self.kind in (MACVLAN, ROUTED):
            return ""
        return self.uplink if self.kind == BRIDGE and not self.mac else f"cn-{self.id}"

    @property
    def shim(self) -> str:
        """The name of the host's own macvlan, by which it and the containers on macvlans reach each other; "": none."""
        return f"cn-{self.id}" if self.kind == MACVLAN and self.mac else ""


@record
class Compartment:
    """The network namespace that a container's name stands for now."""

    id: int  # the host is 1, containers count from 2
    container: str
    path: str  # where the namespace can be opened
    cookie: int  # 0: not seen since the host started (its endpoints wait for it)
    lasting: bool = True  # False: it cannot come back after a reboot (a pid, `cnet run`)
    loopback: bool = False  # its loopback link was down before us: up with the first endpoint, down with the last
    routed: str = ""  # IP versions for which it had a default route before us, which stays: "", "4", "6", "46"

    @property
    def place(self) -> Place:
        """Where its links and routes are."""
        return Place(self.path, self.cookie)


@record
class Endpoint:
    """One attachment of one container to one network."""

    id: int
    name: str
    network_id: int
    network: str
    compartment_id: int
    container: str
    interface: str
    mac: str
    addresses: tuple[str, ...]  # with prefix lengths: 192.168.1.2/24
    priority: int = 0  # the highest among a container's endpoints has the default route, then the first joined
    created: int = 0
    dynamic: str = ""  # DHCP: its IPv4 address is leased; RELEASED: it was given back; "": not by us
    gateways: tuple[str, ...] = ()  # on networks without subnets: where its default routes lead
    hostname: str = ""  # that a DHCP server is told
    client_id: str = ""  # who a DHCP server is told that it is, in hexadecimal (RFC 4361; RFC 2132, 9.14)
    leases: tuple[Lease, ...] = ()  # of each IP version one at most; addresses in use are among ``addresses``

    @property
    def link(self) -> str:
        """The name of the host's end of its veth pair."""
        return f"ce-{self.id}"


@record
class PortMapping:
    """External ports that lead to ports of an endpoint; ``external_address`` "" means every address of the host."""

    id: int
    endpoint_id: int
    protocol: str
    external_address: str
    external_first: int
    external_last: int
    internal_first: int
    remotes: tuple[str, ...] = ()  # prefixes that may use it; empty: all

    @property
    def internal_last(self) -> int:
        """The last internal port."""
        return self.internal_first + self.external_last - self.external_first

    @property
    def size(self) -> int:
        """How many ports."""
        return self.external_last - self.external_first + 1
