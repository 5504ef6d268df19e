"""Published ports: ranges, protocols, addresses, who is in the way."""

from __future__ import annotations

import pytest

from kit.lab import HOST4, HOST6, LAN4, LAN6, Lab
from kit.setup import joined, opened, refused
from kit.space import BRIEF


def elements(lab: Lab) -> str:
    """Return our table as nft prints it."""
    return lab.host.run("nft", "list", "table", "inet", "containernet")


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_a_range_leads_port_to_port(lab: Lab, proto: str) -> None:
    c1, _ = joined(lab)
    for port in (8000, 8003, 8010):
        c1.serve(port, name=f"p{port}", protos=proto)
    view = opened(lab, "50000-50010", 8000, proto)
    assert (view["external_first"], view["external_last"], view["internal_last"]) == (50000, 50010, 8010)
    for external, internal in ((50000, 8000), (50003, 8003), (50010, 8010)):
        assert lab.lan.probe(HOST4, external, proto) == f"p{internal} {LAN4}"
        assert lab.lan.probe(HOST6, external, proto) == f"p{internal} {LAN6}"
    c1.serve(8011, name="outside the range", protos=proto)
    assert lab.lan.probe(HOST4, 50011, proto, timeout=BRIEF) == "refused"
    lab.cnet("close", "c1", "n1", "--protocol", proto, "--external-port", "50000-50010")
    assert lab.lan.probe(HOST4, 50003, proto, timeout=BRIEF) == "refused"


@pytest.mark.parametrize("text", ["50000:80", "50000:80/tcp", HOST4 + ":50000:80", "50000-50002:80-82/tcp"])
def test_join_publishes(lab: Lab, text: str) -> None:
    c1, _ = joined(lab, "c1", "n1", "-p", text)
    c1.serve(80, protos="tcp")
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"


def test_join_publishes_many(lab: Lab) -> None:
    c1, _ = joined(lab, "c1", "n1", "-p", "50000:80", "-p", "50000:80/udp", "-p", f"[{HOST6}]:50001:80")
    c1.serve(80)
    assert lab.lan.probe(HOST4, 50000, "tcp") == lab.lan.probe(HOST4, 50000, "udp") == f"c1 {LAN4}"
    assert lab.lan.probe(HOST6, 50001) == f"c1 {LAN6}"
    assert lab.lan.probe(HOST4, 50001, timeout=BRIEF) == "refused"


def test_sctp_is_mapped(lab: Lab) -> None:
    """Kernels without SCTP sockets still forward it: the map's element is what can be seen everywhere."""
    _, addresses = joined(lab)
    opened(lab, 50000, 80, "sctp")
    assert any("sctp" in line and "50000" in line and addresses[4] in line for line in elements(lab).splitlines())
    lab.cnet("close", "c1", "n1", "--protocol", "sctp", "--external-port", "50000")
    assert addresses[4] + " . 80" not in elements(lab)


def test_a_port_is_picked_when_none_is_given(lab: Lab) -> None:
    c1, _ = joined(lab)
    c1.serve(80, protos="tcp", families="4")
    lab.host.serve(50000, protos="tcp", families="4")
    picked = lab.json("open", "c1", "n1", "--internal-port", "80")["external_first"]
    again = lab.json("open", "c1", "n1", "--internal-port", "80")["external_first"]
    assert 50000 < picked <= 60000
    assert again not in (picked, 50000)
    assert lab.lan.probe(HOST4, picked) == lab.lan.probe(HOST4, again) == f"c1 {LAN4}"


def test_close_by_id(lab: Lab) -> None:
    c1, _ = joined(lab)
    c1.serve(80, protos="tcp", families="4")
    number = opened(lab, 50000, 80)["id"]
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"
    assert lab.json("close", "--id", str(number))["external_first"] == 50000
    assert lab.lan.probe(HOST4, 50000, timeout=BRIEF) == "refused"
    refused(lab, "close", "--id", str(number), status=3)


@pytest.mark.parametrize("proto", ["tcp", "udp"])
@pytest.mark.parametrize("address", ["", HOST4, "::", HOST6])
def test_a_listener_of_the_host_is_in_the_way(lab: Lab, proto: str, address: str) -> None:
    joined(lab)
    lab.host.serve(50005, protos=proto, families="6" if ":" in address else "4", address=address)
    said = refused(lab, "open", "c1", "n1", "--protocol", proto, "--external-port", "50005", "--internal-port", "80")
    assert "50005" in said
    refused(lab, "open", "c1", "n1", "--protocol", proto, "--external-port", "50000-50010", "--internal-port", "80")
    opened(lab, 50004, 80, proto)
    opened(lab, 50005, 80, "udp" if proto == "tcp" else "tcp")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.53", "::1"])
def test_a_listener_on_loopback_is_in_nobodys_way(lab: Lab, address: str) -> None:
    c1, _ = joined(lab)
    c1.serve(80, protos="tcp")
    lab.host.serve(50000, protos="tcp", families="6" if ":" in address else "4", address=address, name="local")
    opened(lab, 50000, 80)
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"
    assert lab.host.probe(address, 50000).startswith("local ")


def test_a_listener_on_another_address_is_not_in_the_way_of_a_bound_mapping(lab: Lab) -> None:
    c1, _ = joined(lab)
    c1.serve(80, protos="tcp", families="4")
    lab.host.sh("ip addr add 198.51.100.41/24 dev up0")
    lab.host.serve(50000, protos="tcp", families="4", address="198.51.100.41", name="other")
    opened(lab, 50000, 80, "tcp", "--external-address", HOST4)
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"
    assert lab.lan.probe("198.51.100.41", 50000) == f"other {LAN4}"
    refused(
        lab,
        "open",
        "c1",
        "n1",
        "--external-port",
        "50000",
        "--internal-port",
        "80",
        "--external-address",
        "198.51.100.41",
    )


def test_another_mapping_is_in_the_way(lab: Lab) -> None:
    joined(lab)
    joined(lab, "c2", "n2")
    opened(lab, "50000-50010", 80)
    for ports in ("50000", "50010", "49990-50000", "50003-50004", "49000-51000"):
        said = refused(lab, "open", "c2", "n2", "--external-port", ports, "--internal-port", "80", status=4)
        assert "c1" in said or "50000" in said
    refused(
        lab,
        "open",
        "c2",
        "n2",
        "--external-port",
        "50005",
        "--internal-port",
        "80",
        "--external-address",
        HOST4,
        status=4,
    )
    opened(lab, 50011, 80, to=("c2", "n2"))
    opened(lab, 50000, 80, "udp", to=("c2", "n2"))
    lab.container("c3")
    said = refused(lab, "join", "c3", "n2", "-p", "50099:80", "-p", "50003:80", status=4)
    assert "50003" in said or "50000" in said
    assert "eth0" not in lab.host.run("ip", "-n", "c3", "link")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_as_external_address_is_refused_with_the_reason(lab: Lab, address: str) -> None:
    joined(lab)
    said = refused(
        lab,
        "open",
        "c1",
        "n1",
        "--external-port",
        "50000",
        "--internal-port",
        "80",
        "--external-address",
        address,
        status=2,
    )
    assert "route_localnet" in said or "loopback" in said


def test_an_address_that_is_not_the_hosts_is_refused(lab: Lab) -> None:
    joined(lab)
    refused(
        lab,
        "open",
        "c1",
        "n1",
        "--external-port",
        "50000",
        "--internal-port",
        "80",
        "--external-address",
        "192.0.2.77",
        says="192.0.2.77",
    )


def test_one_port_to_several_containers_by_address(lab: Lab) -> None:
    lab.host.sh("ip addr add 198.51.100.41/24 dev up0")
    for name, address in (("c1", HOST4), ("c2", "198.51.100.41")):
        space, _ = joined(lab, name)
        space.serve(80, protos="tcp", families="4")
        opened(lab, 50000, 80, "tcp", "--external-address", address, to=(name, "n1"))
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"
    assert lab.lan.probe("198.51.100.41", 50000) == f"c2 {LAN4}"


def test_a_thousand_ports_at_once(lab: Lab) -> None:
    c1, _ = joined(lab)
    c1.serve(20999, protos="tcp")
    opened(lab, "50000-50999", 20000)
    assert lab.lan.probe(HOST4, 50999) == f"c1 {LAN4}"
    assert lab.lan.probe(HOST6, 50999) == f"c1 {LAN6}"
    lab.cnet("close", "c1", "n1", "--external-port", "50000-50999")
    assert lab.lan.probe(HOST4, 50999, timeout=BRIEF) == "refused"


def test_ports_are_listed(lab: Lab) -> None:
    joined(lab)
    assert lab.json("ports") == []
    opened(lab, 50000, 80)
    opened(lab, 50000, 81, "udp", "--remote", "203.0.113.0/24")
    listed = lab.json("ports")
    assert [(p["id"], p["protocol"], p["internal_first"], p["remotes"], p["active"]) for p in listed] == [
        (1, "tcp", 80, [], True),
        (2, "udp", 81, ["203.0.113.0/24"], True),
    ]
    assert listed == lab.json("endpoint", "c1", "n1")[0]["ports"]
