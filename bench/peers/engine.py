"""A Docker daemon of its own: started inside a host of the benchmark, with a containerd, ended with all it started.

The rule of this file: it can write to memory only. The root is read-only for it, /run and /etc are copies, modprobe is
out of its reach, and it lives in a process namespace whose end is the end of every shim, proxy and container.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.host import Host
from bench.process import ENVIRONMENT, Failed, end

DAEMONS = ("/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd")
CLIENTS = ("/usr/bin/docker", "/usr/local/bin/docker")  # the distribution's first: a newer one refuses its daemon
SOCKET = "/run/docker.sock"
KEEP_GROUPS = """
umount /sys
mkdir /run/groups
mount --rbind /sys/fs/cgroup /run/groups
"""
FENCE = """
mount --rbind /run/groups /sys/fs/cgroup
cp -a /etc /run/etc
mount --bind /run/etc /etc
mount --bind /bin/true "$(readlink -f "$(command -v modprobe || echo /bin/true)")"
"""
CONTAINERD = """
version = 2
root = "/run/containerd-root"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
address = "/run/containerd.sock"
"""
START = """
read -r number rest </proc/self/stat
echo "$number"
exec >/run/engine.log 2>&1
mount -t proc proc /proc
mount -o remount,bind,ro /
containerd --config /run/containerd.toml &
while [ ! -S /run/containerd.sock ]; do sleep 0.05; done
dockerd --containerd /run/containerd.sock --data-root /run/docker-data --exec-root /run/docker \\
  --pidfile /run/docker.pid --host unix:///run/docker.sock --config-file /run/docker.json \\
  --cgroup-parent "/$1" --exec-opt native.cgroupdriver=cgroupfs
"""


class Engine:
    """The daemon of a host; ``group`` is where its control groups go."""

    def __init__(self, host: Host, group: str) -> None:
        self.host = host
        with host:
            Path("/run/containerd.toml").write_text(CONTAINERD)
            Path("/run/docker.json").write_text("{}")
            self.process = subprocess.Popen(
                ["unshare", "--pid", "--mount", "--fork", "--kill-child", "sh", "-c", START, "engine", group],
                stdout=subprocess.PIPE, text=True, env={**ENVIRONMENT, "TMPDIR": "/run"}, cwd="/",
            )  # fmt: skip
        assert self.process.stdout
        self.number = self.process.stdout.readline().strip()
        self._wait()

    @staticmethod
    def mounts() -> tuple[str, str]:
        """Return what its host needs: the machine's control groups, and the fence."""
        return KEEP_GROUPS, FENCE

    def _wait(self, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with self.host:
                    self.ask("GET", "/_ping")
                    return
            except Failed:
                time.sleep(0.1)
        said = self.log()
        self.close()
        raise Failed(f"dockerd did not come up:\n{said}")

    def log(self) -> str:
        """Return the end of what the daemons said."""
        with self.host:
            return Path("/run/engine.log").read_text(errors="replace")[-1500:]

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """Do one request of its API. Called on the host."""
        connection = Connection("docker", timeout=600)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body)
        try:
            connection.request(method, path, content, {"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as why:
            raise Failed(f"{method} {path}: {why!r}") from why
        finally:
            connection.close()
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {text[-500:].decode()}")
        return text

    def space(self, name: str) -> str:
        """Return where a container's network namespace stands, as seen from outside of the daemon's namespaces."""
        with self.host:
            found = json.loads(self.ask("GET", f"/containers/{name}/json"))
        key = found["NetworkSettings"]["SandboxKey"].rpartition("/")[2]
        return f"/proc/{self.number}/root/run/docker/netns/{key}"

    def close(self) -> None:
        """End the daemons and all that they have started."""
        end(self.process)


class Connection(http.client.HTTPConnection):
    """HTTP over the daemon's socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)
