"""SIGKILL at every call of verbs of networks without NAT, on the real kernel: what comes next makes all as it was.

The rule of this file: compared is what ``ip`` prints of the host and of the container, nothing that we have read.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from kit.lab import LAN4, Lab
from kit.resident import BEFORE, Resident

C1, C2, C1_6 = "198.51.100.20", "198.51.100.21", "2001:db8:51::20"
HOST = (
    "ip -o link; ip -o addr; ip route; ip -6 route; ip neigh show proxy; ip neigh show nud permanent;"
    " grep -s '' /proc/sys/net/ipv[46]/neigh/up0/proxy_delay /proc/sys/net/ipv6/conf/up0/proxy_ndp"
)
INSIDE = "ip -n {0} -o addr; ip -n {0} route show table all; ip -n {0} -6 route show table all; ip -n {0} rule"
VERBS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "join": ("join", ("c2", "net1"), {"ips": (f"{C2}/24",)}),
    "leave": ("leave", ("c1", "net1"), {}),
    "destroy": ("destroy", ("net1",), {"force": True}),
    "create": ("create", ("net9",), {"mode": "routed"}),
}
BY_ITSELF = ("fe80:", "scope link \\", "tentative", "valid_lft", "linkdown", "ff00::/8")  # what the kernel does
CHOSEN = re.compile(r"^\d+: |@\S+|(?<=state )\w+|(?<= ce-).*link/ether \S+")  # and what numbers it gives


def world(lab: Lab) -> list[str]:
    """Return all that can be seen and does not come by itself."""
    text = lab.host.sh("; ".join((HOST, *(INSIDE.format(name) for name in ("c1", "c2")))))
    lines = (CHOSEN.sub("", line) for line in text.splitlines())
    return sorted(line for line in lines if not any(word in line for word in BY_ITSELF))


@pytest.mark.parametrize("mode", ["routed", "macvlan"])
@pytest.mark.parametrize("name", VERBS)
def test_killed_before_every_call_then_repaired(lab: Lab, name: str, mode: str) -> None:
    verb, args, options = VERBS[name]
    if name == "create" and mode == "macvlan":
        options = {"mode": mode, "shim": True}
    lab.cnet("create", "net1", "--mode", mode, *(["--shim"] if mode == "macvlan" else []))
    c1 = lab.container("c1")
    lab.container("c2")
    lab.cnet("join", "c1", "net1", "--ip", f"{C1}/24", "--ip", f"{C1_6}/64")
    assert c1.ping(C1_6)
    with Resident(lab.host.enter, lab.env) as host:
        before, at = world(lab), 1
        while host.killed(verb, *args, at=at, when=BEFORE, **options):
            host.do("repair", child=True)
            status = host.do("status", child=True)
            assert (status["drift"], status["interrupted"], status["endpoints"]) == ([], [], 1), at
            assert world(lab) == before, at
            assert lab.host.ping(C1), at
            assert lab.lan.ping(C1), at
            assert c1.ping(LAN4), at
            at += 1
        assert at >= 3
        assert (world(lab), len(host.do("get"))) != (before, 1)  # it is done in the end
