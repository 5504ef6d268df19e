"""The DHCPv6 client with real servers: the matrix of three of them, many clients at once, and what only one does.

The rule of this file: each row of the matrix is what the server is known to do, told as the client comes to see it; no
test asserts how long something takes.
"""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest

from containernet.model.lease import Lease
from containernet.model.record import replace
from containernet.services.dhcp4.alarm import boottime
from kit.dhcp6 import NET, SERVERS6, Dnsmasq6, Kea6, Server6
from kit.dhcp6_lan import DUID, Lan6
from kit.dhcp_lan import SILENCE
from kit.dhcp_matrix import Rowed, Rows
from kit.lab import Lab
from kit.space import eventually

pytestmark = pytest.mark.lab(bridge_nf=0)


@pytest.fixture
def lan(lab: Lab, tmp_path: Path):
    with Lan6(lab, tmp_path / "kept") as lan:
        yield lan


class Matrix(Rowed):
    """What one server of DHCPv6 does, row by row."""

    keys = ("c1", "c2")

    def made(self) -> Rows:
        return [
            ("lease", self.lease),
            ("lease in four messages", self.four),
            ("RENEW", self.asked_for_more),
            ("CONFIRM after a restart", self.confirm),
            ("CONFIRM, another link's address", self.elsewhere),
            ("server away from T1, back by T2: REBIND", self.rebind),
            ("DECLINE", self.decline),
            ("lease file lost: RENEW", self.lost),
            ("RELEASE", self.release),
            ("INFORMATION-REQUEST", self.inform),
        ]

    def lease(self) -> str:
        held = self.lan.leased("c1")
        kept = self.lan.hands.kept("c1")
        assert held.address.startswith(NET) and self.server.has(held.address)
        assert self.lan.hands.held("c1") == [held.cidr] and kept and kept.address == held.address
        assert (held.family, held.prefix, held.client_id) == (6, 128, DUID.hex()) and len(held.server) > 8
        assert 0 < held.t1 <= held.t2 < held.seconds == self.server.seconds and 0 < held.preferred <= held.seconds
        return "REPLY"

    def four(self) -> str:
        held = self.lan.leased("c2", rapid=False)
        assert held.address != self.lan.lease("c1").address and self.server.has(held.address)
        return "REPLY"

    def asked_for_more(self) -> str:
        before = self.lan.lease("c1")
        self.lan.skip(30)
        self.lan.engine.renew("c1")
        if self.lan.renewed("c1", before, 4 * SILENCE):
            return "REPLY" if self.lan.lease("c1").address == before.address else "another address"
        return f"silence: {self.lan.name('c1')}"

    def confirm(self) -> str:
        before = self.lan.lease("c1")
        self.lan.reborn()
        self.lan.add("c1", self.lan.hands.kept("c1"), configured=True)
        saved = len(self.lan.did("c1", "save"))
        assert self.lan.until(lambda: self.lan.name("c1") == "BOUND")
        after = self.lan.lease("c1")
        assert (after.address, after.began) == (before.address, before.began) and not self.lan.did("c1", "unconfigure")
        return "yes" if len(self.lan.did("c1", "save")) > saved else "silence"

    def elsewhere(self) -> str:
        held = replace(self.lan.lease("c1"), address="2001:db8:99::100")
        self.lan.add("c2", held)
        self.lan.bound("c2")
        return "no" if "status 4" in " ".join(self.lan.did("c2", "warning")) else "silence"

    def rebind(self) -> str:
        self.server.stop()
        before = self.lan.lease("c1")
        self.lan.skip(before.renew_at - self.lan.engine.clock())
        assert self.lan.until(lambda: self.lan.name("c1") == "RENEWING")
        self.server.start()
        self.lan.skip(before.rebind_at - self.lan.engine.clock())
        assert self.lan.renewed("c1", before)
        return "REPLY" if self.lan.lease("c1").address == before.address else "another address"

    def decline(self) -> str:
        mine = self.lan.lease("c1")
        self.lan.engine.duplicate("c1")
        assert self.lan.until(lambda: self.lan.name("c1") == "INIT", 12)
        assert self.lan.hands.held("c1") == [] and self.lan.hands.kept("c1") is None
        return "another address" if self.lan.bound("c1").address != mine.address else "the same"

    def lost(self) -> str:
        """With its leases a server may have lost its DUID, and so it is another one, that does not hear a RENEW."""
        self.server.lose_leases()
        answer = self.asked_for_more()
        if not answer.startswith("silence"):
            return answer
        before = self.lan.lease("c1")
        self.lan.skip(before.rebind_at - self.lan.engine.clock())
        if self.lan.renewed("c1", before, 4 * SILENCE):
            return "REBIND" if self.lan.lease("c1").address == before.address else "REBIND: another address"
        self.lan.skip(before.expiry - self.lan.engine.clock())  # it says nothing of an address that it does not know
        assert self.lan.did("c1", "unconfigure")[-1] == "expired"
        self.lan.bound("c1")
        return "silence"

    def inform(self) -> str:
        self.lan.add("c1", stateful=False)
        assert self.lan.until(lambda: self.lan.name("c1") == "INFORMED"), self.lan.hands.done
        known = self.lan.lease("c1")
        assert known.cidr == "" and self.lan.hands.held("c1") == []
        return "REPLY" if known.dns else "REPLY without resolvers"


EXPECTED = {
    #                                            dnsmasq  ISC dhcpd Kea
    "lease":                                   ("REPLY", "REPLY", "REPLY"),
    "lease in four messages":                  ("REPLY", "REPLY", "REPLY"),
    "RENEW":                                   ("REPLY", "REPLY", "REPLY"),
    "CONFIRM after a restart":                 ("yes",   "yes",   "yes"),
    "CONFIRM, another link's address":         ("no",    "no",    "no"),
    "server away from T1, back by T2: REBIND": ("REPLY", "REPLY", "REPLY"),
    "DECLINE":                                 ("another address", "another address", "another address"),
    "lease file lost: RENEW":                  ("REBIND", "REBIND", "REPLY"),
    "RELEASE":                                 ("freed", "freed", "freed"),
    "INFORMATION-REQUEST":                     ("REPLY without resolvers", "REPLY", "REPLY"),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVERS6)
def test_the_matrix(lan: Lan6, tmp_path: Path, name: str) -> None:
    with SERVERS6[name](lan.lab.lan, "lan0", tmp_path / "server") as server:
        rows = Matrix(lan, server).rows()
    print(f"\n{name}", *(f"  {row:42}{answer}" for row, answer in rows.items()), sep="\n")
    assert rows == {row: answers[list(SERVERS6).index(name)] for row, answers in EXPECTED.items()}


# --- what only one of them is needed for ---

GIVEN = ("dns-server,[2001:db8:51::53],[2001:db8:51::54]", "domain-search,a.example,b.a.example")


def test_all_that_a_server_gives_is_in_the_lease(lan: Lan6, tmp_path: Path) -> None:
    with Dnsmasq6(lan.lab.lan, "lan0", tmp_path / "server", options=GIVEN):
        lan.plug("c1", "c2")
        for held in (lan.leased("c1"), informed(lan, "c2")):
            assert (held.dns, held.search) == (("2001:db8:51::53", "2001:db8:51::54"), ("a.example", "b.a.example"))


def informed(lan: Lan6, key: str) -> Lease:
    lan.add(key, stateful=False)
    assert lan.until(lambda: lan.name(key) == "INFORMED")
    return lan.lease(key)


def test_a_router_without_addresses_informs(lan: Lan6, tmp_path: Path) -> None:
    ranges = (f"{NET},ra-stateless,64",)
    with Dnsmasq6(lan.lab.lan, "lan0", tmp_path / "server", ranges=ranges, words=("--enable-ra",), options=GIVEN):
        lan.plug("c1", "c2")
        before = informed(lan, "c1")
        assert before.dns == ("2001:db8:51::53", "2001:db8:51::54") and before.seconds >= 600
        lan.skip(before.renew_at - lan.engine.clock())
        assert lan.until(lambda: lan.name("c1") == "INFORMED" and lan.lease("c1").began > before.began)
        lan.add("c2")  # who wants an address all the same is told that there is none
        assert lan.until(lambda: "has no address" in " ".join(lan.did("c2", "warning")))
        assert lan.name("c2") == "SOLICITING" and not lan.did("c2", "configure")


@pytest.mark.parametrize("kind", [Dnsmasq6, Kea6])
def test_a_pool_that_is_used_up(lan: Lan6, tmp_path: Path, kind: type[Server6]) -> None:
    with kind(lan.lab.lan, "lan0", tmp_path / "server", pool="100-100") as server:
        lan.plug("c1", "c2")
        held = lan.leased("c1")
        lan.add("c2")
        assert lan.until(lambda: "has no address" in " ".join(lan.did("c2", "warning"))), lan.hands.done
        lan.engine.release("c1")
        assert lan.until(lambda: "c1" not in lan.engine) and server.has(held.address, False)
        for _ in range(4):
            lan.skip(5)
            if lan.until(lambda: lan.name("c2") == "BOUND", 2):
                break
        assert lan.lease("c2").address == held.address


def test_fifty_at_once(lan: Lan6, tmp_path: Path) -> None:
    keys = [f"c{number}" for number in range(50)]
    lan.plug(*keys)
    with Dnsmasq6(lan.lab.lan, "lan0", tmp_path / "server") as server:
        began = boottime()
        for key in keys:
            lan.add(key)
        assert lan.until(lambda: sum(what == "configure" for _, what, _ in lan.hands.done) == len(keys), 30)
        print(f"\n{len(keys)} clients leased in {boottime() - began:.2f} s")
        addresses = {lan.lease(key).address for key in keys}
        assert len(addresses) == len(keys) and eventually(lambda: server.leases() == addresses)
        assert lan.engine.sockets() == 0


def test_an_address_in_use_by_another_is_found_by_the_kernel(lan: Lan6, tmp_path: Path) -> None:
    """The kernel looks for the address when it is configured; who hears of that tells the engine."""
    with Dnsmasq6(lan.lab.lan, "lan0", tmp_path / "server") as server:
        lan.plug("c1", "c2")
        mine = lan.leased("c1")
        lan.engine.remove("c1")
        lan.containers["c1"].run("ip", "-6", "addr", "del", mine.cidr, "dev", "eth0")
        lan.containers["c2"].run("ip", "-6", "addr", "add", f"{mine.address}/64", "dev", "eth0", "nodad")
        looking = ("ip", "-6", "addr", "add", mine.cidr, "dev", "eth0")
        with patch.object(lan.hands, "give", lambda *_: lan.containers["c1"].run(*looking)):
            lan.add("c1", mine)
            assert lan.until(lambda: failed(lan, "c1")), lan.hands.done
        lan.engine.duplicate("c1")
        assert lan.bound("c1").address != mine.address
        assert server.says("DHCPDECLINE")


def failed(lan: Lan6, key: str) -> bool:
    """Tell whether the kernel has found an address of a container in use."""
    return bool(lan.containers[key].run("ip", "-6", "addr", "show", "dev", "eth0", "dadfailed").strip())
