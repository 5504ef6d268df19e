"""IPv6 on the LAN: what routers say, and what DHCPv6 gives where they say that there is some (RFC 8415, RFC 8106).

The rule of this file: only through the command, with a real router and server outside.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kit.agents import agent, ended
from kit.dhcp import Dnsmasq
from kit.lab import LAN6, Lab
from kit.space import eventually

SLOW = 20.0  # seconds: a router answers at its leisure
POOL = "2001:db8:51::100,2001:db8:51::1ff,64,600"
MODES = {  # what the router says: M, O, and a prefix for addresses of one's own making
    "stateful": (POOL,),
    "stateless": ("2001:db8:51::,ra-stateless,64",),
    "slaac": ("2001:db8:51::,ra-only,64",),
}
DNS = ("option6:dns-server,[2001:db8:51::53]", "option6:domain-search,a.example")


class Router(Dnsmasq):
    """dnsmasq as a router that advertises, and as a DHCPv6 server."""

    ranges: tuple[str, ...] = ()
    ready = "router advertisement on"

    def prepare(self) -> list[str]:
        plain = [one for one in super().prepare() if not one.startswith("--dhcp-range")]
        more = [f"--dhcp-range={one}" for one in self.ranges]
        return [*plain, "--enable-ra", "--ra-param=lan0,high,4", *more]

    def leases(self) -> set[str]:
        path = self.directory / "leases"
        lines = path.read_text().splitlines() if path.exists() else []
        return {line.split()[2] for line in lines if len(line.split()) == 5 and ":" in line.split()[2]}


@contextmanager
def serving(lab: Lab, tmp_path: Path, mode: str, kind: str = "bridge") -> Iterator[Router]:
    """A network, the service switched on, a router outside, and an agent."""
    lab.cnet("create", "lan", "--mode", kind)
    lab.cnet("service", "dhcp", "enable")
    router = Router(lab.lan, "lan0", tmp_path / "router", options=DNS)
    router.ranges = MODES[mode]
    with router, agent(lab):
        yield router


def joined(lab: Lab, name: str = "web") -> None:
    """Join a new container, without IPv4."""
    lab.container(name)
    lab.cnet("join", name, "lan", "--ip", "none")


def view(lab: Lab, name: str = "web") -> Any:
    """Return a container's endpoint."""
    return lab.json("endpoint", name)[0]


def leased(lab: Lab, name: str = "web") -> str:
    """Return the address that DHCPv6 has given a container, "" if none."""
    found = [one["address"] for one in lab.json("leases", name) if one["version"] == 6]
    return str(found[0]).partition("/")[0] if found else ""


@pytest.mark.parametrize("kind", ["bridge", "macvlan"])
def test_an_address_by_dhcpv6_where_the_router_says_so(lab: Lab, tmp_path: Path, kind: str) -> None:
    with serving(lab, tmp_path, "stateful", kind) as router:
        joined(lab)
        assert eventually(lambda: leased(lab), SLOW), "nothing was leased"
        address = leased(lab)
        assert eventually(lambda: router.leases() == {address})
        assert f"{address}/128" in view(lab)["addresses"]
        assert lab.lan.ping(address) and lab.inside("web").ping(LAN6)
        assert view(lab)["dns"] == ["2001:db8:51::53"] and view(lab)["search"] == ["a.example"]
        said = lab.host.run("ip", "netns", "exec", "web", "cat", "/etc/resolv.conf")
        assert "nameserver 2001:db8:51::53" in said and "search a.example" in said
        assert lab.json("status")["drift"] == []
        lab.inside("web").sh("ip -6 address flush dev eth0 scope global")
        if kind == "macvlan":  # nobody tells of what happens in there: the agent sees it in its time, a person now
            lab.cnet("repair")
        assert eventually(lambda: f"{address}/128" in view(lab)["addresses"]), "the agent did not put it back"
        print(lab.cnet("leases"), lab.cnet("endpoint", "web", "lan"))
        lab.cnet("leave", "web", "lan")
        assert eventually(lambda: router.leases() == set()), "it was not given back"


def test_a_killed_agent_keeps_it(lab: Lab, tmp_path: Path) -> None:
    lab.cnet("create", "lan")
    lab.cnet("service", "dhcp", "enable")
    router = Router(lab.lan, "lan0", tmp_path / "router", options=DNS)
    router.ranges = MODES["stateful"]
    with router:
        with agent(lab) as process:
            joined(lab)
            assert eventually(lambda: leased(lab), SLOW)
            address = leased(lab)
            ended(process, signal.SIGKILL)
        assert lab.lan.ping(address)
        router.said.clear()
        with agent(lab):
            assert router.says("DHCPREPLY"), "it was not confirmed"
            assert any("DHCPCONFIRM" in line for line in router.said)
            assert not any("DHCPSOLICIT" in line for line in router.said)
            assert leased(lab) == address and lab.lan.ping(address)


@pytest.mark.parametrize("mode", ["stateless", "slaac"])
def test_dns_for_addresses_of_ones_own_making(lab: Lab, tmp_path: Path, mode: str) -> None:
    with serving(lab, tmp_path, mode) as router:
        joined(lab)
        assert eventually(lambda: view(lab)["dns"] == ["2001:db8:51::53"], SLOW), view(lab)
        assert eventually(lambda: any(text.startswith("2001:db8:51:") for text in view(lab)["addresses"]), SLOW)
        assert view(lab)["search"] == ["a.example"]
        asked = any("DHCPINFORMATION-REQUEST" in line for line in router.said)
        assert asked == (mode == "stateless")
        own = next(text for text in view(lab)["addresses"] if text.startswith("2001:db8:51:"))
        assert lab.lan.ping(own.partition("/")[0])


def test_a_router_that_changes_its_mind(lab: Lab, tmp_path: Path) -> None:
    """From an address by DHCPv6 to one's own making: what was leased is given up, DNS is followed."""
    with serving(lab, tmp_path, "slaac") as router:
        joined(lab)
        assert eventually(lambda: view(lab)["dns"], SLOW)
        router.stop()
        router.ranges, router.options = MODES["stateful"], ("option6:dns-server,[2001:db8:51::54]",)
        router.start()
        assert eventually(lambda: leased(lab), SLOW), "the router's M was not heard"
        assert eventually(lambda: "2001:db8:51::54" in view(lab)["dns"], SLOW)
        assert lab.lan.ping(leased(lab))
