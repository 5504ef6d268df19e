"""The DHCP client service of the agent: joined by DHCP, renewed, given back, kept over whatever happens.

The rule of this file: only through the command, as a person would, with a real server outside; short leases where a
lease has to end.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kit.agents import agent, asked, ended
from kit.dhcp import Dhcpd, Dnsmasq, Server
from kit.lab import HOST4, LAN4, Lab
from kit.setup import refused
from kit.space import eventually

SLOW = 15.0  # seconds for what waits for a clock: a lease that ends
SHORT = 6  # seconds of a lease that is to end


def switched_on(lab: Lab, mode: str = "bridge") -> None:
    """Make a network without NAT and switch the service on."""
    lab.cnet("create", "lan", "--mode", mode)
    lab.cnet("service", "dhcp", "enable")


@contextmanager
def serving(
    lab: Lab, tmp_path: Path, *options: str, mode: str = "bridge", kind: type[Server] = Dnsmasq, **more: Any
) -> Iterator[Server]:
    """A network, the service switched on, a server outside, and an agent."""
    switched_on(lab, mode)
    with kind(lab.lan, "lan0", tmp_path / "server", options=options, **more) as server, agent(lab):
        yield server


def leased(lab: Lab, name: str, *options: str) -> Any:
    """Join a new container by DHCP; return its endpoint."""
    lab.container(name)
    return lab.json("join", name, "lan", "--ip", "dhcp", *options)


def bare(view: Any) -> str:
    """Return the IPv4 address of an endpoint without its prefix length."""
    return next(text for text in view["addresses"] if ":" not in text).partition("/")[0]


def state(lab: Lab, name: str) -> str:
    """Return what the service is at for a container."""
    return str(lab.json("leases", name)[0]["state"])


def has(lab: Lab, name: str) -> list[str]:
    """Return the IPv4 addresses that a container's interface has."""
    links = lab.inside(name).json("ip", "-j", "-4", "address", "show", "dev", "eth0")
    return [one["local"] for link in links for one in link.get("addr_info", ())]


@pytest.mark.parametrize("mode", ["bridge", "macvlan", "routed"])
def test_leased_used_and_given_back(lab: Lab, tmp_path: Path, mode: str) -> None:
    with serving(lab, tmp_path, mode=mode) as server:
        view = leased(lab, "web")
        address = bare(view)
        assert view["default_route"] and view["gateways"] == ["169.254.1.1" if mode == "routed" else LAN4]
        assert server.has(address)
        assert lab.inside("web").ping(LAN4) and lab.lan.ping(address)
        (lease,) = lab.json("leases")
        assert (lease["state"], lease["address"], lease["server"]) == ("BOUND", f"{address}/24", LAN4)
        assert 0 < lease["obtained"] < lease["renews"] < lease["expires"] == lease["obtained"] + 600
        assert lab.json("status")["drift"] == []
        lab.lan.sniff("lan0")
        lab.cnet("leave", "web", "lan")
        assert lab.lan.sniffed(src=address, dst=LAN4, dport=67), "no RELEASE from the leased address"
        assert server.has(address, False)
        assert not lab.json("leases")


def test_containers_that_are_routed_for_share_one_mac_address(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path, mode="routed") as server:
        one, two = bare(leased(lab, "web")), bare(leased(lab, "job"))
        assert one != two and server.leases() == {one, two}
        lab.cnet("renew", "web", "lan")
        for address in (one, two):
            assert lab.lan.ping(address)
        (mac,) = {
            entry["lladdr"] for entry in lab.lan.json("ip", "-j", "neigh", "show", "dev", "lan0") if "lladdr" in entry
        }
        assert mac == lab.host.json("ip", "-j", "link", "show", "dev", "up0")[0]["address"]
        assert lab.inside("web").ping(two) and lab.inside("web").ping(HOST4)
        with agent_again(lab):
            assert eventually(lambda: state(lab, "web") == state(lab, "job") == "BOUND")
            assert lab.lan.ping(one) and lab.lan.ping(two)
            lab.cnet("leave", "web", "lan")
            assert server.has(one, False) and server.has(two)


def test_all_that_comes_with_a_lease(lab: Lab, tmp_path: Path) -> None:
    options = (
        "option:router,198.51.100.2", "option:mtu,1400", "option:dns-server,198.51.100.2,198.51.100.3",
        "option:domain-name,example.org", "option:domain-search,a.example.org,b.example.org",
        "option:classless-static-route,0.0.0.0/0,198.51.100.3,203.0.113.0/24,198.51.100.2,192.0.2.0/24,203.0.113.9",
    )  # fmt: skip
    with serving(lab, tmp_path, *options) as server:
        view = leased(lab, "web", "--hostname", "shop-1")
        assert view["mtu"] == 1400
        assert lab.host.json("ip", "-j", "link", "show", "dev", "cn-1")[0]["mtu"] == 1500, "the host's own went with it"
        assert view["dns"] == ["198.51.100.2", "198.51.100.3"]
        assert view["search"] == ["a.example.org", "b.example.org"]
        assert view["gateways"] == ["198.51.100.3"], "option 3 counts for nothing where 121 is (RFC 3442)"
        routes = {one["dst"]: one.get("gateway", "") for one in lab.inside("web").json("ip", "-j", "-4", "route")}
        assert routes["203.0.113.0/24"] == "198.51.100.2"
        assert routes["192.0.2.0/24"] == "203.0.113.9" and routes["203.0.113.9"] == ""
        assert " shop-1 " in (server.directory / "leases").read_text()
        said = lab.host.run("ip", "netns", "exec", "web", "cat", "/etc/resolv.conf").splitlines()
        servers = ["nameserver 198.51.100.2", "nameserver 198.51.100.3"]
        assert said[-3:] == ["search a.example.org b.example.org", *servers]
        assert lab.json("status")["drift"] == []
        lab.inside("web").sh("ip route del 203.0.113.0/24; ip address flush dev eth0")
        assert eventually(lambda: has(lab, "web") == [bare(view)]), "the agent did not put the address back"
        assert eventually(lambda: "203.0.113.0/24" in lab.inside("web").sh("ip route"))
        assert lab.inside("web").ping("198.51.100.2")


def test_two_leases_in_one_container_answer_each_by_its_own_interface(lab: Lab, tmp_path: Path) -> None:
    """Both come with a router outside the subnet and with routes by it; the first has them, the second its own."""
    routes = "0.0.0.0/0,203.0.113.9,192.0.2.0/24,203.0.113.9,198.51.100.0/24,203.0.113.9"
    lab.lan.sh("ip address add 203.0.113.9/32 dev lan0; ip address add 192.0.2.7/32 dev lo || true")
    with serving(lab, tmp_path, f"option:classless-static-route,{routes}"):
        ends = [leased(lab, "web"), lab.json("join", "web", "lan", "--ip", "dhcp")]
        addresses = [lease["address"].partition("/")[0] for lease in lab.json("leases", "web")]
        assert len(set(addresses)) == 2
        assert lab.json("status")["drift"] == []
        web = lab.inside("web")
        main = {(one["dst"], one["dev"]) for one in web.json("ip", "-j", "-4", "route") if one["protocol"] != "kernel"}
        assert main == {("default", "eth0"), ("192.0.2.0/24", "eth0"), ("203.0.113.9", "eth0")}
        for address, end in zip(addresses, ends, strict=True):
            for target in ("192.0.2.7", "8.8.8.8", LAN4):
                (way,) = web.json("ip", "-j", "route", "get", target, "from", address)
                assert way["dev"] == end["interface"], (address, target)
                assert way.get("gateway", "") == ("" if target == LAN4 else "203.0.113.9")
            assert lab.lan.ping(address)
            assert web.ping("192.0.2.7")
        lab.cnet("leave", "web", "lan", "--endpoint", ends[0]["name"])
        assert web.ping("192.0.2.7"), "the second has not taken the routes over"
        assert lab.json("status")["drift"] == []


def test_it_says_who_it_is_the_same_every_time(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path):
        first = leased(lab, "web")
        leased(lab, "other", "--client-id", "mac")
        one, two = lab.json("leases")
        assert one["client_id"].startswith("ff") and "0004" in one["client_id"]
        assert two["client_id"] == "01" + lab.json("endpoint", "other")[0]["mac"].replace(":", "")
        lab.cnet("leave", "web", "lan")
        again = lab.json("join", "web", "lan")  # the service is on, so that dhcp need not be said
        assert again["mac"] != first["mac"] and again["leases"][0]["client_id"] == one["client_id"]


def test_a_killed_agent_loses_and_changes_no_address(lab: Lab, tmp_path: Path) -> None:
    switched_on(lab)
    with Dnsmasq(lab.lan, "lan0", tmp_path / "server") as server:
        with agent(lab) as process:
            address = bare(leased(lab, "web"))
            ended(process, signal.SIGKILL)
        web = lab.inside("web")
        assert has(lab, "web") == [address] and web.ping(LAN4)
        assert state(lab, "web") == "UNATTENDED"
        before = lab.json("leases", "web")[0]["obtained"]
        server.said.clear()
        with agent(lab):
            assert eventually(lambda: state(lab, "web") == "BOUND")
            assert server.says("DHCPACK"), "the lease was not verified (INIT-REBOOT)"
            assert not any("DHCPDISCOVER" in line for line in server.said)
            assert has(lab, "web") == [address] and web.ping(LAN4)
            assert eventually(lambda: lab.json("leases", "web")[0]["obtained"] >= before)


@pytest.mark.parametrize("moment", ["DHCPDISCOVER", "DHCPOFFER", "DHCPREQUEST", "DHCPACK"])
def test_an_agent_that_is_killed_while_it_leases(lab: Lab, tmp_path: Path, moment: str) -> None:
    switched_on(lab)
    with Dnsmasq(lab.lan, "lan0", tmp_path / "server") as server:
        lab.container("web")
        with agent(lab) as process:
            lab.cnet("join", "web", "lan", "--no-wait")
            assert server.says(moment)
            ended(process, signal.SIGKILL)
        with agent(lab):
            assert eventually(lambda: state(lab, "web") == "BOUND")
            address = bare(lab.json("endpoint", "web")[0])
            assert has(lab, "web") == [address] and lab.inside("web").ping(LAN4)
            assert server.leases() == {address}
            assert lab.json("status")["drift"] == [] and lab.json("status")["interrupted"] == []


def test_renewed_by_the_hour_and_ended_with_its_time(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path, kind=Dhcpd, seconds=SHORT) as server:
        view = leased(lab, "web")
        first = lab.json("leases")[0]["expires"]
        assert eventually(lambda: lab.json("leases")[0]["expires"] > first + 1, SLOW), "it was not renewed"
        assert has(lab, "web") == [bare(view)]
        server.stop()
        assert eventually(lambda: has(lab, "web") == [], SLOW), "the address outlived its lease"
        assert lab.json("leases")[0]["address"] == ""
        assert lab.json("status")["drift"] == []
        server.start()
        assert eventually(lambda: has(lab, "web"), 2 * SLOW)
        assert lab.inside("web").ping(LAN4)


def test_given_back_and_asked_for_again(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path) as server:
        address = bare(leased(lab, "web"))
        assert "was given back" in lab.cnet("release", "web", "lan")
        assert has(lab, "web") == [] and server.has(address, False)
        assert state(lab, "web") == "RELEASED"
        assert lab.result("release", "web", "lan").returncode == 3
        with agent_again(lab):
            assert state(lab, "web") == "RELEASED", "a restart of the agent has asked for it again"
            assert bare(lab.json("renew", "web", "lan")) == address
            assert has(lab, "web") == [address] and lab.inside("web").ping(LAN4)
            expires = lab.json("leases")[0]["obtained"]
            lab.cnet("renew", "web", "lan")
            assert lab.json("leases")[0]["obtained"] >= expires
            assert lab.cnet("leave", "web", "lan")


@contextmanager
def agent_again(lab: Lab) -> Iterator[None]:
    """End the agent that runs and run another."""
    os.kill(asked(lab)["pid"], signal.SIGTERM)
    assert eventually(lambda: asked(lab) is None, SLOW)
    with agent(lab):
        yield


def test_a_server_that_moves_to_another_subnet(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path, kind=Dhcpd, seconds=SHORT) as server:
        first = bare(leased(lab, "web"))
        server.stop()
        lab.lan.sh("ip address flush dev lan0; ip address add 203.0.113.2/24 dev lan0")
        with Dhcpd(lab.lan, "lan0", tmp_path / "other", own="203.0.113.2", seconds=600):
            assert eventually(lambda: has(lab, "web") not in ([], [first]), 2 * SLOW)
            assert has(lab, "web")[0].startswith("203.0.113.")
            assert lab.inside("web").ping("203.0.113.2")


def test_an_address_that_somebody_has_is_declined(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path, first=50, last=51, kind=Dhcpd):
        lab.lan.sh("ip address add 198.51.100.50/32 dev lan0; ip address add 198.51.100.1/32 dev lo || true")
        view = leased(lab, "web", "--wait", "40")
        assert bare(view) == "198.51.100.51"


def test_an_uplink_that_was_unplugged(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path) as server:
        address = bare(leased(lab, "web"))
        server.said.clear()
        lab.lan.sh("ip link set lan0 down")
        assert eventually(lambda: state(lab, "web") == "DOWN")
        assert has(lab, "web") == [address]
        lab.lan.sh("ip link set lan0 up")
        assert eventually(lambda: state(lab, "web") == "BOUND", SLOW)
        assert server.says(f"DHCPACK(lan0) {address}"), "what is held was not verified"
        assert has(lab, "web") == [address]


def test_a_container_that_vanishes(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path):
        web = lab.container("web")
        lab.json("join", "web", "lan")
        lab.remove(web)
        assert eventually(lambda: lab.json("endpoint") == [])
        assert eventually(lambda: "ce-1" not in lab.host.sh("ip -br link")), "something keeps its namespace alive"
        assert not lab.json("leases")


def test_a_restart_of_the_host(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path):
        address = bare(leased(lab, "web"))
    lab.reboot()
    with Dnsmasq(lab.lan, "lan0", tmp_path / "server") as server:
        lab.container("web")
        lab.cnet("restore")
        assert has(lab, "web") == [], "an address is used that no server has confirmed"
        with agent(lab):
            assert eventually(lambda: has(lab, "web") == [address], SLOW)
            assert not any("DHCPDISCOVER" in line for line in server.said)
            assert lab.inside("web").ping(LAN4)


def test_nobody_answers(lab: Lab) -> None:
    switched_on(lab)
    with agent(lab):
        lab.container("web")
        said = refused(lab, "join", "web", "lan", "--ip", "dhcp", "--wait", "1", status=8, says="within 1 seconds")
        assert "--no-wait" in said and "Waiting for an address" in said
        assert lab.json("endpoint") == []
        view = lab.json("join", "web", "lan", "--no-wait")
        assert [text for text in view["addresses"] if ":" not in text] == []
        assert state(lab, "web") == "SELECTING"
        lab.cnet("leave", "web", "lan")


def test_off_until_it_is_switched_on_and_not_off_while_it_is_used(lab: Lab, tmp_path: Path) -> None:
    lab.cnet("create", "lan")
    lab.container("web")
    assert "cnet service dhcp enable" in refused(lab, "join", "web", "lan", "--ip", "dhcp", status=6)
    assert lab.json("service", "dhcp", "status")["state"] == "not-running"
    lab.cnet("service", "dhcp", "enable")
    assert "cnet agent" in refused(lab, "join", "web", "lan", "--ip", "dhcp", status=6)
    with Dnsmasq(lab.lan, "lan0", tmp_path / "server"), agent(lab):
        lab.cnet("join", "web", "lan")
        assert "web_lan" in refused(lab, "service", "dhcp", "disable", status=4)
        assert lab.json("service", "dhcp", "status")["figures"][:1] == [["leased", 1]]
        lab.cnet("service", "dhcp", "restart")
        assert eventually(lambda: state(lab, "web") == "BOUND")
        lab.cnet("leave", "web", "lan")
        lab.cnet("service", "dhcp", "disable")
        assert eventually(lambda: lab.json("service", "dhcp", "status")["state"] == "off")
        lab.cnet("join", "web", "lan")
        assert lab.json("leases") == []


def test_many_at_once_share_one_service(lab: Lab, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(30)]
    with serving(lab, tmp_path) as server:
        lab.host.run("ip", "-batch", "-", text="".join(f"netns add {name}\n" for name in names))
        joins = [lab.start("join", name, "lan", "--json") for name in names]
        views = [json.loads(one.communicate(timeout=60)[0]) for one in joins]
        addresses = {bare(view) for view in views}
        assert len(addresses) == len(names) and server.leases() == addresses
        assert all(lab.inside(name).ping(LAN4) for name in names[::10])
        assert eventually(lambda: dict(lab.json("service", "dhcp", "status")["figures"])["sockets"] == 0)
        lab.cnet("destroy", "lan", "--force")
        assert eventually(lambda: server.leases() == set()), "leases were not given back"


def test_a_command_that_runs_in_a_new_container(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path, "option:dns-server,198.51.100.3") as server:
        script = "ip -4 -br address show dev eth0; cat /etc/resolv.conf"
        said = lab.cnet("run", "--network", "lan", "--", "sh", "-c", script)
        assert "198.51.100." in said and "nameserver 198.51.100.3" in said
        assert eventually(lambda: server.leases() == set())


def test_the_cmdlets_of_2015(lab: Lab, tmp_path: Path) -> None:
    """The document's steps for a network without NAT, word for word but for the registry and the restart of dhcp."""
    lab.cnet("service", "dhcp", "enable")
    lab.container("container1")
    with Dnsmasq(lab.lan, "lan0", tmp_path / "server"), agent(lab):
        made = "Creating a vSwitch for the network...done.\nNetwork net1 created successfully.\n"
        assert lab.cnet("New-ContainerNetwork", "net1") == made
        done = lab.result("Join-ContainerNetwork", "container1", "net1")
        assert done.stderr == "" and "198.51.100." in done.stdout.splitlines()[-1]
        shown = lab.cnet("Get-ContainerEndpoint", "container1", "net1")
        assert "DhcpServer     : 198.51.100.2" in shown
        address = shown.partition("IPv4Address    : ")[2].splitlines()[0]
        assert lab.lan.ping(address)
        lab.cnet("Leave-ContainerNetwork", "container1", "net1")
        gone = "Removing the vSwitch of the network...done.\nNetwork net1 removed successfully.\n"
        assert lab.cnet("Remove-ContainerNetwork", "net1") == gone


def test_what_is_asked_wrongly(lab: Lab) -> None:
    switched_on(lab)
    lab.cnet("create", "nat", "--nat")
    lab.container("web")
    refused(lab, "join", "web", "nat", "--hostname", "web", status=2, says="networks without NAT")
    refused(lab, "join", "web", "lan", "--ip", "none", "--hostname", "a b", status=2, says="name of a host")
    refused(lab, "join", "web", "lan", "--client-id", "uuid", status=2, says="one of duid, mac")
    refused(lab, "service", "dns", "enable", status=2)
    refused(lab, "service", "repair", "disable", status=2, says="always" if False else "is on whenever")
    refused(lab, "renew", "web", "lan", status=3)
    lab.cnet("join", "web", "lan", "--ip", "none")
    refused(lab, "renew", "web", "lan", status=3, says="no address from DHCP")
