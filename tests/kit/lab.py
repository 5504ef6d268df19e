"""A private lab: a host of its own, a machine outside, and containers; all of it gone when the test ends.

The rule of this file: nothing here touches the machine that it runs on. The *host* is a network and a mount namespace
(private /run, private state directory), held by one process; what is *outside* is another network namespace, joined by
a veth pair, which knows nothing of the containers' subnets.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from kit.space import Space
from kit.world import printed

ROOT = Path(__file__).resolve().parents[2]
HOST4, LAN4, HOST6, LAN6 = "198.51.100.1", "198.51.100.2", "2001:db8:51::1", "2001:db8:51::2"
HOST4_2, LAN4_2, HOST6_2, LAN6_2 = "203.0.113.1", "203.0.113.2", "2001:db8:71::1", "2001:db8:71::2"

HOST_SCRIPT = """
set -e
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock "$STATE" "$STATE.etc" /var/lib/containernet
mount --bind "$STATE" /var/lib/containernet
mount --bind "$STATE.etc" /etc/netns
ip link set lo up
for key in ip6tables iptables arptables; do
  file=/proc/sys/net/bridge/bridge-nf-call-$key
  if [ -e $file ]; then echo "$BRIDGE_NF" > $file; fi
done
echo ready
exec cat
"""
LAN_SCRIPT = "set -e; ip link set lo up; echo ready; exec cat"


class Lab:
    """The host, what is outside, and the containers of one test."""

    def __init__(
        self, directory: Path, *, bridge_nf: int = 1, mtu: int = 1500, uplinks: int = 1, ipv6: bool = True
    ) -> None:
        self.directory = directory
        self.bridge_nf, self.mtu, self.uplinks, self.ipv6 = bridge_nf, mtu, uplinks, ipv6
        self.spaces: list[Space] = []
        self.holders: list[subprocess.Popen[str]] = []
        self.known: set[str] = set()  # every namespace that the lab has had
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("CNET_")}
        self.env.update(
            PYTHONPATH=os.environ.get("CNET_FAKE", str(ROOT / "src")), LC_ALL="C.UTF-8", NO_COLOR="1", COLUMNS="120"
        )

    # --- making and ending ---

    def __enter__(self) -> Lab:
        try:
            self._boot()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        left = self._end()
        assert kind or not left, f"left behind: {left}"

    def _boot(self) -> None:
        self.host = self._hold("host", HOST_SCRIPT, "--net", "--mount", "--propagation", "private")
        self.lan = self._hold("lan", LAN_SCRIPT, "--net")
        self.uplink(0, HOST4, LAN4, HOST6, LAN6, "lan0")
        self.host.sh(
            f"ip route add default via {LAN4}" + (f"; ip -6 route add default via {LAN6}" if self.ipv6 else "")
        )
        if self.uplinks > 1:
            self.uplink(1, HOST4_2, LAN4_2, HOST6_2, LAN6_2, "lan1")

    def _hold(self, name: str, script: str, *unshare: str) -> Space:
        env = {**self.env, "STATE": str(self.directory / "state"), "BRIDGE_NF": str(self.bridge_nf)}
        command = ["unshare", *unshare, "sh", "-c", script]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.holders.append(holder)
        assert holder.stdout
        assert holder.stdout.readline() == "ready\n", f"the namespace {name} could not be made"
        enter = ["nsenter", "-t", str(holder.pid), "-n"] + (["-m"] if "--mount" in unshare else [])
        self.known.add(os.readlink(f"/proc/{holder.pid}/ns/net"))
        return self._space(name, enter)

    def _space(self, name: str, enter: list[str]) -> Space:
        space = Space(name, enter)
        self.spaces.append(space)
        return space

    def uplink(self, number: int, host4: str, lan4: str, host6: str, lan6: str, far: str) -> None:
        """Join the host to what is outside by another link, ``up0``, ``up1``, …"""
        near = f"up{number}"
        six = "ip addr add {}/64 dev {} nodad" if self.ipv6 else "true"
        self.host.sh(
            f"ip link add {near} mtu {self.mtu} type veth peer name {far} mtu {self.mtu} netns {self.holders[1].pid}\n"
            f"ip addr add {host4}/24 dev {near}; {six.format(host6, near)}; ip link set {near} up"
        )
        self.lan.sh(f"ip addr add {lan4}/24 dev {far}; {six.format(lan6, far)}; ip link set {far} up")

    def _end(self) -> list[str]:
        """End every process of ours; return what is left in a namespace of the lab all the same."""
        for space in self.spaces:
            space.close()
        left = self.tenants() if self.holders and self.holders[0].poll() is None else []
        for holder in reversed(self.holders):
            self._release(holder)
        return [f"process {pid}: {command}" for pid, command in {*left, *inhabitants(self.known)}]

    def _release(self, holder: subprocess.Popen[str]) -> None:
        if holder.stdin and not holder.stdin.closed:
            self._remember(holder.pid)
            holder.stdin.close()
            holder.wait(10)
            assert holder.stdout
            holder.stdout.close()

    def _remember(self, pid: int) -> None:
        """Note the namespaces of containers made by whatever means, so that what lives in them is found."""
        for path in Path(f"/proc/{pid}/root/run/netns").glob("*"):
            self.known.add(f"net:[{path.stat().st_ino}]")

    def reboot(self) -> None:
        """End the host and all its containers, and start it again; only what lies in the state directory is kept."""
        for space in self.spaces:
            space.close()
        self.spaces.clear()
        for holder in reversed(self.holders):
            self._release(holder)
        self.holders.clear()
        self._boot()

    # --- containers ---

    @property
    def pid(self) -> int:
        """The process that holds the host's namespaces."""
        return self.holders[0].pid

    def container(self, name: str) -> Space:
        """Make a container: a namespace by name."""
        self.host.run("ip", "netns", "add", name)
        return self.inside(name)

    def inside(self, name: str) -> Space:
        """Return the namespace that has this name now."""
        path = f"/proc/{self.pid}/root/run/netns/{name}"
        self.known.add(f"net:[{os.stat(path).st_ino}]")
        return self._space(name, ["nsenter", f"--net={path}"])

    def remove(self, space: Space) -> None:
        """Delete a container and all that runs in it."""
        space.close()
        self.host.run("ip", "netns", "del", space.name)

    # --- the tool under test ---

    def command(self, *argv: str) -> list[str]:
        """Return the command line of ``cnet`` on the host of this lab."""
        return [*self.host.enter, sys.executable, "-m", "containernet", *argv]

    def result(self, *argv: str, timeout: float = 60.0, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run ``cnet`` and return what came of it."""
        return subprocess.run(
            self.command(*argv), capture_output=True, text=True, timeout=timeout, env=self.env, input=text, check=False
        )

    def cnet(self, *argv: str, expect: int = 0, timeout: float = 60.0) -> str:
        """Run ``cnet``, which must end with the expected status; return what it printed."""
        done = self.result(*argv, timeout=timeout)
        assert done.returncode == expect, (
            f"cnet {' '.join(argv)}: status {done.returncode}, not {expect}\n{done.stdout}{done.stderr}"
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    def json(self, *argv: str) -> Any:
        """Run ``cnet`` with ``--json``."""
        verb, *rest = argv
        cut = rest.index("--") if "--" in rest else len(rest)
        return json.loads(self.cnet(verb, *rest[:cut], "--json", *rest[cut:]))

    def json_of(self, *argv: str) -> Any:
        """Run ``cnet`` with ``--json``, whatever its exit status; return what it printed."""
        return json.loads(self.result(*argv, "--json").stdout)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start ``cnet`` without waiting for it."""
        return subprocess.Popen(
            self.command(*argv), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env
        )

    def tenants(self) -> list[tuple[int, str]]:
        """Return the processes inside this lab's mount namespace, or in one made from it, that are not its own."""
        own = {self.pid, *(space.pid for space in self.spaces if space.pid)}
        mine = os.stat(f"/proc/{self.pid}/root/run").st_dev
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and int(entry) not in own and os.stat(f"/proc/{entry}/root/run").st_dev == mine:
                    found.append((int(entry), Path(f"/proc/{entry}/cmdline").read_text().replace("\0", " ")))
            except OSError:
                continue
        return found

    def world(self) -> str:
        """Print everything of ours in the kernel, as one sorted text."""
        return printed(self.host)


def inhabitants(namespaces: set[str]) -> list[tuple[int, str]]:
    """Return the processes that live in these network namespaces.

    The number of a namespace is given again when it is gone: what another test process has started since is none of
    ours.
    """
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.readlink(f"/proc/{entry}/ns/net") in namespaces and not of_another(int(entry)):
                found.append((int(entry), Path(f"/proc/{entry}/cmdline").read_text().replace("\0", " ")))
        except OSError:
            continue
    return found


def of_another(pid: int) -> bool:
    """Tell whether a process descends from another process that runs tests side by side with this one."""
    while pid > 1 and pid != os.getpid():
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if parent == os.getppid():
            return True
        pid = parent
    return False
