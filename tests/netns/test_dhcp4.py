"""The DHCP client with real servers: the matrix of four of them, many clients at once, crashes and vanished containers.

The rule of this file: each row of the matrix is what the server is known to do, told as the client comes to see it; no
test asserts how long something takes.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from containernet.model.lease import Lease, LeasedRoute
from containernet.model.record import replace
from containernet.services.dhcp4 import frame, wire
from containernet.services.dhcp4.message import ACK, OFFER, Message, decode, encode
from kit.dhcp import SERVERS, Dnsmasq, Server
from kit.dhcp_lan import LINK, SILENCE, Lan
from kit.dhcp_matrix import Rowed, Rows
from kit.lab import Lab
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


# --- the matrix ---


class Matrix(Rowed):
    """What one server of DHCPv4 does, row by row."""

    keys = ("c1", "c2", "c3")

    def made(self) -> Rows:
        return [
            ("lease", self.lease),
            ("sends T1 and T2", lambda: self.every(lambda one: one.t1 is not None and one.t2 is not None)),
            ("echoes the client identifier", lambda: self.every(lambda one: one.client_id != b"")),
            ("RENEW", self.renew),
            ("INIT-REBOOT, own lease", self.own),
            ("INIT-REBOOT, wrong subnet", self.wrong_subnet),
            ("INIT-REBOOT, another's address", self.foreign),
            ("server away from T1, back by T2: REBIND", self.rebind),
            ("DECLINE", self.decline),
            ("lease file lost: RENEW", self.lost),
            ("RELEASE", self.release),
        ]

    def lease(self) -> str:
        held = self.lan.leased("c1", probe="off")
        inside = self.server.net + "." in held.address and self.server.has(held.address)
        configured = self.lan.hands.held("c1") == [held.cidr]
        kept = self.lan.hands.kept("c1")
        return "ACK" if inside and configured and kept and kept.address == held.address else f"wrong: {held}"

    def every(self, check: Callable[[Message], bool]) -> str:
        """Tell what all answers so far have, or none."""
        found = {check(one) for one in self.lan.replies}
        return "mixed" if len(found) > 1 else "yes" if True in found else "no"

    def renew(self) -> str:
        return self.asked_for_more()

    def asked_for_more(self) -> str:
        """Renew now; return the server's answer."""
        before = self.lan.lease("c1")
        self.lan.skip(30)
        self.lan.engine.renew("c1")
        if self.lan.renewed("c1", before, SILENCE):
            return "ACK" if self.lan.lease("c1").address == before.address else "another"
        return "silence" if self.lan.name("c1") == "RENEWING" else "NAK"

    def again(self, key: str, lease: Lease, *, configured: bool, **setup: object) -> None:
        """Restart a client with a lease from before."""
        if key in self.lan.engine:
            self.lan.engine.remove(key)
        self.lan.add(key, lease, configured=configured, **setup)

    def own(self) -> str:
        before = self.lan.lease("c1")
        self.lan.reborn()
        self.lan.add("c1", self.lan.hands.kept("c1"), configured=True, probe="off")
        after = self.lan.bound("c1")
        return "ACK" if after.address == before.address and not self.lan.did("c1", "unconfigure") else "another"

    def answer(self, key: str, said: int) -> str:
        """Return what came of INIT-REBOOT: was the address refused, found in use, or given?"""
        told = " ".join(self.lan.did(key, "warning")[said:])
        return "NAK" if "refuses" in told else "ACK, then declined" if "declined" in told else "ACK"

    def wrong_subnet(self) -> str:
        lease = replace(self.lan.lease("c1"), address="10.9.9.9")
        self.again("c2", lease, configured=False, probe="off")
        self.lan.bound("c2")
        return self.answer("c2", 0)

    def foreign(self) -> str:
        said = len(self.lan.did("c2", "warning"))
        taken = self.lan.lease("c1")
        self.lan.engine.release("c2")
        assert self.lan.until(lambda: "c2" not in self.lan.engine)
        self.again("c2", taken, configured=False)
        assert self.lan.bound("c2").address != taken.address
        return self.answer("c2", said)

    def rebind(self) -> str:
        self.server.stop()
        before = self.lan.lease("c1")
        self.lan.skip(before.renew_at - self.lan.engine.clock())
        assert self.lan.name("c1") == "RENEWING"
        self.server.start()
        self.lan.skip(before.rebind_at - self.lan.engine.clock())
        assert self.lan.renewed("c1", before)
        return "ACK" if self.lan.lease("c1").address == before.address else "another"

    def decline(self) -> str:
        """Somebody has taken our address while we were away."""
        mine = self.lan.lease("c1")
        self.lan.engine.remove("c1")
        self.lan.containers["c1"].run("ip", "addr", "flush", "dev", LINK)
        self.lan.squat("c3", mine.cidr)
        self.lan.add("c1", mine)
        assert self.lan.until(lambda: self.lan.did("c1", "forget"))
        assert "is in use by " + self.lan.macs["c3"] in self.lan.did("c1", "warning")[-1]
        other = self.lan.bound("c1").address
        self.lan.containers["c3"].run("ip", "addr", "flush", "dev", LINK)
        return "another address" if other != mine.address else "the same"

    def lost(self) -> str:
        self.server.lose_leases()
        answer = self.asked_for_more()
        if answer == "silence":  # and then the lease ends, and all begins anew
            self.lan.skip(self.lan.lease("c1").expiry - self.lan.engine.clock())
            assert self.lan.did("c1", "unconfigure")[-1] == "expired"
        self.lan.bound("c1")
        return answer


OTHER = "another address"
EXPECTED = {
    #                                            dnsmasq  ISC dhcpd Kea      udhcpd
    "lease":                                   ("ACK",   "ACK",   "ACK",   "ACK"),
    "sends T1 and T2":                         ("yes",   "no",    "no",    "no"),
    "echoes the client identifier":            ("no",    "no",    "yes",   "no"),
    "RENEW":                                   ("ACK",   "ACK",   "ACK",   "ACK"),
    "INIT-REBOOT, own lease":                  ("ACK",   "ACK",   "ACK",   "ACK"),
    "INIT-REBOOT, wrong subnet":               ("NAK",   "NAK",   "NAK",   "NAK"),
    "INIT-REBOOT, another's address":          ("NAK",   "NAK",   "NAK",   "NAK"),
    "server away from T1, back by T2: REBIND": ("ACK",   "ACK",   "ACK",   "ACK"),
    "DECLINE":                                 (OTHER,   OTHER,   OTHER,   OTHER),
    "lease file lost: RENEW":                  ("ACK",   "ACK",   "ACK",   "silence"),
    "RELEASE":                                 ("freed", "freed", "freed", "freed"),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVERS)
def test_the_matrix(lan: Lan, tmp_path: Path, name: str) -> None:
    with SERVERS[name](lan.lab.lan, "lan0", tmp_path / "server") as server:
        rows = Matrix(lan, server).rows()
    print(f"\n{name}", *(f"  {row:42}{answer}" for row, answer in rows.items()), sep="\n")
    assert rows == {row: answers[list(SERVERS).index(name)] for row, answers in EXPECTED.items()}


def test_a_server_that_is_not_authoritative_says_nothing(lan: Lan, tmp_path: Path) -> None:
    """Silence about INIT-REBOOT: the address is looked for on the link, and kept while its lease lasts."""
    with Dnsmasq(lan.lab.lan, "lan0", tmp_path / "server", authoritative=False):
        lan.plug("c1", "c2")
        old = replace(lan.leased("c2", probe="off"), address="198.51.100.200")
        lan.add("c1", old)
        assert lan.until(lambda: lan.name("c1") == "REBOOTING")
        assert not lan.until(lambda: lan.name("c1") != "REBOOTING", SILENCE)
        lan.skip(5)
        lan.skip(9)
        assert lan.until(lambda: lan.name("c1") == "RENEWING")
        assert lan.hands.held("c1") == [old.cidr]
        lan.until(lambda: lan.name("c1") != "RENEWING", SILENCE)  # dnsmasq says NAK to a RENEW that it does not know
        lan.skip(old.expiry - lan.engine.clock())
        assert lan.bound("c1").address != old.address
        assert lan.hands.held("c1") == [lan.lease("c1").cidr]


def test_a_server_that_has_forgotten_us_refuses_to_renew(lan: Lan, tmp_path: Path) -> None:
    with Dnsmasq(lan.lab.lan, "lan0", tmp_path / "server", authoritative=False) as server:
        lan.plug("c1")
        lan.leased("c1", probe="off")
        server.lose_leases()
        lan.engine.renew("c1")
        assert lan.until(lambda: lan.did("c1", "forget"))
        assert "lease not found" in lan.did("c1", "warning")[-1] and lan.did("c1", "unconfigure") == ["refused"]
        assert lan.hands.held("c1") in ([], [lan.bound("c1").cidr])
        assert lan.hands.held("c1") == [lan.lease("c1").cidr]


# --- one server ---

GIVEN = (
    "option:classless-static-route,10.0.0.0/8,198.51.100.9,0.0.0.0/0,198.51.100.8",
    "option:router,198.51.100.7",
    "option:dns-server,198.51.100.2,198.51.100.3",
    "option:domain-name,lan.example",
    "option:domain-search,a.example,b.a.example",
    "option:mtu,1400",
)


def test_all_that_a_server_gives_is_in_the_lease(lan: Lan, tmp_path: Path) -> None:
    with Dnsmasq(lan.lab.lan, "lan0", tmp_path / "server", options=GIVEN):
        lan.plug("c1")
        held = lan.leased("c1", probe="off")
    assert held.routes == (LeasedRoute("10.0.0.0/8", "198.51.100.9"), LeasedRoute("0.0.0.0/0", "198.51.100.8"))
    assert (held.dns, held.mtu) == (("198.51.100.2", "198.51.100.3"), 1400)
    assert (held.domain, held.search) == ("lan.example", ("a.example", "b.a.example"))
    assert (held.prefix, held.seconds, held.server) == (24, 600, "198.51.100.2")
    assert alike(lan.hands.kept("c1"), held)


def test_one_of_two_servers_is_taken(lan: Lan, dnsmasq: Server, tmp_path: Path) -> None:
    lan.plug("c1", "c9")
    lan.squat("c9", "198.51.100.9/24")
    with Dnsmasq(lan.containers["c9"], LINK, tmp_path / "other", own="198.51.100.9", first=150, last=180) as other:
        held = lan.leased("c1", probe="off")
        ours, others = (dnsmasq, other) if held.server == dnsmasq.own else (other, dnsmasq)
        assert [one.server for one in lan.replies if one.kind == ACK] == [ours.own]
        assert ours.has(held.address) and others.leases() == set()


def test_an_address_in_use_is_declined_and_another_is_taken(lan: Lan, tmp_path: Path) -> None:
    with Dnsmasq(lan.lab.lan, "lan0", tmp_path / "server", first=50, last=51) as server:
        lan.plug("c1", "c9")
        lan.squat("c9", "198.51.100.50/24")
        held = lan.leased("c1")
        assert held.address == "198.51.100.51" and lan.hands.held("c1") == [held.cidr]
        assert server.has("198.51.100.51")


def test_hostile_frames_on_the_wire_move_nothing(lan: Lan) -> None:
    """Right MAC, right number, wrong in everything else: through the kernel's filter into the parser."""
    lan.plug("c1", "c2")
    lan.add("c1")
    lan.until(lambda: lan.name("c1") == "SELECTING")
    everything = [(0x06, 0, 0, 65536)]  # BPF_RET
    c2 = lan.spaces.call(lan.hands.places["c2"], lambda: wire.open_packet(LINK, frame.IPV4, everything))
    lan.spaces.leave()
    lan.skip(6)  # the next DISCOVER
    with c2:
        asked = eventually(lambda: discover(c2))
        for data in junk(asked.xid, bytes.fromhex(lan.macs["c1"].replace(":", ""))):
            c2.send(data)
            lan.engine.turn()
    assert lan.until(lambda: lan.engine.malformed("c1") >= 1000)
    assert lan.name("c1") == "SELECTING" and not lan.did("c1", "configure")


def discover(sock: socket.socket) -> Message | None:
    """Return a DISCOVER that has come, if any."""
    try:
        return decode(frame.parse(wire.read_frame(sock)[0], summed=False).payload)
    except BlockingIOError:
        return None


def junk(xid: int, mac: bytes) -> Iterator[bytes]:
    """Yield frames that pass the filter and have no checksum, with noise for options."""
    chance = random.Random("wire")
    head = encode(Message(2, OFFER, xid, mac, yiaddr="198.51.100.60"))[:240]
    for _ in range(2000):
        noise = head + b"\x35\x01\x02" + chance.randbytes(chance.randrange(400))
        whole = frame.build(frame.Datagram("198.51.100.9", 67, "198.51.100.60", 68, noise, b"\2\0\0\0\0\x99", mac))
        yield whole[:40] + b"\0\0" + whole[42:]
