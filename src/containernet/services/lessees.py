"""Who is to be leased for: what the store says of it.

The rule of this file: read-only, and the same whenever it is asked; nothing is known here of clients or sockets.
"""

from __future__ import annotations

from containernet.kernel.door import ABSENT, DHCPV6, VANISHED, Heard, KernelError
from containernet.model import identity
from containernet.model.address import packed_mac
from containernet.model.lease import ROUTER, Lease
from containernet.model.network import DHCP, HOST, RELEASED, ROUTED, Endpoint, Network, Place
from containernet.model.record import record, replace
from containernet.plan.leasing import lease_of, used
from containernet.services.dhcp4.probe import FAST
from containernet.services.dhcp4.words import Setup
from containernet.services.dhcp6.words import Setup6
from containernet.verbs.host import UUID
from containernet.verbs.services import enabled

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
        uuid = bytes.fromhex(host.store.memo(UUID))
        found = tuple(one for network in networks for one in self._of(host, network, uuid))
        self._forget({one.endpoint for one in found})
        return found

    def _forget(self, there: set[int]) -> None:
        for number in [number for number in self._heard if number not in there]:
            _, known = self._heard.pop(number)
            if self._ends.get((known.namespace, known.index)) == number:  # numbers of namespaces are given again
                del self._ends[known.namespace, known.index]

    def _of(self, host: Host, network: Network, uuid: bytes) -> Iterator[Lessee]:
        own = _own_mac(host, network) if network.kind == ROUTED else b""
        compartments = {one.id: one for one in host.store.compartments(network.id)}
        for endpoint in host.store.endpoints(network=network.id):
            compartment = compartments.get(endpoint.compartment_id)
            if compartment is None or not compartment.cookie or endpoint.dynamic == RELEASED:
                continue
            if endpoint.dynamic == DHCP and network.kind != ROUTED:
                yield _four(endpoint, network, compartment.place, packed_mac(endpoint.mac))
            elif endpoint.dynamic == DHCP and own:  # the host answers for its address: it is leased by the host's MAC
                yield _four(endpoint, network, HOST, own, by_host=True)
            if network.ipv6 and network.kind != ROUTED:
                yield self._six(host, endpoint, compartment.place, network, uuid)

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

    def _six(self, host: Host, endpoint: Endpoint, place: Place, network: Network, uuid: bytes) -> Lessee:
        """Return an endpoint with what its router says that there is by DHCPv6, and what it is after."""
        told = self._told(host, endpoint, place)
        lease = lease_of(endpoint, 6)
        number = identity.iaid_of(bytes.fromhex(endpoint.client_id))
        setup = Setup6(
            packed_mac(endpoint.mac), identity.duid(uuid),
            number if number >= 0 else identity.iaid(network.name, endpoint.name),
            endpoint.hostname, bool(told & DHCPV6), FAST,
        )  # fmt: skip
        return Lessee(
            endpoint.id, 6, endpoint.name, place, endpoint.interface, network.uplink,
            setup if told and uuid else None, lease, lease is not None and (not lease.address or used(endpoint, lease)),
            lease_of(endpoint, ROUTER),
        )  # fmt: skip


def _own_mac(host: Host, network: Network) -> bytes:
    """Return the only MAC address that gets out, nothing if the uplink is gone."""
    try:
        return packed_mac(host.kernel.uplink(network.uplink).mac)
    except KernelError as error:
        if error.reason != ABSENT:
            raise
        return b""


def _four(endpoint: Endpoint, network: Network, place: Place, mac: bytes, *, by_host: bool = False) -> Lessee:
    """Return one that is leased for on its own interface, or on the uplink, from where the host routes for it."""
    lease = lease_of(endpoint, 4)
    who = bytes.fromhex(endpoint.client_id)
    setup = Setup(mac, who, endpoint.hostname, network.mtu, broadcast=by_host, raw=by_host)
    return Lessee(
        endpoint.id, 4, endpoint.name, place, network.uplink if by_host else endpoint.interface, network.uplink,
        setup, lease, lease is not None and used(endpoint, lease),
    )  # fmt: skip
