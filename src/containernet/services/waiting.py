"""Verbs that wait for the DHCP service.

The rule of this file: each is answered once: when it has come to what it waits for, when that cannot be, or when its
time is over.
"""

from __future__ import annotations

from containernet.model.errors import ContainerNetError, Different, Missing, NotFound
from containernet.model.names import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from containernet.services.door import Reactor, Reply
    from containernet.verbs.leasing import Word

PARTING = 3.0  # seconds for a lease to be given back; it takes one at most
LEASE, RELEASE, FAREWELL = "lease", "release", "farewell"
DONE = "done"


def disabled(state: str) -> Missing:
    """Return the error for a service that is "off" or "stopped"."""
    hint = "Start it: cnet service dhcp restart." if state == "stopped" else "Switch it on: cnet service dhcp enable."
    return Missing("dhcp-disabled", f"The DHCP client service is {state}.", hint)


def ended() -> Different:
    """Return the error for a service that was stopped while somebody waited."""
    return Different("service-stopped", "The DHCP service was stopped meanwhile.", "Ask again when it runs.")


class Waiter:
    """One that waits."""

    def __init__(self, kind: str, names: set[str], reply: Reply) -> None:
        self.kind, self.names, self._reply = kind, names, reply  # of endpoints, or for the other kinds keys of clients
        self.read = 0  # the reading of the store in which the endpoint has to be
        self.asked = 0.0  # boottime; a lease from before is not what it waits for
        self.cancel: Callable[[], None] = lambda: None

    def answer(self, said: object) -> None:
        """Answer it."""
        self.cancel()
        self._reply(said)


class Waiting:
    """All that wait."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._waiters: list[Waiter] = []

    def add(self, name: str, seconds: float, reply: Reply, read: int, *, asked: float) -> None:
        """Wait for an endpoint's address."""
        one = Waiter(LEASE, {name}, reply)
        one.read, one.asked = read, asked
        sentence = f"No DHCP server has given {name} an address within {seconds:.0f} seconds."
        hint = "'cnet doctor --uplink IFACE' tells whether one answers; --no-wait joins without waiting for one."
        if asked:
            sentence = f"The DHCP server has not renewed the lease of {name} within {seconds:.0f} seconds."
            hint = "The lease holds until it ends: 'cnet leases' shows when; the agent goes on asking."
        self._begin(one, seconds, Different("dhcp-silent", sentence, hint))

    def release(self, name: str, key: str, reply: Reply) -> None:
        """Wait until an endpoint's lease is given back."""
        sentence = f"The lease of {name} could not be given back in time."
        self._begin(Waiter(RELEASE, {key}, reply), 4 * PARTING, Different("dhcp-silent", sentence, "Try again."))

    def farewell(self, keys: set[str], reply: Reply) -> None:
        """Wait until clients are gone."""
        self._begin(Waiter(FAREWELL, keys, reply), PARTING, DONE)

    def _begin(self, one: Waiter, seconds: float, late: object) -> None:
        self._waiters.append(one)
        one.cancel = self._reactor.at(self._reactor.now() + seconds, lambda: self._end(one, late))

    def _end(self, one: Waiter, said: object) -> None:
        self._waiters.remove(one)
        one.answer(said)

    def _of(self, name: str, kind: str) -> list[Waiter]:
        return [one for one in self._waiters if one.kind == kind and name in one.names]

    def written(self, name: str, key: str, word: Word) -> None:
        """What was got for an endpoint, or given back, is written."""
        if word.released:
            for one in self._of(key, RELEASE):
                self._end(one, DONE)
        if word.used and word.lease is not None:
            for one in self._of(name, LEASE):
                if word.lease.began >= one.asked:
                    self._end(one, DONE)

    def failed(self, name: str, key: str, error: ContainerNetError) -> None:
        """It could not be written."""
        for one in (*self._of(name, LEASE), *self._of(key, RELEASE)):
            self._end(one, error)

    def gone(self, there: Callable[[str], bool]) -> None:
        """See which clients are gone."""
        for one in [one for one in self._waiters if one.kind == FAREWELL]:
            if not any(map(there, one.names)):
                self._end(one, DONE)

    def read(self, number: int, names: set[str] | None) -> None:
        """The store was read: an endpoint that is not there has none to wait for; None: the service is off."""
        for one in [one for one in self._waiters if one.kind == LEASE and one.read <= number]:
            if names is None:
                self._end(one, disabled("off"))
            elif not one.names <= names:
                sentence = f"{', '.join(map(shown, sorted(one.names)))} is to have no address from DHCP."
                self._end(one, NotFound("not-leased", sentence, "'cnet leases' shows who is."))

    def end(self) -> None:
        """The service ends: nobody is kept waiting."""
        for one in list(self._waiters):
            self._end(one, ended())
