"""Which replies count, and the lease that one gives (RFC 8415, sections 16, 18.2.9 and 18.2.10).

The rule of this file: pure, and the first wrong thing in a reply is the end of it. What would be a nuisance rather than
a danger (a name, a resolver that cannot be one) is left out, and the lease is taken without it.
"""

from __future__ import annotations

from containernet.model.address import packed
from containernet.model.lease import FOREVER, Lease
from containernet.services.dhcp6 import options
from containernet.services.dhcp6.message import ADVERTISE, REPLY, Message
from containernet.services.dhcp6.options import Association, Offered, Status
from containernet.services.dhcp6.words import Setup6

LEAST_RT, MOST_RT = 60, 86_400  # seconds: what SOL_MAX_RT and INF_MAX_RT can be (sections 21.24 and 21.25)
REFRESH, LEAST_REFRESH = 86_400, 600  # seconds between two information-requests (section 21.23)
_MAPPED = bytes(10) + b"\xff\xff"


def is_for(setup: Setup6, xid: int, reply: Message) -> bool:
    """Tell whether a reply answers what we asked, and says whose it is (sections 16.3 and 16.10)."""
    return (
        reply.kind in (ADVERTISE, REPLY)
        and reply.xid == xid
        and reply.client == setup.duid
        and bool(reply.server)
    )  # fmt: skip


def is_host(address: str) -> bool:
    """Tell whether an address can be one host's, seen from anywhere: no multicast, not the link's only, not ours."""
    raw = packed(address)
    local = raw[0] == 0xFE and raw[1] & 0xC0 == 0x80
    return not (raw[0] == 0xFF or local or raw[:15] == bytes(15) or raw[:12] == _MAPPED)


def association(reply: Message, setup: Setup6) -> Association | None:
    """Return what a reply says of our interface; with times that cannot be it is as if it said nothing."""
    ours = next((one for one in reply.associations if one.iaid == setup.iaid), None)
    return None if ours is None or ours.t1 > ours.t2 > 0 else ours


def status(reply: Message, setup: Setup6) -> Status:
    """Return what keeps a server from giving: of the whole, of the association, of an address."""
    ours = association(reply, setup)
    inner = [ours.status, *(one.status for one in ours.addresses)] if ours else []
    return next((one for one in (reply.status, *inner) if one.code != options.SUCCESS), Status())


def offered(reply: Message, setup: Setup6, wished: str = "", avoid: str = "") -> Offered | None:
    """Return the address that a reply gives us: the one that is wished for, else the first one that can be used."""
    ours = association(reply, setup)
    if ours is None or any(one.code != options.SUCCESS for one in (reply.status, ours.status)):
        return None
    fine = [one for one in ours.addresses if _usable(one)]
    return min(fine, key=lambda one: (one.address != wished, one.address == avoid), default=None)


def _usable(one: Offered) -> bool:
    return one.status.code == options.SUCCESS and one.preferred <= one.valid > 0 and is_host(one.address)


def taken_away(reply: Message, setup: Setup6, address: str) -> bool:
    """Tell whether a server says that an address is nobody's from now on."""
    ours = association(reply, setup)
    return ours is not None and any(one.address == address and not one.valid for one in ours.addresses)


def lease_of(reply: Message, setup: Setup6, given: Offered, asked: float) -> Lease:
    """Return the lease of an address that a reply gives, counted from when it was asked for."""
    ours = association(reply, setup)
    t1, t2 = times(ours.t1, ours.t2, given) if ours else (0.0, 0.0)
    return Lease(
        given.address, 128, reply.server.hex(), setup.duid.hex(), asked, given.valid, t1, t2,
        dns=_resolvers(reply), search=reply.search, hostname=reply.fqdn, family=6, preferred=given.preferred,
    )  # fmt: skip


def times(t1: int, t2: int, given: Offered) -> tuple[float, float]:
    """Return T1 and T2: 0.5 and 0.8 of the preferred lifetime where the server leaves them to us (section 21.4)."""
    if given.valid == FOREVER:
        return 0.0, 0.0
    whole = given.preferred or given.valid
    rebind = float(t2) if 0 < t2 < given.valid else whole * 0.8
    renew = float(t1) if 0 < t1 <= rebind else min(whole * 0.5, rebind * 0.625)
    return renew, rebind


def known_of(reply: Message, setup: Setup6, asked: float) -> Lease:
    """Return what a server has told without an address; it "ends" when it is to be asked for again."""
    refresh = REFRESH if reply.refresh is None else max(reply.refresh, LEAST_REFRESH)
    return Lease(
        "", 128, reply.server.hex(), setup.duid.hex(), asked, refresh, float(refresh), float(refresh),
        dns=_resolvers(reply), search=reply.search, family=6,
    )  # fmt: skip


def _resolvers(reply: Message) -> tuple[str, ...]:
    """Return the resolvers; one of the link's own addresses would be none without saying which link."""
    return tuple(one for one in reply.dns if is_host(one))


def limited(seconds: int | None, before: float) -> float:
    """Return the longest time between two tries that a server wishes, if it can be one."""
    return float(seconds) if seconds is not None and LEAST_RT <= seconds <= MOST_RT else before
