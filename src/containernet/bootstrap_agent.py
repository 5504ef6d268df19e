"""What the host agent is made of: its services, with all that they work with.

The rule of this file: besides bootstrap.py the only one that names real adapters; loaded by `cnet agent` alone.
"""

from __future__ import annotations

from containernet.agent import main
from containernet.containers.named import NAMED
from containernet.kernel import inotify, watch
from containernet.kernel.advertised import Advertised
from containernet.kernel.carriers import Carriers
from containernet.kernel.netns import Spaces
from containernet.services.dhcp import Dhcp
from containernet.services.dhcp4.engine import Engine
from containernet.services.lessees import Lessee, Lessees
from containernet.services.repair import Repair, Watches, paths
from containernet.store.files import LOG
from containernet.verbs.leasing import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.bootstrap import ContainerNet


def run(net: ContainerNet) -> int:
    """Run the agent of a ContainerNet's state directory until it is told to end; return its exit status."""
    return main.run(net.state_dir, (repair(net), dhcp(net)), lambda: inotify.Files(net.state_dir, (LOG,)))


def repair(net: ContainerNet) -> Repair:
    """Return what brings everything to what it should be."""
    return Repair(
        net.with_report, lambda: net.ask(paths),
        lambda: Watches((watch.Host(), watch.Firewall()), (watch.Inside(),), inotify.Files(NAMED), NAMED),
    )  # fmt: skip


def dhcp(net: ContainerNet) -> Dhcp:
    """Return what leases addresses."""
    return Dhcp(
        Reading(net), lambda words: net.on_host(lambda host: written(host, words)),
        lambda hands: Engine(hands, Spaces()), Carriers, Advertised,
    )  # fmt: skip


class Reading(Lessees):
    """Who is to be leased for, by the store of a ContainerNet."""

    def __init__(self, net: ContainerNet) -> None:
        super().__init__()
        self._net = net

    def __call__(self) -> tuple[Lessee, ...] | None:
        """Read the store."""
        return self._net.ask(self.of)
