"""The pace under one limit whose window slides."""

from __future__ import annotations

import math

from migrator.providers.facts import Limit
from migrator.rules.pacing.header import Header
from migrator.rules.pacing.moment import Moment
from migrator.rules.pacing.patience import LONGEST_PAUSE, LOOK_AGAIN
from migrator.rules.pacing.room import Room
from migrator.rules.pacing.window_count import WindowCount


class SlidingPace:
    """Lets calls leave evenly, and never so that more of them than are ours arrive in any stretch of the
    window.

    The second is exact, and needs no margin. The first is for those who fill a bucket instead, maybe a small
    one: the pace is a little below the refill, so that the bucket gets full again where calls drew near to
    each other on their way; lateness is made up for, but only a little. Where the provider says how many
    calls are left, and others use the same limit, the pace makes do with what they leave.
    """

    MARGIN = 0.005
    """Share of the rate that is left unused; it must be more than two clocks differ."""
    CATCH_UP = 0.25
    """Seconds by which a call may leave late without its place being lost."""
    CATCH_UP_IN_WINDOW = 1.0
    """The same where a window is known to be counted, and by us alone: it does not mind many calls together.
    """
    OTHERS_SHOW = 0.002
    """Of the limit: what is missing beyond that, others have used; less may be calls on their way."""
    LEAST_SHARE = 0.02
    """However many calls others make, so much of the limit is tried."""
    SLOWER = 0.75
    """What is left of the rate when the provider says that its limit was reached, in spite of all care."""
    TOGETHER = 1.0
    """Seconds in which many calls that were under way together may say so: it is said once."""
    FASTER = 1.1
    """What is tried again after each minute in which it did not, or each tenth of a longer window."""

    def __init__(self, limit: Limit, leave: float) -> None:
        """``leave`` is the share that is not ours, from 0 to below 1."""
        self._limit = limit.count
        self._window = limit.window.total_seconds()
        self._most = max(1, math.floor(limit.count * (1 - leave)))
        self._rate = float(self._most)  # calls in a window
        self._next = -math.inf
        self._changed = -math.inf
        self._slowed = -math.inf
        self._sent = WindowCount(self._window)
        self._taken = 0
        self._room = Room(limit.count, self._window)
        self._header = Header(limit, limit.count / self._window)
        # Evenly, the few calls of a day would need somebody there all day long.
        self._even = self._window / self._most <= LONGEST_PAUSE

    @property
    def rate(self) -> float:
        """The rate in force, in calls in a window."""
        return self._rate * self._header.share

    def wait(self, now: Moment) -> float:
        """How many seconds the next call must wait; 0 or less if it may go."""
        at = now.monotonic
        full_until = self._sent.below(self._most, at)
        return LOOK_AGAIN if full_until == math.inf else max(self._next, full_until) - at

    def take(self, now: Moment) -> None:
        """A call leaves."""
        at = now.monotonic
        if self._rate < self._most and at - self._changed > max(60.0, self._window / 10):
            self._rate, self._changed = min(float(self._most), self._rate * self.FASTER), at
        interval = self._interval()
        self._next = (self._next if at - self._next <= self._catch_up(interval) else at) + interval
        self._sent.leave()
        self._taken += 1

    def end(self, now: Moment) -> None:
        """A call is over."""
        self._sent.end(now.monotonic)

    def seed(self, at: Moment, number: int) -> None:
        """So many calls left, one after the other, in the second that begins then."""
        self._sent.seed(at.monotonic + 1, number)
        self._next = max(self._next, at.monotonic + 1 + self._interval())

    def slow_down(self, now: Moment) -> None:
        """The provider says that the limit is reached: others use it too, and nobody says how much."""
        at = now.monotonic
        if self._header.ran_dry(at) or at - self._slowed < self.TOGETHER:
            return
        least = min(float(self._most), self._limit * self.LEAST_SHARE)
        self._rate, self._changed, self._slowed = max(self._rate * self.SLOWER, least), at, at

    def note_remaining(self, remaining: int, under_way: int, now: Moment) -> None:
        """The provider says how many calls are left: what is missing, others have used.

        ``under_way`` are our calls that may not have arrived yet.
        """
        at = now.monotonic
        own = self._sent.total(at)
        others = self._header.others(remaining, own, under_way, at)
        room = self._room.rate(remaining, own, self._taken, at) * self._window
        if not self._header.counts_window:
            return
        left = self._limit - others
        if others > max(1.0, self._limit * self.OTHERS_SHOW):
            left = min(left, room)
        self._rate, self._changed = min(float(self._most), max(left, self._limit * self.LEAST_SHARE)), at

    def _catch_up(self, interval: float) -> float:
        if self._header.counts_window and self._rate == self._most:
            return self.CATCH_UP_IN_WINDOW
        return min(self.CATCH_UP, self._header.at_once * interval)

    def _interval(self) -> float:
        if not self._even:
            return 0.0
        return min(LONGEST_PAUSE, self._window / (self.rate * (1 - self.MARGIN)))
