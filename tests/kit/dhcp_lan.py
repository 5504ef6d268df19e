"""A LAN of namespaces on a bridge, a server outside, and an engine in this process whose clock can be put forward.

The rule of this file: what is awaited has a bound; time that a protocol takes is skipped, not slept.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from containernet.kernel.netns import Spaces
from containernet.model.lease import Lease
from containernet.plan.objects import Up
from containernet.plan.operations import Add
from containernet.services.dhcp4 import client
from containernet.services.dhcp4.alarm import boottime
from containernet.services.dhcp4.engine import Engine
from containernet.services.dhcp4.message import Message
from kit.dhcp_process import LINK, FileHands, setup_of
from kit.lab import HOST4, Lab
from kit.space import Space, eventually

SECONDS = 8.0  # for what must come
SILENCE = 0.6  # for an answer that must not come
LAN = f"""
ip link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
ip addr flush dev up0
ip link set up0 master br0
ip addr add {HOST4}/24 dev br0
ip link set br0 up
"""


def mac_of(number: int) -> str:
    """Return the MAC address of the container with a number."""
    return f"02:42:00:00:{number >> 8:02x}:{number & 255:02x}"


class Lan:
    """The containers of a lab, in the same broadcast domain as what is outside, and their DHCP clients."""

    made: type[FileHands] = FileHands

    def __init__(self, lab: Lab, directory: Path, **engine: Any) -> None:
        self.lab = lab
        lab.host.sh(LAN)
        self.await_ports()
        self.containers: dict[str, Space] = {}
        self.macs: dict[str, str] = {}
        self.skipped = 0.0
        self.hands = self.made(directory)
        self.spaces = Spaces()
        self.replies: list[Message] = []  # all that came off the wire
        self._decode, client.decode = client.decode, self._heard  # type: ignore[attr-defined]
        self._options = {"clock": lambda: boottime() + self.skipped, **engine}
        self.engine = Engine(self.hands, self.spaces, **self._options)

    def __enter__(self) -> Lan:
        return self

    def __exit__(self, *_: object) -> None:
        client.decode = self._decode  # type: ignore[attr-defined]
        self.engine.close()
        self.hands.kernel.close()

    def _heard(self, data: bytes) -> Message:
        self.replies.append(self._decode(data))
        return self.replies[-1]

    def reborn(self) -> None:
        """End the engine as a restart of its process would, and start another one."""
        self.engine.close()
        self.engine = Engine(self.hands, self.spaces, **self._options)

    # --- containers ---

    def path(self, key: str) -> str:
        """Return where a container's namespace is."""
        return f"/proc/{self.lab.pid}/root/run/netns/{key}"

    def plug(self, *keys: str) -> None:
        """Make containers and plug them into the LAN."""
        lines = []
        for number, key in enumerate(keys, len(self.macs) + 1):
            self.macs[key] = mac_of(number)
            lines += [
                f"netns add {key}",
                f"link add ve-{key} type veth peer name {LINK} address {mac_of(number)} netns {key}",
                f"link set ve-{key} master br0 up",
            ]
        self.lab.host.run("ip", "-batch", "-", text="\n".join(lines) + "\n")
        for key in keys:
            self.containers[key] = self.lab.inside(key)
            place = self.hands.places[key] = self.spaces.identify(self.path(key))
            self.hands.kernel.do(Add(Up(place, LINK)))
        self.hands.kernel.close()
        self.spaces.leave()
        self.await_ports()

    def await_ports(self) -> None:
        """Wait until every link runs and every port forwards: not before the kernel's link watch has been there."""

        def ready() -> bool:
            ports = self.lab.host.json("bridge", "-j", "link")
            far = self.lab.lan.json("ip", "-j", "link", "show", "up", "type", "veth")
            return all(port["state"] == "forwarding" for port in ports) and all(one["operstate"] == "UP" for one in far)

        assert eventually(ready), "a port of the bridge does not forward"

    def squat(self, key: str, address: str) -> None:
        """Give a container an address by hand."""
        self.containers[key].run("ip", "addr", "add", address, "dev", LINK)

    def add(self, key: str, lease: Lease | None = None, *, configured: bool = False, **setup: Any) -> None:
        """Lease for a container."""
        made = setup_of(key, self.macs[key], **setup)
        self.engine.add(key, self.hands.places[key], LINK, made, lease, configured)

    # --- time ---

    def until(self, check: Callable[[], object], seconds: float = SECONDS) -> bool:
        """Turn until something is so; False if that is not so after a while."""
        end = boottime() + seconds
        while not check():
            if (left := end - boottime()) <= 0:
                return False
            self.engine.turn(min(left, 0.5))
            self.hands.kernel.close()
        return True

    def skip(self, seconds: float) -> None:
        """Put the clock forward."""
        self.skipped += max(0.0, seconds)
        self.engine.turn()
        self.hands.kernel.close()

    # --- what clients are at ---

    def name(self, key: str) -> str:
        """Return the state of a client."""
        return self.engine.state(key)[0]

    def lease(self, key: str) -> Lease:
        """Return the lease of a client."""
        found = self.engine.state(key)[1]
        assert found, f"{key} has no lease: {self.hands.done}"
        return found

    def bound(self, key: str) -> Lease:
        """Wait for a client to be bound, skipping its waits; return its lease."""
        for _ in range(8):
            if self.until(lambda: self.name(key) in ("BOUND", "INIT")) and self.name(key) == "BOUND":
                return self.lease(key)
            self.skip(305.0 if self.name(key) == "INIT" else 0.0)
        raise AssertionError(f"{key} is {self.name(key)}: {self.hands.done}")

    def leased(self, key: str, **setup: Any) -> Lease:
        """Lease for a container and wait for it."""
        self.add(key, **setup)
        return self.bound(key)

    def did(self, key: str, what: str) -> list[str]:
        """Return what the hands were asked for, for a client and of a kind."""
        return [detail for one, kind, detail in self.hands.done if (one, kind) == (key, what)]

    def renewed(self, key: str, before: Lease, seconds: float = SECONDS) -> bool:
        """Wait until a client has got its lease anew, since it had the one that is given."""
        return self.until(lambda: self.name(key) == "BOUND" and self.lease(key).began > before.began, seconds)
