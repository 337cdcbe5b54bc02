"""The pace under one limit whose window begins with the minute, hour or day."""

from __future__ import annotations

import math

from migrator.providers.facts import Limit
from migrator.rules.pacing.header import Header
from migrator.rules.pacing.moment import Moment


class CalendarPace:
    """Lets calls leave as fast as they come until the window's are used up; the next ones wait for its turn.

    Nothing is spread: what a window did not use is lost, and nobody knows how much work there is. The
    provider's clock is not ours: calls that are under way at the turn, or close to it, count in both windows.
    """

    MARGIN = 0.002
    """Share of the window that is left unused, for calls that are not ours to count."""

    def __init__(self, limit: Limit, leave: float) -> None:
        """``leave`` is the share that is not ours, from 0 to below 1."""
        self._count = limit.count
        self._window = limit.window.total_seconds()
        self._close = min(2.0, self._window / 200)  # seconds about the turn
        self._stale = min(
            60.0, self._window / 10
        )  # seconds in which an answer may speak of the window before
        ours = math.floor(limit.count * (1 - leave))
        self._most = max(1, ours - math.floor(ours * self.MARGIN))
        self._left = float(limit.count)  # by others
        self._number = -1  # of the window
        self._sent = 0
        self._under_way = 0
        self._over_late = 0  # so close to its end that the next one may count them
        self._header = Header(limit, limit.count / self._window)

    def wait(self, now: Moment) -> float:
        """How many seconds the next call must wait; 0 or less if it may go."""
        self._turn(now.utc)
        return self._end - now.utc if self._sent >= min(self._most, self._left) else 0.0

    def take(self, now: Moment) -> None:
        """A call leaves."""
        self._turn(now.utc)
        self._sent += 1
        self._under_way += 1

    def end(self, now: Moment) -> None:
        """A call is over: the window in which it left may have counted it, and any since."""
        self._turn(now.utc)
        self._under_way -= 1
        self._over_late += self._is_late(now.utc)

    def seed(self, at: Moment, number: int) -> None:
        """So many calls left then."""
        self._turn(at.utc)
        self._sent += number
        self._over_late += number * self._is_late(at.utc)

    def slow_down(self, now: Moment) -> None:
        """The provider says that the limit is reached: the pause that comes with it is all that helps."""

    def note_remaining(self, remaining: int, under_way: int, now: Moment) -> None:
        """The provider says how many calls are left: what is missing, others have used.

        ``under_way`` are our calls that may not have arrived yet.
        """
        self._turn(now.utc)
        if now.utc < self._end - self._window + self._stale:
            return
        others = self._header.others(remaining, self._sent, under_way, now.monotonic)
        self._left = self._count - others

    @property
    def _end(self) -> float:
        """From when on, in epoch seconds, the next window has begun by the provider's clock too."""
        return (self._number + 1) * self._window + self._close

    def _is_late(self, utc: float) -> bool:
        return utc >= self._end - 2 * self._close

    def _turn(self, utc: float) -> None:
        number = math.floor((utc - self._close) / self._window)
        if number > self._number:  # a clock that is set back gives nothing back
            self._sent = self._under_way + (self._over_late if number == self._number + 1 else 0)
            self._number, self._over_late, self._left = number, 0, float(self._count)
