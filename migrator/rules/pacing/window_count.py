"""How many calls the provider may count in a window that slides."""

from __future__ import annotations

import math
from collections import deque


class WindowCount:
    """Counts the calls that are under way, and those that have been over for less than a window.

    The provider counts a call when it arrives, which is some time between its leaving and its answer. Who
    lets a call leave only where fewer than the limit count here never sends it into a full window, however
    much sooner or later than others each call arrives: those that it finds there were not over a window ago.

    Calls that end together share a slot, so that many take little memory; all of it counts as long as its
    last may.
    """

    SLOTS = 3_000
    DRIFT = 0.0005
    """Share of the window by which the provider's clock may be slow: so much longer each call counts."""

    def __init__(self, seconds: float) -> None:
        self._slot = seconds / self.SLOTS
        self._counts_for = seconds * (1 + self.DRIFT)
        self._under_way = 0
        self._over: deque[tuple[float, int]] = deque()  # until when they count, and how many
        self._total = 0

    def leave(self) -> None:
        """A call leaves."""
        self._under_way += 1
        self._total += 1

    def end(self, now: float) -> None:
        """A call that left is over; ``now`` (monotonic seconds) never goes back."""
        self._under_way -= 1
        self._total -= 1
        self.seed(now, 1)

    def seed(self, over: float, number: int) -> None:
        """So many calls were over then that did not leave here."""
        until = over + self._counts_for
        if self._over and until <= self._over[-1][0]:
            until, before = self._over.pop()
            self._over.append((until, before + number))
        else:
            self._over.append((until + self._slot, number))
        self._total += number

    def total(self, now: float) -> int:
        """How many calls count now."""
        while self._over and self._over[0][0] <= now:
            self._total -= self._over.popleft()[1]
        return self._total

    def below(self, most: int, now: float) -> float:
        """From when on fewer than ``most`` calls count; ``now`` or before if it is so already, and infinity
        as long as that many are under way.
        """
        left = self.total(now)
        if left < most:
            return -math.inf
        for until, number in self._over:
            left -= number
            if left < most:
                return until
        return math.inf
