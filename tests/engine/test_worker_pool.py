"""The pool: as many workers as are of use, each connection with one of them, and none forgotten."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from migrator import waiting
from migrator.engine import worker_pool
from migrator.engine.first_fault import Fault
from migrator.engine.worker_pool import WorkerPool
from migrator.ledger.file.opening import connect
from migrator.ledger.file.times import time_text
from migrator.ledger.job_ledger import Ledger
from migrator.models import Standing, State, utc_now
from migrator.rules.agenda import Work
from migrator.rules.pacing import LONGEST_PAUSE
from migrator.settings.limits import MOST_AT_ONCE
from migrator.terminal.progress import NoProgress
from tests.engine.conftest import POLICY
from tests.engine.taken_in import take_in

LONG = 60.0
"""Seconds that nothing here takes."""


class Crew:
    """Workers that settle each connection once ``meanwhile`` has returned, and how many there were."""

    def __init__(self, ledger: Ledger, meanwhile: Callable[[Crew], None]) -> None:
        self.ledger = ledger
        self.meanwhile = meanwhile
        self.workers = self.busy = self.closed = 0
        self.settled: Counter[int] = Counter()
        self.changed = threading.Event()

    def new_worker(self) -> Crew:
        self.workers += 1
        return self

    def work_on(self, standing: Standing) -> None:
        self.busy += 1
        self.meanwhile(self)
        self.busy -= 1
        self.settled[standing.id] += 1
        self.ledger.rest(standing, State.FAILED, "by_the_test")

    def close(self) -> None:
        self.closed += 1


def run(
    ledger: Ledger,
    crew: Crew,
    *,
    size: int,
    crowded: Callable[[], bool] = lambda: False,
    fault: Fault | None = None,
) -> WorkerPool:
    fault = fault or Fault(threading.Event())
    pool = WorkerPool(ledger, NoProgress(), utc_now, utc_now, size=size, crowded=crowded, fault=fault)
    pool.run(ledger.agenda(Work.SWAP, POLICY.max_attempts), crew.new_worker)
    fault.raise_if_any()
    return pool


def until_busy(number: int) -> Callable[[Crew], None]:
    """Wait until so many are at work at once, as long as that takes."""

    def wait(crew: Crew) -> None:
        if crew.busy >= number:
            crew.changed.set()
        assert waiting.until_set(crew.changed, LONG)

    return wait


def at_once(crew: Crew) -> None:
    del crew


def test_every_connection_is_worked_on_once(ledger: Ledger) -> None:
    take_in(ledger, 1_203)
    crew = Crew(ledger, at_once)
    run(ledger, crew, size=20)
    assert crew.settled == Counter(range(1, 1_204))
    assert crew.closed == crew.workers


@pytest.mark.parametrize("size", [40, MOST_AT_ONCE])
def test_as_many_work_at_once_as_may_while_connections_wait(ledger: Ledger, size: int) -> None:
    take_in(ledger, 2 * size)
    crew = Crew(ledger, until_busy(size))
    run(ledger, crew, size=size)
    assert crew.workers == size
    assert crew.settled == Counter(range(1, 2 * size + 1))


def test_there_are_no_more_workers_than_connections(ledger: Ledger) -> None:
    take_in(ledger, 5)
    crew = Crew(ledger, until_busy(5))
    run(ledger, crew, size=40)
    assert crew.workers == 5


def test_one_worker_is_enough_where_calls_wait_for_their_turn(ledger: Ledger) -> None:
    take_in(ledger, 100)
    crew = Crew(ledger, lambda _: None)
    run(ledger, crew, size=40, crowded=lambda: True)
    assert crew.workers == 1
    assert crew.settled == Counter(range(1, 101))


def test_what_a_worker_raises_ends_the_job_and_the_others_are_let_go_on(ledger: Ledger) -> None:
    take_in(ledger, 60)

    def fail_once_all_are_busy(crew: Crew) -> None:
        first = crew.busy == 1
        until_busy(8)(crew)
        if first:
            raise KeyError("gone")

    crew = Crew(ledger, fail_once_all_are_busy)
    with pytest.raises(KeyError, match="gone"):
        run(ledger, crew, size=8)
    assert crew.closed == crew.workers == 8
    assert 7 <= len(crew.settled) < 60


def test_a_pool_that_is_told_to_end_hands_nothing_out_any_more(ledger: Ledger) -> None:
    take_in(ledger, 60)
    fault = Fault(threading.Event())
    crew = Crew(ledger, lambda _: fault.stop.set())
    run(ledger, crew, size=1, fault=fault)
    assert len(crew.settled) == 1


def test_a_standing_that_has_waited_is_read_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "_FRESH", 0.0)
    take_in(ledger, 2)
    seen: list[tuple[int, State]] = []

    class Watching(Crew):
        def work_on(self, standing: Standing) -> None:
            seen.append((standing.id, standing.state))
            if standing.id == 1:
                other = self.ledger.standing(2)
                self.ledger.rest(other, State.FAILED, "by_somebody_else")
            super().work_on(standing)

    run(ledger, Watching(ledger, at_once), size=1)
    assert seen == [(1, State.PENDING), (2, State.FAILED)]


def test_who_was_worked_on_when_a_page_was_read_is_not_handed_out_again_by_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(ledger, 3)
    due, settled = ledger.due, threading.Event()

    def read_slowly(*arguments: Any, **keywords: Any) -> list[int]:
        page = due(*arguments, **keywords)
        if crew.busy:
            going_on.set()
            assert settled.wait(LONG)
        return page

    class Slow(Crew):
        def work_on(self, standing: Standing) -> None:
            super().work_on(standing)
            if len(self.settled) == 3:
                settled.set()

    going_on = threading.Event()

    def until_read(crew: Crew) -> None:
        assert waiting.until_set(going_on, LONG)

    crew = Slow(ledger, until_read)
    monkeypatch.setattr(ledger, "due", read_slowly)
    run(ledger, crew, size=3)
    assert crew.settled == Counter([1, 2, 3])


def test_the_last_one_is_known_to_be_the_last(ledger: Ledger) -> None:
    take_in(ledger, 3)
    last: list[bool] = []
    fault = Fault(threading.Event())
    pool = WorkerPool(ledger, NoProgress(), utc_now, utc_now, size=1, crowded=lambda: False, fault=fault)
    crew = Crew(ledger, lambda _: last.append(pool.is_last()))
    pool.run(ledger.agenda(Work.SWAP, POLICY.max_attempts), crew.new_worker)
    fault.raise_if_any()
    assert last == [False, False, True]


def test_reading_fails_where_the_pool_was_started(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(ledger, 3)

    def broken(connection_ids: object) -> list[Standing]:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(ledger, "standings", broken)
    with pytest.raises(sqlite3.OperationalError, match="disk I/O"):
        run(ledger, Crew(ledger, at_once), size=4)


def test_where_reading_fails_nothing_is_begun_any_more(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(ledger, 150)
    read = ledger.standings
    reads = iter([read, read])

    def read_twice(connection_ids: Sequence[int]) -> list[Standing]:
        for once in reads:
            return once(connection_ids)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(ledger, "standings", read_twice)
    crew = Crew(ledger, at_once)
    with pytest.raises(sqlite3.OperationalError, match="disk I/O"):
        run(ledger, crew, size=1)
    assert 0 < len(crew.settled) < 100, "of those that were read, not all were begun"


# --- waiting for what is not due ---


class Notes(NoProgress):
    """Keeps what a person who waits is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, text: str) -> None:
        self.told.append(text)


def put_off(path: Path, moment: datetime) -> None:
    """Nobody may be called for before that."""
    with closing(connect(path, readonly=False)) as db:
        db.execute("UPDATE connections SET not_before = ?", [time_text(moment)])


def test_what_is_not_due_is_waited_for_and_that_is_told_once(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "LONGEST_LOOK", 0.001)
    take_in(ledger, 2)
    now = utc_now()
    put_off(tmp_path / "migration.db", now + timedelta(seconds=30))
    looks = count()

    def due() -> datetime:
        return now + timedelta(seconds=next(looks))

    notes, crew, fault = Notes(), Crew(ledger, at_once), Fault(threading.Event())
    pool = WorkerPool(ledger, notes, lambda: now, due, size=4, crowded=lambda: False, fault=fault)
    pool.run(ledger.agenda(Work.SWAP, POLICY.max_attempts), crew.new_worker)
    fault.raise_if_any()
    assert crew.settled == Counter([1, 2])
    assert next(looks) > 30
    assert notes.told == ["2 are to be asked again, the next in 30 s"]


def test_what_is_not_due_for_longer_than_a_job_waits_is_left(ledger: Ledger, tmp_path: Path) -> None:
    take_in(ledger, 2)
    put_off(tmp_path / "migration.db", utc_now() + timedelta(seconds=LONGEST_PAUSE + 60))
    crew = Crew(ledger, at_once)
    run(ledger, crew, size=4)
    assert not crew.settled
