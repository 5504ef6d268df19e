"""A conversation with one DHCPv6 machine: events in, effects out, at whatever time a test likes.

The rule of this file: no socket, no clock; the server's half is what the test says it is.
"""

from __future__ import annotations

from typing import Any

from containernet.model.lease import Lease
from containernet.services.dhcp4.words import Effect, Send
from containernet.services.dhcp6.machine import Machine
from containernet.services.dhcp6.message import ADVERTISE, REPLY, Message, decode
from containernet.services.dhcp6.options import Association, Offered, Status
from containernet.services.dhcp6.words import Setup6
from kit.talk import Conversation

MAC = bytes.fromhex("0242ac110002")
DUID = b"\0\4" + bytes(range(16))
SERVER, OTHER_SERVER = bytes.fromhex("000300010242ac110001"), bytes.fromhex("000300010242ac1100ff")
ADDRESS, OTHER_ADDRESS = "2001:db8:51::100", "2001:db8:51::101"
IAID = 7


def lease(**changes: Any) -> Lease:
    """Return a lease as it was kept from before."""
    fields: dict[str, Any] = {
        "address": ADDRESS, "prefix": 128, "server": SERVER.hex(), "client_id": DUID.hex(), "family": 6,
        "began": 0.0, "seconds": 3600, "t1": 900.0, "t2": 1440.0, "preferred": 1800,
    }  # fmt: skip
    return Lease(**{**fields, **changes})


def given(
    address: str = ADDRESS, preferred: int = 1800, valid: int = 3600, *, t1: int = 900, t2: int = 1440, iaid: int = IAID
) -> tuple[Association]:
    """Return an association with an address; "" for none."""
    return (Association(iaid, t1, t2, (Offered(address, preferred, valid),) if address else ()),)


def denied(code: int, text: str = "") -> tuple[Association]:
    """Return an association with a status instead of an address."""
    return (Association(IAID, status=Status(code, text)),)


class Talk6(Conversation):
    """A conversation in the messages of DHCPv6."""

    def __init__(self, seed: int = 7, **setup: Any) -> None:
        super().__init__(seed)
        fields = {"mac": MAC, "duid": DUID, "iaid": IAID, "hostname": "c1", "rapid": False, **setup}
        self.setup = Setup6(**fields)
        self.machine: Machine = Machine(self.setup, self.chance)

    def duplicate(self) -> list[Effect]:
        return self.note(self.machine.duplicate(self.now))

    def decode(self, data: bytes) -> Message:
        return decode(data)

    def take(self, reply: Message) -> list[Effect]:
        return self.note(self.machine.received(reply, self.now))

    def reply(self, kind: int, **fields: Any) -> list[Effect]:
        """Have a server answer what the client sent last, with fields that make it a usable answer."""
        whole = {"kind": kind, "xid": self.last().xid, "client": DUID, "server": SERVER, "associations": given()}
        return self.take(Message(**{**whole, **fields}))

    def bound(self, **fields: Any) -> Lease:
        """Lead the client to a lease."""
        self.start()
        self.reply(ADVERTISE, preference=255, **fields)
        self.reply(REPLY, **fields)
        return self.held()

    def sends(self) -> list[tuple[float, Message]]:
        """Return every message that was sent, with its time."""
        return [(when, decode(one.payload)) for when, one in self.every if isinstance(one, Send)]

    def kinds(self) -> list[int]:
        """Return the kinds of the messages that were sent since the last event."""
        return [decode(one.payload).kind for one in self.did(Send)]

    def last(self) -> Message:
        """Return the last message that was sent."""
        return self.sends()[-1][1]
