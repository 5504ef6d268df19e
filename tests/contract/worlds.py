"""Two worlds with one set of handles: the kernel in memory, and Linux in this process's private namespace.

The rule of this file: what a test does behind the kernel door's back it does by these, with ``ip`` and ``nft`` on the
real side, so that the suite itself does not know which world it is in.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from containernet.kernel.fake import FakeKernel
from containernet.kernel.linux import Linux
from containernet.model.network import HOST, Place

SETTING = "net/ipv4/ip_forward"
ETC = Path("/etc/netns")  # the lab's own


def shell(command: str) -> str:
    """Run a command; return what it prints."""
    return subprocess.run(command.split(), check=True, capture_output=True, text=True).stdout


class Fake:
    real = False

    def __init__(self) -> None:
        self.kernel = FakeKernel()
        self.kernel.set_setting(HOST, SETTING, "0")

    def namespace(self, name: str) -> Place:
        place = self.kernel.add_namespace(f"/run/netns/{name}")
        self.kernel.set_setting(place, SETTING, "0")
        return place

    def remove_namespace(self, place: Place) -> None:
        self.kernel.remove_namespace(place.path)

    def flush_ruleset(self) -> None:
        self.kernel.flush_ruleset()

    def damage_table(self) -> None:
        self.kernel.damage_table()

    def delete_link(self, name: str) -> None:
        self.kernel.delete_link(name)

    def stranger(self, name: str) -> None:
        self.kernel.add_stranger(name, "bridge")

    def put_file(self, name: str, text: str) -> None:
        self.kernel.put_file(name, text)

    def file(self, name: str) -> str:
        """Return what somebody else has written for a container, "" if nothing is there."""
        return self.kernel.files.get(name, "")

    def delete_file(self, name: str) -> None:
        self.kernel.delete_file(name)

    def edit_file(self, name: str) -> None:
        self.kernel.edit_file(name)

    def end(self) -> None:
        self.kernel.close()


class Real:
    real = True

    def __init__(self) -> None:
        self.kernel = Linux()
        self._made: set[str] = set()

    def namespace(self, name: str) -> Place:
        if os.path.exists(f"/run/netns/{name}"):
            shell(f"ip netns del {name}")
        shell(f"ip netns add {name}")
        self._made.add(name)
        return self.kernel.identify(f"/run/netns/{name}")

    def remove_namespace(self, place: Place) -> None:
        name = place.path.rpartition("/")[2]
        shell(f"ip netns del {name}")
        self._made.discard(name)
        self.kernel.close()  # what looks into a namespace keeps it alive; a verb has ended by then
        self._await_links()

    @staticmethod
    def _await_links() -> None:
        """Wait until the kernel has taken the ends of dead pairs (it does so in a work queue)."""
        deadline = time.monotonic() + 5
        while "ce-" in shell("ip -o link show type veth") and time.monotonic() < deadline:
            time.sleep(0.01)

    def flush_ruleset(self) -> None:
        shell("nft flush ruleset")

    def damage_table(self) -> None:
        shell("nft insert rule inet containernet forward accept")

    def delete_link(self, name: str) -> None:
        shell(f"ip link delete {name}")

    def stranger(self, name: str) -> None:
        shell(f"ip link add {name} type bridge")

    def put_file(self, name: str, text: str) -> None:
        (ETC / name).mkdir(exist_ok=True)
        (ETC / name / "resolv.conf").unlink(missing_ok=True)
        (ETC / name / "resolv.conf").write_text(text)

    def file(self, name: str) -> str:
        path = ETC / name / "resolv.conf"
        return path.read_text() if path.exists() else ""

    def delete_file(self, name: str) -> None:
        (ETC / name / "resolv.conf").unlink()

    def edit_file(self, name: str) -> None:
        with (ETC / name / "resolv.conf").open("a") as file:
            file.write("options ndots:5\n")

    def end(self) -> None:
        self.kernel.close()
        for line in shell("ip -o link show").splitlines():
            name = line.split(": ")[1].partition("@")[0]
            if name.startswith(("cn-", "ce-")):
                subprocess.run(["ip", "link", "delete", name], check=False)
        for name in self._made:
            shell(f"ip netns del {name}")
        for entry in ETC.iterdir():
            shell(f"rm -r {entry}")
        shell("nft flush ruleset")
        shell(f"sysctl -qw {SETTING.replace('/', '.')}=0")


World = Fake | Real
