"""Containers by one of their processes: ``pid:4711``.

The rule of this file: such a container ends with its process; nothing waits for it to come back.
"""

from __future__ import annotations

import os

from containernet.containers.door import Found
from containernet.model.errors import Usage
from containernet.model.names import shown

PREFIX = "pid:"


class ByProcess:
    """See :class:`containernet.containers.door.Resolver`."""

    def find(self, text: str) -> Found | None:
        """Return the container that a process runs in."""
        if not text.startswith(PREFIX):
            return None
        number = text.removeprefix(PREFIX)
        if not (number.isascii() and number.isdigit() and len(number) < 11 and int(number)):
            raise Usage("pid-invalid", f"{shown(text)} is not the number of a process.", "Write it as pid:4711.")
        path = f"/proc/{int(number)}/ns/net"
        return Found(f"{PREFIX}{int(number)}", path, lasting=False) if os.path.exists(path) else None

    def looked(self, text: str) -> str:
        """Return the folder of processes."""
        return "/proc" if text.startswith(PREFIX) else ""
