"""Open a port of a container to the outside.

The rule of this file: the container may be running; nothing of it is touched, only elements of our table.
"""

from __future__ import annotations

from containernet.model.address import merged
from containernet.model.network import Endpoint, PortMapping
from containernet.model.ports import wanted
from containernet.plan.intent import Intent, joined, without
from containernet.verbs import leave as leaving
from containernet.verbs import publish
from containernet.verbs.attempt import attempt
from containernet.verbs.containers import known
from containernet.verbs.executor import carry_out
from containernet.verbs.part import around, need_network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host


def open_port(
    host: Host,
    container: str,
    network: str,
    *,
    internal_port: str,
    external_port: str = "",
    protocol: str = "tcp",
    external_address: str = "",
    remotes: tuple[str, ...] = (),
    endpoint: str = "",
) -> tuple[PortMapping, Endpoint, Intent]:
    """Open a port; return its mapping, its endpoint, and the part of the intent that they belong to."""
    asked = wanted(protocol, external_address, external_port, internal_port, merged(remotes) if remotes else ())

    def verb() -> tuple[PortMapping, Endpoint, Intent]:
        net = need_network(host.store, network)
        compartment = known(host, container)
        one = leaving.chosen(host, compartment, net, endpoint)
        (mapping,), memos, freed = publish.picked(host, net, one, [asked])
        part = around(host.store, compartment)
        before = joined(part, freed)
        after = joined(without(before, freed.endpoints), Intent(mappings=(mapping,), memos=memos))
        last = (*leaving.cuts(freed.endpoints), *publish.cuts((mapping,), one))
        carry_out(host, "open", before, after, last=last)
        return mapping, one, after

    return attempt(host, verb)
