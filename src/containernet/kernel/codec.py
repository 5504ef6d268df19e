"""One element of a set or map as the kernel writes it (linux/netfilter/nf_tables.h, NFTA_SET_ELEM_*).

The rule of this file: pure, bytes and values; the types are those of ``plan/ruleset.py``. Concatenated fields are
padded to four bytes each; a set with intervals has a key and a key's end; every element of a set is equally long.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from containernet.kernel.netlink import ATTRIBUTE, NESTED, attributes
from containernet.plan.objects import Element
from containernet.plan.ruleset import SETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Field = str | int
    Packer = tuple[int, Callable[[Field], bytes], Callable[[bytes], Field]]  # size, to bytes, from bytes

_KEY, _DATA, _KEY_END = 1, 2, 10  # NFTA_SET_ELEM_*
_VALUE, _LIST_ELEM = 1, 1  # NFTA_DATA_VALUE, NFTA_LIST_ELEM

_NUMBERS = {"tcp": 6, "udp": 17, "sctp": 132}
_NAMES = {6: "tcp", 17: "udp", 132: "sctp"}


def _pack_port(port: Field) -> bytes:
    return int(port).to_bytes(2, "big") + b"\0\0"


def _pack_protocol(name: Field) -> bytes:
    return bytes((_NUMBERS[str(name)], 0, 0, 0))


def _pack_name(name: Field) -> bytes:
    return str(name).encode().ljust(16, b"\0")


_PACKERS: dict[str, Packer] = {
    "ifname": (16, _pack_name, lambda raw: raw.rstrip(b"\0").decode(errors="replace")),
    "inet_proto": (4, _pack_protocol, lambda raw: _NAMES.get(raw[0], str(raw[0]))),
    "inet_service": (4, _pack_port, lambda raw: raw[0] << 8 | raw[1]),
    "ipv4_addr": (4, lambda text: inet_pton(AF_INET, str(text)), lambda raw: inet_ntop(AF_INET, raw)),
    "ipv6_addr": (16, lambda text: inet_pton(AF_INET6, str(text)), lambda raw: inet_ntop(AF_INET6, raw)),
}


class Codec:
    """Elements of one set to bytes and back."""

    def __init__(self, name: str) -> None:
        self.name = name
        key, data = SETS[name]
        self.interval = any(kind.endswith("/interval") for kind in key)
        self._key = [_PACKERS[kind.removesuffix("/interval")] for kind in key]
        self._data = [_PACKERS[kind] for kind in data]
        self._ends = [kind.endswith("/interval") for kind in key]
        self._key_slices, self._key_size = self._slices(self._key)
        self._data_slices, self._data_size = self._slices(self._data)
        size = 4 + 8 + self._key_size + (8 + self._key_size if self.interval else 0)
        self._heads = (self._head(size), self._head(size + 8 + self._data_size))
        self._sizes = (size, size + 8 + self._data_size)
        self._middle = self._value(_KEY_END, self._key_size)
        self._tail = self._value(_DATA, self._data_size)

    @staticmethod
    def _slices(fields: list[Packer]) -> tuple[list[tuple[slice, Callable[[bytes], Field]]], int]:
        found: list[tuple[slice, Callable[[bytes], Field]]] = []
        offset = 0
        for size, _, read in fields:
            found.append((slice(offset, offset + size), read))
            offset += size
        return found, offset

    @staticmethod
    def _value(kind: int, size: int) -> bytes:
        return ATTRIBUTE.pack(size + 8, kind | NESTED) + ATTRIBUTE.pack(size + 4, _VALUE)

    def _head(self, size: int) -> bytes:
        return ATTRIBUTE.pack(size, _LIST_ELEM | NESTED) + self._value(_KEY, self._key_size)

    def size(self, with_data: bool) -> int:
        """Return how many bytes an element takes."""
        return self._sizes[with_data and bool(self._data)]

    def keys(self, element: Element) -> tuple[bytes, bytes]:
        """Return an element's key and, in a set with intervals, its key's end."""
        if not self.interval:
            return b"".join([pack(field) for (_, pack, _), field in zip(self._key, element.key, strict=True)]), b""
        first, last = b"", b""
        for (size, pack, _), field, ends in zip(self._key, element.key, self._ends, strict=True):
            low, high = _interval(str(field), size, pack) if ends else (pack(field), pack(field))
            first, last = first + low, last + high
        return first, last

    def data(self, element: Element) -> bytes:
        """Return the bytes of an element's data."""
        return b"".join([pack(field) for (_, pack, _), field in zip(self._data, element.data, strict=True)])

    def pack(self, element: Element, with_data: bool) -> bytes:
        """Return an element as the kernel takes it; a key alone finds and deletes it."""
        first, last = self.keys(element)
        with_data = with_data and bool(self._data)
        packed = self._heads[with_data] + first + (self._middle + last if self.interval else b"")
        return packed + self._tail + self.data(element) if with_data else packed

    def unpack(self, raw: bytes) -> Element:
        """Return the element in the kernel's answer."""
        first, last, data = parts(raw)
        key = [read(first[where]) for where, read in self._key_slices]
        for position, ends in enumerate(self._ends):
            if ends:
                where = self._key_slices[position][0]
                key[position] = f"{key[position]}/{_length(first[where], (last or first)[where])}"
        return Element(self.name, tuple(key), tuple([read(data[where]) for where, read in self._data_slices]))


def _interval(prefix: str, size: int, pack: Callable[[Field], bytes]) -> tuple[bytes, bytes]:
    address, _, length = prefix.partition("/")
    rest = size * 8 - int(length or size * 8)
    low = int.from_bytes(pack(address), "big") >> rest << rest
    return low.to_bytes(size, "big"), (low | (1 << rest) - 1).to_bytes(size, "big")


def _length(first: bytes, last: bytes) -> int:
    return len(first) * 8 - (int.from_bytes(first, "big") ^ int.from_bytes(last, "big")).bit_length()


def parts(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Return (key, key's end, data) of an element in the kernel's answer."""
    has = attributes(raw)
    return has.get(_KEY, b"")[4:], has.get(_KEY_END, b"")[4:], has.get(_DATA, b"")[4:]
