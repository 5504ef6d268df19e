"""Who manages a link: programs that give it addresses, and take away or give back what somebody else does.

The rule of this file: by what they leave in /run and by their processes, never by asking them; ``root`` is where the
files are looked for.
"""

from __future__ import annotations

import os

CLIENTS = ("dhclient", "dhcpcd", "udhcpc")
INTERFACES = "etc/network/interfaces"


def manager(name: str, index: int, root: str = "/") -> str:
    """Return the name of the program that manages a link, "" if none is seen."""
    if _line(f"{root}/run/NetworkManager/devices/{index}", "managed") in ("true", "1"):
        return "NetworkManager"
    state = _line(f"{root}/run/systemd/netif/links/{index}", "ADMIN_STATE")
    if state not in ("", "unmanaged"):
        return "systemd-networkd"
    return _client(name, root) or ("ifupdown" if _ifupdown(name, root) else "")


def _text(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _line(path: str, key: str) -> str:
    """Return the value of the first line ``KEY=VALUE``."""
    lines = (line.partition("=") for line in _text(path).splitlines())
    return next((value.strip() for found, _, value in lines if found.strip() == key), "")


def _client(name: str, root: str) -> str:
    """Return a DHCP client that runs for a link (or, dhcpcd, for all of them)."""
    names = {
        "dhcpcd": (f"dhcpcd-{name}.pid", f"dhcpcd/{name}.pid", f"dhcpcd-{name}-4.pid", "dhcpcd.pid", "dhcpcd/pid"),
        "dhclient": (f"dhclient.{name}.pid", f"dhclient-{name}.pid"),
    }
    for client, files in names.items():
        if any(os.path.exists(f"{root}/proc/{_text(f'{root}/run/{file}').strip() or '-'}") for file in files):
            return client
    return next((client for pid in _here(root) if (client := _for(name, f"{root}/proc/{pid}"))), "")


def _here(root: str) -> list[str]:
    """Return the processes in our network namespace."""
    try:
        own = os.readlink(f"{root}/proc/self/ns/net")
        return [pid for pid in os.listdir(f"{root}/proc") if pid.isdigit() and _space(root, pid) == own]
    except OSError:
        return []


def _space(root: str, pid: str) -> str:
    try:
        return os.readlink(f"{root}/proc/{pid}/ns/net")
    except OSError:
        return ""


def _for(name: str, process: str) -> str:
    words = _text(f"{process}/cmdline").split("\0")
    client = next((one for one in CLIENTS if os.path.basename(words[0]) in (one, f"{one}:")), "")
    return client if client and name in words else ""


def _ifupdown(name: str, root: str) -> bool:
    """Tell whether ifup(8) has set a link up, or will at the next start."""
    state = _text(f"{root}/run/network/ifstate").splitlines()
    if any(line.partition("=")[0].strip() == name for line in state):
        return True
    return any(line.split()[:2] == ["iface", name] for line in _text(f"{root}/{INTERFACES}").splitlines())
