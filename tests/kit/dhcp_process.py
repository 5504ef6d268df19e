"""The DHCP engine with hands of flesh: leases in files, addresses in the kernel; also as a process to be killed.

The rule of this file: as little as a real owner of an engine would do, so that what the tests see is the engine's.
Started as ``python dhcp_process.py DIRECTORY MAC=PATH...`` it leases for every ``eth0`` and says each thing it did in
a line; with ``DIE_AFTER`` in the environment it kills itself after the first effect of that name.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from containernet.kernel.door import EXISTS, KernelError
from containernet.kernel.linux import Linux
from containernet.kernel.netns import Spaces
from containernet.model import identity
from containernet.model.lease import Lease, from_text, to_text
from containernet.model.network import Place
from containernet.plan.objects import Address
from containernet.plan.operations import Add, Remove
from containernet.services.dhcp4.engine import Engine
from containernet.services.dhcp4.words import Setup

LINK = "eth0"
HOST_ID = bytes(range(16))


def setup_of(key: str, mac: str, **more: object) -> Setup:
    """Return how a client is set up."""
    client_id = identity.from_uuid(HOST_ID, identity.iaid("lan", key))
    return Setup(bytes.fromhex(mac.replace(":", "")), client_id, hostname=key, **{"probe": "fast", **more})  # type: ignore[arg-type]


class FileHands:
    """Hands that keep leases in a directory and configure addresses. ``done`` is everything they were asked for."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.places: dict[str, Place] = {}
        self.kernel = Linux()
        self.done: list[tuple[str, str, str]] = []

    def note(self, key: str, what: str, detail: str = "") -> None:
        """Take note of what was done."""
        self.done.append((key, what, detail))

    def kept(self, key: str) -> Lease | None:
        """Return the lease that was kept."""
        path = self.directory / key
        return from_text(path.read_text()) if path.exists() else None

    def held(self, key: str) -> list[str]:
        """Return the addresses of a client's interface."""
        links = self.kernel.surroundings(self.places[key]).links
        return [one for link in links if link.name == LINK for one in link.addresses if ":" not in one]

    def configure(self, key: str, lease: Lease, before: Lease | None) -> None:
        if before and before.cidr != lease.cidr:
            self.kernel.do(Remove(Address(self.places[key], LINK, before.cidr)))
        try:
            self.kernel.do(Add(Address(self.places[key], LINK, lease.cidr)))
        except KernelError as error:
            if error.reason != EXISTS:
                raise
        self.note(key, "configure", lease.cidr)

    def unconfigure(self, key: str, lease: Lease, reason: str) -> None:
        self.kernel.do(Remove(Address(self.places[key], LINK, lease.cidr)))
        self.note(key, "unconfigure", reason)

    def save(self, key: str, lease: Lease) -> None:
        new = self.directory / f".{key}"
        new.write_text(to_text(lease))
        new.rename(self.directory / key)
        self.note(key, "save", lease.cidr)

    def forget(self, key: str) -> None:
        (self.directory / key).unlink(missing_ok=True)
        self.note(key, "forget")

    def tell(self, key: str, level: str, sentence: str) -> None:
        self.note(key, level, sentence)

    def lost(self, key: str) -> None:
        self.note(key, "lost")


class Loud(FileHands):
    """Hands that say what they do, and die where they are told to."""

    def note(self, key: str, what: str, detail: str = "") -> None:
        print(key, what, detail, flush=True)
        if os.environ.get("DIE_AFTER") == what:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Lease until killed."""
    hands = Loud(Path(sys.argv[1]))
    spaces = Spaces()
    engine = Engine(hands, spaces)
    for argument in sys.argv[2:]:
        mac, _, path = argument.partition("=")
        key = Path(path).name
        place = hands.places[key] = spaces.identify(path)
        lease = hands.kept(key)
        there = lease is not None and lease.cidr in hands.held(key)
        engine.add(key, place, LINK, setup_of(key, mac), lease, there)
    hands.kernel.close()
    while True:
        engine.turn(-1)
        hands.kernel.close()


if __name__ == "__main__":
    main()
