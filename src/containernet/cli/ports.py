"""The range that cmdlets hold external ports to: 50000 to 60000, says the 2015 document.

The rule of this file: only cmdlets are held to it, and only where a port is given. A text that is no port is left
to the API, which says so better.
"""

from __future__ import annotations

from containernet.cli.grammar import Request
from containernet.cli.table import PORT_RANGE
from containernet.model.errors import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.bootstrap import ContainerNet


def hold_to_range(net: ContainerNet, request: Request) -> None:
    """Raise :class:`Usage` if the request opens an external port outside the range."""
    if request.command.verb not in ("open", "join"):
        return
    given = [request.values.get("external_port", ""), *map(external, request.values.get("publish", ()))]
    wanted = [number for text in given for number in numbers(text)]
    if not wanted:
        return
    allowed = net.config_get(PORT_RANGE)
    first, last = (*numbers(allowed), 0, 0)[:2]
    outside = next((port for port in wanted if not first <= port <= last), None)
    if outside is not None:
        hint = f"Pick one from it, or change the setting: cnet config set {PORT_RANGE} FIRST-LAST."
        raise Usage("port-range", f"ExternalPort {outside} is not in the [{allowed}] range.", hint)


def external(mapping: str) -> str:
    """Return the external port or range of ``[EXT-IP:]EXT[-EXT]:INT[-INT][/tcp|udp|sctp]``."""
    return mapping.rpartition(":")[0].rpartition(":")[2]


def numbers(text: str) -> list[int]:
    """Return the numbers of ``N`` or ``N-M``; nothing if it is neither."""
    parts = text.split("-")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        return []
    return [int(part) for part in parts]
