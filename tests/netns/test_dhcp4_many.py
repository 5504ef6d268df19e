"""The DHCP client of many containers: a hundred at once, places that vanish, links that go down, crashes.

The rule of this file: what is awaited has a bound, and no test asserts how long something takes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from containernet.model.lease import Lease
from containernet.model.record import replace
from containernet.services.dhcp4.alarm import boottime
from kit import dhcp_process
from kit.dhcp import Dnsmasq, Server
from kit.dhcp_lan import LINK, Lan
from kit.lab import ROOT, Lab
from kit.space import eventually

pytestmark = pytest.mark.lab(bridge_nf=0)


@pytest.fixture
def lan(lab: Lab, tmp_path: Path):
    with Lan(lab, tmp_path / "kept") as lan:
        yield lan


@pytest.fixture
def dnsmasq(lan: Lan, tmp_path: Path):
    with Dnsmasq(lan.lab.lan, "lan0", tmp_path / "dnsmasq") as server:
        yield server


def alike(one: Lease | None, other: Lease) -> bool:
    """Tell whether two leases are the same one, noted at different moments."""
    return one is not None and replace(one, wall=0.0) == replace(other, wall=0.0)


# --- many, and one loop for all ---


def test_a_hundred_at_once(lan: Lan, dnsmasq: Server, tmp_path: Path) -> None:
    keys = [f"c{number}" for number in range(100)]
    lan.plug(*keys)
    dnsmasq.stop()
    with Dnsmasq(lan.lab.lan, "lan0", tmp_path / "server", first=50, last=250) as server:
        began = boottime()
        for key in keys:
            lan.add(key, probe="off")
        assert lan.until(lambda: sum(what == "configure" for _, what, _ in lan.hands.done) == len(keys), 30)
        print(f"\n{len(keys)} clients leased in {boottime() - began:.2f} s")
        addresses = {lan.lease(key).address for key in keys}
        assert len(addresses) == len(keys)
        assert eventually(lambda: server.leases() == addresses)
    lan.lab.host.run("ip", "netns", "del", "c5")  # nothing of ours is in it
    assert freed(lan, "c5")


def test_any_loop_can_watch_an_engine(lan: Lan, dnsmasq: Server) -> None:
    lan.plug("c1")

    async def lease() -> None:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def turn() -> None:
            lan.engine.turn()
            if lan.name("c1") == "BOUND":
                done.set()

        loop.add_reader(lan.engine.fileno(), turn)
        lan.add("c1")
        await asyncio.wait_for(done.wait(), 10)
        loop.remove_reader(lan.engine.fileno())

    asyncio.run(lease())
    assert lan.hands.held("c1") == [lan.lease("c1").cidr]


# --- what vanishes ---


def freed(lan: Lan, key: str) -> bool:
    """Wait until a namespace that was deleted is gone: nobody has anything open in it."""
    return bool(eventually(lambda: f"ve-{key}" not in lan.lab.host.sh("ls /sys/class/net").split(), 15))


def gone(lan: Lan, key: str) -> bool:
    """Wait for a client to end because its place is not there; its lease is kept."""
    return lan.until(lambda: lan.did(key, "lost")) and key not in lan.engine


def test_a_namespace_that_vanishes_is_noticed_and_let_go(lan: Lan) -> None:
    lan.plug("c1", "c2")
    lan.add("c1")
    lan.add("c2")
    lan.until(lambda: lan.name("c2") == "SELECTING")
    lan.lab.host.run("ip", "netns", "del", "c1")
    lan.skip(6)  # the next DISCOVER
    assert gone(lan, "c1") and "no network namespace" in lan.did("c1", "warning")[-1]
    assert freed(lan, "c1")
    assert lan.name("c2") == "SELECTING" and not lan.did("c2", "lost")


@pytest.mark.parametrize("what", ["namespace", "another namespace", "interface"])
def test_a_place_that_vanishes_with_a_lease_is_noticed_at_the_next_word(lan: Lan, dnsmasq: Server, what: str) -> None:
    lan.plug("c1")
    held = lan.leased("c1", probe="off")
    if what == "interface":
        lan.lab.host.run("ip", "link", "del", "ve-c1")
    else:
        lan.lab.host.run("ip", "netns", "del", "c1")
        assert freed(lan, "c1")
    if what == "another namespace":
        lan.plug("c1")
    lan.engine.renew("c1")
    assert gone(lan, "c1")
    assert alike(lan.hands.kept("c1"), held)
    if what == "another namespace":
        assert lan.hands.held("c1") == []  # nothing was done to it
        lan.add("c1", held, probe="off")  # who knows that it is meant may go on with the lease
        lan.bound("c1")


def test_a_link_without_carrier_and_with_it(lan: Lan, dnsmasq: Server) -> None:
    lan.plug("c1")
    held = lan.leased("c1", probe="off")
    lan.containers["c1"].run("ip", "link", "set", LINK, "down")
    lan.engine.renew("c1")  # nobody has told us: it fails, and that is all
    assert lan.name("c1") == "RENEWING" and lan.did("c1", "warning")
    lan.engine.link("c1", False)
    assert lan.name("c1") == "DOWN"
    lan.containers["c1"].run("ip", "link", "set", LINK, "up")
    lan.engine.link("c1", True)
    lan.await_ports()
    lan.skip(5)  # the first word may have come before the port forwarded
    assert lan.bound("c1").address == held.address


def test_a_link_that_goes_down_in_the_middle_of_it(lan: Lan, tmp_path: Path) -> None:
    lan.plug("c1")
    lan.add("c1", probe="off")
    assert lan.until(lan.engine.sockets)
    lan.containers["c1"].run("ip", "link", "set", LINK, "down")
    assert lan.until(lambda: not lan.engine.sockets())
    lan.skip(6)  # the next DISCOVER
    assert "Network is down" in lan.did("c1", "warning")[-1]
    lan.containers["c1"].run("ip", "link", "set", LINK, "up")
    lan.await_ports()
    with Dnsmasq(lan.lab.lan, "lan0", tmp_path / "server"):
        lan.skip(10)
        lan.bound("c1")


# --- crashes ---


def process(lan: Lan, *keys: str, **env: str) -> subprocess.Popen[str]:
    """Start an engine in a process of its own."""
    lan.hands.kernel.close()
    command = [sys.executable, dhcp_process.__file__, str(lan.hands.directory)]
    command += [f"{lan.macs[key]}={lan.path(key)}" for key in keys]
    more = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **env}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=more)


def killed(engine: subprocess.Popen[str], until: str, count: int) -> list[str]:
    """Wait for some lines of a process, then kill it; return all its lines."""
    assert engine.stdout
    lines: list[str] = []
    watch = threading.Timer(20, engine.kill)
    watch.start()
    for line in engine.stdout:
        lines.append(line.strip())
        if sum(f" {until} " in one for one in lines) == count:
            engine.kill()
    watch.cancel()
    engine.wait(5)
    engine.stdout.close()
    assert engine.returncode == -signal.SIGKILL
    assert sum(f" {until} " in one for one in lines) >= count, lines
    return lines


def test_killed_and_started_again_it_keeps_the_addresses(lan: Lan, dnsmasq: Server) -> None:
    lan.plug("c1", "c2")
    killed(process(lan, "c1", "c2"), "configure", 2)
    before = {key: lan.hands.held(key) for key in ("c1", "c2")}
    assert all(before.values())
    lines = killed(process(lan, "c1", "c2"), "configure", 2)
    assert not any("unconfigure" in line or "forget" in line for line in lines)
    assert {key: lan.hands.held(key) for key in ("c1", "c2")} == before


def test_killed_between_ack_and_address_it_goes_on_with_the_lease(lan: Lan, dnsmasq: Server) -> None:
    lan.plug("c1")
    killed(process(lan, "c1", DIE_AFTER="save"), "save", 1)
    kept = lan.hands.kept("c1")
    assert kept and lan.hands.held("c1") == []
    killed(process(lan, "c1"), "configure", 1)
    assert lan.hands.held("c1") == [kept.cidr]
