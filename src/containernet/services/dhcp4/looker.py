"""A client that looks for an address on the link before it is used (RFC 5227; RFC 4862, section 5.4).

The rule of this file: the prober says what is to be asked and when; who has the address, the machine is told.
"""

from __future__ import annotations

from errno import ENOBUFS
from math import inf

from containernet.model.errors import ContainerNetError
from containernet.services.dhcp4 import words
from containernet.services.dhcp4.probe import Prober
from containernet.services.dhcp4.runner import Runner
from containernet.services.dhcp4.words import Effect

LINK = "link"  # the socket that hears the link


class Looker(Runner):
    """See the rule of this file."""

    prober: Prober | None = None

    def prober_of(self, address: str, now: float) -> Prober:
        """Return what looks for an address."""
        raise NotImplementedError

    def do(self, effect: Effect) -> None:
        if isinstance(effect, words.Probe):
            now = self.shell.clock()
            self.prober = self.prober_of(effect.address, now)
            self.opened(LINK, effect.address)
            self.also(now)
        else:
            super().do(effect)

    def close(self) -> None:
        self.prober = None
        super().close()

    def also_due(self) -> float:
        return self.prober.due if self.prober else inf

    def also(self, now: float) -> None:
        prober = self.prober
        if prober is None or now < prober.due:
            return
        if question := prober.step(now):
            try:
                self.opened(LINK, prober.address).send(question)
            except (ContainerNetError, OSError) as error:
                if not (isinstance(error, OSError) and error.errno == ENOBUFS):  # lost, as on any wire: more follow
                    self.failed(words.Probe(prober.address), error)
        else:
            self._verdict(b"", now)

    def judge(self, now: float) -> None:
        """Tell the machine who has the address, if somebody has said so."""
        if self.prober and self.prober.owner:
            self._verdict(self.prober.owner, now)

    def _verdict(self, owner: bytes, now: float) -> None:
        self.prober = None
        self.apply(self.machine.probed(owner, now))
