"""What every verb works with: the kernel, the store, the containers' names, and whom to tell.

The rule of this file: one host for one verb; entered before, left after, whatever happens. Nothing of ours stays open.
"""

from __future__ import annotations

from containernet.store.door import MARK, SETTING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from containernet.containers.door import Containers
    from containernet.kernel.door import Kernel
    from containernet.plan.operations import Operation
    from containernet.store.door import Store
    from containernet.verbs.services import Services
else:
    Protocol = object

SITE = "site"  # the memo that holds the 40 bits of our IPv6 prefixes
UUID = "uuid"  # the memo that holds who this host is for DHCP servers (RFC 6355)
SETTINGS = {  # what people may set: key -> (default, what it is for)
    "port-range": ("50000-60000", "External ports that cmdlets may open, and that are picked from when none is given."),
    "subnet-pool": ("192.168.0.0/16", "Where the IPv4 subnets of networks come from, a /24 each."),
}


class Report(Protocol):
    """Who is told what happens."""

    verbose: bool

    def stage(self, key: str) -> None:
        """A stage of the verb begins."""

    def skip(self, *keys: str) -> None:
        """Stages that there are not, this time."""

    def operation(self, line: str) -> None:
        """An operation is about to be done."""

    def count(self, what: str, done: int, total: int) -> None:
        """Long work is this far."""

    def note(self, sentence: str) -> None:
        """Something that the user should know."""

    def wait(self, sentence: str) -> None:
        """It takes a while, and why."""


class Silence:
    """Tells nobody."""

    verbose = False

    def stage(self, key: str) -> None:
        """Say nothing."""

    def skip(self, *keys: str) -> None:
        """Say nothing."""

    def operation(self, line: str) -> None:
        """Say nothing."""

    def count(self, what: str, done: int, total: int) -> None:
        """Say nothing."""

    def note(self, sentence: str) -> None:
        """Say nothing."""

    def wait(self, sentence: str) -> None:
        """Say nothing."""


class Host:
    """One verb's view of the host."""

    def __init__(
        self,
        kernel: Kernel,
        store: Store,
        containers: Containers,
        report: Report,
        *,
        now: Callable[[], int],
        chance: Callable[[int], bytes],
        plans: list[str] | None = None,
        state_dir: str = "",
        services: Callable[[], Services] | None = None,
    ) -> None:
        self.kernel, self.store, self.containers, self.report = kernel, store, containers, report
        self.now, self.chance = now, chance
        self.plans = plans  # where a dry run puts its lines; None: it is done
        self.state_dir = state_dir  # where what lasts is kept
        self._services = services
        self._mark = 0

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.kernel.close()
        finally:
            self.store.close()

    @property
    def dry(self) -> bool:
        """Whether nothing is to be changed."""
        return self.plans is not None

    @property
    def services(self) -> Services:
        """What the agent does for verbs."""
        if self._services is not None:
            return self._services()
        from containernet.verbs.services import Nobody

        return Nobody()

    @property
    def mark(self) -> int:
        """Our mark on links and in the table's comment; a new store's is made by :meth:`birth`."""
        if not self._mark:
            self._mark = int(self.store.memo(MARK) or 0) or 2 + int.from_bytes(self.chance(4), "big") % 0x7FFFFFF0
        return self._mark

    @property
    def site(self) -> int:
        """The 40 random bits of our IPv6 prefixes (RFC 4193, 3.2.1)."""
        return int(self.store.memo(SITE) or 0) or int.from_bytes(self.chance(5), "big")

    @property
    def uuid(self) -> bytes:
        """The 16 random bytes by which DHCP servers know this host (RFC 6355)."""
        return bytes.fromhex(self.store.memo(UUID)) or self.chance(16)

    def setting(self, key: str) -> str:
        """Return a setting's value."""
        return self.store.memo(SETTING + key) or SETTINGS[key][0]

    def tell(self, operation: Operation) -> None:
        """Tell that an operation is about to be done."""
        if self.report.verbose:
            from containernet.plan.text import text

            for line in text(operation):
                self.report.operation(line)

    @staticmethod
    def brief(operations: list[Operation]) -> tuple[str, ...]:
        """Return operations as lines for a summary."""
        from containernet.plan.text import brief

        return tuple(line for operation in operations for line in brief(operation))
