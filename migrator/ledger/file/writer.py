"""One writer for many workers.

What has queued up is committed together, so that one ``fsync`` makes many entries durable; and entries of one
kind are run together, so that one statement writes what all of them say.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from migrator import waiting
from migrator.errors import LedgerUnwritableError

T = TypeVar("T")
ItemT = TypeVar("ItemT")
Entry = Callable[[sqlite3.Connection], T]
Batch = Callable[[sqlite3.Connection, Sequence[ItemT]], Sequence[T]]
"""Entries of one kind, run together: the result of each item, in their order."""

log = logging.getLogger(__name__)

_LARGEST_GROUP = 256
_MANY = 6
"""Entries of one commit after which the next is waited with, as many more will come meanwhile."""
_GATHERING = 0.002
"""Seconds for which it is waited with then: a commit costs more than an entry."""
_LONG = 1.0
"""Seconds after which an entry that waits for the ledger is looked after in another way."""
_LONGEST_WAIT = 300.0
"""Seconds that another program may hold the ledger."""
INTERRUPTED_WAIT = 5.0
"""The same once the job has been told to end: its answers are safe in the rescue file."""
_LOOK = 1000
"""Milliseconds after which a writer that waits looks whether it has been told to end."""
_LONGEST_LOOK = 2.0
"""Seconds that one look counts for at the most: what is longer, this process was stopped."""


class _Job:
    """An entry in the queue, and what came of it, for whoever waits for that."""

    __slots__ = ("_done", "_error", "_result", "batch", "item")

    def __init__(self, batch: Batch[Any, Any], item: Any) -> None:
        self.batch = batch
        self.item = item
        self._done = waiting.flag()
        self._result: Any = None
        self._error: Exception | None = None

    def ended(self, result: Any, error: Exception | None = None) -> None:
        """Let who waits go on."""
        self._result, self._error = result, error
        self._done.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended, or for so long; whether it has."""
        return self._done.wait(seconds)

    def result(self) -> Any:
        """What came of it, once it has ended. Raises what it ended with."""
        if self._error is not None:
            raise self._error
        return self._result


def _one_by_one(db: sqlite3.Connection, entries: Sequence[Entry[Any]]) -> list[Any]:
    """Entries that have nothing in common."""
    return [entry(db) for entry in entries]


class GroupWriter:
    """Owns the ledger's one writing connection while a job runs.

    The first commit that fails breaks it for good: from then on every ``write`` raises
    ``LedgerUnwritableError``, so that nobody sends what could not be recorded.
    """

    def __init__(self, connection: sqlite3.Connection, hurry: threading.Event) -> None:
        """``hurry`` is set once the job has been told to end."""
        self._connection = connection
        self._connection.execute(f"PRAGMA busy_timeout = {_LOOK}")
        self._hurry = hurry
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._broken: LedgerUnwritableError | None = None
        self._together = 0
        self._thread = threading.Thread(target=self._serve, name="ledger-writer", daemon=True)
        self._thread.start()

    def write(self, entry: Entry[T], *, meanwhile: Callable[[], None] | None = None) -> T:
        """Run ``entry`` in a transaction and return its result once that is on disk.

        Raises what ``entry`` raises, with its changes undone, or ``LedgerUnwritableError`` if nothing can be
        written.

        ``meanwhile`` is called if that takes long, as it does while another program holds the ledger.
        """
        result: T = self.write_in_batch(_one_by_one, entry, meanwhile=meanwhile)
        return result

    def write_in_batch(
        self, batch: Batch[ItemT, T], item: ItemT, *, meanwhile: Callable[[], None] | None = None
    ) -> T:
        """Run ``batch`` with this item and all others that have queued up for it, in one transaction; return
        the item's result once that is on disk.

        Items of one batch must not build upon each other: who waits for one has not sent the other. Raises
        what ``batch`` raises for the item alone, and as ``write``.
        """
        job = _Job(batch, item)
        self._queue.put(job)
        if meanwhile is None:
            job.wait()
        elif not job.wait(_LONG):
            meanwhile()
            job.wait()
        result: T = job.result()
        return result

    def write_later(self, entry: Entry[Any]) -> None:
        """The same without waiting for it: for what may be lost."""
        self._queue.put(_Job(_one_by_one, entry))

    def close(self) -> None:
        """Commit what is queued and stop."""
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        going_on = True
        while going_on:
            group = self._next_group()
            going_on = group[-1] is not None
            jobs = [job for job in group if job is not None]
            if jobs:
                self._commit(jobs)

    def _next_group(self) -> list[_Job | None]:
        group = [self._queue.get()]
        if self._together >= _MANY:
            time.sleep(_GATHERING)
        while group[-1] is not None and len(group) < _LARGEST_GROUP:
            try:
                group.append(self._queue.get_nowait())
            except queue.Empty:
                break
        self._together = len(group)
        return group

    def _commit(self, jobs: list[_Job]) -> None:
        done: list[tuple[_Job, Any]] = []
        failed: list[tuple[_Job, Exception]] = []
        try:
            if self._broken is not None:
                raise self._broken
            self._begin()
            for together in _by_batch(jobs):
                self._run(together, done, failed)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, MemoryError, LedgerUnwritableError) as error:
            self._break(error)
            for job in jobs:
                job.ended(None, self._broken or error)
            return
        for job, result in done:
            job.ended(result)
        for job, reason in failed:
            job.ended(None, reason)

    def _run(
        self, jobs: list[_Job], done: list[tuple[_Job, Any]], failed: list[tuple[_Job, Exception]]
    ) -> None:
        """Run the entries of one batch; where that fails, each alone, so that it is known whose fault it is.

        Raises ``sqlite3.Error``.
        """
        self._connection.execute("SAVEPOINT entry")
        try:
            results = jobs[0].batch(self._connection, [job.item for job in jobs])
            done += list(zip(jobs, results, strict=True))
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            self._connection.execute("ROLLBACK TO entry")
            if len(jobs) == 1:
                failed.append((jobs[0], error))
            else:
                for job in jobs:
                    self._run([job], done, failed)
        self._connection.execute("RELEASE entry")

    def _begin(self) -> None:
        """Begin a transaction once nobody else writes: somebody's open shell is no broken disk."""
        waited = 0.0
        told = False
        while True:
            began = time.monotonic()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                longest = INTERRUPTED_WAIT if self._hurry.is_set() else _LONGEST_WAIT
                # One look takes a second. If it took longer, this process was stopped: nobody waited.
                waited += min(time.monotonic() - began, _LONGEST_LOOK)
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or waited > longest:
                    raise
                if not told:
                    log.warning(
                        "another program writes the ledger; waiting for it, %.0f s at the most", longest
                    )
                told = True

    def _break(self, error: Exception) -> None:
        if self._broken is None:
            self._broken = LedgerUnwritableError(
                f"the ledger could not be written: {str(error) or 'no memory is left'}",
                hint="make room, mend the disk, or end what else writes it; then run 'migrator resume'",
            )
        with suppress(sqlite3.Error):  # nobody may wait for a writer that has died of its own tidying up
            if self._connection.in_transaction:
                self._connection.rollback()


def _by_batch(jobs: list[_Job]) -> list[list[_Job]]:
    """The jobs, those of one batch together, where its first one stands."""
    together: dict[Any, list[_Job]] = {}
    for number, job in enumerate(jobs):
        together.setdefault(number if job.batch is _one_by_one else job.batch, []).append(job)
    return list(together.values())
