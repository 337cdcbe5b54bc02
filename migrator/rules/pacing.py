"""When the next call may go out: the rate, and how long to wait after what went wrong.

Pure: clock and chance are passed in; times are monotonic seconds.
"""

from __future__ import annotations

from collections import deque

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
LONGEST_PAUSE = 900.0
"""Seconds that a job waits with nothing else to do; for longer pauses it ends, to be resumed."""


def backoff(tries: int, jitter: float) -> float:
    """Seconds to wait after that many fruitless calls: exponential with full jitter, so that many who failed
    together do not come back together.

    ``jitter`` is a random number from 0 to 1.
    """
    return jitter * min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(tries, 16))


def unsaid_wait(times: int) -> float:
    """Seconds that everybody waits where a provider says that its limit is reached, and not for how long.

    ``times`` is how often it said so since the last good answer.
    """
    return min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(times - 1, 16))


class RateLimiter:
    """Says when the next call may leave: evenly, never above the rate, not before a pause is over.

    The provider counts arrivals in a window of its own, so the pace aims a little below the rate; lateness is
    made up for, but only a little. Where the provider says how many calls are left, and others use the same
    limit, the pace makes do with what they leave.
    """

    MARGIN = 0.01
    """Share of the rate that is left unused."""
    CATCH_UP = 0.25
    """Seconds by which a call may leave late without its place being lost; the margin makes up for them."""
    LEAST_SHARE = 0.02
    """However many calls others make, so much of the limit is tried."""
    SLOWER = 0.75
    """What is left of the rate when the provider says that its limit was reached, in spite of all care."""
    FASTER = 1.1
    """What is tried again after each minute in which it did not."""

    def __init__(self, rate_per_minute: int, limit_per_minute: int | None = None) -> None:
        """``rate_per_minute`` is the most that is wanted, ``limit_per_minute`` what the provider allows."""
        self._limit = float(limit_per_minute or rate_per_minute)
        self._wanted = min(float(rate_per_minute), self._limit)
        self._rate = self._wanted
        self._next = 0.0
        self._changed = 0.0
        self._sent: deque[tuple[int, int]] = deque()  # second, and calls that left in it; of the last minute

    @property
    def rate_per_minute(self) -> float:
        """The rate in force."""
        return self._rate

    def wait(self, now: float) -> float:
        """How many seconds the next call must wait; 0 or less if it may go."""
        return self._next - now

    def take(self, now: float) -> None:
        """A call goes out now."""
        if self._rate < self._wanted and now - self._changed > 60:  # noqa: PLR2004 - a minute
            self._rate, self._changed = min(self._wanted, self._rate * self.FASTER), now
        interval = 60.0 / (self._rate * (1 - self.MARGIN))
        on_time = now - self._next <= self.CATCH_UP
        self._next = (self._next if on_time else now) + interval
        second = int(now)
        if self._sent and self._sent[-1][0] == second:
            self._sent[-1] = (second, self._sent[-1][1] + 1)
        else:
            self._sent.append((second, 1))

    def pause(self, until: float) -> None:
        """Nobody goes before ``until``."""
        self._next = max(self._next, until)

    def slow_down(self, now: float) -> None:
        """The provider says that the limit is reached: others use it too, and nobody says how much."""
        self._rate, self._changed = max(self._rate * self.SLOWER, self._limit * self.LEAST_SHARE), now

    def note_remaining(self, remaining: int, now: float) -> None:
        """The provider says how many calls are left in this minute: what is missing, others have used."""
        others = max(0.0, self._limit - remaining - self._in_last_minute(now))
        self._rate = min(self._wanted, max(self._limit - others, self._limit * self.LEAST_SHARE))
        self._changed = now

    def _in_last_minute(self, now: float) -> int:
        while self._sent and self._sent[0][0] < now - 60:
            self._sent.popleft()
        return sum(number for _, number in self._sent)
