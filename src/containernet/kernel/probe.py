"""What lies beyond an uplink: whether foreign MAC addresses get through, who leases, which router advertises.

The rule of this file: asked from a macvlan with a MAC of its own, in a namespace that goes when the asking ends;
nothing of the host changes, and no lease is taken: a DISCOVER binds nobody (RFC 2131, 3.1).
"""

from __future__ import annotations

import os
from _socket import AF_INET6, SOCK_RAW, if_nametoindex, socket
from contextlib import suppress
from struct import pack
from time import monotonic

from containernet.kernel import attached, reach, sysctl
from containernet.kernel.door import KernelError, Probe
from containernet.kernel.links import set_up
from containernet.kernel.netlink import ROUTE, Netlink
from containernet.kernel.netns import in_new_namespace
from containernet.model.address import packed_mac, unpacked
from containernet.model.network import Place
from containernet.plan.objects import Macvlan

NAME, GROUP, MTU = "probe0", 0, 1280
IPV4, PATIENCE = 0x0800, 3.5  # ETH_P_IP; seconds: a router answers within 0.5 (RFC 4861, 6.2.6), dnsmasq pings for 3
SOLICITATION, ADVERTISEMENT, TYPE, OFFER, SERVER = 133, 134, 53, 2, 54
COOKIE = b"\x63\x82\x53\x63"


def probe(host: Netlink, link: str, gateway: str) -> Probe:
    """Return what answers a stranger on a link."""
    mac = (b"\x02" + os.urandom(5)).hex(":")

    def ask() -> Probe:
        inside = Netlink(ROUTE)
        try:
            return _asked(host, inside, Macvlan(Place("", 0), NAME, mac, MTU, link, GROUP, "probe"), gateway)
        finally:
            inside.close()

    return in_new_namespace(ask)


def _asked(host: Netlink, inside: Netlink, macvlan: Macvlan, gateway: str) -> Probe:
    space = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        attached.add_macvlan(host, inside, macvlan, space)
    finally:
        os.close(space)
    with suppress(KernelError, OSError):  # no IPv6 here
        sysctl.write(f"net/ipv6/conf/{NAME}/accept_dad", "0")
    set_up(inside, NAME, True)
    passes = bool(gateway) and ":" not in gateway and bool(reach.arp(NAME, macvlan.mac, "0.0.0.0", gateway))
    return Probe(passes, _leases(macvlan.mac), _router())


def _leases(mac: str) -> str:
    """Return the address of a DHCP server that offers something, "" for none."""
    xid, hardware = os.urandom(4), packed_mac(mac)
    options = COOKIE + bytes((TYPE, 1, 1, 55, 3, 1, 3, 6, 255))
    boot = pack("!BBBB", 1, 1, 6, 0) + xid + pack("!HH", 0, 0x8000) + bytes(16) + hardware.ljust(16, b"\0")
    boot = (boot + bytes(192) + options).ljust(300, b"\0")
    udp = pack("!HHHH", 68, 67, 8 + len(boot), 0) + boot
    head = pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    head = head[:10] + _sum(head).to_bytes(2, "big") + head[12:]
    frame = b"\xff" * 6 + hardware + IPV4.to_bytes(2, "big") + head + udp
    raw = socket(reach.AF_PACKET, SOCK_RAW, 0)
    try:
        raw.bind((NAME, IPV4))
        found = _heard(raw, frame, lambda got: _offer(got, xid))
    finally:
        raw.close()
    return found


def _sum(head: bytes) -> int:
    total = sum(int.from_bytes(head[at : at + 2], "big") for at in range(0, len(head), 2))
    return ~((total >> 16) + (total & 0xFFFF)) & 0xFFFF


def _offer(frame: bytes, xid: bytes) -> str:
    """Return the server of an offer to us, "" for any other frame."""
    start = 14 + (frame[14] & 15) * 4 if len(frame) > 14 else 0
    boot = frame[start + 8 :]
    if frame[23:24] != b"\x11" or frame[start : start + 2] != b"\0\x43" or boot[4:8] != xid or boot[:1] != b"\2":
        return ""
    options = _options(boot[240:])
    server = options.get(SERVER, b"")
    return unpacked(server) if options.get(TYPE) == bytes((OFFER,)) and len(server) == 4 else ""


def _options(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at + 1 < len(data) and data[at] != 255:
        if data[at]:
            found[data[at]] = data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1] if data[at] else 1
    return found


def _router() -> str:
    """Return the link-local address of a router that advertises, "" for none."""
    try:
        raw = socket(AF_INET6, SOCK_RAW, reach.ICMPV6)
    except OSError:
        return ""
    try:
        index = if_nametoindex(NAME)
        for option, value in ((reach.MULTICAST_IF, index), (reach.MULTICAST_HOPS, 255)):
            raw.setsockopt(reach.IPV6, option, value)
        end = monotonic() + PATIENCE
        while monotonic() < end:
            with suppress(OSError):
                raw.sendto(pack("!BBHI", SOLICITATION, 0, 0, 0), ("ff02::2", 0, 0, index))
            step = min(end, monotonic() + 1.0)
            while (left := step - monotonic()) > 0:
                raw.settimeout(left)
                with suppress(TimeoutError):
                    got, source = raw.recvfrom(2048)
                    router = str(source[0]).partition("%")[0]
                    if got[0] == ADVERTISEMENT and router.startswith("fe80:"):  # RFC 4861, 6.1.2
                        return router
        return ""
    finally:
        raw.close()


def _heard(raw: socket, frame: bytes, wanted: object) -> str:
    end = monotonic() + PATIENCE
    while monotonic() < end:
        with suppress(OSError):
            raw.send(frame)
        step = min(end, monotonic() + 2.0)
        while (left := step - monotonic()) > 0:
            raw.settimeout(left)
            with suppress(TimeoutError):
                if found := wanted(raw.recv(4096)):  # type: ignore[operator]
                    return str(found)
    return ""
