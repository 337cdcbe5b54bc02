"""The queue of connections that are due, and the threads that work it off."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from migrator.engine.first_fault import Fault
from migrator.ledger import Ledger
from migrator.models import Clock
from migrator.rules.agenda import Agenda
from migrator.rules.pacing import LONGEST_PAUSE
from migrator.terminal.progress import Progress
from migrator.wording import counted

_PAGE = 500
_POLL = 0.05
LONGEST_LOOK = 5.0
"""Seconds between two looks at what is waited for."""


class Worker(Protocol):
    """What one thread does, connection by connection."""

    def work_on(self, connection_id: int) -> None:
        """Take one connection as far as it goes now."""

    def close(self) -> None:
        """Let go of what this thread held."""


class WorkerPool:
    """Hands what is due to workers, each in a thread of its own."""

    def __init__(
        self, ledger: Ledger, progress: Progress, clock: Clock, due: Clock, *, size: int, fault: Fault
    ) -> None:
        """``due`` tells whether somebody has waited long enough: never ahead of the time that passed."""
        self._ledger = ledger
        self._progress = progress
        self._clock = clock
        self._due = due
        self._size = size
        self._fault = fault
        self._stop = fault.stop
        self._queue: queue.Queue[int | None] = queue.Queue(maxsize=2 * size)
        self._claimed: set[int] = set()
        self._lock = threading.Lock()
        self._awaited: datetime | None = None

    def run(self, agenda: Agenda, new_worker: Callable[[], Worker]) -> None:
        """Work until nothing of the agenda is open, or the job is told to stop.

        ``new_worker`` is called once in each thread. What a worker raises is the job's fault, and told where
        that is raised.
        """
        threads = [
            threading.Thread(target=self._serve, args=[new_worker], name=f"worker-{number}", daemon=True)
            for number in range(self._size)
        ]
        for thread in threads:
            thread.start()
        try:
            self._feed(agenda)
        finally:
            for _ in threads:
                self._put(None)
            for thread in threads:
                thread.join()

    # --- handing out ---

    def _feed(self, agenda: Agenda) -> None:
        after = 0
        while not self._stop.is_set():
            page = self._ledger.due(agenda, self._due(), after=after, limit=_PAGE)
            handed = sum(self._hand_out(connection_id) for connection_id in page)
            after = page[-1] if len(page) == _PAGE else 0
            if handed or after:
                continue
            if self._busy():
                self._stop.wait(_POLL)
            elif not self._await_due(agenda):
                return

    def _hand_out(self, connection_id: int) -> bool:
        with self._lock:
            if connection_id in self._claimed:
                return False
            self._claimed.add(connection_id)
        self._put(connection_id)
        return True

    def _put(self, item: int | None) -> None:
        """Into the bounded queue, once there is room; workers that stop take nothing any more."""
        while not self._stop.is_set():
            try:
                return self._queue.put(item, timeout=_POLL)
            except queue.Full:
                continue
        return None

    def _busy(self) -> bool:
        with self._lock:
            return bool(self._claimed)

    def _await_due(self, agenda: Agenda) -> bool:
        """Wait until something is due; False if nothing is open any more."""
        moment = self._ledger.next_due(agenda)
        if moment is None:
            return False
        seconds = (moment - self._clock()).total_seconds()
        if seconds > LONGEST_PAUSE:
            return False
        if seconds > 1 and moment != self._awaited:
            waiting = self._ledger.open_count(agenda)
            again = counted(waiting, "is to be asked again,", "are to be asked again, the next")
            self._progress.note(f"{again} in {seconds:.0f} s")
        self._awaited = moment
        # A hair more, so that it is due when we look; not for long, as others may have settled it meanwhile.
        seconds = (moment - self._due()).total_seconds()
        self._stop.wait(min(max(seconds, 0) + 0.001, LONGEST_LOOK))
        return True

    # --- working ---

    def _serve(self, new_worker: Callable[[], Worker]) -> None:
        worker: Worker | None = None
        try:
            worker = new_worker()
            while (connection_id := self._next()) is not None:
                worker.work_on(connection_id)
                with self._lock:
                    self._claimed.discard(connection_id)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the job was started
            self._fault.occurred(error)
        finally:
            if worker is not None:
                worker.close()

    def _next(self) -> int | None:
        while not self._stop.is_set():
            try:
                return self._queue.get(timeout=_POLL)
            except queue.Empty:
                continue
        return None
