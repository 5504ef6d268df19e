"""The LAN of ``kit.dhcp_lan`` with clients of DHCPv6.

The rule of this file: only what is different from there.
"""

from __future__ import annotations

from typing import Any

from containernet.kernel.door import EXISTS, KernelError
from containernet.model import identity
from containernet.model.lease import Lease
from containernet.plan.objects import Address
from containernet.plan.operations import Add, Remove
from containernet.services.dhcp6.words import Setup6
from kit.dhcp_lan import Lan
from kit.dhcp_process import HOST_ID, LINK, FileHands

DUID = b"\0\4" + HOST_ID


def setup6_of(key: str, mac: str, **more: Any) -> Setup6:
    """Return how a client is set up: one DUID for the host, and a number for each interface."""
    fields = {"hostname": key, **more}
    return Setup6(bytes.fromhex(mac.replace(":", "")), DUID, identity.iaid("lan", key), **fields)


class FileHands6(FileHands):
    """Hands for what a lease of DHCPv6 does; without an address it does nothing to an interface."""

    def held(self, key: str) -> list[str]:
        """Return the addresses that are not of the link only."""
        links = self.kernel.surroundings(self.places[key]).links
        return [one for link in links if link.name == LINK for one in link.addresses if ":" in one]

    def configure(self, key: str, lease: Lease, before: Lease | None) -> None:
        if before and before.cidr and before.cidr != lease.cidr:
            self.kernel.do(Remove(Address(self.places[key], LINK, before.cidr)))
        if lease.cidr:
            self.give(key, lease)
        self.note(key, "configure", lease.cidr)

    def give(self, key: str, lease: Lease) -> None:
        """Put an address on an interface, at once and without the kernel looking for it on the link."""
        try:
            self.kernel.do(Add(Address(self.places[key], LINK, lease.cidr)))
        except KernelError as error:
            if error.reason != EXISTS:
                raise

    def unconfigure(self, key: str, lease: Lease, reason: str) -> None:
        if lease.cidr:
            self.kernel.do(Remove(Address(self.places[key], LINK, lease.cidr)))
        self.note(key, "unconfigure", reason)


class Lan6(Lan):
    """The containers of a lab and their DHCPv6 clients."""

    made = FileHands6

    def add(self, key: str, lease: Lease | None = None, *, configured: bool = False, **setup: Any) -> None:
        made = setup6_of(key, self.macs[key], **setup)
        self.engine.add(key, self.hands.places[key], LINK, made, lease, configured)

    def settled(self, key: str) -> bool:
        """Wait until the container's address of the link can be used: for tests that skip time."""
        return self.until(lambda: not self._tentative(key))

    def _tentative(self, key: str) -> bool:
        found = self.containers[key].json("ip", "-j", "-6", "addr", "show", "dev", LINK, "scope", "link")
        addresses = [one for link in found for one in link.get("addr_info", ())]
        return not addresses or any(one.get("tentative") for one in addresses)
