"""The CNI plugins bridge (with host-local) and portmap, called as a container runtime calls them.

The rule of this file: ADD in the order of the configuration, DEL in reverse, the result of one handed to the next.
"""

from __future__ import annotations

import json
from typing import Any

from bench.peers.peer import Peer, Ports, found, none_of, package_version
from bench.process import run
from bench.settings import Settings

FOLDERS = ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")
PLUGINS = [f"{folder}/portmap" for folder in FOLDERS]
COMMON = {"cniVersion": "0.4.0", "name": "net1"}
BRIDGE = {
    **COMMON,
    "type": "bridge",
    "bridge": "cni0",
    "isGateway": True,
    "ipMasq": True,
    "hairpinMode": True,
    "ipam": {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": "10.90.0.0/16"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    },
}


class Cni(Peer):
    """Two processes of a Go program for each change; IPv4."""

    title = "CNI bridge + portmap"
    packages = "containernetworking-plugins iptables"

    @classmethod
    def lacks(cls) -> str:
        return none_of(PLUGINS)

    @classmethod
    def version(cls, chosen: Settings) -> str:  # noqa: ARG003
        return package_version("containernetworking-plugins")

    def start(self) -> None:
        self.folder = found(PLUGINS).rpartition("/")[0]
        self.results: dict[int, Any] = {}

    def call(self, command: str, number: int, configuration: dict[str, Any]) -> Any:
        """Run a plugin."""
        env = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": f"c{number}",
            "CNI_NETNS": self.space(number),
            "CNI_IFNAME": "eth0",
            "CNI_PATH": self.folder,
        }
        printed = run(f"{self.folder}/{configuration['type']}", text=json.dumps(configuration), env=env)
        return json.loads(printed) if printed.strip() else None

    def join(self, number: int, ports: Ports) -> None:
        result = self.results[number] = self.call("ADD", number, BRIDGE)
        self.call("ADD", number, {**portmap(ports), "prevResult": result})

    def leave(self, number: int, ports: Ports) -> None:
        before = {"prevResult": self.results.pop(number)}
        self.call("DEL", number, {**portmap(ports), **before})
        self.call("DEL", number, {**BRIDGE, **before})


def portmap(ports: Ports) -> dict[str, Any]:
    """Return the configuration of the plugin that publishes ports."""
    mappings = [{"hostPort": outer, "containerPort": inner, "protocol": "tcp"} for outer, inner in ports]
    return {**COMMON, "type": "portmap", "snat": True, "runtimeConfig": {"portMappings": mappings}}
