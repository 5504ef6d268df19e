"""A machine of its own for whatever is measured: its network, its /run, and somebody outside to ask it.

The rule of this file: a host is two descriptors, of a network and of a mount namespace; closing them ends it with all
that was made in it. Only this process, which has one thread, ever enters; what it starts while inside stays inside.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from bench.process import ENVIRONMENT, Failed, run

ADDRESS, OUTSIDE = "198.51.100.1", "198.51.100.2"
KINDS = ("net", "mnt")
SIOCGIFADDR = 0x8915
SCRIPT = f"""
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock
{{first}}
mount -t sysfs sysfs /sys
{{then}}
ip link set lo up
ip netns add outside
ip link add up0 type veth peer name lan0 netns outside
ip address add {ADDRESS}/24 dev up0
ip address add 2001:db8:51::1/64 dev up0 nodad
ip link set up0 up
ip -n outside address add {OUTSIDE}/24 dev lan0
ip -n outside address add 2001:db8:51::2/64 dev lan0 nodad
ip -n outside link set lan0 up
ip -n outside link set lo up
ip route add default via {OUTSIDE}
ip -6 route add default via 2001:db8:51::2
echo 1 >/proc/sys/net/ipv4/ip_forward
echo ready
exec cat
"""


class Host:
    """The namespaces of a host; ``first`` and ``then`` are lines of shell for what it needs besides."""

    def __init__(self, first: str = "", then: str = "") -> None:
        self.home = _descriptors("self")
        command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c"]
        holder = subprocess.Popen(
            [*command, SCRIPT.format(first=first, then=then)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT,
        )  # fmt: skip
        assert holder.stdin
        assert holder.stdout
        ready = holder.stdout.readline() == "ready\n"
        self.spaces = _descriptors(str(holder.pid)) if ready else []
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
        if not ready:
            self.close()
            raise Failed("a host of its own could not be made")

    def __enter__(self) -> Host:
        for space in self.spaces:
            _setns(space)
        return self

    def __exit__(self, *_: object) -> None:
        for space in self.home:
            _setns(space)

    def close(self) -> None:
        """Let the host end."""
        for space in (*self.home, *self.spaces):
            os.close(space)
        self.home, self.spaces = [], []

    def containers(self, names: Iterable[str]) -> None:
        """Make containers: namespaces by name."""
        with self:
            run("ip", "-batch", "-", text="".join(f"netns add {name}\n" for name in names))
            for name in names:
                run("ip", "-n", name, "link", "set", "lo", "up")

    @contextmanager
    def inside(self, path: str) -> Iterator[None]:
        """Be in the network namespace that stands at a path of this host."""
        with self:
            space = os.open(path, os.O_RDONLY)
            try:
                _setns(space)
            finally:
                os.close(space)
            yield

    def answers(self, path: str, outer: int, inner: int) -> bool:
        """Tell whether a port leads from outside into a namespace, and the client's address with it."""
        with self.inside(path):
            listener = socket.create_server(("0.0.0.0", inner))
        listener.settimeout(3)
        try:
            with self.inside("/run/netns/outside"):
                socket.create_connection((ADDRESS, outer), 3).close()
            connection, (source, _) = listener.accept()
            connection.close()
        except OSError:
            return False
        finally:
            listener.close()
        return bool(source == OUTSIDE)

    def reaches(self, path: str) -> bool:
        """Tell whether the namespace at a path can talk to who is outside."""
        with self.inside(named("outside")):
            listener = socket.create_server(("0.0.0.0", 0))
        try:
            with self.inside(path):
                socket.create_connection((OUTSIDE, listener.getsockname()[1]), 3).close()
        except OSError:
            return False
        finally:
            listener.close()
        return True

    def address(self, path: str, interface: str = "eth0") -> str:
        """Return the IPv4 address of an interface of the namespace at a path, "" if it has none."""
        with self.inside(path), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            try:
                found = fcntl.ioctl(asking, SIOCGIFADDR, struct.pack("16s24x", interface.encode()))
            except OSError:
                return ""
        return socket.inet_ntoa(found[20:24])


def named(name: str) -> str:
    """Return where a namespace of this name stands."""
    return f"/run/netns/{name}"


def _descriptors(process: str) -> list[int]:
    return [os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in KINDS]


def _setns(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0):
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


def settle(seconds: float = 60.0) -> None:
    """Wait until the kernel has taken apart every namespace that has ended: it does so in turn, in the background."""
    run("ip", "netns", "add", "settle")
    run("ip", "link", "add", "settle0", "type", "veth", "peer", "name", "settle1", "netns", "settle")
    run("ip", "netns", "delete", "settle")
    end = time.monotonic() + seconds
    while os.path.exists("/sys/class/net/settle0") and time.monotonic() < end:
        time.sleep(0.02)
