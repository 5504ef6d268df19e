"""One thing wrong in a packet, drawn by lot: for tests that hear hostile ones.

The rule of this file: it knows no protocol; where, which bytes mean something and what is too short are the test's.
"""

from __future__ import annotations

import random


def spoil(packet: bytearray, where: int, chance: random.Random, telling: tuple[int, ...], shortest: int) -> None:
    """Change, take out or put in bytes at a place, or cut off all that follows it, down to the shortest.

    ``telling`` are bytes that mean something to who reads the packet.
    """
    match chance.randrange(7):
        case 0 | 1:
            packet[where] = chance.randrange(256)
        case 2:
            packet[where] ^= 1 << chance.randrange(8)
        case 3:
            del packet[where : where + chance.randrange(1, 9)]
        case 4:
            packet[where:where] = chance.randbytes(chance.randrange(1, 9))
        case 5:
            packet[where] = chance.choice(telling)
        case 6:
            del packet[max(where, shortest) :]
