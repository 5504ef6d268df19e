"""Whether somebody else on the link has an address: ARP probes (RFC 5227, section 2.1).

The rule of this file: pure; frames in, frames and a verdict out, ``now`` and chance as parameters.
"""

from __future__ import annotations

from math import inf

from containernet.model.record import record
from containernet.services.dhcp4.frame import ArpPacket, arp_probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FAST, STRICT, OFF = "fast", "strict", "off"


@record
class Speed:
    """How many probes, and the seconds before, between and after them."""

    probes: int
    first: float  # at most, before the first one
    least: float  # between two
    most: float
    last: float  # after the last one


# fast: a neighbour on a LAN answers within a millisecond; strict: the constants of RFC 5227, section 1.1
SPEEDS = {
    FAST: Speed(probes=3, first=0.0, least=0.2, most=0.2, last=0.2),
    STRICT: Speed(probes=3, first=1.0, least=1.0, most=2.0, last=2.0),
    OFF: Speed(probes=0, first=0.0, least=0.0, most=0.0, last=0.0),
}


class Prober:
    """One address being looked for. ``due`` is when to call ``step``; ``owner`` is a MAC once one is seen."""

    __slots__ = ("_chance", "_left", "_mac", "_speed", "address", "due", "free", "owner")

    def __init__(self, address: str, mac: bytes, speed: str, now: float, chance: Callable[[], float]) -> None:
        self.address = address
        self._mac, self._chance = mac, chance
        self._speed = SPEEDS[speed]
        self._left = self._speed.probes
        self.due = now + self._speed.first * chance()
        self.owner = b""
        self.free = False

    def step(self, now: float) -> bytes:
        """Return the probe to send now; none when all were sent and nobody has answered."""
        if not self._left:
            self.free, self.due = True, inf
            return b""
        self._left -= 1
        speed = self._speed
        self.due = now + (speed.least + (speed.most - speed.least) * self._chance() if self._left else speed.last)
        return self.question()

    def question(self) -> bytes:
        """Return the frame that asks."""
        return arp_probe(self._mac, self.address)

    def claimed(self, mac: bytes) -> None:
        """Take note that somebody has the address, or looks for it as well."""
        if mac != self._mac and not self.free:
            self.owner, self.due = mac, inf

    def heard(self, arp: ArpPacket) -> None:
        """Take note of what somebody says: has it the address, or does it look for it as well (section 2.1.1)?"""
        probing = arp.sender == "0.0.0.0" and arp.target == self.address and arp.target_mac != self._mac
        if arp.sender == self.address or probing:
            self.claimed(arp.sender_mac)
