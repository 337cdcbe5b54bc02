"""How many calls may be made: windows that slide, and windows that end with the hour or the day."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """At most so many calls in so many seconds."""

    calls: int
    seconds: float


@dataclass(frozen=True)
class Permit:
    """Whether a call may pass."""

    granted: bool
    remaining: int
    """Further calls that would pass now."""
    retry_after: int = 0
    """Whole seconds until one would pass again; 0 if this one did."""


class SlidingWindow:
    """Counts the calls of the last so many seconds. Refused calls do not count. Lives in memory only."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._passed: deque[float] = deque()
        self._lock = threading.Lock()

    def acquire(self, now: float) -> Permit:
        """Let a call pass at ``now`` (seconds, never going back), or say when to come again."""
        with self._lock:
            self._forget_old(now)
            if len(self._passed) >= self.limit.calls:
                wait = self._passed[0] + self.limit.seconds - now
                return Permit(granted=False, remaining=0, retry_after=max(1, math.ceil(wait)))
            self._passed.append(now)
            return Permit(granted=True, remaining=self.limit.calls - len(self._passed))

    def left(self, now: float) -> int:
        """How many calls would pass now."""
        with self._lock:
            self._forget_old(now)
            return self.limit.calls - len(self._passed)

    def more_in(self, now: float) -> float:
        """Seconds until more calls would pass than now."""
        with self._lock:
            self._forget_old(now)
            return (self._passed[0] - now if self._passed else 0.0) + self.limit.seconds

    def _forget_old(self, now: float) -> None:
        while self._passed and self._passed[0] <= now - self.limit.seconds:
            self._passed.popleft()


class CalendarWindow:
    """Counts the calls since the hour or the day (UTC) began. Refused calls do not count. In memory only."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._number = 0
        self._passed = 0
        self._lock = threading.Lock()

    def acquire(self, now: float) -> Permit:
        """Let a call pass at ``now`` (epoch seconds), or say when to come again."""
        with self._lock:
            self._turn(now)
            if self._passed >= self.limit.calls:
                return Permit(granted=False, remaining=0, retry_after=max(1, math.ceil(self.more_in(now))))
            self._passed += 1
            return Permit(granted=True, remaining=self.limit.calls - self._passed)

    def left(self, now: float) -> int:
        """How many calls would pass now."""
        with self._lock:
            self._turn(now)
            return self.limit.calls - self._passed

    def more_in(self, now: float) -> float:
        """Seconds until the hour or the day is over."""
        return self.limit.seconds - now % self.limit.seconds

    def _turn(self, now: float) -> None:
        number = int(now // self.limit.seconds)
        if number != self._number:
            self._number, self._passed = number, 0
