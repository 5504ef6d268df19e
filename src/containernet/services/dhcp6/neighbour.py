"""Whether somebody else on the link has an IPv6 address: neighbour solicitations (RFC 4862, section 5.4).

The rule of this file: pure; frames in, frames and a verdict out, ``now`` and chance as parameters.
"""

from __future__ import annotations

from struct import pack

from containernet.model.address import packed
from containernet.services.dhcp4.frame import checksum
from containernet.services.dhcp4.malformed import Malformed
from containernet.services.dhcp4.probe import Prober

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

IPV6, ICMPV6 = 0x86DD, 58  # ETH_P_IPV6
ASKS, ANSWERS = 135, 136  # neighbour solicitation and advertisement
DISCOVERY = [  # a filter for frames: neighbour solicitations and advertisements
    (0x30, 0, 0, 20), (0x15, 0, 4, ICMPV6),
    (0x30, 0, 0, 54), (0x15, 1, 0, ASKS), (0x15, 0, 1, ANSWERS),
    (0x06, 0, 0, 65536), (0x06, 0, 0, 0),
]  # fmt: skip
_HEADERS = 14 + 40
_NOBODY = bytes(16)


def solicitation(mac: bytes, address: str) -> bytes:
    """Return the frame that asks who has an address, from nobody's (RFC 4862, section 5.4.2)."""
    target = packed(address)
    group = bytes.fromhex("ff02000000000000000000000001ff") + target[13:]
    body = pack("!BBHI", ASKS, 0, 0, 0) + target
    summed = checksum(_NOBODY + group + pack("!IxxxB", len(body), ICMPV6) + body)
    body = body[:2] + summed.to_bytes(2, "big") + body[4:]
    head = pack("!IHBB", 0x60000000, len(body), ICMPV6, 255) + _NOBODY + group
    return b"\x33\x33" + group[12:] + mac + IPV6.to_bytes(2, "big") + head + body


def claim(frame: bytes) -> tuple[int, bytes, bytes, bytes]:
    """Return what a frame says: its ICMPv6 type, the sender's MAC, its address, and the target."""
    if len(frame) < _HEADERS + 24 or frame[12:14] != IPV6.to_bytes(2, "big") or frame[20] != ICMPV6:
        raise Malformed("the frame is no neighbour discovery")
    if frame[21] != 255 or frame[_HEADERS] not in (ASKS, ANSWERS):  # it comes from beyond the link (RFC 4861, 7.1)
        raise Malformed("the frame is no neighbour discovery")
    return frame[_HEADERS], frame[6:12], frame[22:38], frame[_HEADERS + 8 : _HEADERS + 24]


class Prober6(Prober):
    """One address being looked for."""

    __slots__ = ("_question", "_target")

    def __init__(self, address: str, mac: bytes, speed: str, now: float, chance: Callable[[], float]) -> None:
        super().__init__(address, mac, speed, now, chance)
        self._question, self._target = solicitation(mac, address), packed(address)

    def question(self) -> bytes:
        """Return the frame that asks."""
        return self._question

    def told(self, kind: int, mac: bytes, source: bytes, target: bytes) -> None:
        """Take note of what somebody says: has it the address, or does it look for it as well?"""
        if target == self._target and (kind == ANSWERS or source == _NOBODY):
            self.claimed(mac)
