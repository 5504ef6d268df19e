"""Flows under way when a port is opened or closed, or a container leaves: conntrack must not outlive the rule."""

from __future__ import annotations

import pytest

from kit.lab import HOST4, HOST6, LAN4, LAN6, Lab
from kit.setup import joined, opened
from kit.space import BRIEF

BOTH = pytest.mark.parametrize(
    ("proto", "host", "lan"), [(p, h, s) for p in ("tcp", "udp") for h, s in ((HOST4, LAN4), (HOST6, LAN6))]
)


def tracked(lab: Lab, *words: str) -> list[str]:
    """Return the tracked connections that show all these words."""
    lines = [line for family in ("ipv4", "ipv6") for line in lab.host.run("conntrack", "-L", "-f", family).splitlines()]
    return [line for line in lines if all(word in line.split() for word in words)]


@BOTH
def test_close_cuts_what_is_under_way_and_nothing_else(lab: Lab, proto: str, host: str, lan: str) -> None:
    c1, _ = joined(lab)
    c1.serve(80)
    opened(lab, 50000, 80, proto)
    opened(lab, 50001, 80, proto)
    for key, port in (("cut", 50000), ("kept", 50001)):
        assert lab.lan.flow(key, proto, host, port) == f"c1 {lan}"
        assert lab.lan.talk(key, "before")
    lab.cnet("close", "c1", "n1", "--protocol", proto, "--external-port", "50000")
    assert not lab.lan.talk("cut", "after", timeout=BRIEF)
    assert lab.lan.talk("kept", "after")
    assert not tracked(lab, f"dst={host}", "dport=50000", f"src={lan}", "[ASSURED]")


@BOTH
def test_leave_cuts_what_is_under_way(lab: Lab, proto: str, host: str, lan: str) -> None:
    c1, addresses = joined(lab)
    c1.serve(80)
    c2, _ = joined(lab, "c2")
    c2.serve(80)
    opened(lab, 50000, 80, proto)
    opened(lab, 50002, 80, proto, to=("c2", "n1"))
    lab.lan.serve(7)
    assert lab.lan.flow("in", proto, host, 50000) == f"c1 {lan}"
    assert lab.lan.flow("other", proto, host, 50002) == f"c2 {lan}"
    assert c1.flow("out", proto, lan, 7).startswith("lan ")
    address = addresses[6 if ":" in host else 4]
    assert tracked(lab, f"src={address}")
    lab.cnet("leave", "c1", "n1")
    assert not tracked(lab, f"src={address}")
    assert not tracked(lab, f"dst={address}")
    assert not lab.lan.talk("in", "after", timeout=BRIEF)
    assert lab.lan.talk("other", "after")


def test_who_gets_the_address_next_does_not_get_the_old_flows(lab: Lab) -> None:
    c1, addresses = joined(lab)
    lab.lan.serve(7, families="4")
    assert c1.flow("out", "udp", LAN4, 7, source_port=7777) == f"lan {HOST4}"
    lab.cnet("leave", "c1", "n1")
    c2 = lab.container("c2")
    lab.cnet("join", "c2", "n1", "--ip", addresses[4])
    c2.serve(7777, protos="udp", families="4")
    assert not tracked(lab, f"src={addresses[4]}", "sport=7777")


@pytest.mark.parametrize(("host", "lan"), [(HOST4, LAN4), (HOST6, LAN6)])
def test_a_udp_flow_that_began_before_open_reaches_the_container(lab: Lab, host: str, lan: str) -> None:
    """The kernel remembers the flow as one to the host itself; open must make it forget that."""
    c1, _ = joined(lab)
    c1.serve(80, protos="udp")
    lab.host.serve(50000, protos="udp", name="earlier")
    assert lab.lan.flow("early", "udp", host, 50000, source_port=40000) == f"earlier {lan}"
    lab.host.peer.ask("unlisten")
    assert tracked(lab, f"dst={host}", "dport=50000")
    opened(lab, 50000, 80, "udp")
    lab.lan.talk("early", "a refusal may still be queued", timeout=BRIEF)
    assert lab.lan.talk("early", "after")


def test_destroy_with_force_cuts_too(lab: Lab) -> None:
    c1, addresses = joined(lab)
    c1.serve(80, families="4")
    opened(lab, 50000, 80)
    assert lab.lan.flow("in", "tcp", HOST4, 50000) == f"c1 {LAN4}"
    lab.cnet("destroy", "n1", "--force")
    assert not lab.lan.talk("in", "after", timeout=BRIEF)
    assert not tracked(lab, f"src={addresses[4]}")
    assert not tracked(lab, f"dst={addresses[4]}")
