"""Who is to be leased for: what the store says of it.

The rule of this file: read-only, and the same whenever it is asked; nothing is known here of clients or sockets.
"""

from __future__ import annotations

from containernet.kernel.door import ABSENT, KernelError
from containernet.model.lease import Lease
from containernet.model.network import DHCP, HOST, ROUTED, Compartment, Endpoint, Network, Place
from containernet.model.record import record
from containernet.plan.leasing import lease_of, used
from containernet.services.dhcp4.words import Setup
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
    setup: Setup
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


def lessees(host: Host) -> tuple[Lessee, ...] | None:
    """Return who is to be leased for; None: the service is switched off."""
    if not enabled(host):
        return None
    return tuple(one for network in host.store.networks() if network.transparent for one in _of(host, network))


def _of(host: Host, network: Network) -> Iterator[Lessee]:
    own = _own_mac(host, network) if network.kind == ROUTED else b""
    for endpoint in host.store.endpoints(network=network.id):
        compartment = host.store.compartment(number=endpoint.compartment_id)
        if compartment is None or not compartment.cookie or endpoint.dynamic != DHCP:
            continue
        if network.kind != ROUTED:
            yield _lessee(endpoint, compartment, network)
        elif own:
            yield _by_host(endpoint, network, own)


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
