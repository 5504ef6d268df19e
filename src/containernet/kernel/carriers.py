"""Hearing of carriers: that a link of the host has lost its, or has it again (operstates.rst, IFF_LOWER_UP).

The rule of this file: a change is told once, by the link's name, and what is told last is so now; what it means, others
know. Of a link that was without its carrier for a moment both is told, of one that had it for a moment only the loss.
"""

from __future__ import annotations

from containernet.kernel.links import DELLINK, NEWLINK
from containernet.kernel.netlink import ROUTE, attributes, number, string
from containernet.kernel.watch import EVERYTHING, LINKS, Message, Multicast, links

LOST, BACK = "-", "+"  # what the news about a link begins with
LOWER_UP = 1 << 16  # IFF_LOWER_UP
AF_BRIDGE, IFNAME = 7, 3


class Carriers(Multicast):
    """Carriers of the host's own links."""

    def __init__(self) -> None:
        super().__init__(ROUTE, (LINKS,))
        self._known: dict[str, bool] = {}
        self._missed: set[str] = set()
        self._again()

    def news(self, most: int = 64) -> set[str]:
        """Return what has happened, by at most so many datagrams; never waits."""
        found = (super().news(most) | self._missed) - {EVERYTHING}
        self._missed.clear()
        return {one for one in found if one[0] == LOST or self._known.get(one[1:], True)}

    def _again(self) -> None:
        """Look at all links; what has changed meanwhile is news."""
        before, self._known = self._known, {}
        for one in links():
            self._concern(one)
        self._missed |= {_said(name, has) for name, has in self._known.items() if before.get(name, has) != has}

    def _concern(self, message: Message) -> str:
        if message.kind not in (NEWLINK, DELLINK) or message.body[0] == AF_BRIDGE:
            return ""
        name = string(attributes(message.body, 16).get(IFNAME, b""))
        if message.kind == DELLINK:
            self._known.pop(name, None)
            return ""
        has = bool(number(message.body[8:12]) & LOWER_UP)
        before = self._known.get(name, has)
        self._known[name] = has
        return "" if before == has else _said(name, has)


def _said(name: str, has: bool) -> str:
    return f"{BACK if has else LOST}{name}"
