"""Which replies count, and the lease that one gives (RFC 2131 sections 3.1, 4.3.1, 4.4.5; RFC 3442; RFC 6842).

The rule of this file: pure, and the first wrong thing in a reply is the end of it. What would be a nuisance rather than
a danger (a name, an MTU, a router that cannot be one) is left out, and the lease is taken without it.
"""

from __future__ import annotations

from containernet.model.address import contains, number
from containernet.model.lease import FOREVER, Lease, LeasedRoute
from containernet.services.dhcp4.message import NOWHERE, REPLY_OP, Message
from containernet.services.dhcp4.words import Setup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_MTU = 576  # of an IPv4 link that we believe in; 68 would do for RFC 791
FUZZ = 0.05  # T1 comes sooner by up to this share, so that many clients do not ask at once (section 4.4.5)


def is_for(setup: Setup, xid: int, reply: Message) -> bool:
    """Tell whether a reply answers what we asked: an identifier need not come back, but then it is ours (RFC 6842)."""
    return (
        reply.op == REPLY_OP
        and reply.xid == xid
        and reply.chaddr == setup.mac
        and reply.client_id in (b"", setup.client_id)
    )


def unusable(reply: Message) -> str:
    """Return why an OFFER or ACK cannot be taken, "" if it can."""
    if not is_host(reply.server):
        return "it does not name its server"
    if not reply.seconds:
        return "it does not say for how long it gives the address"
    if not is_host(reply.yiaddr):
        return f"{reply.yiaddr} is no address of a host"
    length = _length(reply)
    rest = number(reply.yiaddr) & (1 << 32 - length) - 1
    if not length or (length < 31 and rest in (0, (1 << 32 - length) - 1)):
        return f"{reply.yiaddr}/{length} is no address of a host"
    return ""


def is_host(address: str) -> bool:
    """Tell whether an address can be one host's: not 0/8, not 127/8, no multicast, not reserved."""
    return bool(address) and (first := int(address.partition(".")[0])) != 127 and 0 < first < 224


def _length(reply: Message) -> int:
    """Return the prefix length: without a mask that of the address's class."""
    if reply.prefix is not None:
        return reply.prefix
    first = int(reply.yiaddr.partition(".")[0])
    return 8 if first < 128 else 16 if first < 192 else 24


def lease_of(reply: Message, setup: Setup, asked: float, chance: Callable[[], float]) -> Lease:
    """Return the lease in a usable ACK, counted from when it was asked for (section 4.4.1)."""
    seconds = reply.seconds or 0
    t1, t2 = times(seconds, reply.t1, reply.t2)
    length = _length(reply)
    routers = tuple(one for one in reply.routers if is_host(one) and one != reply.yiaddr)
    return Lease(
        reply.yiaddr, length, reply.server, setup.client_id.hex(), asked, seconds, t1 * (1 - FUZZ * chance()), t2,
        routers=routers,
        routes=_routes(reply, routers, f"{reply.yiaddr}/{length}"),
        dns=tuple(one for one in reply.dns if is_host(one)),
        domain=reply.domain, search=reply.search, hostname=reply.hostname,
        mtu=reply.mtu if LEAST_MTU <= reply.mtu <= setup.mtu else 0,
    )  # fmt: skip


def times(seconds: int, t1: int | None, t2: int | None) -> tuple[float, float]:
    """Return T1 and T2: a half and seven eighths of the lease where the server's are not there or out of order."""
    if seconds == FOREVER:
        return 0.0, 0.0
    rebind = float(t2) if t2 and t2 < seconds else seconds * 0.875
    renew = float(t1) if t1 and t1 <= rebind else min(seconds * 0.5, rebind * 4 / 7)
    return renew, rebind


def _routes(reply: Message, routers: tuple[str, ...], own: str) -> tuple[LeasedRoute, ...]:
    """Return the routes that hold: those of option 121, and then option 3 does not count (RFC 3442)."""
    given = reply.routes or tuple(("0.0.0.0/0", router) for router in routers[:1])
    found: dict[str, LeasedRoute] = {}
    for prefix, router in given:
        if prefix.startswith(("127.", "0.")) and prefix != "0.0.0.0/0":
            continue
        if router == NOWHERE:
            found.setdefault(prefix, LeasedRoute(prefix, ""))
        elif is_host(router) and router != reply.yiaddr:
            found.setdefault(prefix, LeasedRoute(prefix, router, not contains(own, router)))
    return tuple(found.values())
