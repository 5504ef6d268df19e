"""The DHCP client service of the agent: joined by DHCP, renewed, given back, kept over whatever happens.

The rule of this file: only through the command, as a person would, with a real server outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kit.agents import agent, asked
from kit.dhcp import Dnsmasq, Server
from kit.lab import LAN4, Lab


@contextmanager
def serving(lab: Lab, tmp_path: Path, *options: str, mode: str = "bridge", **more: Any) -> Iterator[Server]:
    """A network without NAT, the service switched on, an agent, and a server outside."""
    lab.cnet("create", "lan", "--mode", mode)
    lab.cnet("service", "dhcp", "enable")
    with Dnsmasq(lab.lan, "lan0", tmp_path / "server", options=options, **more) as server, agent(lab):
        yield server


def leased(lab: Lab, name: str, *options: str) -> Any:
    """Join a new container by DHCP; return its endpoint."""
    lab.container(name)
    return lab.json("join", name, "lan", "--ip", "dhcp", *options)


def test_a_container_is_leased_an_address_and_gives_it_back(lab: Lab, tmp_path: Path) -> None:
    with serving(lab, tmp_path) as server:
        view = leased(lab, "web")
        address = view["addresses"][0].partition("/")[0]
        assert server.has(address)
        assert lab.inside("web").ping(LAN4) and lab.lan.ping(address)
        (lease,) = lab.json("leases")
        assert (lease["state"], lease["address"], lease["server"]) == ("BOUND", view["addresses"][0], LAN4)
        print(lab.cnet("leases"), lab.cnet("service", "dhcp", "status"), lab.cnet("endpoint", "web"))
        lab.cnet("renew", "web", "lan")
        lab.cnet("leave", "web", "lan")
        assert server.has(address, False)
    assert asked(lab) is None
