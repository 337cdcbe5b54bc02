"""Runs of commands: one row each, written when it begins and completed when it ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from migrator.ledger.file.codec import maybe_time_text, time_text

SERVE = "reconsent serve"
"""The run that works beside the others; what it leaves open is its own to complete."""


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
