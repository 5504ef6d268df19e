"""DHCPv6 servers for labs: dnsmasq, ISC dhcpd and Kea, as Debian has them.

The rule of this file: as in ``kit.dhcp``, whose servers these are with other files; the pool is 2001:db8:51::100 to
::1ff (or as given), the server is 2001:db8:51::2.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kit import dhcp
from kit.space import Space, eventually

NET, OWN = "2001:db8:51::", "2001:db8:51::2"


class Server6(dhcp.Server):
    """One server for a pool on an interface; ``first`` and ``last`` are the last group of its addresses."""

    def __init__(self, space: Space, interface: str, directory: Path, *, pool: str = "100-1ff", **more: Any) -> None:
        self.pool = [f"{NET}{one}" for one in pool.split("-")] if pool else []
        super().__init__(space, interface, directory, **more)

    def start(self) -> None:
        """Start it when the interface's address of the link can be used."""
        assert eventually(self._usable), f"{self.interface} has no address of the link"
        super().start()

    def _usable(self) -> bool:
        found = self.space.json("ip", "-j", "-6", "addr", "show", "dev", self.interface, "scope", "link", "-tentative")
        return any(one.get("addr_info") for one in found)


class Dnsmasq6(Server6, dhcp.Dnsmasq):
    """dnsmasq; ``ranges`` instead of that of the pool, and ``more`` words for its command line."""

    def __init__(self, *args: Any, ranges: tuple[str, ...] = (), words: tuple[str, ...] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.ranges, self.words = ranges, words

    def gives(self) -> list[str]:
        ranges = self.ranges or (f"{','.join(self.pool)},64,{self.seconds}",)
        return [
            "--log-dhcp",
            *(f"--dhcp-range={one}" for one in ranges),
            *(f"--dhcp-option=option6:{one}" for one in self.options),
            *self.words,
        ]


class Dhcpd6(Server6, dhcp.Dhcpd):
    """ISC dhcpd."""

    family = "-6"

    def gives(self) -> str:
        pool = f" range6 {' '.join(self.pool)};\n" if self.pool else ""
        return (
            f"{'' if self.authoritative else 'not '}authoritative;\ndefault-lease-time {self.seconds};\n"
            f"preferred-lifetime {self.seconds // 2};\noption dhcp6.name-servers {NET}53;\n"
            f'option dhcp6.domain-search "lan.example";\nsubnet6 {NET}/64 {{\n{pool}}}\n'
        )

    def leases(self) -> set[str]:
        found: set[str] = set()
        text = (self.directory / "leases").read_text()
        for address, state in re.findall(r"iaaddr (\S+) \{\s*binding state (\w+);", text):
            (found.add if state == "active" else found.discard)(address)
        return found


class Kea6(Server6, dhcp.Kea):
    """ISC Kea, with leases in a file."""

    name, package, command, ready = "Kea", "kea-dhcp6-server", "kea-dhcp6", "DHCP6_STARTED"
    section = "Dhcp6"
    seconds_at, state_at = 2, 13

    def gives(self) -> dict[str, Any]:
        subnet = {
            "id": 1,
            "subnet": f"{NET}/64",
            "interface": self.interface,
            "rapid-commit": True,
            "pools": [{"pool": " - ".join(self.pool)}] if self.pool else [],
        }
        return {
            "interfaces-config": {"interfaces": [self.interface]},
            "server-id": {"type": "LLT", "persist": False},
            "preferred-lifetime": self.seconds // 2,
            "option-data": [
                {"name": "dns-servers", "data": f"{NET}53"},
                {"name": "domain-search", "data": "lan.example"},
            ],
            "subnet6": [subnet],
        }


SERVERS6: dict[str, type[Server6]] = {one.name: one for one in (Dnsmasq6, Dhcpd6, Kea6)}
