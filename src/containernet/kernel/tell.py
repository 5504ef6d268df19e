"""Telling the neighbours on a link of the host that an address which it answers for is at its MAC address.

The rule of this file: what is told is only what is cached already, so that nobody waits for an old entry to run out;
who has never asked will ask (RFC 5227, section 3; RFC 4861, section 7.2.6).
"""

from __future__ import annotations

from _socket import AF_INET6, SOCK_RAW, if_nametoindex, socket
from contextlib import suppress
from errno import ENODEV

from containernet.kernel import links
from containernet.kernel.announce import advertisement
from containernet.kernel.netlink import Netlink
from containernet.kernel.reach import AF_PACKET, ICMPV6, IPV6, MULTICAST_HOPS, MULTICAST_IF, request
from containernet.model.address import packed, packed_mac


def tell(host: Netlink, link: str, whole: tuple[str, ...]) -> None:
    """Tell the neighbours on a link of the host that addresses which it answers for are at its MAC address."""
    found = links.find(host, link)
    if found is None:
        raise OSError(ENODEV, "No such device")
    hardware, own = packed_mac(found.mac), [text.partition("/")[0] for text in whole]
    if four := [text for text in own if ":" not in text]:
        _tell_four(link, hardware, four)
    if six := [text for text in own if ":" in text]:
        _tell_six(link, hardware, six)


def _tell_four(link: str, hardware: bytes, own: list[str]) -> None:
    raw = socket(AF_PACKET, SOCK_RAW, 0)
    try:
        raw.bind((link, 0))
        for address in own:
            with suppress(OSError):  # no carrier: nobody is there to be told
                raw.send(request(hardware, address, address))
    finally:
        raw.close()


def _tell_six(link: str, hardware: bytes, own: list[str]) -> None:
    index = if_nametoindex(link)
    raw = socket(AF_INET6, SOCK_RAW, ICMPV6)
    try:
        for option, value in ((MULTICAST_IF, index), (MULTICAST_HOPS, 255)):
            raw.setsockopt(IPV6, option, value)
        for address in own:
            with suppress(OSError):  # no address to tell it from yet
                raw.sendto(advertisement(hardware, packed(address)), ("ff02::1", 0, 0, index))
    finally:
        raw.close()
