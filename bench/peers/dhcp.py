"""DHCP clients, one process for each container, as a person would start them; ourselves, and the server of all.

The rule of this file: each client gets an interface that is up, on a bridge with the uplink, and a container's name is
its host name for none of them. What puts addresses on is as short as it can be: two calls of ip, no log, no resolver.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.host import Host, named
from bench.peers.cnet import Cnet
from bench.peers.peer import Ports, found
from bench.process import ENVIRONMENT, Failed, end, run
from bench.settings import Settings

DNSMASQ = ("/usr/sbin/dnsmasq", "/usr/local/sbin/dnsmasq")
UDHCPC = ("/sbin/udhcpc", "/usr/sbin/udhcpc")
DHCLIENT = ("/sbin/dhclient", "/usr/sbin/dhclient")
PACKAGES = {"dnsmasq": "dnsmasq-base", "udhcpc": "udhcpc", "dhclient": "isc-dhcp-client"}
PROGRAMS = {"dnsmasq": DNSMASQ, "udhcpc": UDHCPC, "dhclient": DHCLIENT}
SERVER, POOL = "10.80.0.1", ("10.80.1.0", "10.80.255.254", "255.255.0.0")
BRIDGE = """
link add br0 type bridge mcast_snooping 0
link set br0 up
link set up0 master br0
address add 198.51.100.1/24 dev br0
address delete 198.51.100.1/24 dev up0
"""
UDHCPC_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
ip route replace default via "$router" dev "$interface"
"""
DHCLIENT_SCRIPT = """#!/bin/sh
[ -n "$new_ip_address" ] || exit 0
ip address replace "$new_ip_address/$new_subnet_mask" dev "$interface"
ip route replace default via "$new_routers" dev "$interface"
"""
Process = subprocess.Popen[str]


def missing() -> list[str]:
    """Return which of the programs are not there."""
    return [name for name, paths in PROGRAMS.items() if not found(paths)]


def start(*argv: str, **env: str) -> Process:
    """Start what goes on running, and says nothing."""
    return subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**ENVIRONMENT, **env}, cwd="/", text=True,
    )  # fmt: skip


def serve(host: Host) -> Process:
    """Start dnsmasq on the LAN of a host, without its ping, leases in memory; return it when it serves."""
    lease = f"--dhcp-range={','.join(POOL)},12h"
    with host:
        run("ip", "-n", "outside", "address", "add", f"{SERVER}/16", "dev", "lan0")
    with host.inside(named("outside")):
        server = subprocess.Popen(
            [
                found(DNSMASQ), "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--no-ping", "--user=root",
                "--log-facility=-", "--quiet-dhcp", "--pid-file=", "--interface=lan0", "--bind-interfaces",
                "--except-interface=lo", "--dhcp-leasefile=/run/dnsmasq.leases", "--dhcp-lease-max=5000",
                "--dhcp-authoritative", lease,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True,
        )  # fmt: skip
    assert server.stderr
    for line in server.stderr:
        if "sockets bound exclusively" in line:
            return server
    raise Failed("dnsmasq does not serve")


class Leasing:
    """Many containers whose addresses are leased, by one process or by as many."""

    title = ""
    host: Host

    def __init__(self, chosen: Settings, count: int) -> None:
        self.chosen, self.count = chosen, count
        self.processes: list[Process] = []
        self._server: Process | None = None
        try:
            self.prepare()
        except BaseException:
            self.close()
            raise

    def prepare(self) -> None:
        """Have the containers with their interfaces, which have no address yet, and no server."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to lease, with the clock running."""
        raise NotImplementedError

    def serve(self) -> None:
        """Have a server."""
        self._server = serve(self.host)

    def spaces(self) -> list[str]:
        """Return where the containers are, on the host."""
        return [named(f"c{number}") for number in range(self.count)]

    def ended(self) -> bool:
        """Tell whether one that leases has ended, which it must not."""
        return any(one.poll() is not None for one in self.processes)

    def close(self) -> None:
        """End all of it."""
        for one in self.processes:
            one.kill()
        for one in self.processes:
            one.wait()
        if self._server:
            end(self._server)
            assert self._server.stderr
            self._server.stderr.close()


class Ours(Leasing):
    """One agent; the endpoints have joined with ``--ip dhcp --no-wait`` while no server was there."""

    title = "cnet agent"

    def prepare(self) -> None:
        self._peer = Lan(self.chosen)
        self.host, self.cnet = self._peer.host, self._peer.cnet
        with self.host:
            self.cnet("service", "dhcp", "enable")
        self.start()
        self._answers()
        self.more(self.count)
        agent = self.processes.pop()
        agent.terminate()
        agent.wait()

    def start(self) -> None:
        with self.host:
            self.processes.append(start(self.chosen.cnet, "agent", **self._peer.env))

    def _answers(self) -> None:
        with self.host:
            for _ in range(100):
                try:
                    self.cnet("agent", "status")
                    return
                except Failed:
                    continue
        raise Failed("the agent does not answer")

    def more(self, count: int) -> None:
        """Have so many containers on the network."""
        there = len(self._peer.made)
        self._peer.containers(range(there, count))
        self._peer.worker("lease", str(there), str(count - there))
        self.count = count

    def close(self) -> None:
        super().close()
        if hasattr(self, "_peer"):
            self._peer.close()


class Lan(Cnet):
    """A network without NAT: the uplink is a port of its bridge."""

    title = "cnet, transparent"

    def start(self) -> None:
        super().start()
        with self.host:
            self.cnet("create", "lan", "--mode", "bridge")

    def join(self, number: int, ports: Ports) -> None:  # noqa: ARG002
        self.cnet("join", f"c{number}", "lan", "--ip", f"198.51.100.{number % 200 + 10}/24")

    def leave(self, number: int, ports: Ports) -> None:  # noqa: ARG002
        self.cnet("leave", f"c{number}", "lan")


class Others(Leasing):
    """A process for each container, all started at once, in the foreground; they stay."""

    script = ""

    def command(self, number: int) -> Sequence[str]:
        """Return a container's client."""
        raise NotImplementedError

    def prepare(self) -> None:
        self.host = Host()
        names = [f"c{number}" for number in range(self.count)]
        self.host.containers(names)
        pairs = (
            f"link add v{name} type veth peer name eth0 netns {name}\nlink set v{name} master br0 up\n"
            for name in names
        )
        with self.host:
            run("ip", "-batch", "-", text=BRIDGE + "".join(pairs))
            for name in names:
                run("ip", "-n", name, "link", "set", "eth0", "up")
            self.path = Path("/run/client-script")
            self.path.write_text(self.script)
            self.path.chmod(0o755)

    def start(self) -> None:
        for number, space in enumerate(self.spaces()):
            with self.host.inside(space):
                self.processes.append(start(*self.command(number)))

    def close(self) -> None:
        super().close()
        if hasattr(self, "host"):
            self.host.close()


class Udhcpc(Others):
    """The client of busybox: the smallest there is."""

    title = "udhcpc"
    script = UDHCPC_SCRIPT

    def command(self, number: int) -> Sequence[str]:  # noqa: ARG002
        return (found(UDHCPC), "-f", "-i", "eth0", "-s", str(self.path))


class Careful(Udhcpc):
    """The same, when it is to look for its address on the link as well: once, for as long as we do."""

    title = "udhcpc -a600"

    def command(self, number: int) -> Sequence[str]:
        return (*super().command(number), "-a600")


class Dhclient(Others):
    """The client of ISC, which Debian has had as its own."""

    title = "dhclient"
    script = DHCLIENT_SCRIPT

    def command(self, number: int) -> Sequence[str]:
        files = ("-lf", f"/run/dhclient{number}.leases", "-pf", f"/run/dhclient{number}.pid", "-cf", "/dev/null")
        return (found(DHCLIENT), "-4", "-d", "-q", "-sf", str(self.path), *files, "eth0")
