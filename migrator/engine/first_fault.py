"""What ends a job before its work is done: the first fault of any of its threads."""

from __future__ import annotations

import threading


class Fault:
    """The first fault is the one that is told."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        """Set when the job shall end; whoever wants that may set it."""
        self._first: BaseException | None = None
        self._lock = threading.Lock()

    def occurred(self, error: BaseException) -> None:
        """End the job: what is in flight is still answered and recorded."""
        with self._lock:
            self._first = self._first or error
        self.stop.set()

    def raise_if_any(self) -> None:
        """Raise it where the job was started."""
        if self._first is not None:
            raise self._first
