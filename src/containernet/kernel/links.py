"""Links: bridges and veth pairs, as rtnetlink has them (rtnetlink(7), linux/if_link.h, ip-link(8)).

The rule of this file: between the plan's words for a link and the kernel's messages, both ways; whose a link is is
judged by its group, never by its name alone.
"""

from __future__ import annotations

from _struct import Struct
from errno import ENODEV, ENXIO, EXFULL
from fcntl import ioctl

from containernet.kernel.door import ABSENT, EXISTS, FULL, KernelError
from containernet.kernel.netlink import (
    CREATE,
    EXCL,
    Netlink,
    Refused,
    attribute,
    attributes,
    nest,
    number,
    string,
    text,
    u32,
)
from containernet.model.address import packed_mac
from containernet.plan.objects import Bridge, Veth

NEWLINK, DELLINK, GETLINK, SETLINK = 16, 17, 18, 19
IFF_UP, WORKING = 1, 0x10040  # IFF_UP; IFF_LOWER_UP and IFF_RUNNING: it has a carrier, and passes frames
SIOCGIFINDEX = 0x8933
FORWARDING = 3  # BR_STATE_FORWARDING

_ADDRESS, _NAME, _MTU, _LINK, _MASTER, _OPERSTATE, _LINKINFO, _ALIAS = 1, 3, 4, 5, 10, 16, 18, 20
_GROUP, _NETNS_FD, _EXT_MASK = 27, 28, 29
_KIND, _DATA, _SLAVE_KIND, _SLAVE_DATA = 1, 2, 4, 5
_VETH_PEER, _STP_STATE, _PORT_STATE, _PORT_HAIRPIN = 1, 5, 1, 4
_FORWARD_DELAY, _SNOOPING, _NF_CALLS = 1, 23, (36, 37, 38)  # IFLA_BR_*: IPv4's, IPv6's and ARP's way by netfilter
_USUAL_DELAY = 1500  # hundredths of a second (IEEE 802.1D, table 8-3); without the protocol nothing waits for it
_INFO = Struct("=BxHiII")  # struct ifinfomsg
_IFREQ = Struct("=16si20x")
_SKIP_STATS = u32(_EXT_MASK, 8)  # RTEXT_FILTER_SKIP_STATS: a third of a long answer


class Found:
    """A link as the kernel has it."""

    __slots__ = (
        "alias",
        "carrier",
        "group",
        "hairpin",
        "index",
        "kind",
        "mac",
        "master",
        "mtu",
        "name",
        "other",
        "plain",
        "port_state",
        "stp",
        "up",
    )

    def __init__(self, body: bytes) -> None:
        _, _, self.index, flags, _ = _INFO.unpack_from(body)
        has = attributes(body, 16)
        info = attributes(has.get(_LINKINFO, b""))
        port = attributes(info.get(_SLAVE_DATA, b"")) if info.get(_SLAVE_KIND, b"") == b"bridge\0" else {}
        self.up, self.carrier = bool(flags & IFF_UP), flags & WORKING == WORKING
        self.name = string(has.get(_NAME, b""))
        self.kind = string(info.get(_KIND, b""))
        self.mac = has.get(_ADDRESS, b"").hex(":")
        self.mtu, self.group = number(has.get(_MTU, b"")), number(has.get(_GROUP, b""))
        self.alias = string(has.get(_ALIAS, b""))
        self.other = number(has.get(_LINK, b""))  # the index of a veth's peer, in the peer's namespace
        self.master = number(has.get(_MASTER, b""))
        self.hairpin, self.port_state = number(port.get(_PORT_HAIRPIN, b"")), number(port.get(_PORT_STATE, b""))
        own = attributes(info.get(_DATA, b"")) if self.kind == "bridge" else {}
        self.stp = number(own.get(_STP_STATE, b""))
        self.plain = bool(own) and not any(number(own.get(key, b"")) for key in (_FORWARD_DELAY, _SNOOPING, *_NF_CALLS))


def index_of(socket: Netlink, name: str) -> int:
    """Return the index of a link; raise ABSENT if there is none."""
    try:
        index: int = _IFREQ.unpack(ioctl(socket.socket.fileno(), SIOCGIFINDEX, _IFREQ.pack(name.encode(), 0)))[1]
    except OSError as error:
        if error.errno not in (ENODEV, ENXIO):
            raise
        raise KernelError(ABSENT, f"There is no link {name}.") from None
    return index


def find(socket: Netlink, name: str = "", index: int = 0) -> Found | None:
    """Return the link of this name or index, None if there is none."""
    try:
        return Found(socket.get(GETLINK, info(index=index) + (text(_NAME, name) if name else b"") + _SKIP_STATS))
    except Refused as refusal:
        if refusal.errno == ENODEV:
            return None
        raise


def every(socket: Netlink) -> list[Found]:
    """Return all links of a namespace."""
    return [Found(body) for body in socket.dump(GETLINK, info() + _SKIP_STATS)]


def info(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    """Return the head of a message about a link."""
    return _INFO.pack(0, 0, index, flags, change)


def mac_attribute(mac: str) -> bytes:
    """Return the attribute that holds a MAC address."""
    return attribute(_ADDRESS, packed_mac(mac))


def add_bridge(socket: Netlink, bridge: Bridge) -> None:
    """Make a bridge, up, with its MAC pinned (an address given at creation stays when ports come and go)."""
    kind = _manner(bridge)
    made = text(_NAME, bridge.name) + mac_attribute(bridge.mac) + u32(_GROUP, bridge.group) + kind
    # Set afterwards, the MTU is the bridge's own; given at creation, or set to what it is, it would follow its ports
    # (br_mtu_auto_adjust): so it is another one first.
    made += u32(_MTU, bridge.mtu ^ 1)
    socket.ask((NEWLINK, CREATE | EXCL, info(flags=IFF_UP, change=IFF_UP) + made))
    finish(socket, bridge.name, text(_NAME, bridge.name) + u32(_MTU, bridge.mtu) + text(_ALIAS, bridge.alias))


def _manner(bridge: Bridge) -> bytes:
    """Return how a bridge works: without the spanning tree protocol; a plain one without anything else either."""
    how = u32(_STP_STATE, 0) + u32(_FORWARD_DELAY, 0 if bridge.plain else _USUAL_DELAY)
    if bridge.plain:
        how += b"".join(attribute(key, b"\0") for key in (_SNOOPING, *_NF_CALLS))
    return nest(_LINKINFO, text(_KIND, "bridge"), nest(_DATA, how))


def add_veth(socket: Netlink, veth: Veth, namespace: int) -> None:
    """Make a veth pair in one message, its peer straight in the namespace behind the descriptor."""
    peer = attribute(
        _VETH_PEER,
        info() + text(_NAME, veth.peer) + mac_attribute(veth.mac) + u32(_MTU, veth.mtu) + u32(_NETNS_FD, namespace),
    )
    made = (
        text(_NAME, veth.name)
        + (b"" if veth.hairpin else mac_attribute(_highest(veth.mac)))
        + u32(_MTU, veth.mtu)
        + (u32(_MASTER, _bridge_index(socket, veth.bridge)) if veth.bridge else b"")
        + u32(_GROUP, veth.group)
        + nest(_LINKINFO, text(_KIND, "veth"), nest(_DATA, peer))
    )
    try:
        socket.ask((NEWLINK, CREATE | EXCL, info(flags=IFF_UP, change=IFF_UP) + made))
    except OSError as error:
        if error.errno == EXFULL:
            raise KernelError(FULL, f"The bridge {veth.bridge} has no port left.") from None
        raise
    finish(socket, veth.name, text(_NAME, veth.name) + text(_ALIAS, veth.alias) + _hairpin(veth))


def _highest(mac: str) -> str:
    """Return the MAC for the host's end on a bridge that may not be ours: one that takes the lowest has not this."""
    return f"fe{mac[2:]}"


def _bridge_index(socket: Netlink, name: str) -> int:
    try:
        return index_of(socket, name)
    except KernelError:
        raise KernelError(ABSENT, f"There is no bridge {name}.") from None


def _hairpin(veth: Veth) -> bytes:
    if not veth.bridge:
        return b""
    mode = attribute(_PORT_HAIRPIN, bytes((veth.hairpin,)))
    return nest(_LINKINFO, text(_SLAVE_KIND, "bridge"), nest(_SLAVE_DATA, mode))


def finish(socket: Netlink, name: str, rest: bytes) -> None:
    """Set what cannot be given at creation; if that fails, nothing was made."""
    try:
        socket.ask((NEWLINK, 0, info() + rest))
    except OSError:
        socket.ask((DELLINK, 0, info() + text(_NAME, name)))
        raise


def change_bridge(socket: Netlink, bridge: Bridge) -> None:
    """Bring a bridge back to what it should be."""
    index = ours(socket, bridge).index
    kind = _manner(bridge)
    rest = mac_attribute(bridge.mac) + u32(_MTU, bridge.mtu) + u32(_GROUP, bridge.group) + text(_ALIAS, bridge.alias)
    socket.ask((NEWLINK, 0, info(index, IFF_UP, IFF_UP) + rest + kind))


def change_veth(socket: Netlink, veth: Veth) -> None:
    """Bring the host's end of a pair back to what it should be."""
    found = ours(socket, veth)
    rest = u32(_MTU, veth.mtu) + u32(_GROUP, veth.group) + text(_ALIAS, veth.alias)
    if (master := _bridge_index(socket, veth.bridge) if veth.bridge else 0) != found.master:
        rest += u32(_MASTER, master)
    socket.ask((NEWLINK, 0, info(found.index, IFF_UP, IFF_UP) + rest))
    if veth.bridge:
        socket.ask((NEWLINK, 0, info(found.index) + _hairpin(veth)))  # only now it is a port


def change_peer(socket: Netlink, host_index: int, veth: Veth) -> None:
    """Bring the container's end back to what it should be; ABSENT if it is not in the socket's namespace."""
    peer = next((link for link in every(socket) if link.kind == "veth" and link.other == host_index), None)
    if peer is None:
        raise KernelError(ABSENT, f"The other end of {veth.name} is not in {veth.place.path}.")
    rest = b"" if peer.mac == veth.mac else mac_attribute(veth.mac)
    rest += b"" if peer.name == veth.peer else text(_NAME, veth.peer)
    rest += b"" if peer.mtu == veth.mtu else u32(_MTU, veth.mtu)
    if rest:
        socket.ask((NEWLINK, 0, info(peer.index) + rest))


def ours(socket: Netlink, link: Bridge | Veth) -> Found:
    """Return the link if it is there and carries our mark; raise ABSENT or EXISTS if not."""
    found = find(socket, link.name)
    if found is None:
        raise KernelError(ABSENT, f"There is no link {link.name}.")
    if found.group != link.group or found.kind != ("bridge" if isinstance(link, Bridge) else "veth"):
        raise KernelError(EXISTS, f"The link {link.name} is somebody else's: it does not carry our mark.")
    return found


def is_there(socket: Netlink, link: Bridge | Veth) -> bool:
    """Tell whether a link of ours is there; raise EXISTS if it is somebody else's."""
    try:
        ours(socket, link)
    except KernelError as error:
        if error.reason == ABSENT:
            return False
        raise
    return True


def remove(socket: Netlink, link: Bridge | Veth) -> None:
    """Delete a link that carries our mark."""
    socket.ask((DELLINK, 0, info(ours(socket, link).index)))


def remove_together(socket: Netlink, names: list[str], group: int) -> None:
    """Delete links in one go: tagged with a group that nothing else has, they wait for RCU once and not each."""
    for name in names:
        try:
            socket.ask((NEWLINK, 0, info() + text(_NAME, name) + u32(_GROUP, group)))
        except Refused as refusal:
            if refusal.errno != ENODEV:
                raise
    try:
        socket.ask((DELLINK, 0, info() + u32(_GROUP, group)))
    except Refused as refusal:  # none of them is left
        if refusal.errno != ENODEV:
            raise


def set_up(socket: Netlink, name: str, up: bool) -> None:
    """Set a link up or down."""
    socket.ask((NEWLINK, 0, info(index_of(socket, name), IFF_UP if up else 0, IFF_UP)))


def set_mac(socket: Netlink, index: int, mac: str) -> None:
    """Set the MAC address of a link."""
    socket.ask((NEWLINK, 0, info(index) + mac_attribute(mac)))
