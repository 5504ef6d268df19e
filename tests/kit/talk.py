"""A conversation with one client's machine, of whatever IP version: events in, effects out, at any time a test likes.

The rule of this file: no socket, no clock, and no message of either version; those are known to who talks one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from math import inf
from typing import Any

from containernet.model.lease import Lease
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.events import Events
from containernet.services.dhcp4.malformed import Malformed
from containernet.services.dhcp4.words import Effect


class Conversation:
    """One client and the test that talks to it. ``heard`` is all that it did since the last event."""

    machine: Events
    chance: Callable[[], float]

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed).random
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

    def link(self, up: bool) -> list[Effect]:
        return self.note(self.machine.link(up, self.now))

    def renew(self) -> list[Effect]:
        return self.note(self.machine.renew(self.now))

    def release(self) -> list[Effect]:
        return self.note(self.machine.release(self.now))

    def stop(self) -> list[Effect]:
        return self.note(self.machine.stop(self.now))

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

    # --- messages: what they are is each version's own ---

    def decode(self, data: bytes) -> Any:
        """Return the message that bytes are."""
        raise NotImplementedError

    def take(self, reply: Any) -> list[Effect]:
        """Have the machine receive a message."""
        raise NotImplementedError

    def hear(self, data: bytes) -> list[Effect]:
        """Take what has come off the wire; what is malformed does not get as far as the machine."""
        try:
            reply = self.decode(data)
        except Malformed:
            self.heard = []
            return []
        return self.take(reply)

    # --- what it did ---

    def did(self, *kinds: type) -> list[Any]:
        """Return the effects of some kinds since the last event."""
        return [effect for effect in self.heard if isinstance(effect, kinds)]

    def names(self) -> list[str]:
        """Return the names of the effects since the last event, what was told aside."""
        return [type(effect).__name__ for effect in self.heard if not isinstance(effect, words.Tell)]

    def told(self) -> str:
        """Return all that was said since the last event."""
        return "\n".join(effect.sentence for effect in self.did(words.Tell))

    def held(self) -> Lease:
        """Return the lease of a client that is bound."""
        assert self.machine.name == "BOUND"
        held = self.machine.lease
        assert held
        return held
