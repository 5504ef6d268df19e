"""Who is to be leased for: what the store says of it.

The rule of this file: read-only, and the same whenever it is asked; nothing is known here of clients or sockets.
"""

from __future__ import annotations

from containernet.kernel.door import ABSENT, DHCPV6, VANISHED, KernelError
from containernet.model import identity
from containernet.model.lease import Lease
from containernet.model.network import DHCP, HOST, RELEASED, ROUTED, Compartment, Endpoint, Network, Place
from containernet.model.record import record
from containernet.plan.leasing import lease_of, used
from containernet.services.dhcp4.probe import FAST, OFF
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


class Lessees:
    """Who is to be leased for; what routers have told containers is remembered from one reading to the next."""

    def __init__(self) -> None:
        self.told: dict[int, int] = {}  # by endpoint: which of DHCPV6 and DHCPV6_ONLY_MORE

    def of(self, host: Host) -> tuple[Lessee, ...] | None:
        """Read the store; None: the service is switched off."""
        if not enabled(host):
            return None
        networks = [one for one in host.store.networks() if one.transparent]
        found = tuple(one for network in networks for one in self._of(host, network))
        there = {one.endpoint for one in found}
        for number in [number for number in self.told if number not in there]:
            self.told.pop(number, None)
        return found

    def _of(self, host: Host, network: Network) -> Iterator[Lessee]:
        own = _own_mac(host, network) if network.kind == ROUTED else b""
        for endpoint in host.store.endpoints(network=network.id):
            compartment = host.store.compartment(number=endpoint.compartment_id)
            if compartment is None or not compartment.cookie or endpoint.dynamic == RELEASED:
                continue
            if endpoint.dynamic == DHCP and network.kind != ROUTED:
                yield _lessee(endpoint, compartment, network)
            elif endpoint.dynamic == DHCP and own:
                yield _by_host(endpoint, network, own)
            if network.ipv6 and network.kind != ROUTED:
                yield from self._six(host, endpoint, compartment, network)

    def _six(self, host: Host, endpoint: Endpoint, compartment: Compartment, network: Network) -> Iterator[Lessee]:
        """Yield an endpoint whose router says that there is something by DHCPv6, and what it is after."""
        told = self.told.get(endpoint.id)
        if told is None:
            told = self.told[endpoint.id] = _told(host, compartment.place, endpoint.interface)
        uuid = bytes.fromhex(host.store.memo(UUID))
        lease = lease_of(endpoint, 6)
        wants = bool(told & DHCPV6)
        mac, who = bytes.fromhex(endpoint.mac.replace(":", "")), bytes.fromhex(endpoint.client_id)
        number = identity.iaid_of(who)
        setup = Setup6(
            mac, identity.duid(uuid), number if number >= 0 else identity.iaid(network.name, endpoint.name),
            endpoint.hostname, wants, OFF if not wants else FAST,
        )  # fmt: skip
        yield Lessee(
            endpoint.id, 6, endpoint.name, compartment.place, endpoint.interface, network.uplink,
            setup if told and uuid else None, lease, lease is not None and (not lease.address or used(endpoint, lease)),
        )  # fmt: skip


def _told(host: Host, place: Place, interface: str) -> int:
    """Return what a router has told an interface so far."""
    try:
        return host.kernel.advertised(place, interface)
    except KernelError as error:
        if error.reason not in (ABSENT, VANISHED):
            raise
        return 0


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
