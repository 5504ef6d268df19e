"""What a lease makes of an endpoint.

The rule of this file: a leased address is an address of the endpoint like any other while it is used, so that all that
is derived of addresses holds for it; of each IP version an endpoint has one lease at most. Pure.
"""

from __future__ import annotations

from containernet.model.address import family
from containernet.model.network import ONLINK, Endpoint
from containernet.model.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.model.lease import Lease

DEFAULT = "0.0.0.0/0"


def lease_of(endpoint: Endpoint, version: int) -> Lease | None:
    """Return the lease of an endpoint of an IP version."""
    return next((one for one in endpoint.leases if one.family == version), None)


def with_lease(endpoint: Endpoint, version: int, lease: Lease | None, *, used: bool) -> Endpoint:
    """Return an endpoint with this lease in place of the one that it had, its address in use or not."""
    former = lease_of(endpoint, version)
    others = tuple(one for one in endpoint.leases if one.family != version)
    leases = (*others, lease) if lease else others
    addresses = tuple(text for text in endpoint.addresses if former is None or text != former.cidr)
    gateways = endpoint.gateways
    if version == 4:
        gateways = tuple(text for text in gateways if ":" in text)
    if lease and used and lease.cidr:
        addresses = tuple(sorted(dict.fromkeys((*addresses, lease.cidr)), key=family))
        gateways = (*way_out(lease), *gateways)
    return replace(endpoint, addresses=addresses, gateways=gateways, leases=tuple(sorted(leases, key=_version)))


def _version(lease: Lease) -> int:
    """Return where a lease stands among those of its endpoint: what a router said comes last."""
    return lease.family or 9


def way_out(lease: Lease) -> tuple[str, ...]:
    """Return where the default route of a lease leads; none: it has no default route."""
    return next(((one.via or ONLINK,) for one in lease.routes if one.prefix == DEFAULT), ())


def idle(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint whose leased addresses are not used: its leases are kept, to be asked for again."""
    for lease in endpoint.leases:
        endpoint = with_lease(endpoint, lease.family, lease, used=False)
    return endpoint


def used(endpoint: Endpoint, lease: Lease) -> bool:
    """Tell whether the address of an endpoint's lease is in use."""
    return bool(lease.cidr) and lease.cidr in endpoint.addresses
