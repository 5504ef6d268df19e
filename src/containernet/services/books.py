"""What the DHCP service wants written: the last word on each endpoint, many of them in one go.

The rule of this file: one writing at a time, in a thread; what comes meanwhile waits and goes with the next, after a
rest as long as the last one took: most of its cost is the same for one word and for many. While a verb has the lock,
words wait too: they are never lost, and a newer word takes the place of an older one.
"""

from __future__ import annotations

from containernet.model.errors import Bug, ContainerNetError, Taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from containernet.services.door import Reactor
    from containernet.verbs.leasing import Word

    Key = tuple[int, int]
    Write = Callable[[tuple[Word, ...]], dict[Key, ContainerNetError]]

AGAIN = 0.5  # seconds after which what could not be written is tried again


class Books:
    """See the rule of this file."""

    def __init__(self, reactor: Reactor, write: Write, ended: Callable[[Word, ContainerNetError | None], None]) -> None:
        """``ended`` is called for each word when it is written, or cannot be."""
        self._reactor, self._write, self._ended = reactor, write, ended
        self._words: dict[Key, Word] = {}
        self._writing: tuple[Word, ...] = ()
        self._due = self._over = False  # due: something was said, or has waited for long enough
        self._cancel: Callable[[], None] = lambda: None
        self._began = self._rested = -1.0  # when the last writing began, and from when on the next one may
        self.trouble: ContainerNetError | None = None  # why the last writing as a whole did not succeed

    def say(self, word: Word) -> None:
        """Have something written with the next :meth:`flush`."""
        self._words[word.endpoint, word.version] = word
        self._due = True

    def forget(self, endpoint: int, version: int) -> None:
        """Have nothing written of an endpoint: it is gone."""
        self._words.pop((endpoint, version), None)

    def open(self, endpoint: int, version: int) -> bool:
        """Tell whether something was said of an endpoint that is not written yet."""
        key = endpoint, version
        return key in self._words or any((one.endpoint, one.version) == key for one in self._writing)

    def flush(self) -> None:
        """Write what was said, if nothing is being written."""
        if self._writing or self._over or not self._words or not self._due:
            return
        self._cancel()
        if (now := self._reactor.now()) < self._rested:
            self._cancel = self._reactor.at(self._rested, self.flush)
            return
        self._began = now
        words, self._words, self._due = tuple(self._words.values()), {}, False
        self._writing = words
        self._reactor.work(lambda: self._write(words), lambda failed, error: self._written(words, failed, error))

    def end(self) -> None:
        """Write no more; what is under way ends by itself."""
        self._over = True
        self._cancel()

    def _written(
        self, words: tuple[Word, ...], failed: dict[Key, ContainerNetError] | None, error: BaseException | None
    ) -> None:
        self._writing = ()
        now = self._reactor.now()
        self._rested = now + (now - self._began)
        if self._over:
            return
        if failed is None:
            self.trouble = error if isinstance(error, ContainerNetError) else Bug("bug", f"It failed: {error!r}")
            self._later(words)
            self._reactor.changed()
            return
        self.trouble = None
        late = [one for one in words if isinstance(failed.get((one.endpoint, one.version)), Taken)]
        self._later(late)  # before anything newer is said
        for one in words:
            if one not in late:
                self._ended(one, failed.get((one.endpoint, one.version)))
        self._reactor.changed()
        self.flush()

    def _later(self, words: Iterable[Word]) -> None:
        """Keep words that could not be written now, unless there are newer ones."""
        kept = list(words)
        for one in kept:
            self._words.setdefault((one.endpoint, one.version), one)
        if kept:
            self._cancel = self._reactor.at(self._reactor.now() + AGAIN, self._again)

    def _again(self) -> None:
        self._due = True
        self.flush()
