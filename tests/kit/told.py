"""The printed world of a lab by one script, with names in place of numbers if asked.

The rule of this file: ``kit/world.py`` says what is printed; here its commands are only run together, because a test
that looks at the world a hundred times would else spend its time on starting them.
"""

from __future__ import annotations

import subprocess
from typing import Any

from kit.lab import Lab
from kit.named import Line, facts, renamed
from kit.space import Space
from kit.world import OURS, links, routes, rules, table

KEYS4 = ("forwarding", "rp_filter", "route_localnet", "arp_ignore", "arp_announce")
KEYS6 = ("forwarding", "accept_ra", "accept_dad", "disable_ipv6")
ADDRESS = "ip -d -j address show"
ROUTES = ("ip -4 route show table all", "ip -6 route show table all")
RULES = ("ip -4 rule", "ip -6 rule")
TABLE = "nft -s -j list table inet containernet"
MARK = "\x01"


def _settings(links: str) -> str:
    """Return the command that prints the settings of links whose names begin so."""
    files = [f"/proc/sys/net/ipv4/conf/{links}*/{key}" for key in KEYS4]
    files += [f"/proc/sys/net/ipv6/conf/{links}*/{key}" for key in KEYS6]
    return f"grep -s '' {' '.join(files)}"


class Said(Space):
    """A namespace whose commands have been run already."""

    def __init__(self, name: str, outputs: dict[str, tuple[int, str]]) -> None:
        super().__init__(name, [])
        self._outputs = outputs

    def result(self, *argv: str, **_: Any) -> subprocess.CompletedProcess[str]:
        status, output = self._outputs[" ".join(argv)]
        return subprocess.CompletedProcess(argv, status, output, "")

    @property
    def settings(self) -> list[str]:
        """The settings of its links."""
        return next(text for command, (_, text) in self._outputs.items() if command.startswith("grep")).splitlines()


def _asked(lab: Lab, containers: list[str]) -> list[Said]:
    """Run all commands for the host and for containers; return the namespaces with what they have said."""
    of_host = [ADDRESS, *ROUTES, TABLE, _settings("c[ne]-")]
    of_container = [ADDRESS, *ROUTES, *RULES, _settings("eth")]
    script = _printing(of_host)
    for name in containers:
        script += f"nsenter --net=/run/netns/{name} sh <<'END'\n{_printing(of_container)}END\n"
    parts = lab.host.sh(script).split(MARK)[1:]
    answers = [(int(text[-3:]), text[:-3].removesuffix("\n")) for text in parts]
    found, at = [], 0
    for name, commands in [("", of_host), *((name, of_container) for name in containers)]:
        mine = answers[at : at + len(commands)]
        found.append(Said(name, dict(zip(commands, mine, strict=True))))
        at += len(commands)
    return found


def _printing(commands: list[str]) -> str:
    """Return a script that prints, for each command, a mark, what it says, and its status in three digits."""
    return "".join(f"printf '\\001'; {command} 2>/dev/null && s=0 || s=$?; printf '%03d' $s\n" for command in commands)


def lines(lab: Lab, containers: list[str]) -> list[Line]:
    """Return all of ours in the kernel, and all that is in these containers."""
    host, *others = _asked(lab, containers)
    ours = [line for line in routes(host) if any(mark in line for mark in OURS)]
    found = [("", line) for line in (*links(host, OURS), *table(host), *ours, *host.settings)]
    for one in others:
        found += [(one.name, line) for line in (*links(one, ()), *routes(one), *rules(one), *one.settings)]
    return found


def told(lab: Lab, containers: list[str], views: list[Any]) -> str:
    """Return the same as one text, with names in place of numbers; ``views`` are those of all networks."""
    return renamed(lines(lab, containers), facts(views))
