"""Ethernet frames with UDP over IPv4 (RFC 768, RFC 791) or ARP (RFC 826) in them: values to bytes and back.

The rule of this file: pure, and checksums are always made; they are checked unless the kernel says that the sender's
was left to hardware that is not there (packet(7), TP_STATUS_CSUMNOTREADY).
"""

from __future__ import annotations

from struct import Struct

from containernet.model.address import packed, unpacked
from containernet.model.record import record
from containernet.services.dhcp4.malformed import Malformed

IPV4, ARP = 0x0800, 0x0806  # ETH_P_IP, ETH_P_ARP
UDP = 17
EVERYBODY = b"\xff" * 6
NOBODY = b"\0" * 6
ASKS, ANSWERS = 1, 2  # the two ARP operations

_ETHERNET = Struct("!6s6sH")
_IP = Struct("!BBHHHBBH4s4s")
_UDP = Struct("!HHHH")
_PSEUDO = Struct("!4s4sxBH")
_ARP = Struct("!HHBBH6s4s6s4s")
_TTL = 64


@record
class Datagram:
    """One UDP datagram and the two ends that it goes between."""

    source: str
    source_port: int
    destination: str
    destination_port: int
    payload: bytes
    source_mac: bytes = NOBODY
    destination_mac: bytes = EVERYBODY


@record
class ArpPacket:
    """One ARP packet for IPv4 on Ethernet; the addresses as text."""

    operation: int
    sender_mac: bytes
    sender: str
    target_mac: bytes
    target: str


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071): a sum in ones' complement is the number modulo 65,535."""
    padded = data + b"\0" if len(data) % 2 else data
    return ~(int.from_bytes(padded, "big") % 0xFFFF) & 0xFFFF


def _sums_up(data: bytes) -> bool:
    return checksum(data) == 0xFFFF


def build(datagram: Datagram) -> bytes:
    """Return the frame of a datagram."""
    ends = packed(datagram.source), packed(datagram.destination)
    length = len(datagram.payload) + 8
    ports = datagram.source_port, datagram.destination_port
    summed = checksum(_PSEUDO.pack(*ends, UDP, length) + _UDP.pack(*ports, length, 0) + datagram.payload)
    head = _IP.pack(0x45, 0, length + 20, 0, 0, _TTL, UDP, 0, *ends)
    head = head[:10] + checksum(head).to_bytes(2, "big") + head[12:]
    ethernet = _ETHERNET.pack(datagram.destination_mac, datagram.source_mac, IPV4)
    return ethernet + head + _UDP.pack(*ports, length, summed) + datagram.payload


def parse(frame: bytes, *, summed: bool = True) -> Datagram:
    """Return the datagram in a frame; ``summed`` False: its checksum was never filled in."""
    if len(frame) < 42:
        raise Malformed("the frame is too short")
    to_mac, from_mac, kind = _ETHERNET.unpack_from(frame)
    if kind != IPV4:
        raise Malformed("the frame holds no IPv4")
    source, destination, body = _ip(frame[14:])
    from_port, to_port, payload = _udp(source, destination, body, summed)
    return Datagram(unpacked(source), from_port, unpacked(destination), to_port, payload, from_mac, to_mac)


def _ip(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return source, destination and what is inside; what follows the packet is the frame's padding."""
    first, _, total, _, fragment, _, protocol, _, source, destination = _IP.unpack_from(data)
    head = (first & 15) * 4
    if first >> 4 != 4 or head < 20 or not head <= total <= len(data):
        raise Malformed("the IPv4 header has wrong lengths")
    if protocol != UDP or fragment & 0x3FFF:
        raise Malformed("the packet is not one whole UDP datagram")
    if not _sums_up(data[:head]):
        raise Malformed("the checksum of the IPv4 header is wrong")
    return source, destination, data[head:total]


def _udp(source: bytes, destination: bytes, body: bytes, summed: bool) -> tuple[int, int, bytes]:
    if len(body) < 8:
        raise Malformed("the UDP header is cut off")
    from_port, to_port, length, sent = _UDP.unpack_from(body)
    if not 8 <= length <= len(body):
        raise Malformed("the UDP length is wrong")
    if sent and summed and not _sums_up(_PSEUDO.pack(source, destination, UDP, length) + body[:length]):
        raise Malformed("the UDP checksum is wrong")
    return from_port, to_port, body[8:length]


def build_arp(arp: ArpPacket) -> bytes:
    """Return a broadcast frame with an ARP packet."""
    ends = arp.sender_mac, packed(arp.sender), arp.target_mac, packed(arp.target)
    return _ETHERNET.pack(EVERYBODY, arp.sender_mac, ARP) + _ARP.pack(1, IPV4, 6, 4, arp.operation, *ends)


def parse_arp(frame: bytes) -> ArpPacket:
    """Return the ARP packet in a frame."""
    if len(frame) < 42 or frame[12:14] != ARP.to_bytes(2, "big"):
        raise Malformed("the frame holds no ARP")
    kind, protocol, mac_size, size, operation, from_mac, sender, to_mac, target = _ARP.unpack_from(frame, 14)
    if (kind, protocol, mac_size, size) != (1, IPV4, 6, 4):
        raise Malformed("the ARP is not for IPv4 on Ethernet")
    return ArpPacket(operation, from_mac, unpacked(sender), to_mac, unpacked(target))


def arp_probe(mac: bytes, address: str) -> bytes:
    """Return the question who has an address, asked by nobody's address (RFC 5227, section 1.1)."""
    return build_arp(ArpPacket(ASKS, mac, "0.0.0.0", NOBODY, address))


def arp_announcement(mac: bytes, address: str) -> bytes:
    """Return the frame that tells all neighbours whose an address is now (RFC 5227, sections 1.1 and 3)."""
    return build_arp(ArpPacket(ASKS, mac, address, NOBODY, address))
