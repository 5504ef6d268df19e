"""The link of the host that containers are put on the outside by: which one, whether it can be, and what moves.

The rule of this file: refused with advice before anything is touched. What the host has on its uplink is never lost:
it is moved whole, remembered, and moved back.
"""

from __future__ import annotations

from containernet.kernel.door import ABSENT, KernelError, Uplink
from containernet.model.errors import Conflict, Missing, NotFound, Taken, Usage
from containernet.model.names import link_name, shown
from containernet.model.network import BRIDGE, HOST, ROUTED, Network
from containernet.model.record import fields
from containernet.plan import moving
from containernet.plan.objects import PREFIXES, Held, HeldAddress, HeldRoute, Sysctl
from containernet.plan.operations import Add, Change, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host

MOVED = "moved:"  # the memo, by a network's number, that holds the kernel's word for itself and what was moved then
KINDS = {"HeldAddress": HeldAddress, "HeldRoute": HeldRoute}
ELSE = "take --mode macvlan, which leaves the uplink as it is"
BRIDGES = {  # how the program that manages a link makes a bridge of it
    "NetworkManager": (
        "nmcli con add type bridge ifname br0 && nmcli con add type bridge-slave ifname {} master br0"
    ),
    "systemd-networkd": "a br0.netdev (Kind=bridge), Bridge=br0 for {}, and its addresses in br0.network",
    "ifupdown": "an 'iface br0' with 'bridge_ports {}' in /etc/network/interfaces",
}  # fmt: skip


def chosen(host: Host, name: str, kind: str) -> Uplink:
    """Return the uplink for a network of a kind: as asked for, else that of the default route."""
    link = link_name(name) if name else host.kernel.way_out().link
    if not link:
        raise Missing("uplink-none", "This host has no default route, so no uplink.", "Name one: --uplink IFACE.")
    try:
        found = host.kernel.uplink(link)
    except KernelError as error:
        if error.reason != ABSENT:
            raise
        sentence = f"This host has no link {shown(link)}."
        raise NotFound("uplink-not-found", sentence, "'ip link' shows its links.") from None
    fit(host, found, kind)
    return found


def fit(host: Host, link: Uplink, kind: str) -> None:
    """Refuse a link that containers cannot be put on the outside by in this way."""
    _a_link_for_it(host, link)
    if not link.ethernet:
        sentence = f"{link.name} has no MAC address: nobody beyond it asks who has an address."
        raise Usage("uplink-one-mac", sentence, "Put the network behind --nat.")
    if link.wireless and kind != ROUTED:
        sentence = f"{link.name} is wireless: its access point takes frames from this host only."
        raise Usage("uplink-one-mac", sentence, "Take --mode routed, or put the network behind --nat.")
    if kind == BRIDGE and link.kind != "bridge":
        _movable(link)
        _not_routed_by(host, link)


def _a_link_for_it(host: Host, link: Uplink) -> None:
    mine = {one.bridge: one.name for one in host.store.networks() if one.bridge}
    if link.loopback:
        raise Usage("uplink-loopback", f"{link.name} leads nowhere: it is the loopback link.", "Name another uplink.")
    if link.name.startswith(PREFIXES) or link.master in mine:
        owner = mine.get(link.master) or mine.get(link.name, "another network")
        raise Conflict(
            "uplink-ours", f"{link.name} belongs to the network {owner}.", f"Join the containers to {owner}."
        )
    if link.master:
        sentence = f"{link.name} is a part of {link.master}."
        raise Conflict("uplink-part", sentence, f"Take the whole: --uplink {link.master}.")
    if not link.up:
        raise Conflict(
            "uplink-down", f"The uplink {link.name} is down.", f"Set it up first: ip link set {link.name} up."
        )


def _not_routed_by(host: Host, link: Uplink) -> None:
    """Refuse a link that another network is routed by: a bridge's port answers for nobody."""
    other = next((one for one in host.store.networks() if one.kind == ROUTED and one.uplink == link.name), None)
    if other is not None:
        sentence = f"The network {other.name} is routed by {link.name}."
        raise Conflict("uplink-routed", sentence, f"Destroy {other.name} first, or {ELSE}.")


def _movable(link: Uplink) -> None:
    """Refuse a link whose addresses another program would not let go, or that cannot be moved whole."""
    if link.manager:
        how = BRIDGES.get(link.manager, "").format(link.name)
        made = (
            f"Have it make a bridge ({how}) and give that with --uplink br0" if how else "Give a bridge with --uplink"
        )
        sentence = f"{link.name} is managed by {link.manager}, which would undo the move of its addresses."
        raise Taken("uplink-managed", sentence, f"{made}, or {ELSE}.")
    if link.odd:
        sentence = f"What {link.name} has cannot be moved to a bridge: {link.odd}."
        raise Conflict("uplink-odd", sentence, f"Give a bridge that is there already with --uplink, or {ELSE}.")


def gateways(held: tuple[Held, ...]) -> tuple[str, ...]:
    """Return the neighbours that default routes lead to, the preferred first."""
    ways = [one for one in held if isinstance(one, HeldRoute) and one.destination.startswith("default") and one.via]
    return tuple(dict.fromkeys(one.via for one in sorted(ways, key=lambda one: one.metric)))


def taking(host: Host, link: Uplink, network: Network) -> tuple[Operation, ...]:
    """Return what moves to a network's bridge what the host has on its uplink.

    No router configures the bridge before it has that: what is to be given must not be there already.
    """
    moves = moving.moved(link.held, network.bridge)
    deaf = Sysctl(HOST, f"net/ipv6/conf/{network.bridge}/accept_ra", "0")
    try:
        usual = host.kernel.setting(HOST, f"net/ipv6/conf/{link.name}/accept_ra")
    except KernelError as error:
        if error.reason != ABSENT:
            raise
        return (*_settings(link, network.bridge), *moves)
    listening = Change(deaf, Sysctl(HOST, deaf.key, usual))
    return (*_settings(link, network.bridge), Add(deaf), *moves, listening)


def _settings(link: Uplink, bridge: str) -> tuple[Operation, ...]:
    """Return what makes a bridge treat packets as the uplink does."""
    paths = [(key.partition("/"), value) for key, value in link.settings]
    return tuple(Add(Sysctl(HOST, f"net/{version}/conf/{bridge}/{key}", value)) for (version, _, key), value in paths)


def returning(host: Host, network: Network) -> tuple[Uplink | None, tuple[Operation, ...]]:
    """Return the network's bridge, and what moves to its uplink what the host has there; nothing where it has none."""
    if network.kind != BRIDGE or not network.mac or not host.kernel.exists(network.uplink):
        return None, ()
    try:
        bridge = host.kernel.uplink(network.bridge)
    except KernelError as error:
        if error.reason != ABSENT:
            raise
        return None, ()
    return bridge, moving.moved(bridge.held, network.uplink)


def memo(host: Host, network: Network, held: tuple[Held, ...]) -> tuple[str, str]:
    """Return what is to be remembered of what was moved."""
    rows = [(type(one).__name__, *(getattr(one, name) for name in fields(one))) for one in moving.lasting(held)]
    return f"{MOVED}{network.id}", repr((host.kernel.world(), rows))


def remembered(host: Host, network: Network) -> tuple[str, tuple[Held, ...]]:
    """Return the kernel's word for itself when the uplink was moved, and what was moved then."""
    text = host.store.memo(f"{MOVED}{network.id}")
    if not text:
        return "", ()
    from ast import literal_eval

    world, rows = literal_eval(text)
    return world, tuple(KINDS[kind](*values) for kind, *values in rows)
