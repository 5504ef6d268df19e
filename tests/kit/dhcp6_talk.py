"""A conversation with one DHCPv6 machine: events in, effects out, at whatever time a test likes.

The rule of this file: no socket, no clock; the server's half is what the test says it is.
"""

from __future__ import annotations

import random
from math import inf
from typing import Any

from containernet.model.lease import Lease
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.words import Effect, Send
from containernet.services.dhcp6.machine import Machine
from containernet.services.dhcp6.message import ADVERTISE, REPLY, Message, decode
from containernet.services.dhcp6.options import Association, Offered, Status
from containernet.services.dhcp6.words import Setup6

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


class Talk6:
    """One client and the test that talks to it. ``heard`` is all that it did since the last event."""

    def __init__(self, seed: int = 7, **setup: Any) -> None:
        fields = {"mac": MAC, "duid": DUID, "iaid": IAID, "hostname": "c1", "rapid": False, **setup}
        self.setup = Setup6(**fields)
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

    def duplicate(self) -> list[Effect]:
        return self.note(self.machine.duplicate(self.now))

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
        whole = {"kind": kind, "xid": self.last().xid, "client": DUID, "server": SERVER, "associations": given()}
        return self.note(self.machine.received(Message(**{**whole, **fields}), self.now))

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
        self.reply(ADVERTISE, preference=255, **fields)
        self.reply(REPLY, **fields)
        assert self.machine.name == "BOUND"
        held = self.machine.lease
        assert held
        return held

    # --- what it did ---

    def sends(self) -> list[tuple[float, Message]]:
        """Return every message that was sent, with its time."""
        return [(when, decode(one.payload)) for when, one in self.every if isinstance(one, Send)]

    def kinds(self) -> list[int]:
        """Return the kinds of the messages that were sent since the last event."""
        return [decode(one.payload).kind for one in self.did(Send)]

    def last(self) -> Message:
        """Return the last message that was sent."""
        return self.sends()[-1][1]

    def did(self, *kinds: type) -> list[Any]:
        """Return the effects of some kinds since the last event."""
        return [effect for effect in self.heard if isinstance(effect, kinds)]

    def names(self) -> list[str]:
        """Return the names of the effects since the last event, what was told aside."""
        return [type(effect).__name__ for effect in self.heard if not isinstance(effect, words.Tell)]

    def told(self) -> str:
        """Return all that was said since the last event."""
        return "\n".join(effect.sentence for effect in self.did(words.Tell))
