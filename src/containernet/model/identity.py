"""Who a client says it is: client identifiers (RFC 4361, RFC 6355; RFC 2132 section 9.14).

The rule of this file: the same network and container on the same host give the same identifier over every restart,
and no two of them, on whatever host, give one: the host's UUID is in it, and the rest is not given twice on a host.
"""

from __future__ import annotations

from binascii import crc32

_RFC4361, _HARDWARE_ETHERNET = b"\xff", b"\x01"
_DUID_UUID = b"\x00\x04"
_IAIDS = 1 << 32


def iaid(network: str, endpoint: str) -> int:
    """Return the number of an attachment on its host (IAID)."""
    return crc32(f"{network}\0{endpoint}".encode())


def following(number: int) -> int:
    """Return the number to try after one that another attachment has."""
    return (number + 1) % _IAIDS


def from_uuid(uuid: bytes, number: int) -> bytes:
    """Return the identifier of type 255: an IAID, and the host's 16 bytes as a DUID."""
    if len(uuid) != 16:
        raise ValueError("a UUID has 16 bytes")
    return _RFC4361 + number.to_bytes(4, "big") + _DUID_UUID + uuid


def duid(uuid: bytes) -> bytes:
    """Return the host's identifier for DHCPv6 (RFC 6355)."""
    return _DUID_UUID + uuid


def from_mac(mac: bytes) -> bytes:
    """Return the identifier of type 1, for servers that know clients by their MAC address."""
    return _HARDWARE_ETHERNET + mac


def iaid_of(client_id: bytes) -> int:
    """Return the IAID in an identifier, -1 if it has none."""
    return int.from_bytes(client_id[1:5], "big") if client_id[:1] == _RFC4361 and len(client_id) > 5 else -1
