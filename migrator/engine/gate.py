"""Lets the calls of all workers out: the rate limiter and the circuit breaker's caution, safe for threads.

It decides nothing: what an answer means for those that follow is told to it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from migrator.rules.breaker import Pause
from migrator.rules.pacing import RateLimiter

_POLL = 0.02


class Gate:
    """Lets calls out one by one."""

    def __init__(self, pace: RateLimiter, monotonic: Callable[[], float] = time.monotonic) -> None:
        """``monotonic`` counts what the provider counts too: its limit, and the pauses that it asks for."""
        self._pace = pace
        self._monotonic = monotonic
        self._queues = (threading.Lock(), threading.Lock())  # of those without priority, and of those with it
        self._lock = threading.Lock()
        self._cautious = True
        self._present = 0  # under way, or waiting to be
        self._under_way = 0
        self._priority_waiting = 0

    def admit(self, stop: threading.Event, *, priority: bool = False) -> bool:
        """Wait until a call may leave; False if the job stops meanwhile.

        ``priority`` lets the call go before others while the gate is cautious: a connection that was begun is
        carried on, so that what would stop everybody shows itself before many have begun. Every True must be
        followed by ``leave``.
        """
        with self._lock:
            self._present += 1
            self._priority_waiting += priority
        admitted = False
        try:
            admitted = self._admit(stop, priority=priority)
        finally:
            with self._lock:
                self._present -= not admitted
                self._priority_waiting -= priority
        return admitted

    def _admit(self, stop: threading.Event, *, priority: bool) -> bool:
        with self._queues[priority]:
            while True:
                with self._lock:
                    # Looked at under the lock: whoever stops the job does so before it leaves, so that a
                    # call which waited for it to leave knows.
                    if stop.is_set():
                        return False
                    wait = self._wait(priority=priority)
                    if wait <= 0:
                        self._pace.take(self._monotonic())
                        self._under_way += 1
                        return True
                stop.wait(min(wait, 0.5))

    def leave(self) -> None:
        """The call is over."""
        with self._lock:
            self._present -= 1
            self._under_way -= 1

    def is_alone(self) -> bool:
        """Whether one call is under way, and none waits to be."""
        with self._lock:
            return self._present == 1

    def apply(self, pause: Pause | None, *, cautious: bool) -> None:
        """Let calls wait as an answer was judged; ``cautious`` lets them out one at a time from now on."""
        with self._lock:
            self._cautious = cautious
            if pause is None:
                return
            now = self._monotonic()
            self._pace.pause(now + pause.seconds)
            if pause.limit_reached:
                self._pace.slow_down(now)

    def note_remaining(self, remaining: int) -> None:
        """The provider says how many calls the application has left in this minute."""
        with self._lock:
            self._pace.note_remaining(remaining, self._monotonic())

    def _wait(self, *, priority: bool) -> float:
        if self._cautious and (self._under_way or (self._priority_waiting and not priority)):
            return _POLL
        return self._pace.wait(self._monotonic())
