"""Networks that the host routes for: what is remembered of the uplink, and which addresses may be answered for.

The rule of this file: the uplink's settings are found and put back; an address that somebody else answers for is never
taken.
"""

from __future__ import annotations

from containernet.drivers.routed import answering
from containernet.kernel.door import ABSENT, KernelError
from containernet.model.errors import Conflict
from containernet.model.network import HOST, ROUTED, Network
from containernet.plan.intent import Intent
from containernet.plan.objects import GATEWAY4, GATEWAY6, Sysctl
from containernet.plan.operations import Change, Operation
from containernet.verbs.leave import gone_with
from containernet.verbs.uplink import gateways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host

FOUND = "found:"  # the memo, by a link's name, that holds how its settings were before the first network


def found(host: Host, network: Network) -> tuple[tuple[str, str], ...]:
    """Return what is to be remembered of an uplink's settings; nothing if they have been changed already."""
    if _others(host, network):
        return ()
    now = {one.key: value for one in answering(network) if (value := _now(host, one))}
    return ((f"{FOUND}{network.uplink}", repr(now)),)


def restoring(host: Host, network: Network) -> tuple[Operation, ...]:
    """Return what puts an uplink's settings back, if this is the last network that needs them."""
    if _others(host, network):
        return ()
    from ast import literal_eval

    before: dict[str, str] = literal_eval(host.store.memo(f"{FOUND}{network.uplink}") or "{}")
    ours = [one for one in answering(network) if _now(host, one) == one.value and one.key in before]
    return tuple(Change(one, Sysctl(HOST, one.key, before[one.key])) for one in ours if before[one.key] != one.value)


def _others(host: Host, network: Network) -> bool:
    routed = (one for one in host.store.networks() if one.kind == ROUTED and one.id != network.id)
    return any(one.uplink == network.uplink for one in routed)


def _now(host: Host, setting: Sysctl) -> str:
    """Return the present value of a setting, "" if there is none."""
    try:
        return host.kernel.setting(HOST, setting.key)
    except KernelError as error:
        if error.reason != ABSENT:
            raise
        return ""


def free(host: Host, network: Network, address: str) -> Intent:
    """Refuse an address that is somebody's on the LAN, or another routed network's; return what is freed for it."""
    for other in host.store.networks():
        holder = host.store.holder(other.id, address) if other.kind == ROUTED and other.id != network.id else None
        if holder is not None:
            freed = gone_with(host, holder)
            if not freed.endpoints:
                raise Conflict("address-taken", f"{address} is the address of {holder.name}.", "Take another.")
            return freed
    who = host.kernel.answers(network.uplink, address)
    if who and not _for_all(host, network, address, who):
        sentence = f"{address} is in use beyond {network.uplink}: {who} answers for it."
        raise Conflict("address-in-use", sentence, "Take another; or have that machine give it up, then try again.")
    return Intent()


def _for_all(host: Host, network: Network, address: str, who: str) -> bool:
    """Tell whether who answers is a router that answers for every address, as that of a cloud's switch does."""
    ways = gateways(host.kernel.uplink(network.uplink).held)
    near = [one for one in ways if (":" in one) == (":" in address) and one != address]
    return any(host.kernel.answers(network.uplink, one) == who for one in near)


def ways(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return where the default routes of an endpoint with these addresses lead: to the host, by each IP version."""
    four, six = (any((":" in one) == version for one in addresses) for version in (False, True))
    return ((GATEWAY4,) if four else ()) + ((GATEWAY6,) if six else ())
