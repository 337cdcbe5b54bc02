"""What the header of a limit says: how much of it others use, or how full a bucket is."""

from __future__ import annotations

import math
from dataclasses import replace

from migrator.providers.facts import Limit
from migrator.rules.pacing.bucket import Bucket


class Header:
    """Reads the header that says how many calls are left of one limit.

    Where nobody knows what it counts, it is taken for a bucket's until it has said more than any small bucket
    holds, or has gone down by what we sent and by no less; and for a bucket's for good once it has said what
    no window could, with all that we have sent.
    """

    WINDOW = 0.25
    """Of the limit: a header that has said more may count a window."""
    IMPOSSIBLE = 1.05
    """Of the limit: what is left and what we sent come to no more where a window is counted."""
    SMALL = 0.01
    """Of the limit: what is never more than that is a bucket's."""
    MOST_OF = 0.8
    """Of what was left at first: once we have sent so much, it shows whether more has come."""
    AS_BEFORE = 1.1
    """Of what was left at first: what has not become more than that has not been refilled."""

    def __init__(self, limit: Limit, refill: float) -> None:
        """``refill`` is the limit in calls a second."""
        self._limit = limit
        self._bucket = Bucket(refill)
        self._window = limit.counts == "window"
        self._first = 0
        self._remaining = 0

    @property
    def counts_window(self) -> bool:
        """Whether it counts a window, for all we know."""
        return self._window

    @property
    def share(self) -> float:
        """The share of the limit to use, by how full a bucket is, from 0 to 1.

        Where more is left than all of the limit, the provider gives this application more than the profile
        says: whatever it counts, there is nothing to be slow for.
        """
        return 1.0 if self._window or self._remaining > self._limit.count else self._bucket.share

    @property
    def at_once(self) -> float:
        """How many calls may leave together without doing harm."""
        return math.inf if self._window else self._bucket.at_once

    def ran_dry(self, now: float) -> bool:
        """A call was refused: returns whether that is a bucket's matter, which has been seen to."""
        if self._window or not self._bucket.tells:
            return False
        self._bucket.note(0, now)
        return True

    def others(self, remaining: int, own: int, under_way: int, now: float) -> float:
        """How many calls of the window others have made, as far as the header tells; 0 with a bucket.

        ``own`` are our calls of the window, ``under_way`` those of them that may not have arrived yet.
        """
        count = self._limit.count
        self._remaining = remaining
        self._bucket.note(remaining, now)
        if self._limit.counts == "unknown":
            if remaining + own > count * self.IMPOSSIBLE + under_way + 1:
                self._window = False
                self._limit = replace(self._limit, counts="bucket")
            elif remaining > count * self.WINDOW or self._is_used_up_by_us(remaining + own, own):
                self._window = True
        return max(0.0, count - remaining - own) if self._window else 0.0

    def _is_used_up_by_us(self, known: int, own: int) -> bool:
        """Whether what is left has gone down by what we sent, and nothing came back: a bucket is refilled.

        ``known`` is what is left with what we sent. A very small bucket cannot show it.
        """
        self._first = self._first or known
        enough = self._first >= self._limit.count * self.SMALL and own >= self.MOST_OF * self._first
        return enough and known <= self._first * self.AS_BEFORE
