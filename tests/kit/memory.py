"""A host in memory: the fake kernel with what Linux makes by itself, containers by name, and a store on the disk.

The rule of this file: it plays the host and its user, never ContainerNet; what a test does to the host, it does here.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from containernet.bootstrap import ContainerNet
from containernet.containers.door import Found
from containernet.containers.named import NAMED
from containernet.kernel.door import KernelError, Link, Surroundings
from containernet.kernel.fake import FakeKernel
from containernet.model.errors import NotFound
from containernet.model.network import HOST, Place
from containernet.plan.intent import Intent
from containernet.plan.objects import Bridge, Macvlan, Object, Veth
from containernet.plan.operations import Add, Operation
from containernet.store import pool
from containernet.store.sqlite import Sqlite

HOST4, HOST6 = "198.51.100.1", "2001:db8:51::1"
UPLINK = Link("up0", "", True, 1500, 0, (f"{HOST4}/24", f"{HOST6}/64"))
AROUND = Surroundings((UPLINK,), ("198.51.100.0/24", "2001:db8:51::/64"), "up0", "up0", (HOST4, HOST6))
MEMOS = (("mark", "1234567"), ("site", "77"))  # what the first network would draw by lot
GLOBAL = {
    "net/ipv4/ip_forward": "0",
    "net/ipv6/conf/all/forwarding": "0",
    "net/ipv6/conf/all/disable_ipv6": "0",
    "net/ipv4/neigh/default/gc_thresh3": "1024",
    "net/ipv6/neigh/default/gc_thresh3": "1024",
}
OF_A_LINK = {
    "net/ipv4/conf/{}/arp_ignore": "0",
    "net/ipv4/conf/{}/arp_announce": "0",
    "net/ipv6/conf/{}/accept_ra": "1",
    "net/ipv6/conf/{}/accept_dad": "1",
    "net/ipv6/conf/{}/autoconf": "1",
    "net/ipv6/conf/{}/disable_ipv6": "0",
    "net/ipv6/conf/{}/proxy_ndp": "0",
    "net/ipv6/conf/{}/addr_gen_mode": "0",
    "net/ipv4/conf/{}/arp_filter": "0",
    "net/ipv4/neigh/{}/proxy_delay": "80",
    "net/ipv6/neigh/{}/proxy_delay": "80",
}
DISK = Path("/dev/shm")
World = tuple[dict[tuple[object, ...], Object], dict[tuple[Place, str], str], dict[str, str]]


class Memory(FakeKernel):
    """The kernel in memory, with an uplink, and with the settings that come and go with links."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign[HOST] = AROUND
        self._boot()

    def _boot(self) -> None:
        for key, value in GLOBAL.items():
            self.set_setting(HOST, key, value)
        self._born(HOST, UPLINK.name)

    def _born(self, place: Place, link: str) -> None:
        for key, value in OF_A_LINK.items():
            self.set_setting(place, key.format(link), value)

    def do(self, operation: Operation) -> None:
        super().do(operation)
        match operation:
            case Add(Bridge(name)):
                self._born(HOST, name)
            case Add(Macvlan(place, name)):
                self._born(place, name)
            case Add(Veth(name, place, peer)):
                self._born(HOST, name)
                self._born(place, peer)

    def remove_namespace(self, path: str) -> None:
        ends = [one.name for one in self.objects.values() if isinstance(one, Veth) and one.place.path == path]
        super().remove_namespace(path)
        self.settings = {
            (place, key): value
            for (place, key), value in self.settings.items()
            if not (place == HOST and any(f"/{link}/" in key for link in ends))
        }

    def reboot(self) -> None:
        super().reboot()
        self.settings.clear()
        self._boot()

    def copy(self) -> Memory:
        """Return a second kernel that is as this one is now."""
        other = Memory.__new__(Memory)
        held = (dict, list)
        other.__dict__.update({k: v.copy() if isinstance(v, held) else v for k, v in self.__dict__.items()})
        return other

    @property
    def state(self) -> World:
        """All objects, settings and files of others, for a comparison."""
        return (
            dict(self.objects),
            dict(self.settings),
            {**self.files, **{f"former {k}": v for k, v in self.aside.items()}},
        )


def difference(one: World, other: World) -> list[str]:
    """Return what one kernel has and the other has not, or has otherwise."""
    found = []
    for sign, mine, theirs in (("-", one, other), ("+", other, one)):
        found += [f"{sign} {thing}" for key, thing in mine[0].items() if theirs[0].get(key) != thing]
        found += [f"{sign} {key} = {value}" for key, value in mine[1].items() if theirs[1].get(key) != value]
        found += [f"{sign} file {name}: {text}" for name, text in mine[2].items() if theirs[2].get(name) != text]
    return found


@contextmanager
def directories() -> Iterator[Iterator[Path]]:
    """Yield paths for state directories, on no disk if possible: nothing is there yet, nothing is left in the end."""
    with tempfile.TemporaryDirectory(dir=DISK if DISK.is_dir() else None) as directory:
        yield (Path(directory) / str(number) for number in count())
        pool.drain()


class MemoryHost:
    """A kernel in memory, a state directory, and containers; also what knows these by name."""

    def __init__(self, where: Path, kernel: Memory | None = None) -> None:
        self.where, self.kernel = where, kernel or Memory()

    def container(self, *names: str) -> None:
        """Make containers; one of the same name is gone."""
        for name in names:
            self.kernel.add_namespace(f"{NAMED}/{name}")

    def remove(self, name: str) -> None:
        """End a container."""
        self.kernel.remove_namespace(f"{NAMED}/{name}")

    def copy(self, where: Path) -> MemoryHost:
        """Return a second host that is as this one is now; its store lies in a directory that is not there yet."""
        pool.drain()
        if self.where.exists():
            shutil.copytree(self.where, where)
        return MemoryHost(where, self.kernel.copy())

    # --- the tool under test ---

    def net(self, **options: Any) -> ContainerNet:
        """Return the tool, for this host."""
        return ContainerNet(str(self.where), **{"kernel": lambda: self.kernel, "containers": self, **options})

    def find(self, text: str) -> Found | None:
        """Return a container by name."""
        path = f"{NAMED}/{text}"
        try:
            self.kernel.identify(path)
        except KernelError:
            return None
        return Found(text, path)

    def need(self, text: str) -> Found:
        """Return a container by name."""
        found = self.find(text)
        if found is None:
            raise NotFound("container-not-found", f"There is no container {text}.", "Make one.")
        return found

    # --- looking at it ---

    def stored(self, question: Callable[[Sqlite], Any]) -> Any:
        """Return the store's answer to a question."""
        store = Sqlite(str(self.where))
        try:
            return question(store)
        finally:
            store.close()

    def remember(self, memos: tuple[tuple[str, str], ...] = MEMOS) -> None:
        """Have the store remember what it would else draw by lot."""
        self.stored(lambda store: store.finish(0, Intent(), Intent(memos=memos)))

    @property
    def intent(self) -> Intent:
        """All that should be, and what is remembered but for the number of the last commit."""

        def ask(store: Sqlite) -> Intent:
            every = store.everything()
            memos = tuple(one for one in store.memos("").items() if one[0] != "sequence")
            return Intent(every.networks, every.compartments, every.endpoints, every.mappings, memos)

        found: Intent = self.stored(ask)
        return found

    def agreement(self) -> list[str]:
        """Return what is wrong: drift, and verbs that were interrupted; nothing if store and kernel agree."""
        wrong = list(self.net().status().drift)
        return wrong + [f"interrupted: {one.verb}" for one in self.stored(lambda store: store.unfinished())]
