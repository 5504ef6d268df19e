"""DHCP servers for labs: dnsmasq, ISC dhcpd, Kea and busybox udhcpd, as Debian has them.

The rule of this file: each runs in the foreground, in a namespace of a lab, with its configuration and its leases in a
directory of the test, and is ended by its own process id. Nothing here knows our client.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from kit.space import Space, eventually

READY = 15.0  # seconds for a server to say that it serves
SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class Server:
    """One server for the pool 198.51.100.50 to 198.51.100.89 (or as given) on an interface."""

    name = package = command = ready = ""

    def __init__(
        self,
        space: Space,
        interface: str,
        directory: Path,
        *,
        own: str = "198.51.100.2",
        first: int = 50,
        last: int = 89,
        seconds: int = 600,
        options: tuple[str, ...] = (),
        authoritative: bool = True,
    ) -> None:
        self.space, self.interface, self.directory = space, interface, directory
        self.own, self.seconds, self.options, self.authoritative = own, seconds, options, authoritative
        self.net = own.rpartition(".")[0]
        self.first, self.last = f"{self.net}.{first}", f"{self.net}.{last}"
        self.binary = shutil.which(self.command, path=SEARCH) or ""
        if not self.binary:
            pytest.skip(f"{self.command} is not installed (Debian: {self.package})")
        directory.mkdir(parents=True, exist_ok=True)
        self.said: list[str] = []
        self._news = threading.Condition()
        self._process: subprocess.Popen[str] | None = None

    # --- starting and ending ---

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; when this returns, it serves."""
        argv = self.prepare()
        self.said.clear()
        env = {**os.environ, "KEA_PIDFILE_DIR": str(self.directory), "KEA_LOCKFILE_DIR": str(self.directory)}
        self._process = subprocess.Popen(
            [*self.space.enter, *argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env=env, cwd=self.directory,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        assert self.says(self.ready, READY), f"{self.name} does not serve:\n" + "\n".join(self.said)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            with self._news:
                self.said.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self.said.append("(ended)")
            self._news.notify_all()

    def says(self, text: str, timeout: float = 5.0) -> bool:
        """Tell whether it says, or has said, something; wait for it."""
        with self._news:
            self._news.wait_for(lambda: any(text in line or line == "(ended)" for line in self.said), timeout)
            return any(text in line for line in self.said)

    def stop(self) -> None:
        """End it by its process id, and wait for that."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._reader.join(5)
        assert self._process.stdout
        self._process.stdout.close()
        self._process = None

    def lose_leases(self) -> None:
        """Restart it without what it knows."""
        self.stop()
        for path in self.directory.glob("leases*"):
            path.unlink()
        self.start()

    def signal(self, number: int) -> None:
        """Send it a signal (nsenter has become it)."""
        assert self._process
        os.kill(self._process.pid, number)

    # --- what each does its own way ---

    def prepare(self) -> list[str]:
        """Write its files; return its command line."""
        raise NotImplementedError

    def leases(self) -> set[str]:
        """Return the addresses that are leased, as its file has them."""
        raise NotImplementedError

    def has(self, address: str, wanted: bool = True) -> bool:
        """Tell whether its file has, or has no, lease of an address; wait for it."""
        return bool(eventually(lambda: (address in self.leases()) is wanted))

    def private(self) -> str:
        """Return a copy of the binary, which no AppArmor profile keeps from the directory of a test."""
        copy = self.directory / self.command
        if not copy.exists():
            shutil.copy(self.binary, copy)
        return str(copy)


class Dnsmasq(Server):
    """dnsmasq, without its ping (3 seconds for an offer)."""

    name, package, command, ready = "dnsmasq", "dnsmasq-base", "dnsmasq", "sockets bound exclusively"

    def prepare(self) -> list[str]:
        return [
            self.binary, "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--no-ping", "--user=root",
            "--log-facility=-", "--pid-file=", "--bind-interfaces", f"--interface={self.interface}",
            "--except-interface=lo", f"--dhcp-leasefile={self.directory}/leases", "--dhcp-lease-max=2000",
            *(["--dhcp-authoritative"] if self.authoritative else []),
            *self.gives(),
        ]  # fmt: skip

    def gives(self) -> list[str]:
        """Return the words of its command line for what it gives."""
        return [
            f"--dhcp-range={self.first},{self.last},255.255.255.0,{self.seconds}",
            *(f"--dhcp-option={one}" for one in self.options),
        ]

    def leases(self) -> set[str]:
        path = self.directory / "leases"
        lines = path.read_text().splitlines() if path.exists() else []
        return {fields[2] for line in lines if len(fields := line.split()) > 3}  # for DHCPv6 a line has its own DUID


class Dhcpd(Server):
    """ISC dhcpd, without its ping."""

    name, package, command, ready = "ISC dhcpd", "isc-dhcp-server", "dhcpd", "Server starting service"
    family = "-4"

    def prepare(self) -> list[str]:
        (self.directory / "dhcpd.conf").write_text(self.gives())
        (self.directory / "leases").touch()
        files = ["-cf", f"{self.directory}/dhcpd.conf", "-lf", f"{self.directory}/leases"]
        return [self.private(), self.family, "-f", "-d", "--no-pid", *files, self.interface]

    def gives(self) -> str:
        """Return its configuration."""
        times = "".join(f"{which}-lease-time {self.seconds};\n" for which in ("default", "max", "min"))
        return (
            f"{'' if self.authoritative else 'not '}authoritative;\nping-check false;\n{times}"
            f"subnet {self.net}.0 netmask 255.255.255.0 {{\n range {self.first} {self.last};\n"
            f" option routers {self.own};\n}}\n"
        )

    def leases(self) -> set[str]:
        found: set[str] = set()
        address = ""
        for line in (self.directory / "leases").read_text().splitlines():
            if line.startswith("lease "):
                address = line.split()[1]
            elif line.startswith("  binding state active"):
                found.add(address)
            elif line.startswith("  binding state"):
                found.discard(address)
        return found


class Kea(Server):
    """ISC Kea, with raw sockets and leases in a file."""

    name, package, command, ready = "Kea", "kea-dhcp4-server", "kea-dhcp4", "DHCP4_STARTED"
    section = "Dhcp4"
    seconds_at, state_at = 3, 9  # columns of its leases

    def prepare(self) -> list[str]:
        log = {"name": self.command, "severity": "INFO", "output_options": [{"output": "stdout", "flush": True}]}
        whole = {
            "lease-database": {"type": "memfile", "name": f"{self.directory}/leases.csv", "lfc-interval": 0},
            "valid-lifetime": self.seconds,
            "loggers": [log],
            **self.gives(),
        }
        (self.directory / "kea.json").write_text(json.dumps({self.section: whole}))
        return [self.private(), "-c", f"{self.directory}/kea.json"]

    def gives(self) -> dict[str, Any]:
        """Return the part of its configuration for what it gives, and how."""
        subnet = {
            "id": 1,
            "subnet": f"{self.net}.0/24",
            "pools": [{"pool": f"{self.first} - {self.last}"}],
            "option-data": [{"name": "routers", "data": self.own}],
        }
        return {
            "interfaces-config": {"interfaces": [self.interface], "dhcp-socket-type": "raw"},
            "authoritative": self.authoritative,
            "subnet4": [subnet],
        }

    def leases(self) -> set[str]:
        path = self.directory / "leases.csv"
        found: set[str] = set()
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            fields = line.split(",")
            whole = len(fields) > self.state_at
            if whole and fields[self.seconds_at] != "0" and fields[self.state_at] == "0":  # not released, not declined
                found.add(fields[0])
            else:
                found.discard(fields[0])
        return found


class Udhcpd(Server):
    """busybox udhcpd, with a short ARP check."""

    name, package, command, ready = "udhcpd", "udhcpd", "udhcpd", "started, v"
    lease = struct.Struct("!I4s6s20sxx")

    def prepare(self) -> list[str]:
        text = (
            f"start {self.first}\nend {self.last}\ninterface {self.interface}\nmax_leases 40\n"
            f"lease_file {self.directory}/leases\npidfile {self.directory}/pid\nauto_time 7200\nmin_lease 10\n"
            f"option lease {self.seconds}\noption subnet 255.255.255.0\noption router {self.own}\n"
        )
        (self.directory / "udhcpd.conf").write_text(text)
        (self.directory / "leases").touch()
        return [self.binary, "-f", "-a", "200", f"{self.directory}/udhcpd.conf"]

    def leases(self) -> set[str]:
        self.signal(signal.SIGUSR1)  # it writes its file now; who asks comes again if that was not done yet
        data = (self.directory / "leases").read_bytes()[8:]
        rows = [self.lease.unpack_from(data, at) for at in range(0, len(data) - self.lease.size + 1, self.lease.size)]
        return {".".join(map(str, address)) for left, address, _, _ in rows if left}


SERVERS: dict[str, type[Server]] = {one.name: one for one in (Dnsmasq, Dhcpd, Kea, Udhcpd)}
PACKAGES = tuple(one.package for one in SERVERS.values())
