"""Create a network.

The rule of this file: everything is checked and picked before anything is touched.
"""

from __future__ import annotations

from containernet.drivers.nat import FORWARD6
from containernet.drivers.network import mtu_of
from containernet.kernel.door import ABSENT, KernelError, Surroundings
from containernet.model import request
from containernet.model.address import canonical, overlap
from containernet.model.errors import Conflict, Missing, NotFound, Usage
from containernet.model.names import link_name, network_name, shown
from containernet.model.network import HOST, INTERNAL, NAT, ROUTED, TRANSPARENT, Network, Subnet
from containernet.model.record import replace
from containernet.plan import ipam
from containernet.plan.intent import Intent
from containernet.plan.objects import Bridge, Sysctl, Table
from containernet.plan.operations import Add, Change, Elements, Operation
from containernet.plan.ruleset import TEXT
from containernet.store.door import MARK, WORLD, address_cursor
from containernet.verbs.attempt import attempt
from containernet.verbs.executor import carry_out
from containernet.verbs.host import SITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host

PLAIN_MTU = 1500  # IEEE 802.3, where the host has no uplink to follow
NO_IPV6 = "net/ipv6/conf/all/disable_ipv6"


def create(
    host: Host,
    name: str,
    *,
    nat: bool = False,
    internal: bool = False,
    subnets: tuple[str, ...] = (),
    gateways: tuple[str, ...] = (),
    uplink: str = "",
    external_address: str = "",
    mtu: int = 0,
    ipv6: bool = True,
    labels: tuple[str, ...] = (),
    mode: str = "",
    shim: bool = False,
    confirm_within: int = 0,
    yes: bool = False,
) -> Network:
    """Create a network and return it."""
    kind = request.kind(nat, internal, mode)
    request.confirmation(kind, confirm_within, yes)
    request.shim(kind, shim)
    name, prefixes = network_name(name), request.subnets(subnets, ipv6)
    given = request.gateways(gateways, prefixes)
    uplink, external_address = _outside(kind, uplink, external_address)
    pairs, mtu = request.labels(labels), request.mtu(mtu, ipv6)
    if kind != NAT:
        host.report.skip("forwarding", "external", "nat")
    if kind in TRANSPARENT:
        request.without_subnets(subnets, gateways, external_address)
        wanted = Network(0, name, kind, (), mtu, bool(mtu), ipv6, uplink, labels=pairs)
        return attempt(host, lambda: _without_nat(host, wanted, confirm_within, yes, shim))

    def verb() -> Network:
        _free(host, name, uplink, external_address)
        six = ipv6 and _has_ipv6(host, prefixes)
        number = _number(host)
        site = host.site
        taken = _taken(host, host.kernel.surroundings(HOST))
        host.report.stage("vswitch")
        chosen = _chosen(host, prefixes, six, ipam.ula(site, number), taken)
        followed = mtu_of(host.kernel.way_out(uplink).mtu, six) or PLAIN_MTU
        network = Network(
            number, name, kind, tuple(Subnet(one, given.get(one) or ipam.gateway(one)) for one in chosen),
            mtu or followed, bool(mtu), six, uplink, external_address, pairs, host.now(),
        )  # fmt: skip
        fresh = [(address_cursor(prefix), "") for prefix in chosen]
        memos = ((MARK, str(host.mark)), (SITE, str(site)), (WORLD, host.kernel.world()), *fresh)
        carry_out(
            host, "create", Intent(), Intent((network,), memos=memos),
            extra=(*_table(host), *_advertised(host, network)), stage=stage,
        )  # fmt: skip
        return network

    return attempt(host, verb)


def _number(host: Host) -> int:
    """Return the network's number: the next one whose bridge nobody else has made."""
    number = host.store.next_id("networks")
    while host.kernel.exists(f"cn-{number}"):
        number += 1
    return number


def _without_nat(host: Host, wanted: Network, within: int, trust: bool, shim: bool) -> Network:
    from containernet.verbs.transparent import made

    _free(host, wanted.name, "", "")
    six = replace(wanted, ipv6=wanted.ipv6 and _has_ipv6(host, ()))

    def forwarding(network: Network) -> tuple[Operation, ...]:
        return _advertised(host, network)

    return made(host, six, _table(host), forwarding, within=within, trust=trust, shim=shim)


def stage(operation: Operation) -> str:
    """Return the stage that an operation belongs to."""
    match operation:
        case Add(Bridge()):
            return "vswitch"
        case Change(Sysctl()):
            return "forwarding"
        case Elements():
            return "nat"
    return ""


def _outside(kind: str, uplink: str, external_address: str) -> tuple[str, str]:
    if kind == INTERNAL and (uplink or external_address):
        raise Usage(
            "internal-outside",
            "An internal network has no way out.",
            "Leave out --uplink and --external-address, or give --nat.",
        )
    if uplink:
        link_name(uplink)
    if external_address:
        external_address = canonical(external_address)
    return uplink, external_address


def _free(host: Host, name: str, uplink: str, external_address: str) -> None:
    """Refuse what is there already, and what is not there."""
    if host.store.network(name) is not None:
        raise Conflict(
            "network-exists", f"There is a network {name} already.", "Take another name, or destroy it first."
        )
    if uplink and not host.kernel.exists(uplink):
        raise NotFound("uplink-not-found", f"This host has no link {shown(uplink)}.", "'ip link' shows its links.")
    if external_address and (external_address.startswith("127.") or not host.kernel.has_address(external_address)):
        sentence = f"{external_address} is not an address by which this host can be reached."
        raise NotFound("address-not-ours", sentence, "'ip address' shows its addresses.")


def _has_ipv6(host: Host, prefixes: tuple[str, ...]) -> bool:
    """Tell whether this host has IPv6; refuse an IPv6 subnet where it has none."""
    try:
        has = host.kernel.setting(HOST, NO_IPV6) == "0"
    except KernelError as error:
        if error.reason != ABSENT:
            raise
        has = False
    if not has and any(":" in prefix for prefix in prefixes):
        raise Missing(
            "ipv6-missing",
            "IPv6 is off on this host.",
            f"Leave the IPv6 subnet out, or switch it on: sysctl {NO_IPV6}=0.",
        )
    return has


def _taken(host: Host, around: Surroundings) -> dict[str, str]:
    """Return the prefixes that are in use, and by what."""
    found = {
        text: f"an address of this host ({text} on {link.name})" for link in around.links for text in link.addresses
    }
    found |= {text: f"a route of this host ({text})" for text in around.routes}
    return found | {one.prefix: f"the network {net.name}" for net in host.store.networks() for one in net.subnets}


def _chosen(host: Host, prefixes: tuple[str, ...], ipv6: bool, ula: str, taken: dict[str, str]) -> tuple[str, ...]:
    """Return the subnets: as given, else picked; IPv4 first."""
    for prefix in prefixes:
        clash = next((why for other, why in taken.items() if overlap(prefix, other)), "")
        if clash:
            raise Conflict(
                "subnet-taken",
                f"The subnet {prefix} overlaps {clash}.",
                "Take another, or leave --subnet out to have one picked.",
            )
    four = next((one for one in prefixes if ":" not in one), "") or ipam.free_subnet(taken, host.setting("subnet-pool"))
    six = next((one for one in prefixes if ":" in one), "") or (ula if ipv6 else "")
    if not four:
        pool = host.setting("subnet-pool")
        raise Conflict(
            "pool-full",
            f"No subnet of {pool} is free.",
            "Give one with --subnet, or set another pool: cnet config set subnet-pool CIDR.",
        )
    return tuple(one for one in (four, six) if one)


def _table(host: Host) -> tuple[Operation, ...]:
    """Return what makes our table, if it is not there as it should be."""
    table = Table(host.mark, TEXT)
    if not host.kernel.missing([table]):
        return ()
    owner = host.kernel.owner()
    if owner not in (0, host.mark):
        from containernet.verbs.mend import table_taken

        raise table_taken()
    if not host.dry and host.store.networks():  # others' isolation went with it
        from containernet.verbs.mend import mend

        mend(host)
        return ()
    return (Change(Table(owner, ""), table),) if owner else (Add(table),)


def _advertised(host: Host, network: Network) -> tuple[Operation, ...]:
    """Return what keeps an IPv6 address and route that the host has by router advertisements.

    A host that forwards ignores them, unless accept_ra is 2 (ip-sysctl.rst).
    """
    if network.kind not in (NAT, ROUTED) or not network.ipv6 or host.kernel.setting(HOST, FORWARD6) == "1":
        return ()
    links = [host.kernel.way_out().link6, *([network.uplink] if network.kind == ROUTED else [])]
    keys = [f"net/ipv6/conf/{link}/accept_ra" for link in dict.fromkeys(links) if link]
    heeded = [key for key in keys if host.kernel.setting(HOST, key) == "1"]
    return tuple(Change(Sysctl(HOST, key, "1"), Sysctl(HOST, key, "2")) for key in heeded)
