"""A conversation with one DHCP machine: events in, effects out, at whatever time a test likes.

The rule of this file: no socket, no clock; the server's half is what the test says it is.
"""

from __future__ import annotations

import random
from math import inf
from typing import Any

from containernet.model import identity
from containernet.model.lease import Lease
from containernet.services.dhcp4 import message, words
from containernet.services.dhcp4.machine import Machine
from containernet.services.dhcp4.message import Message, decode
from containernet.services.dhcp4.words import Effect, Send, Setup

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


class Talk:
    """One client and the test that talks to it. ``heard`` is all that it did since the last event."""

    def __init__(self, seed: int = 7, **setup: Any) -> None:
        fields = {"mac": MAC, "client_id": CLIENT_ID, "hostname": "c1", "probe": "off", **setup}
        self.setup = Setup(**fields)
        self.machine = Machine(self.setup, random.Random(seed).random)
        self.now = 1000.0
        self.wait = inf
        self.heard: list[Effect] = []
        self.every: list[tuple[float, Effect]] = []

    def note(self, effects: tuple[Effect, ...]) -> list[Effect]:
        """Take note of the effects of an event; returns those that are not about time."""
        for effect in effects:
            if isinstance(effect, words.Wait):
                self.wait = effect.until
        self.heard = [effect for effect in effects if not isinstance(effect, words.Wait)]
        self.every += [(self.now, effect) for effect in self.heard]
        return self.heard

    # --- events ---

    def start(self) -> list[Effect]:
        return self.note(self.machine.start(self.now))

    def restart(self, kept: Lease, *, configured: bool = False) -> list[Effect]:
        return self.note(self.machine.restart(kept, self.now, configured=configured))

    def probed(self, owner: bytes = b"") -> list[Effect]:
        return self.note(self.machine.probed(owner, self.now))

    def link(self, up: bool) -> list[Effect]:
        return self.note(self.machine.link(up, self.now))

    def renew(self) -> list[Effect]:
        return self.note(self.machine.renew(self.now))

    def release(self) -> list[Effect]:
        return self.note(self.machine.release(self.now))

    def stop(self) -> list[Effect]:
        return self.note(self.machine.stop(self.now))

    def reply(self, kind: int, **fields: Any) -> list[Effect]:
        """Have a server answer what the client sent last, with fields that make it a usable answer."""
        asked = self.last()
        given: dict[str, Any] = {"op": message.REPLY_OP, "kind": kind, "xid": asked.xid, "chaddr": asked.chaddr}
        given.update(GIVEN if kind != message.NAK else {"server": SERVER})
        given.update(fields)
        return self.note(self.machine.received(Message(**given), self.now))

    def go(self) -> list[Effect]:
        """Let the time come for which the client waits."""
        assert self.wait != inf, "it waits for nothing"
        self.now = max(self.now, self.wait)
        return self.note(self.machine.timer(self.now))

    def until(self, moment: float) -> list[Effect]:
        """Let time pass, and everything that comes due in it; returns all that was done."""
        first = len(self.every)
        while self.wait <= moment:
            self.go()
        self.now = moment
        return [effect for _, effect in self.every[first:]]

    def bound(self, **fields: Any) -> Lease:
        """Lead the client to a lease."""
        self.start()
        self.reply(message.OFFER, **fields)
        self.reply(message.ACK, **fields)
        if self.setup.probe != "off":
            self.probed()
        assert self.machine.name == "BOUND"
        held = self.machine.lease
        assert held
        return held

    # --- what it did ---

    def sends(self) -> list[tuple[float, Send, Message]]:
        """Return every message that was sent, with its time."""
        return [(when, one, decode(one.payload)) for when, one in self.every if isinstance(one, Send)]

    def last(self) -> Message:
        """Return the last message that was sent."""
        return self.sends()[-1][2]

    def did(self, *kinds: type) -> list[Any]:
        """Return the effects of some kinds since the last event."""
        return [effect for effect in self.heard if isinstance(effect, kinds)]

    def names(self) -> list[str]:
        """Return the names of the effects since the last event, what was told aside."""
        return [type(effect).__name__ for effect in self.heard if not isinstance(effect, words.Tell)]

    def told(self) -> str:
        """Return all that was said since the last event."""
        return "\n".join(effect.sentence for effect in self.did(words.Tell))
