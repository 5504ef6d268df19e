"""What hangs on a link of the host's own: macvlans, and that link as a port of a bridge of ours (ip-link(8)).

The rule of this file: nothing of the host's link is changed but whose port it is.
"""

from __future__ import annotations

from errno import EADDRNOTAVAIL, EBUSY, ENODEV
from time import monotonic

from containernet.kernel import links
from containernet.kernel.door import ABSENT, EXISTS, OTHER, KernelError
from containernet.kernel.links import DELLINK, NEWLINK, Found, find
from containernet.kernel.netlink import CREATE, EXCL, ROUTE, Netlink, nest, text, u32
from containernet.plan.objects import Macvlan, Port

LINK, NETNS_FD, MASTER, OPERSTATE, INFO, ALIAS, GROUP, MTU, NAME = 5, 28, 10, 16, 18, 20, 27, 4, 3  # IFLA_*
KIND, DATA, MODE, BRIDGE_MODE = 1, 2, 1, 4  # IFLA_INFO_*, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE
PATIENCE = 0.5  # seconds for a bridge to pass frames; it takes well under 1 ms as a rule
RTMGRP_LINK = 1


def add_macvlan(host: Netlink, inside: Netlink, wanted: Macvlan, namespace: int) -> None:
    """Make a macvlan straight in the namespace behind the descriptor (-1: the host's); ``inside`` is a socket there."""
    made = text(NAME, wanted.name) + links.mac_attribute(wanted.mac) + u32(MTU, wanted.mtu) + u32(GROUP, wanted.group)
    made += u32(LINK, links.index_of(host, wanted.parent))
    made += u32(NETNS_FD, namespace) if namespace >= 0 else b""
    made += nest(INFO, text(KIND, "macvlan"), nest(DATA, u32(MODE, BRIDGE_MODE)))
    try:
        host.ask((NEWLINK, CREATE | EXCL, links.info() + made))
    except OSError as error:
        if error.errno == EADDRNOTAVAIL:
            raise KernelError(OTHER, f"The MAC address {wanted.mac} is in use on {wanted.parent}.") from None
        raise
    links.finish(inside, wanted.name, text(NAME, wanted.name) + text(ALIAS, wanted.alias))


def change_macvlan(host: Netlink, inside: Netlink, wanted: Macvlan) -> None:
    """Bring a macvlan back to what it should be; one on another parent stays, and is somebody else's."""
    found = ours(inside, wanted)
    parent = find(host, index=found.other)
    if parent is None or parent.name != wanted.parent:
        raise KernelError(EXISTS, f"The link {wanted.name} is on another link of the host than {wanted.parent}.")
    rest = links.mac_attribute(wanted.mac) + u32(MTU, wanted.mtu) + u32(GROUP, wanted.group) + text(ALIAS, wanted.alias)
    inside.ask((NEWLINK, 0, links.info(found.index) + rest))


def remove_macvlan(inside: Netlink, wanted: Macvlan) -> None:
    """Delete a macvlan that carries our mark."""
    inside.ask((DELLINK, 0, links.info(ours(inside, wanted).index)))


def ours(inside: Netlink, wanted: Macvlan) -> Found:
    """Return the macvlan if it is there and carries our mark; raise ABSENT or EXISTS if not."""
    found = find(inside, wanted.name)
    if found is None:
        raise KernelError(ABSENT, f"There is no link {wanted.name}.")
    if found.kind != "macvlan" or found.group != wanted.group:
        raise KernelError(EXISTS, f"The link {wanted.name} is somebody else's: it does not carry our mark.")
    return found


def add_port(host: Netlink, port: Port) -> None:
    """Make a link of the host a port of a bridge, and wait until that passes frames."""
    link = _need(host, port.link)
    if link.master:
        raise KernelError(EXISTS, f"The link {port.link} has a master already.")
    bridge = links.index_of(host, port.bridge)
    try:
        host.ask((NEWLINK, 0, links.info(link.index) + u32(MASTER, bridge)))
    except OSError as error:
        if error.errno != EBUSY:
            raise
        raise KernelError(
            EXISTS, f"Something else takes the frames of {port.link}: a macvlan on it, perhaps."
        ) from None
    _await_carrier(host, link, bridge)


def remove_port(host: Netlink, port: Port) -> None:
    """Let a link of the host be no port any more."""
    link = _need(host, port.link)
    master = find(host, index=link.master) if link.master else None
    if master is None or master.name != port.bridge:
        raise KernelError(ABSENT, f"The link {port.link} is no port of {port.bridge}.")
    host.ask((NEWLINK, 0, links.info(link.index) + u32(MASTER, 0)))


def _need(host: Netlink, name: str) -> Found:
    found = find(host, name)
    if found is None:
        raise KernelError(ABSENT, f"There is no link {name}.")
    return found


def _await_carrier(host: Netlink, link: Found, bridge: int) -> None:
    """Wait until the bridge has noticed that its port has a carrier: before, it drops what is sent (linkwatch)."""
    if not link.carrier or _works(host, bridge):
        return
    events = Netlink(ROUTE, RTMGRP_LINK)
    try:
        deadline = monotonic() + PATIENCE
        while not _works(host, bridge) and (left := deadline - monotonic()) > 0:
            events.socket.settimeout(left)
            try:
                events.socket.recv(1 << 16)
            except OSError:  # time is up, or events were lost: look again
                continue
    finally:
        events.close()


def _works(host: Netlink, bridge: int) -> bool:
    found = find(host, index=bridge)
    if found is None:
        raise OSError(ENODEV, "No such device")
    return bool(found.carrier)
