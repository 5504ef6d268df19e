"""Files of containers in a kernel in memory: ours are objects; what others put in their place is text.

The rule of this file: as ``resolv``: what is not ours is moved aside, once, and back, and never lost. Files outlive a
restart of the host.
"""

from __future__ import annotations

from containernet.kernel.door import ABSENT, EXISTS, KernelError
from containernet.kernel.fake_world import FakeWorld
from containernet.model.record import replace
from containernet.plan.objects import Resolver


class FakeResolvers(FakeWorld):
    """What is in /etc/netns."""

    def __init__(self, boot: str = "00000000-0000-0000-0000-000000000001") -> None:
        super().__init__(boot)
        self.files: dict[str, str] = {}  # resolv.conf of others, by the name of the container
        self.aside: dict[str, str] = {}  # what ours stand in the place of

    def put_file(self, name: str, text: str) -> None:
        """Have somebody write a file of his own, over ours if there is one."""
        self.objects.pop(("resolver", name), None)
        self.files[name] = text

    def delete_file(self, name: str) -> None:
        """Have somebody delete a file, whosever it is."""
        self.objects.pop(("resolver", name), None)
        self.files.pop(name, None)

    def edit_file(self, name: str) -> None:
        """Have somebody change a file of ours."""
        found = self.objects["resolver", name]
        assert isinstance(found, Resolver)
        self.objects[found.identity] = replace(found, servers=(), search=())

    def reboot(self) -> None:
        """Lose everything but files."""
        kept = {key: one for key, one in self.objects.items() if isinstance(one, Resolver)}
        super().reboot()
        self.objects.update(kept)

    def _traces(self) -> set[Resolver]:
        """Return what is left of files of ours that somebody has deleted."""
        gone = (name for name in self.aside if name not in self.files and ("resolver", name) not in self.objects)
        return {Resolver(name, (), (), 0) for name in gone}

    def _allow_resolver(self, thing: Resolver) -> None:
        """Move what is in the way aside."""
        if thing.name in self.files:
            if thing.name in self.aside:
                raise KernelError(EXISTS, f"The file {thing.path} is somebody else's, and so is {thing.former}.")
            self.aside[thing.name] = self.files.pop(thing.name)

    def _change_resolver(self, thing: Resolver) -> None:
        found = self.objects.get(thing.identity)
        if found is None and thing.name not in {*self.files, *self.aside}:
            raise KernelError(ABSENT, f"There is no file {thing.path}.")
        if isinstance(found, Resolver) and found.mark != thing.mark:
            raise KernelError(EXISTS, f"The file {thing.path} is of another store.")
        self._allow_resolver(thing)
        self.objects[thing.identity] = thing

    def _take_resolver(self, thing: Resolver) -> None:
        found = self.objects.get(thing.identity)
        ours = isinstance(found, Resolver) and found.mark == thing.mark
        left = found is None and thing.name in self.aside and thing.name not in self.files
        if not ours and not left:
            raise KernelError(ABSENT, f"There is no file of ours at {thing.path}.")
        self.objects.pop(thing.identity, None)
        if thing.name in self.aside:
            self.files[thing.name] = self.aside.pop(thing.name)
