"""The elements of our sets and maps, by raw nfnetlink (linux/netfilter/nf_tables.h, nfnetlink.h).

The rule of this file: the few messages that carry elements; one call of ``change`` is one transaction of the kernel.
Every element of a set is equally long, so that a refusal's offset names the element.
"""

from __future__ import annotations

from errno import EEXIST, ENOENT, EOPNOTSUPP

from containernet.kernel.codec import Codec, parts
from containernet.kernel.door import ABSENT, EXISTS, OTHER, KernelError
from containernet.kernel.netlink import (
    ACK,
    CREATE,
    Netlink,
    Refused,
    attributes,
    listed,
    nest,
    text,
)
from containernet.plan.objects import TABLE, Element

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Chunk = tuple[int, Codec, list[Element], list[bytes]]  # message type, set, elements, the same packed

SUBSYSTEM = 10 << 8  # NFNL_SUBSYS_NFTABLES
BEGIN, END = 0x10, 0x11  # NFNL_MSG_BATCH_*
NEWSETELEM, GETSETELEM, DELSETELEM = SUBSYSTEM | 12, SUBSYSTEM | 13, SUBSYSTEM | 14
INET = b"\1\0\0\0"  # struct nfgenmsg: NFPROTO_INET, version, resource id
_BATCH = b"\0\0\0\x0a"  # the resource id of a batch is its subsystem
_TABLE, _SET, _ELEMENTS = 1, 2, 3  # NFTA_SET_ELEM_LIST_*
_MOST = 60_000  # bytes in one attribute, of 65,535
_AT_ONCE = 512  # questions in one send
_ANSWER = 8192  # what one waiting answer takes of a receive buffer


class Sets:
    """Change and read elements through one nfnetlink socket."""

    def __init__(self, socket: Netlink) -> None:
        self._socket = socket
        self._codecs: dict[str, Codec] = {}

    def codec(self, name: str) -> Codec:
        """Return the codec of a set."""
        if name not in self._codecs:
            self._codecs[name] = Codec(name)
        return self._codecs[name]

    def change(self, add: Iterable[Element], remove: Iterable[Element]) -> None:
        """Remove and add elements, all of them or none."""
        chunks = self._chunks(remove, DELSETELEM) + self._chunks(add, NEWSETELEM)
        if not chunks:
            return
        messages = [
            (kind, CREATE if kind == NEWSETELEM else 0, self._list(codec, packed)) for kind, codec, _, packed in chunks
        ]
        messages[-1] = (messages[-1][0], messages[-1][1] | ACK, messages[-1][2])
        first = self._socket.send([(BEGIN, 0, _BATCH), *messages, (END, 0, _BATCH)])
        answers = [refusal for _, _, refusal in self._socket.answers(first)]
        refusal = next((answer for answer in answers if answer), None)
        if refusal:
            raise self._explained(refusal, chunks)
        if not answers:
            raise KernelError(OTHER, "The kernel did not answer a change of elements.")

    def _chunks(self, elements: Iterable[Element], kind: int) -> list[Chunk]:
        """Return the elements by set, in pieces that fit into one attribute."""
        by_set: dict[str, list[Element]] = {}
        for element in elements:
            by_set.setdefault(element.set, []).append(element)
        chunks = []
        for name, members in by_set.items():
            codec, with_data = self.codec(name), kind == NEWSETELEM
            step = _MOST // codec.size(with_data)
            for start in range(0, len(members), step):
                piece = members[start : start + step]
                chunks.append((kind, codec, piece, [codec.pack(element, with_data) for element in piece]))
        return chunks

    @staticmethod
    def _list(codec: Codec, packed: list[bytes]) -> bytes:
        return INET + text(_TABLE, TABLE) + text(_SET, codec.name) + nest(_ELEMENTS, *packed)

    def _explained(self, refusal: Refused, chunks: list[Chunk]) -> KernelError | Refused:
        """Say which element the kernel refused."""
        if not 1 <= refusal.message <= len(chunks):
            return refusal
        kind, codec, elements, packed = chunks[refusal.message - 1]
        before = 16 + len(self._list(codec, []))  # the message up to its first element
        if refusal.offset < before - 4:
            what = f"table inet {TABLE}" if refusal.offset == 20 else f"set {codec.name}"
            return KernelError(ABSENT, f"There is no {what}.") if refusal.errno == ENOENT else refusal
        which = elements[min((refusal.offset - before) // len(packed[0]), len(elements) - 1)]
        key = " . ".join(map(str, which.key))
        if refusal.errno == ENOENT and kind == DELSETELEM:
            return KernelError(ABSENT, f"There is no element {key} in {codec.name}.")
        if refusal.errno == EEXIST:
            return KernelError(EXISTS, f"The element {key} of {codec.name} leads elsewhere already.")
        refusal.detail = refusal.detail or f"element {key} of {codec.name}"
        return refusal

    def missing(self, elements: Iterable[Element]) -> list[Element]:
        """Return those that are not there exactly so; asks for each of them."""
        wanted, missing = list(elements), []
        for start in range(0, len(wanted), _AT_ONCE):
            missing += self._missing(wanted[start : start + _AT_ONCE])
        return missing

    def _missing(self, wanted: list[Element]) -> list[Element]:
        self._socket.room(len(wanted) * _ANSWER)
        first = self._socket.send([(GETSETELEM, 0, self._question(one)) for one in wanted])
        there = set()
        for index, body, refusal in self._socket.answers(first):
            if refusal and refusal.errno not in (ENOENT, EOPNOTSUPP):
                raise refusal
            if not refusal and self._same(wanted[index], body):
                there.add(index)
        return [element for index, element in enumerate(wanted) if index not in there]

    def _question(self, element: Element) -> bytes:
        codec = self.codec(element.set)
        return self._list(codec, [codec.pack(element, False)])

    def _same(self, element: Element, body: bytes) -> bool:
        codec, found = self.codec(element.set), listed(attributes(body, 4).get(_ELEMENTS, b""))
        first, last = codec.keys(element)
        return len(found) == 1 and parts(found[0]) == (first, last, codec.data(element))

    def read(self, name: str) -> list[Element]:
        """Return all elements of a set; none if there is no such set."""
        unpack = self.codec(name).unpack
        return [unpack(raw) for raw in self.raw(name)]

    def raw(self, name: str) -> list[bytes]:
        """Return the undecoded elements of a set."""
        try:
            bodies = self._socket.dump(GETSETELEM, INET + text(_TABLE, TABLE) + text(_SET, name))
        except Refused as refusal:
            if refusal.errno == ENOENT:
                return []
            raise
        return [raw for body in bodies for raw in listed(attributes(body, 4).get(_ELEMENTS, b""))]
