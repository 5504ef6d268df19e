"""Moving what the host has on a link to another: its addresses and routes, in an order that leaves it reachable.

The rule of this file: first all is there twice, then the old goes; what is undone from its end is the same way back. An
address that others stand on comes before them and goes after them. Pure.
"""

from __future__ import annotations

from containernet.model.record import replace
from containernet.plan.objects import MAIN, Held, HeldAddress, HeldRoute
from containernet.plan.operations import Add, Operation, Remove

FOREVER = 0xFFFFFFFF  # seconds
PROTOCOLS = {2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp"}  # RTPROT_* that ip-route(8) knows by name
SCOPES = {0: "global", 200: "site", 253: "link", 254: "host"}  # RT_SCOPE_*
PREFERENCES = {0: "medium", 1: "high", 3: "low"}  # RFC 4191, 2.1
METRICS = {
    2: "mtu",
    3: "window",
    4: "rtt",
    5: "rttvar",
    6: "ssthresh",
    7: "cwnd",
    8: "advmss",
    10: "hoplimit",
}  # RTAX_*
ONLINK = 4  # RTNH_F_ONLINK
NOPREFIXROUTE, MANAGETEMPADDR = 0x200, 0x100  # IFA_F_*


def given(held: tuple[Held, ...], target: str) -> tuple[Operation, ...]:
    """Return what gives a link addresses and routes that another had."""
    return tuple(Add(replace(one, link=target)) for one in _ordered(held))


def moved(held: tuple[Held, ...], target: str) -> tuple[Operation, ...]:
    """Return what moves addresses and routes from their link to another."""
    return (*given(held, target), *(Remove(one) for one in reversed(_ordered(held))))


def _ordered(held: tuple[Held, ...]) -> list[Held]:
    """Return addresses, then routes on the link, then routes by a neighbour there."""
    return sorted(held, key=lambda one: 0 if isinstance(one, HeldAddress) else 1 + bool(one.via))


def is_held(operation: Operation) -> bool:
    """Tell whether an operation is about what the host has of its own."""
    return isinstance(operation, Add | Remove) and isinstance(operation.object, HeldAddress | HeldRoute)


def lasting(held: tuple[Held, ...]) -> tuple[Held, ...]:
    """Return what does not run out by itself."""
    return tuple(one for one in held if (one.valid == FOREVER if isinstance(one, HeldAddress) else not one.expires))


def line(verb: str, one: Held) -> str:
    """Return the line that a person would type: ``verb`` is "add" or "delete"."""
    return _address(verb, one) if isinstance(one, HeldAddress) else _route(verb, one)


def _address(verb: str, one: HeldAddress) -> str:
    if verb == "delete":
        return f"ip address delete {one.address} dev {one.link}"
    words = [f"ip address add {one.address}"]
    if one.peer:
        words = [f"ip address add {one.address.partition('/')[0]} peer {one.peer}"]
    words += [f"broadcast {one.broadcast}"] if one.broadcast else []
    words += [f"dev {one.link}"]
    words += [f"label {one.link}{one.label}"] if one.label else []
    words += [f"scope {SCOPES.get(one.scope, one.scope)}"] if one.scope else []
    if one.valid != FOREVER:
        words.append(f"valid_lft {one.valid} preferred_lft {one.preferred}")
    words += [f"metric {one.metric}"] if one.metric else []
    words += [f"proto {one.protocol}"] if one.protocol else []
    words += ["noprefixroute"] if one.flags & NOPREFIXROUTE else []
    words += ["mngtmpaddr"] if one.flags & MANAGETEMPADDR else []
    return " ".join(words) + (" nodad" if ":" in one.address else "")


def _route(verb: str, one: HeldRoute) -> str:
    six = ":" in one.destination or one.destination == "default6"
    words = ["ip -6 route" if six else "ip route", verb if verb == "delete" else ("append" if six else "prepend")]
    words.append("default" if one.destination.startswith("default") else one.destination)
    words += [f"tos {one.tos:#x}"] if one.tos else []
    words += [f"via {one.via}"] if one.via else []
    words += [f"dev {one.link}", f"proto {PROTOCOLS.get(one.protocol, one.protocol)}"]
    words += [f"scope {SCOPES.get(one.scope, one.scope)}"] if not six and not one.via else []
    words += [f"src {one.source}"] if one.source else []
    words += [f"metric {one.metric}"] if one.metric else []
    words += [f"table {one.table}"] if one.table != MAIN else []
    words += ["onlink"] if one.flags & ONLINK else []
    words += [f"{METRICS[key]} {value}" for key, value in one.metrics if key in METRICS]
    words += [f"pref {PREFERENCES.get(one.preference, 'medium')}"] if one.preference >= 0 else []
    words += [f"expires {one.expires}"] if one.expires and verb != "delete" else []
    return " ".join(words)
