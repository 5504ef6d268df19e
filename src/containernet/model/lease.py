"""A lease: what a server has given to a client, and till when (RFC 2131, section 4.4.1; RFC 8415, section 6.2).

The rule of this file: a frozen value, and its text for the store. Times are of the boottime clock, so that setting the
clock ends nothing; the wall clock is noted beside them by who stores a lease, for the one case in which it decides:
the host was started again.
"""

from __future__ import annotations

from math import inf

from containernet.model.record import plain, record, replace

FOREVER = 0xFFFFFFFF  # seconds of a lease that does not end (RFC 2131, section 3.3; RFC 8415, section 7.7)

ROUTER = 0  # the family of what no server has leased: a router advertises it (RFC 8106)


@record
class LeasedRoute:
    """A route of a lease; ``via`` "" is the link itself, ``onlink``: the router is not in the address's own prefix."""

    prefix: str
    via: str
    onlink: bool = False


@record
class Lease:
    """An address with all that came along with it."""

    address: str  # "": none, only what comes along with one (RFC 8415, section 6.1)
    prefix: int  # the length of the address's prefix
    server: str  # its address; of DHCPv6 its DUID in hexadecimal
    client_id: str  # in hexadecimal; of DHCPv6 a DUID
    began: float  # boottime at which what led to it was asked
    seconds: int  # how long it lasts, FOREVER if it does not end
    t1: float  # seconds after ``began`` to renew it
    t2: float  # seconds after ``began`` to ask any server for it
    routers: tuple[str, ...] = ()  # as option 3 has them
    routes: tuple[LeasedRoute, ...] = ()  # what holds, by option 121 or else 3
    dns: tuple[str, ...] = ()
    domain: str = ""
    search: tuple[str, ...] = ()
    mtu: int = 0  # 0: none was given, or one that cannot be
    hostname: str = ""
    boot: str = ""  # the host's boot id when it was stored
    wall: float = 0.0  # the wall clock at ``began``
    family: int = 4  # 6: DHCPv6; ROUTER
    preferred: int = 0  # family 6: seconds after ``began`` for which new connections use the address

    @property
    def cidr(self) -> str:
        """The address with its prefix length, "" if there is none."""
        return f"{self.address}/{self.prefix}" if self.address else ""

    @property
    def renew_at(self) -> float:
        """When to renew it (T1)."""
        return inf if self.seconds == FOREVER else self.began + self.t1

    @property
    def rebind_at(self) -> float:
        """When to ask any server for it (T2)."""
        return inf if self.seconds == FOREVER else self.began + self.t2

    @property
    def expiry(self) -> float:
        """When it ends, by the boottime clock."""
        return inf if self.seconds == FOREVER else self.began + self.seconds

    @property
    def expiry_wall(self) -> float:
        """When it ends, by the wall clock as it was when the lease was stored; 0 if it was not."""
        return (inf if self.seconds == FOREVER else self.wall + self.seconds) if self.wall else 0.0


def dated(lease: Lease, boot: str, now: float, wall: float) -> Lease:
    """Return a lease with the host's boot id and the wall clock noted."""
    return replace(lease, boot=boot, wall=wall - (now - lease.began))


def recalled(lease: Lease, boot: str, now: float, wall: float) -> Lease:
    """Return a stored lease with its times in the boottime of this boot.

    After a restart of the host only the wall clock knows how old it is; if that went back, the lease counts as new: it
    is verified with the server (INIT-REBOOT) and on the link all the same.
    """
    if lease.boot == boot:
        return lease
    age = max(0.0, wall - lease.wall) if lease.wall else inf
    return replace(lease, began=now - min(age, 1e9), boot=boot)


def to_text(lease: Lease) -> str:
    """Return a lease as one line of text."""
    import json

    return json.dumps(plain(lease), separators=(",", ":"))


def from_text(text: str) -> Lease:
    """Return the lease that a text holds; raise :class:`ValueError` if it holds none."""
    import json

    try:
        fields = json.loads(text)
        fields["routes"] = tuple(LeasedRoute(**route) for route in fields.get("routes", ()))
        for name in ("routers", "dns", "search"):
            fields[name] = tuple(fields.get(name, ()))
        return Lease(**fields)
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"not a lease: {error}") from None
