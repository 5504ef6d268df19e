"""Networks without NAT: making one, and making its bridge again.

The rule of this file: the uplink is looked at first, and moved only under watch; a network whose uplink is not ready
waits, as an endpoint waits for its container.
"""

from __future__ import annotations

from containernet.drivers.network import bridge_mac, mtu_of
from containernet.drivers.objects import objects
from containernet.drivers.transparent import prefix_of
from containernet.kernel.door import ABSENT, KernelError, Uplink
from containernet.model.address import split
from containernet.model.errors import ContainerNetError, Missing, Usage
from containernet.model.network import BRIDGE, ROUTED, Network, Subnet
from containernet.model.record import replace
from containernet.plan import moving
from containernet.plan.diff import diff
from containernet.plan.intent import Intent, without
from containernet.plan.objects import HeldAddress
from containernet.plan.operations import Operation
from containernet.store.door import MARK, WORLD
from containernet.verbs import uplink as uplinks
from containernet.verbs.executor import carry_out
from containernet.verbs.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from containernet.verbs.host import Host


def made(
    host: Host,
    wanted: Network,
    table: tuple[Operation, ...],
    forwarding: Callable[[Network], tuple[Operation, ...]],
    *,
    within: int,
    trust: bool,
    shim: bool,
) -> Network:
    """Make a network; of what is wanted, what the uplink says is filled in.

    ``table`` makes our table, ``forwarding`` keeps what a host that forwards would lose.
    """
    link = uplinks.chosen(host, wanted.uplink, wanted.kind)
    if wanted.mtu > link.mtu:
        sentence = f"An MTU of {wanted.mtu} is more than that of {link.name}, {link.mtu}."
        raise Usage("mtu-uplink", sentence, "Leave --mtu out: the uplink's is taken.")
    number = host.store.next_id("networks")
    mac = link.mac if wanted.kind == BRIDGE and link.kind != "bridge" else ""
    network = replace(
        wanted, id=number, mtu=wanted.mtu or mtu_of(link.mtu, wanted.ipv6), uplink=link.name, mac=mac,
        created=host.now(),
    )  # fmt: skip
    if shim:
        network = replace(network, mac=bridge_mac(network, host.mark), subnets=_own(link))
    memos = [(MARK, str(host.mark)), (WORLD, host.kernel.world()), uplinks.memo(host, network, link.held)]
    host.report.stage("vswitch")
    if network.kind == ROUTED:
        from containernet.verbs.routed import found

        memos += found(host, network)
    extra = (*table, *forwarding(network))
    _bring(host, "create", network, link, extra, tuple(memos), within=within, trust=trust)
    return network


def _bring(
    host: Host,
    verb: str,
    network: Network,
    link: Uplink,
    extra: tuple[Operation, ...],
    memos: tuple[tuple[str, str], ...],
    *,
    within: int = 0,
    trust: bool = False,
) -> None:
    """Make a network's own, and move what the host has on the uplink, if that becomes a port of its bridge."""
    moving_it = moves_uplink(network)
    moves = uplinks.taking(host, link, network) if moving_it else ()
    watch = Watch(host, network.name, link, network.bridge, within=within, trust=trust) if moving_it else None
    after = Intent((network,), memos=memos)
    carry_out(host, verb, Intent(), after, extra=(*extra, *moves), watch=watch)


# --- making it again ---


def moves_uplink(network: Network) -> bool:
    """Tell whether a network has a bridge of ours with the host's uplink in it."""
    return network.kind == BRIDGE and bool(network.mac)


def asleep(host: Host, networks: tuple[Network, ...]) -> tuple[Network, ...]:
    """Return the networks whose bridge is not there: since a restart, or because somebody has taken it away."""
    return tuple(one for one in networks if moves_uplink(one) and not host.kernel.exists(one.bridge))


def without_uplink(host: Host, networks: tuple[Network, ...]) -> tuple[Network, ...]:
    """Return the networks of which something is on a link that the host does not have now."""
    standing = (one for one in networks if one.kind == ROUTED or one.shim)
    return tuple(one for one in standing if not host.kernel.exists(one.uplink))


def following(host: Host, network: Network) -> Network:
    """Return a network with the host's addresses as they are now, if it has a shim; without any, those of before."""
    if not network.shim or without_uplink(host, (network,)):
        return network
    return replace(network, subnets=_own(host.kernel.uplink(network.uplink)) or network.subnets)


def _own(link: Uplink) -> tuple[Subnet, ...]:
    """Return the host's addresses on a link: those that containers know it by, and those that it sends from."""
    own = [one.address for one in link.held if isinstance(one, HeldAddress) and not one.scope]
    return tuple(Subnet(prefix_of(text), split(text)[0]) for text in own)


def awake(host: Host, intent: Intent) -> Intent:
    """Return an intent without the networks that wait: for a bridge, not made as other things are, or for an uplink."""
    gone = {one.id for one in (*asleep(host, intent.networks), *without_uplink(host, intent.networks))}
    if not gone:
        return intent
    left = without(intent, [one for one in intent.endpoints if one.network_id in gone])
    return replace(left, networks=tuple(one for one in left.networks if one.id not in gone))


def need_awake(host: Host, network: Network) -> None:
    """Refuse a network that waits for its uplink."""
    if without_uplink(host, (network,)) or (asleep(host, (network,)) and not waking(host, network)):
        sentence = f"The network {network.name} waits until {network.uplink} is up and has its addresses."
        raise Missing("network-waiting", sentence, "Then run 'cnet restore'.")


def waking(host: Host, network: Network) -> Uplink | None:
    """Return the uplink of a network with what its bridge is to have; None if it is not ready yet."""
    try:
        link = host.kernel.uplink(network.uplink)
        uplinks.fit(host, link, network.kind)
    except KernelError as error:
        if error.reason != ABSENT:
            raise
        return None
    except ContainerNetError:
        return None
    world, former = uplinks.remembered(host, network)
    if not link.carrier:
        return None
    if not any(isinstance(one, HeldAddress) for one in link.held) and former:
        return replace(link, held=former) if world == host.kernel.world() else None
    return link


def waking_up(host: Host, networks: tuple[Network, ...]) -> tuple[Operation, ...]:
    """Return what :func:`wake` would do."""
    done: list[Operation] = []
    for network in asleep(host, networks):
        if link := waking(host, network):
            steps = diff([], objects(Intent((network,)), host.mark))
            done += [*steps, *uplinks.taking(host, link, network)]
    return tuple(done)


def wake(host: Host, networks: tuple[Network, ...]) -> tuple[Operation, ...]:
    """Make the bridges again that can be; return what was done. One that cannot be holds up nobody."""
    done: list[Operation] = []
    for network in asleep(host, networks):
        link = waking(host, network)
        if link is None:
            host.report.note(f"The network {network.name} waits until {network.uplink} is up and has its addresses.")
            continue
        now = replace(network, mac=link.mac)
        try:
            _bring(host, "restore", now, link, (), (uplinks.memo(host, now, link.held),))
        except ContainerNetError as error:
            host.report.note(f"The bridge of {network.name} could not be made again: {error.sentence}")
            continue
        done += moving.given(link.held, network.bridge)
    return tuple(done)
