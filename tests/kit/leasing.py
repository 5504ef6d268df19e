"""A lease for an endpoint, as if a server had given one: recorded by the verbs' own functions.

The rule of this file: what a lease says is the test's; how it becomes files, rows and a journal is the tool's.
"""

from __future__ import annotations

from typing import Any

from containernet.bootstrap import ContainerNet
from containernet.model.lease import Lease
from containernet.model.record import replace
from containernet.plan.intent import joined
from containernet.verbs.attempt import attempt
from containernet.verbs.containers import known
from containernet.verbs.executor import carry_out
from containernet.verbs.host import Host
from containernet.verbs.leave import chosen
from containernet.verbs.part import around, need_network


def given(**said: Any) -> Lease:
    """Return a lease of ten minutes with all that a server said besides."""
    plain: dict[str, Any] = {
        "address": "198.51.100.50", "prefix": 24, "server": "198.51.100.2", "client_id": "01", "began": 0.0,
        "seconds": 600, "t1": 300.0, "t2": 525.0,
    }  # fmt: skip
    return Lease(**{**plain, **said})


def lease(net: ContainerNet, container: str, network: str, **said: Any) -> None:
    """Give an endpoint a lease, or, if nothing is said, take the one away that it has."""

    def verb(host: Host) -> None:
        compartment = known(host, container)
        before = around(host.store, compartment)
        one = chosen(host, compartment, need_network(host.store, network), "")
        after = replace(one, leases=(given(**said),) if said else ())
        carry_out(host, "lease", before, joined(before, replace(before, endpoints=(after,))))

    net.on_host(lambda host: attempt(host, lambda: verb(host)))
