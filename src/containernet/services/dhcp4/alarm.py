"""Time that goes on while the host sleeps: CLOCK_BOOTTIME, and a descriptor that wakes at one (timerfd_create(2)).

The rule of this file: nothing here is polled, and no wait is counted by a clock that stops or that can be set.
"""

from __future__ import annotations

import ctypes
import os
import time
from contextlib import suppress
from math import inf

_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC  # TFD_NONBLOCK and TFD_CLOEXEC are these
_LEAST = 1e-6  # seconds; zero would switch it off


def boottime() -> float:
    """Return the seconds since the host was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """Return the name of this run of the host (random(4))."""
    with open("/proc/sys/kernel/random/boot_id") as text:
        return text.read().strip()


class Alarm:
    """One descriptor that becomes readable at a time."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = self._called(self._libc.timerfd_create(time.CLOCK_BOOTTIME, _NONBLOCK | _CLOEXEC))

    @staticmethod
    def _called(result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result

    def set(self, seconds: float) -> None:
        """Wake so many seconds from now, ``inf``: not at all."""
        late = 0.0 if seconds == inf else max(seconds, _LEAST)
        times = (ctypes.c_long * 4)(0, 0, int(late), int(late % 1 * 1e9))  # struct itimerspec: interval, value
        self._called(self._libc.timerfd_settime(self.descriptor, 0, times, None))

    def heard(self) -> None:
        """Take note that it rang."""
        with suppress(BlockingIOError):
            os.read(self.descriptor, 8)

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self.descriptor)
