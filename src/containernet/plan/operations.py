"""What can be done to the kernel: a closed list of operations, each with its inverse.

The rule of this file: an operation is data. The kernel's door does it, the journal keeps it, ``plan/text.py`` prints it
as the line that a person would type; nothing else exists that changes the kernel.
"""

from __future__ import annotations

from containernet.model.network import Place
from containernet.model.record import record
from containernet.plan.objects import Element, Object


@record
class Add:
    """Make an object that is not there; if it is there, the kernel refuses."""

    object: Object

    @property
    def inverse(self) -> Operation:
        return Remove(self.object)


@record
class Remove:
    """Take away an object that is there."""

    object: Object

    @property
    def inverse(self) -> Operation:
        return Add(self.object)


@record
class Change:
    """Bring an object from one state to another, in place; both have the same identity."""

    before: Object
    after: Object

    @property
    def inverse(self) -> Operation:
        return Change(self.after, self.before)


@record
class Elements:
    """Remove and add elements of our table in one transaction of the kernel: all of them or none."""

    add: tuple[Element, ...] = ()
    remove: tuple[Element, ...] = ()

    @property
    def inverse(self) -> Operation:
        return Elements(add=self.remove, remove=self.add)


@record
class Cut:
    """Forget tracked connections, so that what a rule no longer allows ends at once (conntrack(8), -D).

    A connection is cut if all that is given fits: its protocol, its original source or destination address, its
    original destination port, the address that answers (the container's, behind a port mapping), whether it goes to
    the host itself. Has no inverse: a
    forgotten connection that is still allowed is tracked again with its next packet.
    """

    family: int  # 4 or 6
    protocol: str = ""  # "": any
    source: str = ""
    destination: str = ""
    ports: tuple[int, int] = (0, 65535)  # original destination ports, both included
    answers: str = ""
    local: bool = False  # only connections to the host itself

    @property
    def inverse(self) -> Operation | None:
        return None


@record
class Announce:
    """Tell the link's neighbours which MAC has the addresses: gratuitous ARP (RFC 5227), unsolicited NA (RFC 4861)."""

    place: Place
    link: str
    mac: str
    addresses: tuple[str, ...]

    @property
    def inverse(self) -> Operation | None:
        return None


Operation = Add | Remove | Change | Elements | Cut | Announce
