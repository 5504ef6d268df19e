"""Hearing of carriers: that a link of the host has lost its, or has it again (operstates.rst, IFF_LOWER_UP).

The rule of this file: a change is told once, by the link's name; what that means, others know.
"""

from __future__ import annotations

from containernet.kernel.links import NEWLINK
from containernet.kernel.netlink import ROUTE, attributes, number, string
from containernet.kernel.watch import LINKS, Message, Multicast, links

LOST, BACK = "-", "+"  # what the news about a link begins with
LOWER_UP = 1 << 16  # IFF_LOWER_UP
AF_BRIDGE, IFNAME = 7, 3


class Carriers(Multicast):
    """Carriers of the host's own links."""

    def __init__(self) -> None:
        super().__init__(ROUTE, (LINKS,))
        self._known: dict[str, bool] = {}
        self._again()

    def _again(self) -> None:
        self._known.clear()
        for one in links():
            self._concern(one)

    def _concern(self, message: Message) -> str:
        if message.kind != NEWLINK or message.body[0] == AF_BRIDGE:
            return ""
        name = string(attributes(message.body, 16).get(IFNAME, b""))
        has = bool(number(message.body[8:12]) & LOWER_UP)
        before = self._known.get(name, has)
        self._known[name] = has
        return "" if before == has else f"{BACK if has else LOST}{name}"
