"""What systemd is told, and how a line of the log is written (sd_notify(3), sd-daemon(3)).

The rule of this file: where there is no systemd, nothing of it matters: no socket, no word; a terminal, no priorities.
"""

from __future__ import annotations

import os
import socket
import sys


def notify(*assignments: str) -> None:
    """Tell the service manager: ``READY=1``, ``STOPPING=1``, ``STATUS=…``, ``WATCHDOG=1``."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.setblocking(False)
        try:
            connection.connect("\0" + path[1:] if path.startswith("@") else path)
            connection.send("\n".join(assignments).encode())
        except OSError:  # it is a courtesy; systemd's own timeout tells what comes of it
            return


def watchdog() -> float:
    """Return after how many seconds without a ``WATCHDOG=1`` we are taken for dead (WatchdogSec=); 0: never."""
    usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    meant = pid in ("", str(os.getpid()))
    return int(usec) / 1e6 if meant and usec.isascii() and usec.isdigit() else 0.0


def log(priority: int, line: str) -> None:
    """Write one line to standard error, with its priority unless that is a terminal."""
    try:
        print(line if sys.stderr.isatty() else f"<{priority}>{line}", file=sys.stderr, flush=True)
    except OSError:  # nobody reads the log any more
        return
