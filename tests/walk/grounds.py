"""What a walk goes over: a host in memory, or a lab with the real kernel; both with the same verbs and foreign hands.

The rule of this file: a ground does as it is told and knows nothing of what should come of it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from containernet.model.errors import ContainerNetError
from containernet.model.record import plain
from kit.lab import Lab
from kit.memory import MemoryHost
from kit.named import printed
from kit.resident import Refused, Resident
from kit.space import Space, eventually
from kit.told import told


class MemoryGround:
    """A host in memory."""

    def __init__(self, host: MemoryHost) -> None:
        self.host = host
        host.remember()

    def do(self, verb: str, *args: Any, **options: Any) -> Any:
        """Do a verb; return what it returns as plain data. Raises :class:`Refused` with the code of an error."""
        try:
            return plain(getattr(self.host.net(), verb)(*args, **options))
        except ContainerNetError as error:
            raise Refused(error.code) from error

    def unfinished(self) -> list[str]:
        """Return the verbs that are half-done."""
        return [one.verb for one in self.host.stored(lambda store: store.unfinished())]

    def text(self, containers: list[str]) -> str:
        """Return the world with names in place of numbers."""
        return printed(self.host)

    # --- foreign hands ---

    def container(self, name: str) -> None:
        """Make a container; one of that name is gone."""
        self.host.container(name)

    def remove(self, name: str) -> None:
        """End a container."""
        self.host.remove(name)

    def flush(self) -> None:
        """Flush the whole ruleset."""
        self.host.kernel.flush_ruleset()

    def delete(self, link: str) -> None:
        """Delete a link."""
        self.host.kernel.delete_link(link)

    def reboot(self) -> None:
        """Restart the host: no container is back."""
        self.host.kernel.reboot()


class LabGround:
    """A lab, and one process on its host that does all verbs while it lives."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._spaces: dict[str, Space] = {}
        self._resident = Resident(lab.host.enter, lab.env)

    def close(self) -> None:
        """End that process."""
        self._resident.__exit__()

    def do(self, verb: str, *args: Any, **options: Any) -> Any:
        """Do a verb; return what it returns as plain data. Raises :class:`Refused` with the code of an error."""
        return self._resident.do(verb, *args, **options)

    def unfinished(self) -> list[str]:
        """Return the verbs whose process has died half-way, for which this one is too much alive."""
        return list(self.do("status", child=True)["interrupted"])

    def text(self, containers: list[str]) -> str:
        """Return the world with names in place of numbers."""
        return told(self.lab, containers, self.do("get"))

    # --- foreign hands ---

    def container(self, name: str) -> None:
        """Make a container; one of that name is gone."""
        self.remove(name)
        self._spaces[name] = self.lab.container(name)

    def remove(self, name: str) -> None:
        """End a container, and wait until the kernel has taken its links."""
        if name not in self._spaces:
            return
        ends = []
        with suppress(Refused):
            ends = [one["host_link"] for one in self.do("endpoint", name)]
        self.lab.remove(self._spaces.pop(name))
        assert eventually(lambda: not {*ends} & {*self.lab.host.sh("ls /sys/class/net").split()}), ends

    def flush(self) -> None:
        """Flush the whole ruleset."""
        self.lab.host.run("nft", "flush", "ruleset")

    def delete(self, link: str) -> None:
        """Delete a link, if it is there."""
        self.lab.host.result("ip", "link", "delete", link)

    def reboot(self) -> None:
        """Restart the host: no container is back, and none of its processes."""
        self.close()
        self._spaces.clear()
        self.lab.reboot()
        self._resident = Resident(self.lab.host.enter, self.lab.env)


Ground = MemoryGround | LabGround
