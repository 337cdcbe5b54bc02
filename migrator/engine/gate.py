"""Lets the calls of all workers out, by the provider's limits and the circuit breaker's caution, safe for
threads.

It decides nothing: what an answer means for those that follow is told to it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from migrator import waiting
from migrator.models import Action
from migrator.providers.facts import Limit
from migrator.rules.breaker import Pause
from migrator.rules.pacing import LONGEST_PAUSE, Moment, Pacer

_POLL = 0.02
_LATELY = 0.1
"""Seconds."""


class LimitUsedUpError(Exception):
    """A call would have to wait longer than a job does."""

    def __init__(self, limit: Limit, seconds: float) -> None:
        super().__init__(f"no call for {seconds:.0f} s")
        self.limit = limit
        """The limit that has none left."""
        self.seconds = seconds
        """How long it would have to wait."""


class Gate:
    """Lets calls out one by one."""

    def __init__(
        self,
        pacer: Pacer,
        monotonic: Callable[[], float] = time.monotonic,
        utc: Callable[[], float] = time.time,
    ) -> None:
        """``monotonic`` counts what the provider counts too: its limits, and the pauses that it asks for.
        ``utc`` (epoch seconds) tells when the windows of its calendar begin.
        """
        self._pacer = pacer
        self._monotonic = monotonic
        self._utc = utc
        # Those without and with priority; who waits for one limit does not keep others from theirs.
        self._queues: dict[tuple[bool, Action, str], waiting.Lock] = defaultdict(waiting.Lock)
        self._lock = threading.Lock()
        self._cautious = True
        self._present = 0  # under way, or waiting to be
        self._under_way = 0
        self._priority_waiting = 0
        self._held = -math.inf

    def admit(
        self, stop: threading.Event, action: Action, consumer_key: str = "", *, priority: bool = False
    ) -> bool:
        """Wait until a call may leave; False if the job stops meanwhile.

        ``priority`` lets the call go before others while the gate is cautious: a connection that was begun is
        carried on, so that what would stop everybody shows itself before many have begun. Every True must be
        followed by ``leave``. Raises ``LimitUsedUpError`` if it would have to wait longer than a job does.
        """
        with self._lock:
            self._present += 1
            self._priority_waiting += priority
            queue = self._queues[priority, action, consumer_key]
        admitted = False
        try:
            with queue:
                admitted = self._admit(stop, action, consumer_key, priority=priority)
        finally:
            with self._lock:
                self._present -= not admitted
                self._priority_waiting -= priority
        return admitted

    def _admit(self, stop: threading.Event, action: Action, consumer_key: str, *, priority: bool) -> bool:
        while True:
            with self._lock:
                # Looked at under the lock: whoever stops the job does so before it leaves, so that a
                # call which waited for it to leave knows.
                if stop.is_set():
                    return False
                wait = self._wait(action, consumer_key, priority=priority)
                if wait <= 0:
                    self._pacer.take(action, consumer_key, self._now())
                    self._under_way += 1
                    return True
                self._held = self._monotonic()
            waiting.until_set(stop, min(wait, 0.5))

    def leave(self, action: Action, consumer_key: str = "") -> None:
        """The call is over."""
        with self._lock:
            self._present -= 1
            self._under_way -= 1
            self._pacer.end(action, consumer_key, self._now())

    def is_alone(self) -> bool:
        """Whether one call is under way, and none waits to be."""
        with self._lock:
            return self._present == 1

    def is_crowded(self) -> bool:
        """Whether calls wait to be let out, or had to a moment ago."""
        return self._monotonic() - self._held < _LATELY

    def apply(self, pause: Pause | None, *, cautious: bool) -> None:
        """Let calls wait as an answer was judged; ``cautious`` lets them out one at a time from now on."""
        with self._lock:
            self._cautious = cautious
            if pause is None:
                return
            now = self._now()
            self._pacer.pause(now.monotonic + pause.seconds, pause.limit)
            if pause.limit_reached:
                self._pacer.slow_down(now, pause.limit)

    def note_remaining(self, remaining: Mapping[int, int], consumer_key: str = "") -> None:
        """An answer to a call with this key says how many calls are left: limit's number in the profile to
        calls.
        """
        with self._lock:
            self._pacer.note_remaining(remaining, consumer_key, self._now())

    def _now(self) -> Moment:
        return Moment(self._monotonic(), self._utc())

    def _wait(self, action: Action, consumer_key: str, *, priority: bool) -> float:
        if self._cautious and (self._under_way or (self._priority_waiting and not priority)):
            return _POLL
        wait = self._pacer.wait(action, consumer_key, self._now())
        if wait.limit is not None and wait.seconds > LONGEST_PAUSE:
            raise LimitUsedUpError(wait.limit, wait.seconds)
        return wait.seconds
