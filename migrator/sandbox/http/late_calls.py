"""Work that is put off: calls which take effect after their client has given up."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

Work = Callable[[], object]


class LateCalls:
    """One thread that does each piece of work when its time has come."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Work]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="sandbox-later", daemon=True)
        self._thread.start()

    def after(self, seconds: float, work: Work) -> None:
        """Do ``work`` in so many seconds, or at ``close`` if that comes first."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), work))
            self._changed.notify()

    def close(self) -> None:
        """Do at once what is still put off, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Work | None:
        with self._changed:
            while True:
                if self._due and (self._closing or self._due[0][0] <= time.monotonic()):
                    return heapq.heappop(self._due)[2]
                if self._closing:
                    return None
                self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
