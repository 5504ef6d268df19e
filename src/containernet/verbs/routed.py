"""Networks that the host routes for: how the uplink's settings were, and are again when nobody is routed for any more.

The rule of this file: what was found is remembered once, by the first network of an uplink, and put back with the last.
"""

from __future__ import annotations

from containernet.drivers.routed import answering
from containernet.kernel.door import ABSENT, KernelError
from containernet.model.network import HOST, ROUTED, Network
from containernet.plan.objects import Sysctl
from containernet.plan.operations import Change, Operation

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
