"""Asks an address every 2 milliseconds, until its standard input ends: what a move of addresses costs who talks to it.

The rule of this file: it prints "ready" with the first answer, and at the end one JSON object: sent, lost, and the
longest time without an answer in milliseconds. It starts nothing, and one socket is all that it has.

    python -m bench.pings ADDRESS
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time

SPACING = 0.002  # seconds between two
LATE = 0.5  # seconds in which the last answers may come
REQUEST, ANSWER = 8, 0  # ICMP types
NUMBERS = 1 << 16


def request(own: int, number: int) -> bytes:
    """Return an echo request."""
    words = (REQUEST << 8, own, number)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!HHHH", REQUEST << 8, ~(total + (total >> 16)) & 0xFFFF, own, number)


class Pinger:
    """One address, asked again and again."""

    def __init__(self, address: str) -> None:
        self._own = os.getpid() & 0xFFFF
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._sock.connect((address, 0))
        self._sock.setblocking(False)
        self._open: set[int] = set()
        self._last = time.monotonic()
        self.sent = self.answered = 0
        self.gap = 0.0

    def send(self) -> None:
        """Ask once; what cannot be sent is lost."""
        number = self.sent % NUMBERS
        self.sent += 1
        self._open.add(number)
        try:
            self._sock.send(request(self._own, number))
        except OSError:
            return

    def hear(self) -> None:
        """Take all answers that are there."""
        while True:
            try:
                data = self._sock.recv(2048)
            except OSError:
                return
            kind, _, _, own, number = struct.unpack_from("!BBHHH", data, (data[0] & 15) * 4)
            if (kind, own) == (ANSWER, self._own) and number in self._open:
                self._open.discard(number)
                self._answered(time.monotonic())

    def _answered(self, now: float) -> None:
        self.gap = max(self.gap, now - self._last)
        self._last = now
        self.answered += 1
        if self.answered == 1:
            self.gap = 0.0
            print("ready", flush=True)

    def turn(self, until: float) -> bool:
        """Listen until a time; tell whether standard input has ended."""
        while (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select([self._sock, sys.stdin], [], [], left)
            self.hear()
            if sys.stdin in readable:
                return True
        return False

    def late(self) -> None:
        """Wait for what is not answered yet."""
        end = time.monotonic() + LATE
        while self._open and (left := end - time.monotonic()) > 0:
            select.select([self._sock], [], [], left)
            self.hear()


def main() -> None:
    """Ask until told to end; print what came of it."""
    pinger = Pinger(sys.argv[1])
    due = time.monotonic()
    over = False
    while not over:
        pinger.send()
        due = max(due + SPACING, time.monotonic())
        over = pinger.turn(due)
    pinger.late()
    print(json.dumps({"sent": pinger.sent, "lost": pinger.sent - pinger.answered, "gap": pinger.gap * 1000}))


if __name__ == "__main__":
    main()
