"""DNS servers from leases: what a container asks, what stands in /etc/netns, and what comes back when it leaves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.dhcp import Dnsmasq
from kit.lab import LAN4, Lab
from kit.resident import AFTER, BEFORE, Resident
from kit.setup import joined
from kit.space import eventually

FILE = "/etc/netns/web/resolv.conf"
ASIDE = "/etc/netns/.web.resolv.conf.before-cnet"
FORMER = "# mine\nnameserver 192.0.2.1\n"
TOLD = {"dns": ["192.0.2.53", "2001:db8:51::53"], "domain": "example.org"}
LINES = ["search example.org", "nameserver 192.0.2.53", "nameserver 2001:db8:51::53"]


@pytest.fixture
def tool(lab: Lab) -> Iterator[Resident]:
    """The API on the host, where ``web`` is on a network."""
    joined(lab, "web")
    with Resident(lab.host.enter, lab.env) as host:
        yield host


def lines(text: str) -> list[str]:
    """Return the lines of a file that are not comments."""
    return [line for line in text.splitlines() if not line.startswith("#")]


def seen(lab: Lab) -> list[str]:
    """Return what a command inside sees, by ip-netns(8) and by us."""
    by_ip = lab.host.result("ip", "netns", "exec", "web", "cat", "/etc/resolv.conf")
    by_us = lab.result("exec", "web", "--", "cat", "/etc/resolv.conf")
    assert (by_ip.stderr, by_us.stderr) == ("", "")
    assert by_ip.stdout == by_us.stdout
    return lines(by_ip.stdout)


def test_a_container_asks_the_servers_of_its_lease(lab: Lab, tool: Resident, tmp_path: Path) -> None:
    inside = ("ip", "netns", "exec", "web", "getent", "ahostsv4", "www")
    server = Dns(lab.lan, "lan0", tmp_path / "dns")
    with server:
        tool.do("lease", "web", "n1", dns=[LAN4], search=["nowhere.example", "example.org"])
        assert eventually(lambda: "203.0.113.80" in lab.host.result(*inside).stdout)
    tool.do("leave", "web", "n1")
    assert lab.host.sh("ls -A /etc/netns") == ""


class Dns(Dnsmasq):
    """dnsmasq as a DNS server for one name."""

    ready = "started, version"

    def prepare(self) -> list[str]:
        return [
            self.binary, "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--log-facility=-",
            "--pid-file=", "--bind-interfaces", f"--interface={self.interface}", "--no-resolv", "--no-hosts",
            "--address=/www.example.org/203.0.113.80", "--local=/example/",
        ]  # fmt: skip


def test_what_was_there_is_there_again(lab: Lab, tool: Resident) -> None:
    lab.host.sh(f"mkdir /etc/netns/web; printf '{FORMER}' > {FILE}; touch /etc/netns/web/hosts")
    before = lab.world()
    tool.do("lease", "web", "n1", **TOLD)
    assert seen(lab) == LINES
    assert ASIDE in lab.host.sh(f"cat {FILE}")
    tool.do("lease", "web", "n1", dns=["192.0.2.54"])
    assert seen(lab) == ["nameserver 192.0.2.54"]
    tool.do("lease", "web", "n1")
    assert lab.world() == before
    assert lab.host.sh(f"cat {FILE}") == FORMER
    lab.host.sh(f"ln -sf ../../made/up {FILE}")
    tool.do("lease", "web", "n1", **TOLD)
    assert seen(lab) == LINES
    lab.cnet("leave", "web", "n1")
    assert lab.host.sh(f"readlink {FILE}") == "../../made/up\n"


def test_two_networks_are_one_list_with_that_of_the_default_route_first(lab: Lab, tool: Resident) -> None:
    joined(lab, "web", "n2", "--priority", "9")
    tool.do("lease", "web", "n1", dns=["192.0.2.1", "192.0.2.2"], domain="one.example")
    tool.do("lease", "web", "n2", dns=["192.0.2.3", "192.0.2.1"], search=["two.example", "one.example"])
    want = ["search two.example one.example", *(f"nameserver 192.0.2.{number}" for number in (3, 1, 2))]
    assert seen(lab) == want
    lab.cnet("leave", "web", "n2")
    assert seen(lab) == ["search one.example", "nameserver 192.0.2.1", "nameserver 192.0.2.2"]


def test_what_somebody_does_to_the_file_is_drift_and_mended(lab: Lab, tool: Resident) -> None:
    tool.do("lease", "web", "n1", **TOLD)
    world = lab.world()
    for damage in (f"rm -r {FILE.rpartition('/')[0]}", f"echo >> {FILE}", f"chmod 600 {FILE}", f"rm {FILE}"):
        lab.host.sh(damage)
        assert any(FILE in line for line in lab.json_of("status")["drift"]), damage
        lab.cnet("repair")
        assert seen(lab) == LINES
        if damage != f"rm {FILE}":  # whose directory that was, stood in it
            assert lab.world() == world, damage
        assert lab.json("status")["drift"] == []


def test_a_file_that_somebody_puts_there_is_moved_aside_and_comes_back(lab: Lab, tool: Resident) -> None:
    tool.do("lease", "web", "n1", **TOLD)
    lab.host.sh(f"rm {FILE}; printf '{FORMER}' > {FILE}")
    lab.cnet("repair")
    assert seen(lab) == LINES
    lab.host.sh(f"rm {FILE}; echo 'nameserver 192.0.2.9' > {FILE}")
    said = lab.result("repair")
    assert said.returncode != 0
    assert f"{FILE} is somebody else's" in said.stderr
    assert seen(lab) == ["nameserver 192.0.2.9"]
    lab.host.sh(f"rm {FILE}")
    lab.cnet("repair")
    lab.cnet("leave", "web", "n1")
    assert lab.host.sh(f"cat {FILE}") == FORMER


def test_a_container_that_ended_leaves_no_file(lab: Lab, tool: Resident) -> None:
    tool.do("lease", "web", "n1", **TOLD)
    lab.host.run("ip", "netns", "del", "web")
    lab.cnet("repair")
    assert lab.host.sh("ls -A /etc/netns") == ""


def test_a_container_that_is_back_after_a_restart_of_the_host_has_its_file(lab: Lab, tool: Resident) -> None:
    tool.do("lease", "web", "n1", **TOLD)
    tool.__exit__()
    lab.reboot()
    lab.cnet("restore")
    assert lab.host.sh("ls -A /etc/netns") == ""
    lab.container("web")
    lab.cnet("repair")
    assert seen(lab) == LINES


@pytest.mark.parametrize("former", [False, True])
@pytest.mark.parametrize("when", [BEFORE, AFTER])
def test_killed_at_every_call(lab: Lab, tool: Resident, when: str, former: bool) -> None:
    """Whatever comes next brings the file and the store to agreement: as it was, or as it was to be."""
    if former:
        lab.host.sh(f"mkdir /etc/netns/web; printf '{FORMER}' > {FILE}")
    before, points = lab.world(), 0
    tool.do("lease", "web", "n1", **TOLD)
    after = lab.world()
    for said, old, new in (({}, after, before), (TOLD, before, after)):
        at = 1
        while tool.killed("lease", "web", "n1", at=at, when=when, **said):
            tool.do("repair", child=True)
            assert lab.world() in (old, new), at
            assert tool.do("status", child=True)["drift"] == []
            tool.do("lease", "web", "n1", **(TOLD if old == after else {}))
            assert lab.world() == old, at
            at += 1
        assert lab.world() == new
        points += at
    assert points >= 6


def test_a_dry_run_prints_lines_that_do_the_same(lab: Lab, tool: Resident) -> None:
    lab.host.sh(f"mkdir /etc/netns/web; printf '{FORMER}' > {FILE}")
    tool.do("lease", "web", "n1", **TOLD)
    printed = lab.cnet("leave", "web", "n1", "--dry-run").splitlines()
    lab.host.sh("\n".join(line for line in printed if "/etc/netns" in line))
    assert lab.host.sh(f"cat {FILE}") == FORMER


# --- cnet run ---


def test_run_sees_the_files_of_its_name(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    lab.host.sh(f"mkdir /etc/netns/web; printf '{FORMER}' > {FILE}; echo x > /etc/netns/web/no-such-file-in-etc")
    done = lab.result("run", "--network", "n1", "--name", "web", "--", "cat", "/etc/resolv.conf")
    assert (done.stdout, done.stderr) == (FORMER, "")
    assert "# mine" not in lab.result("run", "--network", "n1", "--", "cat", "/etc/resolv.conf").stdout


def test_a_lease_of_run_is_seen_by_who_comes_later_and_goes_with_it(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    before = lab.world()
    process = lab.start("run", "--network", "n1", "--name", "web", "--", "sh", "-c", "echo up; exec sleep 60")
    try:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        with Resident(lab.host.enter, lab.env) as tool:
            tool.do("lease", "web", "n1", **TOLD)
        assert lines(lab.host.sh(f"cat {FILE}")) == LINES
        assert lines(lab.result("exec", "web", "--", "cat", "/etc/resolv.conf").stdout) == LINES
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert lab.world() == before


def test_the_lab_has_an_etc_of_its_own(lab: Lab) -> None:
    """What these tests write is nowhere on this machine."""
    lab.host.sh(f"mkdir /etc/netns/web; touch {FILE}")
    assert not os.path.exists(FILE)
    assert os.path.ismount("/etc/netns")
