"""Ports as people write them: ``80``, ``8000-8010``, ``[EXT-IP:]EXT[-EXT]:INT[-INT][/tcp|udp|sctp]``.

The rule of this file: it reads and refuses; it does not know what is taken.
"""

from __future__ import annotations

from containernet.model.address import canonical
from containernet.model.errors import Usage
from containernet.model.names import shown
from containernet.model.network import PROTOCOLS
from containernet.model.record import record

HIGHEST = 65535
_HINT = "Ports are whole numbers from 1 to 65535; a range is written FIRST-LAST."
_MAPPING_HINT = "Write it as 8080:80, 8000-8010:80-90/udp, 192.0.2.1:8080:80 or [2001:db8::1]:8080:80."


@record
class Wanted:
    """A port mapping that is asked for; ``external_first`` 0: any free port."""

    protocol: str
    external_address: str
    external_first: int
    external_last: int
    internal_first: int
    remotes: tuple[str, ...] = ()


def port_range(text: str) -> tuple[int, int]:
    """Return the first and last port of ``N`` or ``N-M``; raise :class:`Usage` if it is neither."""
    numbers = [_port(part, text) for part in text.split("-", 1)]
    if numbers[0] > numbers[-1]:
        raise Usage("port-invalid", f"The range {shown(text)} is the wrong way round.", _HINT)
    return numbers[0], numbers[-1]


def _port(part: str, text: str) -> int:
    number = int(part) if part.isascii() and part.isdigit() and len(part) < 6 else 0
    if not 1 <= number <= HIGHEST:
        raise Usage("port-invalid", f"{shown(text)} is not a port or a range of ports.", _HINT)
    return number


def protocol(text: str) -> str:
    """Return a protocol's name in small letters; raise :class:`Usage` if it has no ports."""
    if text.lower() not in PROTOCOLS:
        raise Usage("protocol-invalid", f"{shown(text)} is not tcp, udp or sctp.", "Only these have ports to open.")
    return text.lower()


def wanted(kind: str, address: str, external: str, internal: str, remotes: tuple[str, ...] = ()) -> Wanted:
    """Return the mapping that these texts ask for; raise :class:`Usage` if they make no sense together."""
    inside = port_range(internal)
    outside = port_range(external) if external else (0, inside[1] - inside[0])
    size = outside[1] - outside[0] + 1
    if inside[0] != inside[1] and inside[1] - inside[0] + 1 != size:
        raise Usage(
            "port-sizes", f"{shown(external)} and {shown(internal)} are not equally many ports.",
            "Give the first internal port alone, or a range as long as the external one.",
        )  # fmt: skip
    if inside[0] + size - 1 > HIGHEST:
        raise Usage("port-invalid", f"{size} ports from {inside[0]} on go beyond port {HIGHEST}.", _HINT)
    return Wanted(protocol(kind), external_address(address), outside[0], outside[1], inside[0], remotes)


def external_address(text: str) -> str:
    """Return an address that ports may be opened on, "" for all; raise :class:`Usage` for one that cannot work."""
    if not text:
        return ""
    address = canonical(text)
    if address in ("0.0.0.0", "::"):
        raise Usage(
            "address-any", f"{address} is no single address.", "Leave it out to open the port on all addresses."
        )
    if address.startswith("127.") or address == "::1":
        raise Usage(
            "address-loopback", f"A port cannot be opened on the loopback address {address}.",
            "That would take route_localnet, which opens this host's own loopback services to the network.",
        )  # fmt: skip
    return address


def publication(text: str) -> Wanted:
    """Return the mapping that ``[EXT-IP:]EXT[-EXT]:INT[-INT][/PROTOCOL]`` asks for; raise :class:`Usage` if none."""
    ports, slash, kind = text.partition("/")
    outside, colon, internal = ports.rpartition(":")
    address, _, external = outside.rpartition(":")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
        colon = colon if address else ""
    elif ":" in address or "[" in address:
        colon = ""
    if not colon or not external or not internal or (slash and not kind) or (outside.startswith(":")):
        raise Usage("publish-invalid", f"{shown(text)} does not say which port leads where.", _MAPPING_HINT)
    return wanted(kind or "tcp", address, external, internal)
