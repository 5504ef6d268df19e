"""A LAN in memory: an uplink with addresses and routes, and the DHCP service with a server behind it.

The rule of this file: the server gives the same endpoint the same address each time; what it gives is written as the
agent writes it, by a verb of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from containernet.model.errors import ContainerNetError, Different, NotFound
from containernet.model.lease import Lease, LeasedRoute
from containernet.model.network import Endpoint
from containernet.model.record import replace
from containernet.plan.objects import HeldAddress, HeldRoute
from containernet.verbs.leasing import Word, written
from containernet.verbs.services import Nobody
from kit.memory import MEMOS, MemoryHost, directories

ROUTER = "198.51.100.2"
HELD = (
    HeldAddress("up0", "198.51.100.1/24", broadcast="198.51.100.255"),
    HeldAddress("up0", "2001:db8:51::1/64"),
    HeldRoute("up0", "default4", ROUTER, protocol=3),
)
ROUTES = (LeasedRoute("0.0.0.0/0", ROUTER), LeasedRoute("203.0.113.0/24", "198.51.100.9"))
IDS = (*MEMOS, ("uuid", "ab" * 16))  # what is else drawn by lot

Failed = dict[tuple[int, int], ContainerNetError]


def lease(last: int = 20, **more: Any) -> Lease:
    """Return a lease of an address with this last number."""
    given = {"routers": (ROUTER,), "routes": ROUTES, "dns": (ROUTER,), "mtu": 1400, "boot": "b", "wall": 1e9, **more}
    return replace(Lease(f"198.51.100.{last}", 24, ROUTER, "ff01", 1.0, 600, 300.0, 525.0), **given)


def got(number: int, one: Lease | None = None, *, used: bool = True) -> Word:
    """Return the service's word that an endpoint has a lease."""
    return Word(number, 4, one or lease(20 + number), used)


def lost(number: int, *, released: bool = False) -> Word:
    """Return the service's word that an endpoint has none."""
    return Word(number, 4, None, used=False, released=released)


def write(net: Any, *words: Word) -> Failed:
    """Have words written, as the agent does; return what could not be."""
    found: Failed = net.on_host(lambda host: written(host, words))
    return found


def written_or_raised(net: Any, words: Iterable[Word]) -> None:
    """The same; raise the first error."""
    for error in write(net, *words).values():
        raise error


class Service(Nobody):
    """The agent of a host; what it was asked for is noted in ``asked``."""

    silent = False  # no server answers
    down = False  # no agent runs

    def __init__(self, host: MemoryHost) -> None:
        self._host = host
        self.asked: list[str] = []

    def _endpoint(self, name: str) -> Endpoint:
        found: Endpoint | None = self._host.stored(lambda store: store.endpoint(name))
        assert found is not None
        return found

    def _write(self, *words: Word) -> None:
        written_or_raised(self._host.net(), words)

    def running(self) -> bool:
        return not self.down

    def lease(self, endpoint: str, wait: int) -> None:
        self.asked.append(f"lease {endpoint} {wait}")
        if self.silent:
            raise Different("dhcp-silent", f"No DHCP server has given {endpoint} an address.", "")
        self._write(got(self._endpoint(endpoint).id))

    def renew(self, endpoint: str, wait: int) -> None:
        self.asked.append(f"renew {endpoint} {wait}")
        one = self._endpoint(endpoint)
        self._write(got(one.id, lease(20 + one.id, began=2.0, wall=2e9)))

    def release(self, endpoint: str) -> None:
        self.asked.append(f"release {endpoint}")
        self._write(lost(self._endpoint(endpoint).id, released=True))

    def farewell(self, endpoints: Iterable[str], *, moved: bool) -> bool:
        self.asked.append(f"farewell {' '.join(endpoints)}{' moved' if moved else ''}")
        return not self.down

    def states(self) -> dict[str, str]:
        every: tuple[Endpoint, ...] = self._host.stored(lambda store: store.endpoints())
        return {} if self.down else {f"{one.name}/4": "BOUND" for one in every if one.leases}

    def state(self, service: str) -> tuple[str, str, tuple[tuple[str, int], ...]]:
        if self.down:
            raise NotFound("agent-not-running", "The agent is not running.")
        return "ok", "", (("leased", 1),)

    def restart(self, service: str) -> None:
        self.asked.append(f"restart {service}")


class LanHost(MemoryHost):
    """A host in memory with an agent."""

    def __init__(self, where: Any, kernel: Any = None) -> None:
        super().__init__(where, kernel)
        self.agent = Service(self)

    def net(self, **options: Any) -> Any:
        return super().net(**{"services": lambda: self.agent, **options})

    def copy(self, where: Any) -> LanHost:
        other = super().copy(where)
        return LanHost(other.where, other.kernel)

    def endpoint(self, name: str) -> Endpoint:
        """Return an endpoint as it is in the store."""
        found: Endpoint | None = self.stored(lambda store: store.endpoint(name))
        assert found is not None, name
        return found


def prepare(host: MemoryHost) -> None:
    """Make a LAN with containers, and the service switched on: c1 and c2 have leases, c3 waits for his first."""
    host.remember(IDS)
    host.kernel.hold(*HELD)
    host.container("c1", "c2", "c3", "c4")
    net = host.net()
    net.create("lan")
    net.service("dhcp", "enable")
    for name in ("c1", "c2", "c3"):
        net.join(name, "lan", ips=("dhcp",), no_wait=True)
    assert write(net, got(1), got(2)) == {}


@contextmanager
def prepared() -> Iterator[LanHost]:
    """Make a host, and its LAN; its directory goes when this ends."""
    with directories() as places:
        made = LanHost(next(places))
        prepare(made)
        yield made
