"""When to look at the host and mend it: events and time in, "run a pass now" out.

The rule of this file: it has no clock and does nothing. An event waits ``SETTLE`` for those that follow it; passes are
``LEAST`` apart, and ever farther while they fail or somebody changes back what was mended; where nothing happens, one
comes every ``SLOW`` seconds, for what cannot be watched. There are two voices, each with a pace of its own, because
containers can bring about the events of ``INSIDE`` as they like: nobody in there keeps the host from being mended.

A pass is of one of two kinds. ``LOOK``: look first, and mend only if need be; nobody has to wait for that. ``MEND``: at
once, because the host has changed and no verb has told the store of it since: that was a stranger. While verbs write
one after the other, as the DHCP service does for a crowd, a look would see them half-done, take that for a stranger's
work, and cost them time: it waits until they pause.
"""

from __future__ import annotations

from containernet.model.record import record

HOST, INSIDE = "host", "inside"
LOOK, MEND = "look", "mend"
NEVER = float("inf")
SETTLE, LEAST, MOST, SLOW = 0.06, 0.05, 30.0, 60.0  # seconds
TRAIL = 0.02  # seconds after a commit in which the kernel still tells of what the verb has done
DUTY, LONGEST_REST = 2, 2.0  # but for strangers, a pass is followed by a rest of so many looks' length, or seconds
ROW, PUT_OFF = 0.5, 10.0  # commits that follow each other so closely put off a look until they end; so long at most
FREE, COOL = 30, 30.0  # so many passes may mend at full speed; one more every so many seconds
LONGEST_STREAK = 10  # 2**10 times LEAST is more than MOST
AGAIN = (0.25, 1.0)  # seconds after a file of a namespace came: it is made first, and mounted on a moment later


@record
class Result:
    """What came of a pass."""

    took: float  # seconds to look at everything
    mended: bool = False  # something was not as we had left it
    failed: bool = False
    stuck: bool = False  # something is in the way in a container; all else is mended


class Pace:
    """How soon the next pass may come on behalf of one voice."""

    def __init__(self) -> None:
        self.free = 0.0  # from when on
        self._failures = 0
        self._heat, self._felt = 0.0, 0.0  # passes that mended, forgotten one by one; as it was at a time

    def heat(self, now: float) -> float:
        """Return how many passes have mended of late."""
        return max(0.0, self._heat - (now - self._felt) / COOL)

    def after(self, now: float, *, failed: bool, fought: bool) -> None:
        """Note a pass that has just ended."""
        self._heat, self._felt = min(self.heat(now) + fought, FREE + LONGEST_STREAK), now
        self._failures = self._failures + 1 if failed else 0
        steps = min(max(self._failures, int(self._heat) - FREE, 0), LONGEST_STREAK)
        self.free = now + min(LEAST * 2**steps, MOST)


class Passes:
    """The machine."""

    def __init__(self, now: float) -> None:
        self._paces = {HOST: Pace(), INSIDE: Pace()}
        self._asked: dict[str, float] = {}  # by voice: since when
        self._strange = NEVER  # since when something on the host has changed that no verb has told of
        self._committed = self._row = self._calm = -NEVER  # the last commit, the first of its row, the end of the row
        self._again: tuple[float, ...] = ()
        self._causes: tuple[str, ...] = ()
        self._slow = now  # the first pass comes at once
        self._rested = now
        self._urgent = False
        self.running = False

    def tell(self, now: float, voice: str, *, again: bool = False) -> None:
        """Something has changed in the kernel; ``again``: more may follow that nobody tells of."""
        self._asked.setdefault(voice, now)
        if voice == HOST and now > self._committed + TRAIL:
            self._strange = min(self._strange, now)
        if again:
            self._again = tuple(now + pause for pause in AGAIN)

    def commit(self, now: float) -> None:
        """The store has changed: what has changed in the kernel before, a verb has done, or we."""
        self._asked.setdefault(HOST, now)
        if now < self._committed + ROW:
            self._calm = min(now + ROW, self._row + PUT_OFF)
        else:
            self._row = now
        self._committed, self._strange = now, NEVER

    def urge(self) -> None:
        """Somebody wants a pass now."""
        self._urgent = True

    def due(self) -> float:
        """Return when the next pass is to begin, unless one is running."""
        if self._urgent:
            return 0.0
        free = self._paces[HOST].free
        times = [max(when, free, self._rested) for when in (*self._again, self._slow)]
        rested = max(self._rested, self._calm)
        times += [max(since + SETTLE, self._paces[one].free, rested) for one, since in self._asked.items()]
        return min(*times, max(self._strange + SETTLE, free))

    def begin(self, now: float) -> str:
        """Return the kind of pass that is to be run now, "" if none; if one is, it has begun."""
        if self.running or now < self.due():
            return ""
        kind = MEND if self._strange + SETTLE <= now else LOOK
        self._causes, self._asked = tuple(self._asked), {}
        self._again = tuple(when for when in self._again if when > now)
        self._strange, self._urgent, self.running = NEVER, False, True
        return kind

    def end(self, now: float, result: Result) -> None:
        """The pass has ended."""
        self.running = False
        self._slow = now + SLOW
        self._rested = now + min(DUTY * result.took, LONGEST_REST)
        fought = result.mended or result.stuck
        for voice, pace in self._paces.items():
            failed = result.failed or (result.stuck and voice == INSIDE)
            pace.after(now, failed=failed, fought=fought and voice in self._causes)
            if failed:
                self._asked.setdefault(voice, now)

    def held_back(self, now: float) -> bool:
        """Tell whether somebody changes things back so often that passes wait for longer."""
        return any(pace.heat(now) > FREE for pace in self._paces.values())
