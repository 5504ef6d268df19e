"""What the DHCP service wants written, on a reactor whose time the test makes."""

from __future__ import annotations

from test_agent_kit import Hand

from containernet.model.errors import ContainerNetError, Taken
from containernet.services.books import AGAIN, Books
from containernet.verbs.leasing import Word


def word(endpoint: int) -> Word:
    """Say of an endpoint that it has nothing."""
    return Word(endpoint, 4, None, used=False)


class Desk:
    """Books, and what was written in them; a writing takes as long as the test says."""

    def __init__(self) -> None:
        self.hand = Hand()
        self.written: list[list[int]] = []
        self.took = 0.0
        self.error: ContainerNetError | None = None
        self.ended: list[int] = []
        self.books = Books(self.hand, self._write, lambda one, _: self.ended.append(one.endpoint))

    def _write(self, words: tuple[Word, ...]) -> dict[tuple[int, int], ContainerNetError]:
        self.hand.time += self.took
        self.written.append([one.endpoint for one in words])
        return {(one.endpoint, one.version): self.error for one in words} if self.error else {}

    def say(self, *endpoints: int) -> None:
        """Have something written."""
        for endpoint in endpoints:
            self.books.say(word(endpoint))
        self.books.flush()


def test_the_first_word_is_written_at_once_and_what_follows_together_after_a_rest() -> None:
    desk = Desk()
    desk.took = 0.5
    desk.say(1)
    desk.say(2)
    assert desk.hand.works_off() == 1 and desk.written == [[1]]
    desk.say(3, 4)
    assert desk.hand.works == []
    desk.hand.until(desk.hand.time + 0.49)
    desk.say(5)
    assert desk.hand.works == []
    desk.hand.until(desk.hand.time + 0.02)
    assert desk.hand.works_off() == 1 and desk.written == [[1], [2, 3, 4, 5]]
    desk.hand.until(desk.hand.time + 60)
    assert desk.hand.works == [] and desk.ended == [1, 2, 3, 4, 5]
    desk.say(6)
    assert desk.hand.works_off() == 1, "who has rested begins at once"


def test_what_could_not_be_written_is_written_later() -> None:
    desk = Desk()
    desk.error = Taken("busy", "A verb is under way.", "Wait.")
    desk.say(1)
    desk.hand.works_off()
    desk.error = None
    assert desk.ended == [] and desk.books.open(1, 4)
    desk.hand.until(desk.hand.time + AGAIN)
    assert desk.hand.works_off() == 1 and desk.ended == [1]
