"""Network and mount namespaces of its own for each process that runs tests side by side with others.

The rule of this file: called once, in the main thread, inside the lab of ``scripts/test``; elsewhere it does nothing.
"""

from __future__ import annotations

import ctypes
import os
import subprocess

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000  # linux/sched.h
MOUNTS = """
set -e
mount --make-rprivate /
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock /var/lib/containernet
mount -t tmpfs -o mode=755 tmpfs /var/lib/containernet
mount -t tmpfs -o mode=755 tmpfs /etc/netns
ip link set lo up
"""


def separate() -> None:
    """Leave the namespaces that the test processes share, if there are several of them."""
    if os.environ.get("CNET_LAB") != "1" or "PYTEST_XDIST_WORKER" not in os.environ:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["sh", "-c", MOUNTS], check=True, timeout=30)
