"""How many calls have left within the last stretch of time."""

from __future__ import annotations

import math
from collections import deque


class WindowCount:
    """Counts the calls of the last so many seconds, in slots, so that many calls take little memory.

    A call counts until its whole slot is out of the window: a little too long, and never too short.
    """

    SLOTS = 600
    JITTER = 0.05
    """Seconds by which calls may draw near to each other on their way: so much longer each counts."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._slot = seconds / self.SLOTS
        self._slots: deque[tuple[int, int]] = deque()  # number of the slot, and calls that left in it
        self._total = 0

    def add(self, now: float, number: int = 1) -> None:
        """So many calls leave; ``now`` (monotonic seconds) never goes back."""
        slot = math.floor(now / self._slot)
        if self._slots and self._slots[-1][0] >= slot:
            slot, before = self._slots.pop()
            self._slots.append((slot, before + number))
        else:
            self._slots.append((slot, number))
        self._total += number

    def total(self, now: float) -> int:
        """How many calls count now."""
        while self._slots and self._out(self._slots[0][0]) <= now:
            self._total -= self._slots.popleft()[1]
        return self._total

    def below(self, most: int, now: float) -> float:
        """From when on fewer than ``most`` calls count; ``now`` or before if it is so already."""
        left = self.total(now)
        moment = -math.inf
        for slot, number in self._slots:
            if left < most:
                break
            left -= number
            moment = self._out(slot)
        return moment

    def _out(self, slot: int) -> float:
        return (slot + 1) * self._slot + self._seconds + self.JITTER
