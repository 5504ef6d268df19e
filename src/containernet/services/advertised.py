"""What routers say of DNS (RFC 8106): servers and search lists, each for a while.

The rule of this file: pure; options in, and out come the servers and domains that hold now, and when to look again.
What a router on the LAN says is hostile: a length that does not fit is the end of the option, a name that is not one is
left out, and of everything only so many are kept.
"""

from __future__ import annotations

from math import inf

from containernet.model.address import contains, unpacked
from containernet.model.lease import FOREVER, ROUTER, Lease
from containernet.services.dhcp4 import names
from containernet.services.dhcp4.malformed import Malformed

RDNSS, DNSSL = 25, 31
UNKNOWN = 1800.0  # seconds: what a router says as a rule (RFC 4861, AdvDefaultLifetime)
MOST = 8  # servers, and domains, that are kept for an endpoint


class Advertisements:
    """What holds for one endpoint."""

    def __init__(self, written: Lease | None = None, now: float = 0.0) -> None:
        """``written``: what held when that was written last; how long it holds, nobody knows any more."""
        self._until: dict[tuple[int, str], float] = {}  # by the kind of option, and what was in it
        if written is not None:
            self._until |= {(RDNSS, one): now + UNKNOWN for one in written.dns}
            self._until |= {(DNSSL, one): now + UNKNOWN for one in written.search}

    def take(self, option: bytes, now: float) -> bool:
        """Take an option; tell whether what holds has changed."""
        before = self.lease(now)
        try:
            self._take(option, now)
        except Malformed:
            return False
        return self.lease(now) != before

    def _take(self, option: bytes, now: float) -> None:
        if len(option) < 8 or len(option) != option[1] * 8 or option[0] not in (RDNSS, DNSSL):
            raise Malformed("that is no option of a router on DNS")
        kind, seconds = option[0], int.from_bytes(option[4:8], "big")
        until = inf if seconds == FOREVER else now + seconds
        for one in _servers(option[8:]) if kind == RDNSS else names.unpack_list(option[8:].rstrip(b"\0") + b"\0"):
            self._until.pop((kind, one), None)
            if seconds and sum(which == kind for which, _ in self._until) < MOST:
                self._until[kind, one] = until

    def lasts(self, now: float) -> bool:
        """Tell whether something that holds will end."""
        return now <= self.due() < inf

    def due(self) -> float:
        """Return when something ends."""
        return min(self._until.values(), default=inf)

    def tidy(self, now: float) -> bool:
        """Forget what has ended; tell whether something has."""
        ended = [key for key, until in self._until.items() if until <= now]
        for key in ended:
            del self._until[key]
        return bool(ended)

    def lease(self, now: float) -> Lease | None:
        """Return what holds, as a lease without an address; None: nothing does."""
        there = sorted(key for key, until in self._until.items() if until > now)
        servers, domains = (tuple(one for kind, one in there if kind == which) for which in (RDNSS, DNSSL))
        if not servers and not domains:
            return None
        return Lease("", 0, "", "", 0.0, FOREVER, 0.0, 0.0, dns=servers, search=domains, family=ROUTER)


def _servers(raw: bytes) -> tuple[str, ...]:
    found = (unpacked(raw[at : at + 16]) for at in range(0, len(raw) - 15, 16))
    return tuple(one for one in found if one != "::" and not contains("ff00::/8", one))
