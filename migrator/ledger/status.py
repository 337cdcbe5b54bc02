"""What the ledger says to people: where the job stands. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from migrator.ledger import runs
from migrator.ledger.delivery_counts import DeliveryCounts, delivery_counts
from migrator.ledger.file.times import maybe_time_of
from migrator.ledger.pair_counts import Pairs, pair_counts
from migrator.ledger.runs import Run
from migrator.models import Action, State


@dataclass(frozen=True)
class Status:
    """Where the job stands."""

    provider: str
    """Empty in a ledger without connections."""
    total: int
    states: dict[str, int]
    app_types: dict[str, dict[str, int]]
    """Application type to state to number; one of no name where the provider has no types."""
    reasons: dict[str, dict[str, int]]
    """State to reason to number, where there is a reason."""
    rejected: int
    pairs: Pairs
    attempts: dict[str, int]
    """Calls by action."""
    last_run: Run | None
    resume_at: datetime | None = None
    """When the provider lets the job go on, where nothing can be done before (UTC)."""
    go_on_with: str = "resume"
    """The command that is of use then."""
    delivery: DeliveryCounts | None = None
    """How the hand-over stands, where pairs are delivered while they are won."""
    could_go_back: int | None = None
    """How many that are migrated have a legacy token which lives, and which the application has; None where
    nobody knows.
    """

    def with_app_types(self, names: Iterable[str]) -> Status:
        """The same with these application types in it first, whether there are connections of them or not."""
        of_none = {name: dict.fromkeys(self.states, 0) for name in names}
        return replace(self, app_types={**of_none, **self.app_types})


@contextmanager
def one_view(db: sqlite3.Connection) -> Iterator[None]:
    """Within it, everything read is of one moment, whatever a job writes meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


def read_status(db: sqlite3.Connection, now: datetime) -> Status:
    """Where the job stands."""
    states = dict.fromkeys((state.value for state in State), 0)
    app_types: dict[str, dict[str, int]] = {}
    reasons: dict[str, dict[str, int]] = {}
    for app_type, state, reason, number in db.execute(
        "SELECT app_type, state, reason, connections FROM summary"
    ):
        states[state] += number
        of_type = app_types.setdefault(app_type, dict.fromkeys(states, 0))
        of_type[state] += number
        if reason:
            of_state = reasons.setdefault(state, {})
            of_state[reason] = of_state.get(reason, 0) + number
    provider = db.execute(
        "SELECT provider FROM connections WHERE id = (SELECT min(id) FROM connections)"
    ).fetchone()
    (rejected,) = db.execute("SELECT count(*) FROM rejects").fetchone()
    last = next(runs.listed_runs(db, newest_first=True), None)
    resume_at, go_on_with = _going_on(db, now)
    return Status(
        provider=provider[0] if provider else "",
        total=sum(states.values()),
        states=states,
        app_types=app_types,
        reasons=reasons,
        rejected=rejected,
        pairs=pair_counts(db, now),
        attempts=_attempts(db),
        last_run=last,
        resume_at=resume_at,
        go_on_with=go_on_with,
        delivery=delivery_counts(db),
    )


def _attempts(db: sqlite3.Connection) -> dict[str, int]:
    """Calls by action, in the order of their names. What is no other call is a swap."""
    numbers = dict(db.execute("SELECT action, count(*) FROM attempts WHERE action <> 'swap' GROUP BY action"))
    (calls,) = db.execute("SELECT count(*) FROM attempts").fetchone()
    if swaps := calls - sum(numbers.values()):
        numbers[Action.SWAP.value] = swaps
    return dict(sorted(numbers.items()))


_SOON = timedelta(minutes=15)
"""What is to be waited for less long, a job waits for itself."""


_GOES_ON_WITH = {"run": "resume", "resume": "resume", "verify": "verify", "refresh": "refresh"}
"""Which command goes on with the work of a run; others are not gone on with, or somebody must say how."""


def _going_on(db: sqlite3.Connection, now: datetime) -> tuple[datetime | None, str]:
    """When there is something to be done again, and with which command: what the newest job of a kind was
    told, or when the first connection may be called for.
    """
    newest: dict[str, Run] = {}
    for run in runs.listed_runs(db, newest_first=True):
        if run.command in _GOES_ON_WITH:
            newest.setdefault(_GOES_ON_WITH[run.command], run)
        if len(newest) == len(set(_GOES_ON_WITH.values())):
            break
    for command, run in newest.items():  # the newest first
        if run.resume_at is not None and run.resume_at > now:
            return run.resume_at, command
    (first,) = db.execute(
        """SELECT min(coalesce(not_before, '')) FROM connections
           WHERE state IN ('pending', 'uncertain')
                 AND coalesce(doubt, '') <> 'revoke' AND served_by IS NULL"""
    ).fetchone()
    moment = maybe_time_of(first or None)
    return (moment if moment is not None and moment > now + _SOON else None), "resume"
