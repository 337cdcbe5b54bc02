"""Runs of commands: one row each, written when it begins and completed when it ends; and what each did."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from migrator.ledger.file.times import maybe_time_of, maybe_time_text, time_of, time_text

SERVE = "reconsent serve"
"""The run that works beside the others; what it leaves open is its own to complete."""

DELIVER = "deliver"
"""Another one that may work beside the others."""


@dataclass(frozen=True)
class Run:
    """One run, as the ledger records it."""

    id: int
    command: str
    process: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    """``done``, ``incomplete``, ``stopped``, ``interrupted``, or None: under way, or killed."""
    accepted: int
    known: int
    rejected: int
    sources: tuple[str, ...]
    resume_at: datetime | None = None
    """When the provider lets the next one go on, where it stopped this one and said so (UTC)."""


def begin_run(
    db: sqlite3.Connection, command: str, process: int, sources: Iterable[str], now: datetime
) -> int:
    """A new run; returns its id."""
    cursor = db.execute(
        "INSERT INTO runs (command, process, started_at, sources) VALUES (?, ?, ?, ?)",
        [command, process, time_text(now), "\n".join(sources)],
    )
    return int(cursor.lastrowid or 0)


def end_run(
    db: sqlite3.Connection, run_id: int, outcome: str, now: datetime, resume_at: datetime | None = None
) -> None:
    """How a run ended, and when the provider lets another one go on, where it said so."""
    db.execute(
        "UPDATE runs SET finished_at = ?, outcome = ?, resume_at = ? WHERE id = ?",
        [time_text(now), outcome, maybe_time_text(resume_at), run_id],
    )


def count_rows(db: sqlite3.Connection, run_id: int, *, accepted: int, known: int, rejected: int) -> None:
    """What became of the rows of a run's files, in numbers."""
    db.execute(
        "UPDATE runs SET accepted = ?, known = ?, rejected = ? WHERE id = ?",
        [accepted, known, rejected, run_id],
    )


def listed_runs(db: sqlite3.Connection, *, newest_first: bool = False) -> Iterator[Run]:
    """Every run."""
    order = "DESC" if newest_first else "ASC"
    rows = db.execute(
        f"""SELECT id, command, process, started_at, finished_at, outcome, accepted, known, rejected, sources,
                   resume_at
            FROM runs ORDER BY id {order}"""  # noqa: S608
    )
    for row in rows:
        yield Run(
            row[0], row[1], row[2], time_of(row[3]), maybe_time_of(row[4]), row[5], row[6], row[7], row[8],
            tuple(row[9].split("\n")) if row[9] else (), maybe_time_of(row[10]),
        )  # fmt: skip


def ended_calls(db: sqlite3.Connection, run_id: int) -> Counter[tuple[str, str]]:
    """The calls of a run that have ended: action and outcome to number."""
    rows = db.execute(
        """SELECT action, outcome, count(*) FROM attempts
           WHERE run_id = ? AND outcome IS NOT NULL GROUP BY action, outcome""",
        [run_id],
    )
    return Counter({(action, outcome): number for action, outcome, number in rows})


def refreshed_pairs(db: sqlite3.Connection, run_id: int) -> int:
    """How many pairs stand that a run's refreshes won; one may have taken several calls."""
    (number,) = db.execute(
        """SELECT count(*) FROM attempts a JOIN token_pairs p ON p.attempt_id = a.id
           WHERE a.run_id = ? AND a.action = 'refresh' AND p.replaced_at IS NULL AND p.dead_at IS NULL""",
        [run_id],
    ).fetchone()
    return int(number)


def given_up(db: sqlite3.Connection, run_id: int) -> int:
    """How many connections a run found to be over: their users must consent again."""
    (number,) = db.execute(
        """SELECT count(*) FROM connections WHERE state = 'needs_consent' AND id IN
           (SELECT connection_id FROM attempts WHERE run_id = ? AND outcome = 'over')""",
        [run_id],
    ).fetchone()
    return int(number)
