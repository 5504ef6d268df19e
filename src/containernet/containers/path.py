"""Containers by the path of their namespace: ``/proc/4711/ns/net``, ``/run/netns/web``.

The rule of this file: a path of a known form is the container that this form names, so that the same container has one
name however it is said.
"""

from __future__ import annotations

from containernet.containers.door import Found
from containernet.containers.named import NAMED
from containernet.model.errors import Usage
from containernet.model.names import DIGITS, FOLDERS, INSIDE, LETTERS, shown

LONGEST = 160  # with the network's name it is the alias of a link, of 255 at most


class ByPath:
    """See :class:`containernet.containers.door.Resolver`."""

    def find(self, text: str) -> Found | None:
        """Return the container behind a path."""
        if not text.startswith("/"):
            return None
        parts = text.split("/")[1:]
        if (
            not all(part and part not in (".", "..") and INSIDE.issuperset(part) for part in parts)
            or len(text) > LONGEST
        ):
            hint = "Paths are absolute, of letters, digits, '-', '_' and '.', without '..' and double slashes."
            raise Usage("path-invalid", f"{shown(text)} cannot be the path of a namespace.", hint)
        folder, _, name = text.rpartition("/")
        if folder in FOLDERS and name[0] in LETTERS | DIGITS:
            return Found(name, f"{NAMED}/{name}")
        if len(parts) == 4 and parts[0] == "proc" and parts[1].isdigit() and parts[2:] == ["ns", "net"]:
            return Found(f"pid:{parts[1]}", text, lasting=False)
        return Found(text, text)

    def looked(self, text: str) -> str:
        """Return the path itself."""
        return text if text.startswith("/") else ""
