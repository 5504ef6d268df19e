"""The service `dhcp`: addresses for every compartment, leased by one process (RFC 2131).

The rule of this file: on and off, and who is answered what; the leasing itself is one :class:`Leasing` from start to
stop. Stopped, it leaves every address and every lease as it is: the next start goes on with them.
"""

from __future__ import annotations

from containernet.model.errors import ContainerNetError
from containernet.services.door import FAILING, OFF, OK, STOPPED, Health
from containernet.services.leasing import Leasing
from containernet.services.waiting import disabled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from containernet.services.books import Write
    from containernet.services.dhcp4.engine import Engine
    from containernet.services.dhcp4.hands import Hands
    from containernet.services.door import Reactor, Reply, Watch
    from containernet.services.leasing import Read

SWITCHED_OFF = "Off: 'cnet service dhcp enable' switches it on."


class Dhcp:
    """See :class:`containernet.services.door.Service`."""

    name = "dhcp"
    asks: tuple[str, ...] = ("lease", "renew", "release", "farewell", "leases")

    def __init__(
        self,
        read: Read,
        write: Write,
        engine: Callable[[Hands], Engine],
        carriers: Callable[[], Watch],
        routers: Callable[[], Watch],
    ) -> None:
        """Take what tells who is to be leased for, what writes what came of it, what makes the engine and watches."""
        self._read, self._write, self._engine = read, write, engine
        self._carriers, self._routers = carriers, routers
        self._leasing: Leasing | None = None

    def start(self, reactor: Reactor) -> None:
        """Begin with what the store says."""
        if self._leasing is None:
            watches = self._carriers(), self._routers()
            self._leasing = Leasing(reactor, self._read, self._write, self._engine, *watches)

    def stop(self) -> None:
        """Lease no more; addresses and leases stay."""
        if self._leasing is not None:
            self._leasing.end()
            self._leasing = None

    def health(self) -> Health:
        """Tell how it is."""
        if self._leasing is None:
            return Health(STOPPED, "", ())
        if not self._leasing.enabled:
            return Health(OFF, SWITCHED_OFF, ())
        trouble = self._leasing.trouble
        return Health(FAILING if trouble else OK, trouble, self._leasing.figures())

    def changed(self) -> None:
        """The store has changed."""
        if self._leasing is not None:
            self._leasing.changed()

    def look(self) -> None:
        """Look at the store now."""
        self.changed()

    def ask(self, do: str, name: str, wait: float, reply: Reply) -> None:
        """Answer a verb; ``name`` is an endpoint's, or several, one a line."""
        if self._leasing is None:
            reply(disabled("stopped"))
        elif not self._leasing.enabled and do != "lease":  # who asks for a first address may know better: it looks
            reply(disabled("off"))
        elif do == "leases":
            reply(self._leasing.states())
        else:
            self._asked(self._leasing, do, name, wait, reply)

    @staticmethod
    def _asked(leasing: Leasing, do: str, name: str, wait: float, reply: Reply) -> None:
        try:
            if do == "farewell":
                leasing.farewell(name.split("\n"), reply, again=bool(wait))
            elif do == "release":
                leasing.release(name, reply)
            else:
                leasing.wait(name, wait, reply, renew=do == "renew")
        except ContainerNetError as error:
            reply(error)
