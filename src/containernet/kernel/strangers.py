"""Others' firewalls: the base chains that see what we forward (linux/netfilter/nf_tables.h).

The rule of this file: it reads; nothing of anybody's is changed from here.
"""

from __future__ import annotations

from containernet.kernel.door import Chain
from containernet.kernel.netlink import Netlink, attributes, string
from containernet.kernel.table import GETCHAIN
from containernet.plan.objects import TABLE

_TABLE, _NAME, _HOOK, _POLICY = 1, 3, 4, 5  # NFTA_CHAIN_*
_HOOKNUM, _FORWARD = 1, 2  # NFTA_HOOK_HOOKNUM, NF_INET_FORWARD
_FAMILIES = {1: "inet", 2: "ip", 10: "ip6"}
_DROP = 0  # NF_DROP


def chains(socket: Netlink) -> tuple[Chain, ...]:
    """Return the base chains at the forward hook that are not ours; legacy iptables' among them by its own list."""
    found = []
    for body in socket.dump(GETCHAIN, b"\0\0\0\0"):
        family, has = _FAMILIES.get(body[0], ""), attributes(body, 4)
        table, name = string(has.get(_TABLE, b"")), string(has.get(_NAME, b""))
        hook = attributes(has[_HOOK]) if _HOOK in has else {}
        if not family or (family, table) == ("inet", TABLE):
            continue
        if int.from_bytes(hook.get(_HOOKNUM, b"\xff"), "big") == _FORWARD:
            found.append(Chain(family, table, name, int.from_bytes(has.get(_POLICY, b"\1"), "big") == _DROP))
    return tuple(found)
