"""netavark, called as Podman calls it: one process for each change, the configuration on its standard input.

The rule of this file: a network without DNS, so that only what the others do as well is measured.
"""

from __future__ import annotations

import json

from bench.peers.peer import Peer, Ports, found, none_of
from bench.process import run
from bench.settings import Settings

PROGRAMS = ("/usr/lib/podman/netavark", "/usr/libexec/podman/netavark")
NETWORK = {
    "name": "net1",
    "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
    "driver": "bridge",
    "network_interface": "podman1",
    "subnets": [{"subnet": "10.91.0.0/16", "gateway": "10.91.255.254"}],
    "ipv6_enabled": False,
    "internal": False,
    "dns_enabled": False,
    "ipam_options": {"driver": "host-local"},
    "options": None,
}


class Netavark(Peer):
    """A Rust program; IPv4; Podman hands out the addresses."""

    title = "netavark"
    packages = "netavark iptables"

    @classmethod
    def lacks(cls) -> str:
        return none_of(PROGRAMS)

    @classmethod
    def version(cls, chosen: Settings) -> str:  # noqa: ARG003
        return run(found(PROGRAMS), "--version").strip()

    def mounts(self) -> tuple[str, str]:
        return "", "mkdir /run/netavark"

    def call(self, verb: str, number: int, ports: Ports) -> None:
        """Run it."""
        command = (found(PROGRAMS), "--config", "/run/netavark", verb, self.space(number))
        run(*command, text=json.dumps(configuration(number, ports)))

    def join(self, number: int, ports: Ports) -> None:
        self.call("setup", number, ports)

    def leave(self, number: int, ports: Ports) -> None:
        self.call("teardown", number, ports)


def configuration(number: int, ports: Ports) -> dict[str, object]:
    """Return what Podman would send."""
    mappings = [
        {"host_ip": "", "container_port": inner, "host_port": outer, "range": 1, "protocol": "tcp"}
        for outer, inner in ports
    ]
    address = f"10.91.{number // 250}.{number % 250 + 2}"
    return {
        "container_id": f"{number:064x}",
        "container_name": f"c{number}",
        "port_mappings": mappings,
        "networks": {"net1": {"static_ips": [address], "interface_name": "eth0"}},
        "network_info": {"net1": NETWORK},
    }
