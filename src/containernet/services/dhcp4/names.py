"""Host and domain names in options: checked text, and lists of names (RFC 3397, RFC 1035 section 4.1.4).

The rule of this file: a name that came off the wire ends up in resolv.conf, so it is letters, digits, '-', '_' and
dots, or it is nothing. A compression pointer goes back, never on or round.
"""

from __future__ import annotations

from containernet.model.names import DIGITS, LETTERS
from containernet.services.dhcp4.malformed import Malformed

LONGEST, LONGEST_LABEL = 253, 63  # characters of a name and of a label (RFC 1035, section 2.3.4)
_INSIDE = LETTERS | DIGITS | frozenset("-_")


def proper(text: str) -> str:
    """Return a name without its last dot, or "" if it is not one."""
    name = text.removesuffix(".")
    labels = name.split(".")
    fine = all(0 < len(label) <= LONGEST_LABEL and _INSIDE.issuperset(label) for label in labels)
    return name if fine and len(name) <= LONGEST and not name.startswith("-") else ""


def from_bytes(raw: bytes) -> str:
    """Return the name in an option that holds one as text (RFC 2132, sections 3.14 and 3.17), or ""."""
    return proper(raw.rstrip(b"\0").decode("latin-1"))


def pack_list(names: tuple[str, ...]) -> bytes:
    """Return names one after another, not compressed."""
    return b"".join(_pack(name) for name in names)


def _pack(name: str) -> bytes:
    return b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"


def unpack_list(data: bytes) -> tuple[str, ...]:
    """Return the names in a list, each once, without those that are not proper."""
    found: list[str] = []
    offset = 0
    while offset < len(data):
        labels, offset = _unpack(data, offset)
        name = proper(".".join(labels))
        if name and name not in found:
            found.append(name)
    return tuple(found)


def _unpack(data: bytes, offset: int) -> tuple[list[str], int]:
    """Return the labels of the name that begins at ``offset``, and where the next one begins."""
    labels: list[str] = []
    after, limit, size = 0, offset, 0
    while True:
        length = _byte(data, offset)
        if length >= 0xC0:  # a pointer: it must lead before all that was read of this name
            after = after or offset + 2
            offset = (length & 0x3F) << 8 | _byte(data, offset + 1)
            if offset >= limit:
                raise Malformed("a compressed name goes round")
            limit = offset
        elif length > LONGEST_LABEL:
            raise Malformed("a label has a kind that is not known")
        elif not length:
            return labels, after or offset + 1
        else:
            labels.append(_label(data, offset + 1, length))
            offset += length + 1
            if (size := size + length + 1) > LONGEST + 1:
                raise Malformed("a name is too long")


def _byte(data: bytes, offset: int) -> int:
    if offset >= len(data):
        raise Malformed("a name is cut off")
    return data[offset]


def _label(data: bytes, offset: int, length: int) -> str:
    if offset + length > len(data):
        raise Malformed("a label is cut off")
    return data[offset : offset + length].decode("latin-1").replace(".", "\0")  # a dot inside makes it improper
