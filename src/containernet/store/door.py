"""The door to the store: what lasts of what should be.

The rule of this file: questions cost what they ask about, never what exists, but for ``everything``; changes are whole
intents, before and after. One writer at a time holds the lock; readers need none.
"""

from __future__ import annotations

from containernet.model.record import record
from containernet.plan.intent import Intent
from containernet.plan.operations import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from containernet.model.network import Compartment, Endpoint, Network, PortMapping
else:
    Protocol = object

MARK = "mark"  # the memo that holds our mark, a number
WORLD = "world"  # the memo that holds the kernel's word for itself when the store was last in agreement with it
PORT_CURSOR = "cursor:port"  # the last external port that was picked
SETTING = "setting:"  # the beginning of the memos that people set


def address_cursor(prefix: str) -> str:
    """Return the memo that holds the last address handed out of a subnet."""
    return f"cursor:{prefix}"


@record
class Unfinished:
    """A verb under way, or one whose process died half-way."""

    id: int
    verb: str
    who: str
    started: int  # seconds since 1970
    before: Intent
    after: Intent
    extra: tuple[Operation, ...]  # operations that do not follow from before and after


class Store(Protocol):
    """What lasts. Every method raises ``ContainerNetError`` when the disk or another program is in the way."""

    def lock(self) -> None:
        """Become the one writer; raise ``Taken`` with the holder's name after a time."""

    def unlock(self) -> None:
        """Be the writer no more; questions go on."""

    def close(self) -> None:
        """Let go of the lock and the file."""

    def memo(self, key: str) -> str:
        """Return what was remembered, "" if nothing."""

    def memos(self, beginning: str) -> dict[str, str]:
        """Return all memos whose key begins so."""

    def network(self, name: str) -> Network | None:
        """Return a network by its name."""

    def network_of(self, number: int) -> Network:
        """Return a network by its number."""

    def networks(self) -> tuple[Network, ...]:
        """Return all networks, in the order of their making."""

    def compartment(self, container: str = "", number: int = 0, cookie: int = 0) -> Compartment | None:
        """Return a compartment by its container's name, its number or its cookie."""

    def compartments(self, network: int) -> tuple[Compartment, ...]:
        """Return the compartments that have endpoints on a network."""

    def endpoint(self, name: str = "", number: int = 0) -> Endpoint | None:
        """Return an endpoint by its name or number."""

    def endpoints(self, network: int = 0, compartment: int = 0) -> tuple[Endpoint, ...]:
        """Return the endpoints of a network, of a compartment, of both, or all, in the order of joining."""

    def holder(self, network: int, address: str = "", mac: str = "", client: str = "") -> Endpoint | None:
        """Return the endpoint of a network that has an address, a MAC address or a DHCP client identifier."""

    def taken(self, network: int, raw: bytes) -> Iterator[bytes]:
        """Yield the addresses of a network's endpoints from ``raw`` on, in order."""

    def mapping(self, number: int) -> PortMapping | None:
        """Return a port mapping by its number."""

    def mappings(self, endpoint: int = 0) -> tuple[PortMapping, ...]:
        """Return the port mappings of an endpoint, or all, in the order of opening."""

    def in_the_way(self, protocol: str, address: str, first: int, last: int) -> PortMapping | None:
        """Return a mapping that shares an external port with this range."""

    def next_id(self, kind: str) -> int:
        """Return the number that the next network, compartment, endpoint or mapping gets; none is given twice."""

    def everything(self) -> Intent:
        """Return all that should be."""

    def begin(self, verb: str, before: Intent, after: Intent, extra: tuple[Operation, ...]) -> int:
        """Note that a verb is under way, for whoever comes if this process dies; return its number."""

    def finish(self, number: int, before: Intent, after: Intent) -> None:
        """Make what should be ``after`` instead of ``before`` and forget the verb, in one durable commit."""

    def pending(self, number: int) -> bool:
        """Tell whether a verb that was begun is neither finished nor abandoned."""

    def abandon(self, number: int) -> None:
        """Forget a verb that has been undone."""

    def make_room(self) -> bool:
        """Give up the last reserve of space; tell whether there was one."""

    def keep_room(self) -> None:
        """Put the reserve back, if there is space."""

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Return the verbs that were not finished."""
