"""What ``doctor`` finds on a host where something is in the way, and what it mends."""

from __future__ import annotations

from typing import Any

import pytest

from kit.lab import HOST4, LAN4, Lab
from kit.setup import joined, opened
from kit.space import BRIEF

TROUBLE = {
    "forwarding off": ("echo 0 > /proc/sys/net/ipv4/ip_forward", "forward"),
    "IPv6 forwarding off": ("echo 0 > /proc/sys/net/ipv6/conf/all/forwarding", "forward"),
    "a firewall that drops": (
        "nft add table ip filter\n"
        "nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'",
        "FORWARD",
    ),
    "a VPN over our subnet": (
        "ip link add wg0 type bridge; ip link set wg0 up\nip route add 192.168.1.0/25 dev wg0",
        "192.168.1.0",
    ),
    "our table is gone": ("nft delete table inet containernet", "table"),
    "a bridge is gone": ("ip link del {bridge}", "cn-"),
}


def troubles(lab: Lab) -> list[dict[str, Any]]:
    """Return what doctor complains of."""
    found: list[dict[str, Any]] = lab.json_of("doctor")
    return [finding for finding in found if finding["severity"] in ("warning", "error")]


def test_a_healthy_host_is_told_so(lab: Lab) -> None:
    joined(lab)
    assert troubles(lab) == []


@pytest.mark.parametrize("what", TROUBLE)
def test_trouble_is_found_and_explained(lab: Lab, what: str) -> None:
    joined(lab)
    script, word = TROUBLE[what]
    lab.host.sh(script.replace("{bridge}", lab.json("get", "n1")["bridge"]))
    before = lab.world()
    found = troubles(lab)
    assert found, what
    assert any(word in finding["sentence"] + finding["hint"] for finding in found), found
    assert all(finding["hint"] and finding["code"] for finding in found)
    assert lab.world() == before, "doctor without --fix changed something"


@pytest.mark.parametrize("what", ["forwarding off", "IPv6 forwarding off", "our table is gone", "a bridge is gone"])
def test_fix_mends_what_is_ours(lab: Lab, what: str) -> None:
    c1, _ = joined(lab)
    c1.serve(80, protos="tcp", families="4")
    opened(lab, 50000, 80)
    before = lab.world()
    lab.host.sh(TROUBLE[what][0].replace("{bridge}", lab.json("get", "n1")["bridge"]))
    assert lab.world() != before
    lab.result("doctor", "--fix", "--yes")
    assert lab.world() == before
    assert troubles(lab) == []
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"


def test_a_strangers_firewall_is_explained_not_changed(lab: Lab) -> None:
    c1, _ = joined(lab)
    c1.serve(80, protos="tcp", families="4")
    opened(lab, 50000, 80)
    lab.host.sh(TROUBLE["a firewall that drops"][0])
    ruleset = lab.host.run("nft", "-s", "list", "table", "ip", "filter")
    assert lab.lan.probe(HOST4, 50000, timeout=BRIEF) == "timeout"  # so doctor has something to say
    lab.result("doctor", "--fix", "--yes")
    assert lab.host.run("nft", "-s", "list", "table", "ip", "filter") == ruleset
    assert troubles(lab)


def test_without_a_yes_nothing_is_mended(lab: Lab) -> None:
    joined(lab)
    lab.host.sh(TROUBLE["forwarding off"][0])
    lab.result("doctor", "--fix", text="n\n")
    assert lab.host.sysctl("net/ipv4/ip_forward") == "0"
