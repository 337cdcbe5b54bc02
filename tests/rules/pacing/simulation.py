"""A job that is paced, and a provider that counts: under a simulated clock, where nobody sleeps."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Protocol

from migrator.models import Action
from migrator.rules.pacing import Moment, Pacer

MONOTONIC = 1_000.0
"""What the monotonic clock says when a simulation begins."""


class Counter(Protocol):
    """One limit, as a provider counts it. Times are epoch seconds, and never go back."""

    def left(self, now: float) -> int:
        """How many calls would pass now."""

    def count(self, at: float) -> None:
        """One passes."""


class SlidingCounter:
    """At most so many in any stretch of the window."""

    def __init__(self, calls: int, window: float) -> None:
        self._calls, self._window = calls, window
        self._passed: deque[float] = deque()

    def left(self, now: float) -> int:
        while self._passed and self._passed[0] <= now - self._window:
            self._passed.popleft()
        return self._calls - len(self._passed)

    def count(self, at: float) -> None:
        self._passed.append(at)


class CalendarCounter:
    """At most so many in each window, which begins with the epoch and its multiples."""

    def __init__(self, calls: int, window: float, ahead: float = 0.0) -> None:
        """``ahead`` is by how many seconds its clock is."""
        self._calls, self._window, self._ahead = calls, window, ahead
        self._number, self._passed = -1, 0

    def left(self, now: float) -> int:
        number = math.floor((now + self._ahead) / self._window)
        if number > self._number:
            self._number, self._passed = number, 0
        return self._calls - self._passed

    def count(self, at: float) -> None:
        self.left(at)
        self._passed += 1


class BucketCounter:
    """A bucket of tokens that is refilled evenly."""

    def __init__(self, holds: int, refill: float) -> None:
        self._holds, self._refill = holds, refill
        self._tokens, self._at = float(holds), 0.0

    def left(self, now: float) -> int:
        self._tokens = min(self._holds, self._tokens + (now - self._at) * self._refill)
        self._at = now
        return math.floor(self._tokens + 1e-9)

    def count(self, at: float) -> None:
        self.left(at)
        self._tokens -= 1


@dataclass
class Simulation:
    """One job and one provider, second by second."""

    pacer: Pacer
    counters: Sequence[Counter]
    header: Counter | None = None
    """The one whose header every answer carries, for the profile's first limit."""
    others: Iterable[float] = ()
    """When others call (epoch seconds, in order)."""
    begins: float = 0.0
    """In epoch seconds."""
    workers: int = 32
    latency: tuple[float, float] = (0.01, 0.05)
    """Seconds that either way takes, from and to."""
    late: float = 0.002
    """Seconds by which a sleep may be too long."""
    look: float = 0.5
    """Seconds that it sleeps at the most; then it looks again how long it must wait."""
    seed: int = 1
    passed: list[float] = field(default_factory=list)
    """When our calls passed (epoch seconds)."""
    refused: list[float] = field(default_factory=list)
    others_passed: int = 0
    left: list[float] = field(default_factory=list)
    """When our calls left (epoch seconds)."""

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._events: list[
            tuple[float, int, str, int | None]
        ] = []  # when, in which order, what, what is left
        self._order = count()
        self._calls_of_others = iter(self.others)
        self._under_way = 0

    def run(self, seconds: float, action: Action = Action.SWAP) -> None:
        """As much as can be done in so many seconds."""
        now = wakes = self.begins
        end = self.begins + seconds
        self._next_of_others()
        while now < end:
            while self._events and self._events[0][0] <= now:
                self._happens(action)
            if now >= wakes and self._under_way < self.workers:
                wait = self.pacer.wait(action, "", self._moment(now)).seconds
                if wait <= 0:
                    self._leaves(now, action)
                    continue
                wakes = math.nextafter(now + min(wait, self.look) + self._random.uniform(0, self.late), end)
            next_event = self._events[0][0] if self._events else end
            now = min(next_event, wakes) if wakes > now else next_event

    def _leaves(self, now: float, action: Action) -> None:
        self.pacer.take(action, "", self._moment(now))
        self.left.append(now)
        self._under_way += 1
        self._at(now + self._random.uniform(*self.latency), "arrival")

    def _happens(self, action: Action) -> None:
        at, _, what, left = heapq.heappop(self._events)
        if what == "other":
            self.others_passed += self._arrives(at) is not None
            self._next_of_others()
        elif what == "arrival":
            remaining = self._arrives(at)
            (self.refused if remaining is None else self.passed).append(at)
            self._at(at + self._random.uniform(*self.latency), "answer", remaining)
        else:
            self._under_way -= 1
            self._answered(left, at, action)

    def _next_of_others(self) -> None:
        at = next(self._calls_of_others, None)
        if at is not None:
            self._at(at, "other")

    def _at(self, at: float, what: str, left: int | None = None) -> None:
        heapq.heappush(self._events, (at, next(self._order), what, left))

    def _moment(self, at: float) -> Moment:
        return Moment(MONOTONIC + at - self.begins, at)

    def _arrives(self, at: float) -> int | None:
        """How many are left once a call has passed; None if it is refused."""
        if any(counter.left(at) < 1 for counter in self.counters):
            return None
        for counter in self.counters:
            counter.count(at)
        return self.header.left(at) if self.header is not None else 0

    def _answered(self, remaining: int | None, at: float, action: Action) -> None:
        moment = self._moment(at)
        self.pacer.end(action, "", moment)
        if self.header is not None:
            self.pacer.note_remaining({0: remaining or 0}, "", moment)
        if remaining is None:
            self.pacer.pause(moment.monotonic + 1.0)
            self.pacer.slow_down(moment)


def evenly(rate: float, begins: float, seconds: float) -> list[float]:
    """Calls of others, so many a second."""
    return [begins + number / rate for number in range(1, int(seconds * rate))] if rate else []


def at_random(rate: float, begins: float, seconds: float, seed: int = 1) -> list[float]:
    """The same, each at a moment of its own."""
    random = Random(seed)
    return sorted(begins + random.uniform(0, seconds) for _ in range(int(seconds * rate)))
