"""Docker: a running container that waits on an internal network is connected to one behind NAT, its port published.

The rule of this file: that is the nearest that Docker has to a join. The daemon runs already, as it does for its users.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile

from bench.peers.engine import CLIENTS, DAEMONS, SOCKET, Engine
from bench.peers.peer import Peer, Ports, found, none_of
from bench.process import run
from bench.settings import Settings

BUSYBOX = ("/bin/busybox", "/usr/bin/busybox")


class DockerApi(Peer):
    """Asked through its socket, without a process."""

    title = "docker, its API"
    packages = "docker.io containerd runc busybox-static iptables"

    @classmethod
    def lacks(cls) -> str:
        return none_of(DAEMONS) or none_of(CLIENTS) or none_of(BUSYBOX)

    @classmethod
    def version(cls, chosen: Settings) -> str:  # noqa: ARG003
        return run(found(DAEMONS), "--version").strip()

    def mounts(self) -> tuple[str, str]:
        return Engine.mounts()

    def start(self) -> None:
        self.engine = Engine(self.host, self.chosen.disk.name)
        with self.host:
            self.engine.ask("POST", "/images/create?fromSrc=-&repo=bench", image(), "application/x-tar")
            self.network("net1", "10.92.0.0/16", internal=False)
            self.network("parked", "10.87.0.0/16", internal=True)

    def network(self, name: str, subnet: str, *, internal: bool) -> None:
        """Make a network."""
        body = {"Name": name, "Internal": internal, "IPAM": {"Config": [{"Subnet": subnet}]}}
        self.engine.ask("POST", "/networks/create", body)

    def close(self) -> None:
        if hasattr(self, "engine"):
            self.engine.close()
        super().close()

    def space(self, number: int) -> str:
        return self.engine.space(f"c{number}")

    def prepare(self, number: int, ports: Ports) -> None:
        if number not in self.made:
            self.started(number, ports, "parked")

    def started(self, number: int, ports: Ports, network: str) -> None:
        """Make a container on a network and start it."""
        bindings = {f"{inner}/tcp": [{"HostPort": str(outer)}] for outer, inner in ports}
        body = {
            "Image": "bench",
            "Cmd": ["/bin/busybox", "sleep", "1000000"],
            "ExposedPorts": {key: {} for key in bindings},
            "HostConfig": {"NetworkMode": network, "PortBindings": bindings},
        }
        with self.host:
            self.engine.ask("POST", f"/containers/create?name=c{number}", body)
            self.engine.ask("POST", f"/containers/c{number}/start")
        self.made.add(number)

    def stay(self, number: int, ports: Ports) -> None:
        self.started(number, ports, "net1")

    def join(self, number: int, ports: Ports) -> None:  # noqa: ARG002
        self.engine.ask("POST", "/networks/net1/connect", {"Container": f"c{number}"})

    def leave(self, number: int, ports: Ports) -> None:  # noqa: ARG002
        self.engine.ask("POST", "/networks/net1/disconnect", {"Container": f"c{number}"})


class DockerCommand(DockerApi):
    """Asked through its command line, as a person does."""

    title = "docker network connect"

    def docker(self, verb: str, number: int) -> None:
        """Run the command."""
        env = {"DOCKER_HOST": f"unix://{SOCKET}", "DOCKER_CONFIG": "/run/docker-client"}
        run(found(CLIENTS), "network", verb, "net1", f"c{number}", env=env)

    def join(self, number: int, ports: Ports) -> None:  # noqa: ARG002
        self.docker("connect", number)

    def leave(self, number: int, ports: Ports) -> None:  # noqa: ARG002
        self.docker("disconnect", number)


def image() -> bytes:
    """Return a file system with nothing but busybox in it, and what that is linked with."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(found(BUSYBOX), "bin/busybox")
        for library in libraries(found(BUSYBOX)):
            tar.add(os.path.realpath(library), library.lstrip("/"))
    return packed.getvalue()


def libraries(program: str) -> list[str]:
    """Return the libraries that a program is linked with, as ldd(1) tells; none if it is static."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return [word for line in done.stdout.splitlines() for word in line.split() if word.startswith("/")]
