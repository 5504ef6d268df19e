"""The peers by name, ourselves among them.

The rule of this folder: a peer does what it does for its own users, with nothing left out and nothing added; each file
shows what that is.
"""

from __future__ import annotations

from bench.peers.cnet import Cnet
from bench.peers.cni import Cni
from bench.peers.docker import DockerApi, DockerCommand
from bench.peers.netavark import Netavark
from bench.peers.peer import Peer
from bench.peers.shell import Shell

KINDS: dict[str, type[Peer]] = {
    "cnet": Cnet,
    "cni": Cni,
    "netavark": Netavark,
    "docker": DockerCommand,
    "docker-api": DockerApi,
    "shell": Shell,
}
PACKAGES = {name: kind.packages for name, kind in KINDS.items()}
