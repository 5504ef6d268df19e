"""Telling neighbours which MAC has an address: RFC 5227, section 3 (ARP) and RFC 4861, section 7.2.6 (IPv6).

The rule of this file: no packet socket. Closing one waits 5 to 30 ms for RCU (packet_release), ten times a whole join.
The kernel itself announces a link's IPv4 addresses when its MAC is set and arp_notify is on (ip-sysctl.rst); the
neighbour advertisement goes through a raw ICMPv6 socket. Before, it is awaited that the bridge's port forwards: a link
set up a moment ago passes nothing until the kernel's link watch has run.
"""

from __future__ import annotations

from _socket import SOCK_RAW, socket
from _struct import pack
from errno import ENODEV
from time import monotonic

from containernet.kernel import sysctl
from containernet.kernel.links import FORWARDING, Found, find, set_mac
from containernet.kernel.netlink import ROUTE, Netlink
from containernet.model.address import packed, packed_mac
from containernet.model.network import HOST
from containernet.plan.operations import Announce

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.kernel.netns import Spaces

AF_INET6, IPPROTO_IPV6, IPPROTO_ICMPV6 = 10, 41, 58
MULTICAST_IF, MULTICAST_HOPS, MULTICAST_LOOP = 17, 18, 19  # IPV6_*
OVERRIDE = 0x20000000
PATIENCE = 0.1  # seconds for a port to forward; it takes well under 1 ms as a rule
RTMGRP_LINK = 1


def announce(spaces: Spaces, wanted: Announce) -> None:
    """Announce the addresses of a link that has them."""
    inside = spaces.route(wanted.place)
    link = find(inside, wanted.link)
    if link is None:
        raise OSError(ENODEV, "No such device")
    await_port(spaces.route(HOST), link)
    four = any(":" not in address for address in wanted.addresses)
    six = [address.partition("/")[0] for address in wanted.addresses if ":" in address]
    spaces.call(wanted.place, lambda: _send(inside, link, four, six))


def _send(inside: Netlink, link: Found, four: bool, six: list[str]) -> None:
    if four:
        _have_arp_sent(inside, link)
    if six:
        _advertise(link, six)


def _have_arp_sent(inside: Netlink, link: Found) -> None:
    key = f"net/ipv4/conf/{link.name}/arp_notify"
    before = sysctl.read(key)
    sysctl.write(key, "1")
    try:
        set_mac(inside, link.index, link.mac)  # to what it is: only the notification is wanted (NETDEV_CHANGEADDR)
    finally:
        sysctl.write(key, before)


def _advertise(link: Found, addresses: list[str]) -> None:
    for address in addresses:
        raw = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
        try:
            for option, value in ((MULTICAST_IF, link.index), (MULTICAST_HOPS, 255), (MULTICAST_LOOP, 0)):
                raw.setsockopt(IPPROTO_IPV6, option, value)
            raw.bind((address, 0, 0, link.index))
            hardware = packed_mac(link.mac)
            raw.sendto(advertisement(hardware, packed(address)), ("ff02::1", 0, 0, link.index))
        finally:
            raw.close()


def advertisement(mac: bytes, address: bytes) -> bytes:
    """Return an unsolicited neighbour advertisement that overrides what is cached; the kernel adds the checksum."""
    return pack("!BBHI", 136, 0, 0, OVERRIDE) + address + b"\x02\x01" + mac  # option 2: target link-layer address


def await_port(host: Netlink, own: Found) -> None:
    """Wait, not longer than ``PATIENCE``, until the bridge's port behind a container's link forwards."""
    # Asking for one link makes the kernel (from 6.8) run its link watch for it first (linkwatch_sync_dev).
    if own.kind != "veth" or _forwards(host, own.other, own.index):
        return
    events = Netlink(ROUTE, RTMGRP_LINK)
    try:
        _await_event(events, host, own.other, own.index)
    finally:
        events.close()


def _await_event(events: Netlink, host: Netlink, index: int, other: int) -> None:
    deadline = monotonic() + PATIENCE
    while not _forwards(host, index, other) and (left := deadline - monotonic()) > 0:
        events.socket.settimeout(left)
        try:
            events.socket.recv(1 << 16)
        except (TimeoutError, OSError):  # ENOBUFS: so many events that some are lost; look again
            continue


def _forwards(host: Netlink, index: int, other: int) -> bool:
    port = find(host, index=index)
    return port is None or port.other != other or not port.master or port.port_state == FORWARDING
