"""Who is to be leased for: what the store says of it.

The rule of this file: read-only, and the same whenever it is asked; nothing is known here of clients or sockets.
"""

from __future__ import annotations

from containernet.kernel.door import ABSENT, DHCPV6, VANISHED, Heard, KernelError
from containernet.model import identity
from containernet.model.lease import ROUTER, Lease
from containernet.model.network import DHCP, HOST, RELEASED, ROUTED, Compartment, Endpoint, Network, Place
from containernet.model.record import record, replace
from containernet.plan.leasing import lease_of, used
from containernet.services.dhcp4.probe import FAST
from containernet.services.dhcp4.words import Setup
from containernet.services.dhcp6.words import Setup6
from containernet.verbs.host import UUID
from containernet.verbs.leasing import enabled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from containernet.verbs.host import Host


@record
class Lessee:
    """One endpoint that wants an address of one IP version."""

    endpoint: int
    version: int
    name: str  # the endpoint's
    place: Place
    interface: str
    uplink: str  # the host's link that its server is reached by
    setup: Setup | Setup6 | None  # None: nothing is to be leased now
    lease: Lease | None  # the one that it has already
    configured: bool  # and whether the address is in use
    told: Lease | None = None  # version 6: what a router has said of DNS, as it was written

    @property
    def key(self) -> str:
        """What it is called in the engine."""
        return key_of(self.endpoint, self.version)


def key_of(endpoint: int, version: int) -> str:
    """Return what an endpoint is called in the engine."""
    return f"{endpoint}/{version}"


def parted(key: str) -> tuple[int, int]:
    """Return the endpoint and the IP version of a key."""
    endpoint, _, version = key.partition("/")
    return int(endpoint), int(version)


NOTHING = Heard(0, -1, -1)


class Lessees:
    """Who is to be leased for; what routers have told containers is remembered from one reading to the next."""

    def __init__(self) -> None:
        self._heard: dict[int, tuple[int, Heard]] = {}  # by endpoint: the namespace's cookie, and what is known of it
        self._ends: dict[tuple[int, int], int] = {}  # the endpoints, by namespace and index

    def at(self, namespace: int, index: int) -> int:
        """Return the endpoint of an interface, 0 if it is none's."""
        return self._ends.get((namespace, index), 0)

    def where(self, endpoint: int) -> tuple[int, int]:
        """Return the namespace and the index of an endpoint's interface."""
        _, known = self._heard.get(endpoint, (0, NOTHING))
        return known.namespace, known.index

    def note(self, endpoint: int, flags: int) -> bool:
        """Note what a router says of DHCPv6; tell whether it has said something else before."""
        cookie, known = self._heard.get(endpoint, (0, NOTHING))
        if known is NOTHING or known.flags == flags:
            return False
        self._heard[endpoint] = cookie, replace(known, flags=flags)
        return True

    def of(self, host: Host) -> tuple[Lessee, ...] | None:
        """Read the store; None: the service is switched off."""
        if not enabled(host):
            return None
        networks = [one for one in host.store.networks() if one.transparent]
        found = tuple(one for network in networks for one in self._of(host, network))
        self._forget({one.endpoint for one in found})
        return found

    def _forget(self, there: set[int]) -> None:
        for number in [number for number in self._heard if number not in there]:
            _, known = self._heard.pop(number)
            if self._ends.get((known.namespace, known.index)) == number:  # numbers of namespaces are given again
                del self._ends[known.namespace, known.index]

    def _of(self, host: Host, network: Network) -> Iterator[Lessee]:
        own = _own_mac(host, network) if network.kind == ROUTED else b""
        compartments = {one.id: one for one in host.store.compartments(network.id)}
        for endpoint in host.store.endpoints(network=network.id):
            compartment = compartments.get(endpoint.compartment_id)
            if compartment is None or not compartment.cookie or endpoint.dynamic == RELEASED:
                continue
            if endpoint.dynamic == DHCP and network.kind != ROUTED:
                yield _lessee(endpoint, compartment, network)
            elif endpoint.dynamic == DHCP and own:
                yield _by_host(endpoint, network, own)
            if network.ipv6 and network.kind != ROUTED:
                yield from self._six(host, endpoint, compartment, network)

    def _told(self, host: Host, endpoint: Endpoint, place: Place) -> int:
        """Return what a router says to an endpoint of DHCPv6; the kernel is asked when it is seen first."""
        cookie, known = self._heard.get(endpoint.id, (0, NOTHING))
        if cookie == place.cookie:
            return known.flags
        try:
            heard = host.kernel.advertised(place, endpoint.interface)
        except KernelError as error:
            if error.reason not in (ABSENT, VANISHED):
                raise
            return 0
        self._heard[endpoint.id] = place.cookie, heard
        self._ends[heard.namespace, heard.index] = endpoint.id
        return heard.flags

    def _six(self, host: Host, endpoint: Endpoint, compartment: Compartment, network: Network) -> Iterator[Lessee]:
        """Yield an endpoint whose router says that there is something by DHCPv6, and what it is after."""
        told = self._told(host, endpoint, compartment.place)
        uuid = bytes.fromhex(host.store.memo(UUID))
        lease = lease_of(endpoint, 6)
        wants = bool(told & DHCPV6)
        mac, who = bytes.fromhex(endpoint.mac.replace(":", "")), bytes.fromhex(endpoint.client_id)
        number = identity.iaid_of(who)
        setup = Setup6(
            mac, identity.duid(uuid), number if number >= 0 else identity.iaid(network.name, endpoint.name),
            endpoint.hostname, wants, FAST,
        )  # fmt: skip
        yield Lessee(
            endpoint.id, 6, endpoint.name, compartment.place, endpoint.interface, network.uplink,
            setup if told and uuid else None, lease, lease is not None and (not lease.address or used(endpoint, lease)),
            lease_of(endpoint, ROUTER),
        )  # fmt: skip


def _own_mac(host: Host, network: Network) -> bytes:
    """Return the only MAC address that gets out, nothing if the uplink is gone."""
    try:
        return bytes.fromhex(host.kernel.uplink(network.uplink).mac.replace(":", ""))
    except KernelError as error:
        if error.reason != ABSENT:
            raise
        return b""


def _by_host(endpoint: Endpoint, network: Network, mac: bytes) -> Lessee:
    """Return one that the host routes for: it is leased for on the uplink, by the host's own MAC address."""
    lease = lease_of(endpoint, 4)
    who = bytes.fromhex(endpoint.client_id)
    setup = Setup(mac, who, endpoint.hostname, network.mtu, broadcast=True, raw=True)
    configured = lease is not None and used(endpoint, lease)
    return Lessee(endpoint.id, 4, endpoint.name, HOST, network.uplink, network.uplink, setup, lease, configured)


def _lessee(endpoint: Endpoint, compartment: Compartment, network: Network) -> Lessee:
    lease = lease_of(endpoint, 4)
    mac = bytes.fromhex(endpoint.mac.replace(":", ""))
    setup = Setup(mac, bytes.fromhex(endpoint.client_id), endpoint.hostname, network.mtu)
    configured = lease is not None and used(endpoint, lease)
    return Lessee(
        endpoint.id, 4, endpoint.name, compartment.place, endpoint.interface, network.uplink, setup, lease, configured
    )
