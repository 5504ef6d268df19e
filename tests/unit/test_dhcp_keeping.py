"""What a client does alike with a lease of either IP version: the rest is in ``test_dhcp4_keeping`` and ``6``.

The rule of this file: what a message says is not looked into, only of what kind it is.
"""

from __future__ import annotations

import pytest

from containernet.services.dhcp4.message import DISCOVER
from containernet.services.dhcp6.message import SOLICIT
from kit.dhcp6_talk import Talk6
from kit.dhcp_talk import Talk


@pytest.mark.parametrize(("version", "search"), [(Talk, DISCOVER), (Talk6, SOLICIT)])
def test_time_that_jumps_is_time(version: type[Talk | Talk6], search: int) -> None:
    talk = version()
    held = talk.bound()
    talk.now = held.expiry + 86_400  # the host slept for a day
    talk.note(talk.machine.timer(talk.now))
    assert talk.names() == ["Unconfigure", "Forget", "Send"]
    assert talk.last().kind == search
    early = version()
    early.bound()
    early.note(early.machine.timer(early.now - 500))  # a timer that comes too soon
    assert early.heard == [] and early.machine.name == "BOUND"


@pytest.mark.parametrize("version", [Talk, Talk6])
def test_an_end_leaves_all_as_it_is(version: type[Talk | Talk6]) -> None:
    talk = version()
    held = talk.bound()
    talk.stop()
    assert talk.names() == [] and talk.machine.name == "STOPPED"
    talk.note(talk.machine.timer(held.expiry + 1))
    assert talk.heard == []  # it is nobody's any more
