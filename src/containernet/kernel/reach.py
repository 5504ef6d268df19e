"""Asking a neighbour for an address: ARP (RFC 826) and neighbour solicitation (RFC 4861, 4.3).

The rule of this file: asked on the wire, never of the kernel's cache, which may remember who has gone; every wait has a
bound.
"""

from __future__ import annotations

from _socket import AF_INET6, SOCK_RAW, if_nametoindex, socket
from _struct import pack
from contextlib import suppress
from errno import ENODEV
from time import monotonic

from containernet.kernel import links
from containernet.kernel.netlink import Netlink
from containernet.kernel.routes import addresses
from containernet.model.address import packed, packed_mac

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

AF_PACKET, ARP = 17, 0x0806
ICMPV6, IPV6 = 58, 41
MULTICAST_IF, UNICAST_HOPS, MULTICAST_HOPS = 17, 16, 18  # IPV6_*
SOLICITATION, ADVERTISEMENT = 135, 136
UNSAID = "00:00:00:00:00:00"  # who answers without saying from where (RFC 4861, 4.4)
PATIENCE, AGAIN = 1.0, 0.1  # seconds in all, and between two questions


def answers(host: Netlink, link: str, address: str) -> str:
    """Return the MAC address of who answers for an address on a link of the host; "": nobody does."""
    found = links.find(host, link)
    if found is None:
        raise OSError(ENODEV, "No such device")
    if ":" in address:
        return _solicited(found.name, found.mac, address)
    own = [text.partition("/")[0] for _, text in addresses(host, found.index) if ":" not in text]
    return arp(found.name, found.mac, own[0] if own else "0.0.0.0", address)


def request(hardware: bytes, source: str, address: str) -> bytes:
    """Return the frame of an ARP request; with one address twice it announces that (RFC 5227, section 3)."""
    ask = pack("!HHBBH", 1, 0x0800, 6, 4, 1) + hardware + packed(source) + bytes(6) + packed(address)
    return b"\xff" * 6 + hardware + ARP.to_bytes(2, "big") + ask


def arp(link: str, mac: str, source: str, address: str) -> str:
    """Return the MAC address of who answers an ARP request; "": nobody. From 0.0.0.0 it is a probe (RFC 5227)."""
    hardware = packed_mac(mac)
    frame = request(hardware, source, address)
    raw = socket(AF_PACKET, SOCK_RAW, 0)
    try:
        raw.bind((link, ARP))
        wanted = packed(address)
        got = _heard(raw, lambda: raw.send(frame), lambda got: got[20:22] == b"\0\2" and got[28:32] == wanted)
        return got[22:28].hex(":")
    finally:
        raw.close()


def _solicited(link: str, mac: str, address: str) -> str:
    index, raw_address = if_nametoindex(link), packed(address)
    ask = pack("!BBHI", SOLICITATION, 0, 0, 0) + raw_address + b"\1\1" + packed_mac(mac)
    group = f"ff02::1:ff{raw_address[13]:02x}:{raw_address[14]:02x}{raw_address[15]:02x}"
    raw = socket(AF_INET6, SOCK_RAW, ICMPV6)
    try:
        for option, value in ((MULTICAST_IF, index), (MULTICAST_HOPS, 255), (UNICAST_HOPS, 255)):
            raw.setsockopt(IPV6, option, value)
        got = _heard(
            raw,
            lambda: raw.sendto(ask, (group, 0, 0, index)),
            lambda got: got[0] == ADVERTISEMENT and got[8:24] == raw_address,
        )
        return (got[26:32].hex(":") or UNSAID) if got else ""
    finally:
        raw.close()


def _heard(raw: socket, ask: Callable[[], object], wanted: Callable[[bytes], bool]) -> bytes:
    """Ask again and again until the answer is heard, and return it; nothing if time is up."""
    end = monotonic() + PATIENCE
    while monotonic() < end:
        with suppress(OSError):  # no carrier, or no address to ask from yet
            ask()
        step = min(end, monotonic() + AGAIN)
        while (left := step - monotonic()) > 0:
            raw.settimeout(left)
            try:
                if wanted(got := raw.recv(2048)):
                    return got
            except OSError:
                break
    return b""
