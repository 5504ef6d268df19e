"""A printed world with names in place of numbers, so that worlds reached by different ways can be compared.

The rule of this file: numbers count up and addresses are handed out in turn, so both are replaced by whose they are;
nothing else is.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from containernet.containers.named import NAMED
from containernet.drivers.network import FIRST_TABLE
from containernet.kernel.fake_world import place_of
from containernet.model.address import eui64
from containernet.model.network import HOST, Place
from containernet.model.record import plain
from containernet.plan.objects import Object, Sysctl, Table
from containernet.plan.operations import Add
from containernet.plan.ruleset import TEXT
from containernet.plan.text import text
from kit.memory import OF_A_LINK, MemoryHost

Line = tuple[str, str]  # whose container ("": the host), and what


def facts(views: list[Any]) -> dict[Line, str]:
    """Return (container or "" for everywhere, text) -> its name, from the views of all networks."""
    names: dict[Line, str] = {}
    endpoints = sorted((one for view in views for one in view["endpoints"]), key=number)
    for view in views:
        names |= _network(view)
    seen: Counter[str] = Counter()
    for one in endpoints:
        plainly = f"{one['container']}.{one['network']}"
        seen[plainly] += 1
        names |= _endpoint(one, plainly + ("" if seen[plainly] == 1 else f"#{seen[plainly]}"))
    return names


def number(endpoint: Any) -> int:
    """Return the number of an endpoint: of its link, or of the MAC address that we gave it."""
    link, mac = endpoint["host_link"], endpoint["mac"]
    return int(link[3:]) if link else int(mac.replace(":", "")[6:], 16) & 0x7FFFFF


def _network(view: Any) -> dict[Line, str]:
    name = view["name"]
    bridge = view["bridge"] or f"cn-{view['id']}"  # a shim, perhaps
    found = {("", bridge): f"<bridge {name}>"}
    if view["mac"]:
        found |= {("", view["mac"]): f"<mac {name}>", ("", eui64(view["mac"])): f"<local {name}>"}
    for prefix, gateway in zip(view["subnets"], view["gateways"], strict=True):
        version = 6 if ":" in prefix else 4
        found["", prefix] = f"<net{version} {name}>"
        found["", gateway] = f"<gateway{version} {name}>"
    return found


def _endpoint(one: Any, name: str) -> dict[Line, str]:
    found = {
        ("", f"ce-{number(one)}"): f"<link {name}>",
        ("", one["mac"]): f"<mac {name}>",
        ("", one["name"]): f"<{name}>",
        ("", str(FIRST_TABLE + number(one))): f"<table {name}>",
        (one["container"], one["interface"]): f"<eth {name}>",
    }
    for address in one["addresses"]:
        found["", address.partition("/")[0]] = f"<ip{6 if ':' in address else 4} {name}>"
    return found


def renamed(lines: list[Line], names: dict[Line, str]) -> str:
    """Return lines as one text with the names in it, sorted again."""
    done = []
    for whose in {whose for whose, _ in lines}:
        known = {text: name for (container, text), name in names.items() if container in ("", whose)}
        keys = sorted(known, key=len, reverse=True)
        pattern = re.compile(rf"(?<![\w.:-])(?:{'|'.join(map(re.escape, keys))})(?![\w.:-])") if keys else None
        for line in (line for container, line in lines if container == whose):
            fresh = pattern.sub(lambda found: known[found[0]], line) if pattern else line  # noqa: B023
            done.append(f"{whose}: {fresh}" if whose else fresh)
    return "\n".join(sorted(done)) + "\n"


def printed(host: MemoryHost) -> str:
    """Return all of ours in a kernel in memory, as the lines that would make it."""
    things = [*host.kernel.objects.values(), *_made(host.kernel.settings)]
    views: Any = [plain(view) for view in host.net().get()]
    names = facts(views) | {("", str(host.stored(lambda store: store.memo("mark")))): "<mark>"}
    return renamed([(_container(place_of(one)), line) for one in things for line in _lines(one)], names)


def _made(settings: dict[tuple[Place, str], str]) -> list[Sysctl]:
    """Return the settings of our links and of containers that are otherwise than the kernel makes them."""
    found = []
    for (place, key), value in settings.items():
        *path, link, name = key.split("/")
        as_born = OF_A_LINK.get("/".join([*path, "{}", name]))
        if value != as_born and (place != HOST or link.startswith(("cn-", "ce-"))):
            found.append(Sysctl(place, key, value))
    return found


def _container(place: Place) -> str:
    return place.path.removeprefix(f"{NAMED}/")


def _lines(one: Object) -> list[str]:
    if isinstance(one, Table):
        return ["table " + ("whole" if one.text == TEXT else "damaged")]
    return text(Add(one))
