"""Kernel settings under /proc/sys/net (sysctl(8), Documentation/admin-guide/sysctl/net.rst).

The rule of this file: it must run in a thread that is in the place, because /proc/sys/net shows each thread the
settings of its own namespace; and no key leads out of /proc/sys/net.
"""

from __future__ import annotations

import os
from errno import ENOENT

from containernet.kernel.door import ABSENT, OTHER, KernelError

SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/")


def read(key: str) -> str:
    """Return a setting, its fields separated by single blanks."""
    if _off_altogether(key):
        return "1"
    descriptor = _open(key, os.O_RDONLY)
    try:
        return " ".join(os.read(descriptor, 4096).decode().split())
    finally:
        os.close(descriptor)


def read_many(keys: list[str]) -> dict[str, str]:
    """Return those of the settings that there are."""
    found = {}
    for key in keys:
        try:
            found[key] = read(key)
        except KernelError as error:
            if error.reason != ABSENT:
                raise
    return found


def write(key: str, value: str) -> None:
    """Change a setting."""
    if value == "1" and _off_altogether(key):
        return
    descriptor = _open(key, os.O_WRONLY)
    try:
        os.write(descriptor, value.encode() + b"\n")
    finally:
        os.close(descriptor)


def _open(key: str, flags: int) -> int:
    if not key.startswith("net/") or not SAFE.issuperset(key) or ".." in key.split("/"):
        raise KernelError(OTHER, f"{key!r} is not a network setting.")
    try:
        return os.open("/proc/sys/" + key, flags | os.O_CLOEXEC)
    except OSError as error:
        if error.errno != ENOENT:
            raise
        raise KernelError(ABSENT, f"There is no setting {key}.") from None


def _off_altogether(key: str) -> bool:
    """Tell whether a key asks about IPv6 being off in a kernel that has none (ipv6.disable=1): it is."""
    return key.endswith("/disable_ipv6") and not os.path.isdir("/proc/sys/net/ipv6")
