"""The text of a container's resolv.conf (resolv.conf(5)), and the lines that put it in its place.

The rule of this file: what we write says whose it is, and reading it gives back the object that it was written for; a
file of ours in which one byte is otherwise gives an object without servers. Pure.
"""

from __future__ import annotations

import re

from containernet.model.record import replace
from containernet.plan.objects import Resolver

MADE = "# The directory was made for it.\n"
_FIRST = re.compile(r"# DNS servers of ([\w.-]+), by ContainerNet \(cnet\), store ([0-9a-f]{8})\.", re.ASCII)


def content(one: Resolver, made: bool) -> str:
    """Return the text of the file; ``made``: its directory goes with it."""
    return (
        f"# DNS servers of {one.name}, by ContainerNet (cnet), store {one.mark:08x}. Changes here do not last.\n"
        f"# What was here before comes back when they go; until then it is {one.former}.\n"
        f"{MADE if made else ''}{_settings(one)}"
    )


def _settings(one: Resolver) -> str:
    search = f"search {' '.join(one.search)}\n" if one.search else ""
    return search + "".join(f"nameserver {address}\n" for address in one.servers)


def parsed(text: str) -> tuple[Resolver, bool] | None:
    """Return the object of a file and whether its directory was made for it; None if the file is not ours."""
    found = _FIRST.match(text)
    if found is None:
        return None
    lines = [line.split() for line in text.splitlines() if line.strip()]
    servers = tuple(words[1] for words in lines if words[0] == "nameserver" and len(words) == 2)
    search = next((tuple(words[1:]) for words in lines if words[0] == "search"), ())
    one, made = Resolver(found[1], servers, search, int(found[2], 16)), MADE in text
    return (one if content(one, made) == text else replace(one, servers=(), search=())), made


def added(one: Resolver) -> list[str]:
    """Return the lines that a person would type to put it there."""
    folder = one.path.rpartition("/")[0]
    return [f"mkdir -p {folder}", f"[ ! -e {one.path} ] || mv {one.path} {one.former}", written(one)]


def written(one: Resolver) -> str:
    """Return the line that writes the file."""
    text = _settings(one).replace("%", "%%").replace("\n", "\\n")
    return f"printf '{text}' > {one.path}"


def removed(one: Resolver) -> list[str]:
    """Return the lines that a person would type to have the former state back."""
    folder = one.path.rpartition("/")[0]
    back = f"[ ! -e {one.former} ] || mv {one.former} {one.path}"
    return [f"rm -f {one.path}", back, f"rmdir --ignore-fail-on-non-empty {folder}"]
