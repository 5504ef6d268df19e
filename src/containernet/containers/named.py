"""Containers by the name of a network namespace, as ip-netns(8) keeps them.

The rule of this file: a name is checked before it becomes part of a path.
"""

from __future__ import annotations

import os

from containernet.containers.door import Found
from containernet.model.names import FOLDERS, container_name

NAMED = FOLDERS[0]


class ByName:
    """See :class:`containernet.containers.door.Resolver`."""

    def find(self, text: str) -> Found | None:
        """Return the namespace of this name."""
        if not self.looked(text):
            return None
        path = f"{NAMED}/{container_name(text)}"
        return Found(text, path) if os.path.exists(path) else None

    def looked(self, text: str) -> str:
        """Return the folder of named namespaces."""
        return "" if text.startswith(("/", "pid:")) else NAMED
