"""The queue of connections that are due, and the workers that work it off: tasks of one thread.

There are as many workers as calls are under way at once: latency times rate, which nobody knows before. So
more are started only where connections wait, and no call waits for its turn at the provider's limit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from migrator import tasks, waiting
from migrator.engine.first_fault import Fault
from migrator.ledger.job_ledger import Ledger
from migrator.models import Clock, Standing
from migrator.rules.agenda import Agenda
from migrator.rules.pacing import LONGEST_PAUSE
from migrator.terminal.progress import Progress
from migrator.wording import counted

_PAGE = 500
_TOGETHER = 50
"""Connections whose standings are read at once."""
_AHEAD = 50
"""Connections that wait with their standing read: more would be read again, having waited too long."""
_FRESH = 1.0
"""Seconds after which a standing is read again before it is acted upon: others may have gone on with it."""
_POLL = 0.05
_LOOK = 0.005
"""Seconds between two looks whether more workers are of use."""
_AT_ONCE = 8
"""Workers that are started at one look."""
LONGEST_LOOK = 5.0
"""Seconds between two looks at what is waited for."""


class Worker(Protocol):
    """What one task does, connection by connection."""

    def work_on(self, standing: Standing) -> None:
        """Take one connection as far as it goes now."""

    def close(self) -> None:
        """Let go of what this task held."""


class WorkerPool:
    """Hands what is due to workers, each in a task of its own."""

    def __init__(
        self,
        ledger: Ledger,
        progress: Progress,
        clock: Clock,
        due: Clock,
        *,
        size: int,
        crowded: Callable[[], bool],
        fault: Fault,
    ) -> None:
        """``due`` tells whether somebody has waited long enough: never ahead of the time that passed.

        ``size`` is how many workers there may be; ``crowded`` tells whether calls wait to be let out.
        """
        self._ledger = ledger
        self._progress = progress
        self._clock = clock
        self._due = due
        self._size = size
        self._fault = fault
        self._crowded = crowded
        self._stop = fault.stop
        self._queue: tasks.Queue[_Due | None]
        self._new_worker: Callable[[], Worker]
        self._workers: list[tasks.Task] = []
        self._started = -math.inf
        self._claimed: set[int] = set()
        self._awaited: datetime | None = None

    def run(self, agenda: Agenda, new_worker: Callable[[], Worker]) -> None:
        """Work until nothing of the agenda is open, or the job is told to stop.

        ``new_worker`` is called once in each task. What a worker raises is the job's fault, and told where
        that is raised.
        """
        self._new_worker = new_worker
        tasks.run(lambda: self._work(agenda), "workers")

    def is_last(self) -> bool:
        """Whether no more than one connection is being worked on, or waits to be."""
        return len(self._claimed) <= 1

    def _work(self, agenda: Agenda) -> None:
        self._queue = tasks.Queue()
        try:
            self._feed(agenda)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the job was started
            self._fault.occurred(error)
        finally:
            for _ in self._workers:
                self._queue.put(None)
            tasks.join(self._workers)

    # --- handing out ---

    def _feed(self, agenda: Agenda) -> None:
        after = 0
        while not self._stop.is_set():
            page, free = self._due_behind(after, agenda)
            several = (free[first : first + _TOGETHER] for first in range(0, len(free), _TOGETHER))
            handed = sum(self._hand_out(connection_ids) for connection_ids in several)
            after = page[-1] if len(page) == _PAGE else 0
            if handed or after:
                continue
            if self._busy():
                self._let_work(_POLL)
            elif not self._await_due(agenda):
                return

    def _due_behind(self, after: int, agenda: Agenda) -> tuple[list[int], list[int]]:
        """A page of what is due, and those of it that nobody works on.

        Among a million that are settled, it takes a while to find the last one that is not. Whoever was
        worked on when the page was read may be settled by the time that it is handed out.
        """
        claimed, now = frozenset(self._claimed), self._due()
        page = waiting.elsewhere(lambda: self._ledger.due(agenda, now, after=after, limit=_PAGE))
        return page, [each for each in page if each not in claimed]

    def _hand_out(self, connection_ids: Sequence[int]) -> int:
        """Hand out what nobody works on; returns how many.

        Only this task claims, so that nobody has begun with one of them since.
        """
        read_at = time.monotonic()
        standings = self._ledger.standings(connection_ids)
        self._claimed.update(standing.id for standing in standings)
        for standing in standings:
            self._queue.put(_Due(standing, read_at))
        while self._queue.qsize() > _AHEAD and not self._stop.is_set():
            self._let_work(_LOOK)
        return len(standings)

    def _let_work(self, seconds: float) -> None:
        """Wait while others work, and start more workers whenever they are of use."""
        ends = time.monotonic() + seconds
        while (now := time.monotonic()) < ends and not self._stop.is_set():
            if now - self._started >= _LOOK:
                self._started = now
                for _ in range(self._further_workers()):
                    self._workers.append(tasks.start(self._serve))
            waiting.until_set(self._stop, min(_LOOK, ends - now))

    def _further_workers(self) -> int:
        """How many more would work at once: where connections wait for a worker, and for nothing else."""
        if not self._workers:
            return 1
        if self._crowded():
            return 0
        return min(self._queue.qsize(), self._size - len(self._workers), _AT_ONCE)

    def _busy(self) -> bool:
        return bool(self._claimed)

    def _await_due(self, agenda: Agenda) -> bool:
        """Wait until something is due; False if nothing is open any more."""
        moment = waiting.elsewhere(lambda: self._ledger.next_due(agenda))
        if moment is None:
            return False
        seconds = (moment - self._clock()).total_seconds()
        if seconds > LONGEST_PAUSE:
            return False
        if seconds > 1 and moment != self._awaited:
            left = waiting.elsewhere(lambda: self._ledger.open_count(agenda))
            again = counted(left, "is to be asked again,", "are to be asked again, the next")
            self._progress.note(f"{again} in {seconds:.0f} s")
        self._awaited = moment
        # A hair more, so that it is due when we look; not for long, as others may have settled it meanwhile.
        seconds = (moment - self._due()).total_seconds()
        waiting.until_set(self._stop, min(max(seconds, 0) + 0.001, LONGEST_LOOK))
        return True

    # --- working ---

    def _serve(self) -> None:
        worker: Worker | None = None
        try:
            worker = self._new_worker()
            while (due := self._next()) is not None:
                worker.work_on(self._fresh(due))
                self._claimed.discard(due.standing.id)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the job was started
            self._fault.occurred(error)
        finally:
            if worker is not None:
                worker.close()

    def _fresh(self, due: _Due) -> Standing:
        if time.monotonic() - due.read_at < _FRESH:
            return due.standing
        return self._ledger.standing(due.standing.id)

    def _next(self) -> _Due | None:
        due = self._queue.get()
        return None if self._stop.is_set() else due


@dataclass(frozen=True)
class _Due:
    """A connection that may be called for."""

    standing: Standing
    read_at: float
    """When its standing was read, by the monotonic clock."""
