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
_OWNERS = {"DOCKER-USER": "docker", "ufw-before-forward": "ufw", "filter_FORWARD": "firewalld"}
_REFUSES = "filter_FORWARD"  # firewalld's: its policy is to accept, its last rule rejects
LEGACY = ("ip_tables_names", "ip6_tables_names")


def chains(socket: Netlink) -> tuple[Chain, ...]:
    """Return the base chains at the forward hook that are not ours; legacy iptables' by the names of its tables."""
    every = [(body[0], attributes(body, 4)) for body in socket.dump(GETCHAIN, b"\0\0\0\0")]
    owners: dict[tuple[int, bytes], str] = {}
    for family, has in every:
        owner = _OWNERS.get(string(has.get(_NAME, b"")), "")
        if owner:
            owners[family, has.get(_TABLE, b"")] = owner
    found = [_base(family, has, owners.get((family, has.get(_TABLE, b"")), "")) for family, has in every]
    return (*(one for one in found if one is not None), *_legacy())


def _base(number: int, has: dict[int, bytes], owner: str) -> Chain | None:
    """Return a base chain at the forward hook of somebody else's."""
    family, table, name = _FAMILIES.get(number, ""), string(has.get(_TABLE, b"")), string(has.get(_NAME, b""))
    hook = attributes(has[_HOOK]) if _HOOK in has else {}
    at = int.from_bytes(hook.get(_HOOKNUM, b"\xff"), "big")
    if not family or (family, table) == ("inet", TABLE) or at != _FORWARD:
        return None
    drops = int.from_bytes(has.get(_POLICY, b"\1"), "big") == _DROP or name == _REFUSES
    return Chain(family, table, name, drops, owner)


def _legacy() -> list[Chain]:
    """Return the forward chains of legacy iptables, as far as /proc tells: that there are any."""
    found = []
    for name in LEGACY:
        try:
            with open(f"/proc/thread-self/net/{name}") as lines:
                tables = lines.read().split()
        except OSError:
            continue
        if "filter" in tables:
            found.append(Chain("ip6" if "6" in name else "ip", "filter", "FORWARD", False, "legacy"))
    return found
