"""A conversation with one DHCP machine: events in, effects out, at whatever time a test likes.

The rule of this file: no socket, no clock; the server's half is what the test says it is.
"""

from __future__ import annotations

from typing import Any

from containernet.model import identity
from containernet.model.lease import Lease
from containernet.services.dhcp4 import message
from containernet.services.dhcp4.machine import Machine
from containernet.services.dhcp4.message import Message, decode
from containernet.services.dhcp4.words import Effect, Send, Setup
from kit.talk import Conversation

MAC = bytes.fromhex("0242ac110002")
OTHER_MAC = bytes.fromhex("0242ac1100ff")
SERVER, OTHER_SERVER = "192.0.2.1", "192.0.2.2"
ADDRESS, OTHER_ADDRESS = "192.0.2.50", "192.0.2.51"
CLIENT_ID = identity.from_uuid(bytes(range(16)), identity.iaid("lan", "c1"))
GIVEN = {"yiaddr": ADDRESS, "server": SERVER, "seconds": 3600, "prefix": 24, "routers": (SERVER,)}


def lease(**changes: Any) -> Lease:
    """Return a lease as it was kept from before."""
    fields: dict[str, Any] = {
        "address": ADDRESS, "prefix": 24, "server": SERVER, "client_id": CLIENT_ID.hex(),
        "began": 0.0, "seconds": 3600, "t1": 1800.0, "t2": 3150.0,
    }  # fmt: skip
    return Lease(**{**fields, **changes})


class Talk(Conversation):
    """A conversation in the messages of DHCPv4."""

    def __init__(self, seed: int = 7, **setup: Any) -> None:
        super().__init__(seed)
        fields = {"mac": MAC, "client_id": CLIENT_ID, "hostname": "c1", "probe": "off", **setup}
        self.setup = Setup(**fields)
        self.machine: Machine = Machine(self.setup, self.chance)

    def probed(self, owner: bytes = b"") -> list[Effect]:
        return self.note(self.machine.probed(owner, self.now))

    def decode(self, data: bytes) -> Message:
        return decode(data)

    def take(self, reply: Message) -> list[Effect]:
        return self.note(self.machine.received(reply, self.now))

    def reply(self, kind: int, **fields: Any) -> list[Effect]:
        """Have a server answer what the client sent last, with fields that make it a usable answer."""
        asked = self.last()
        given: dict[str, Any] = {"op": message.REPLY_OP, "kind": kind, "xid": asked.xid, "chaddr": asked.chaddr}
        given.update(GIVEN if kind != message.NAK else {"server": SERVER})
        given.update(fields)
        return self.take(Message(**given))

    def bound(self, **fields: Any) -> Lease:
        """Lead the client to a lease."""
        self.start()
        self.reply(message.OFFER, **fields)
        self.reply(message.ACK, **fields)
        if self.setup.probe != "off":
            self.probed()
        return self.held()

    def sends(self) -> list[tuple[float, Send, Message]]:
        """Return every message that was sent, with its time."""
        return [(when, one, decode(one.payload)) for when, one in self.every if isinstance(one, Send)]

    def last(self) -> Message:
        """Return the last message that was sent."""
        return self.sends()[-1][2]
