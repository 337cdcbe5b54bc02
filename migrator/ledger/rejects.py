"""Rejects: the rows that could not be used, each with the reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from migrator.models import Reject


def begin_intake(db: sqlite3.Connection) -> None:
    """Before the rows of a run's files are taken in."""
    db.execute(
        "CREATE TEMP TABLE rejected_now (source TEXT, line INTEGER, PRIMARY KEY (source, line)) WITHOUT ROWID"
    )


def add(db: sqlite3.Connection, reject: Reject, run_id: int) -> None:
    """A row that could not be used; one that is known is written only if it says something new."""
    db.execute("INSERT OR IGNORE INTO rejected_now VALUES (?, ?)", [reject.source, reject.line])
    db.execute(
        """INSERT INTO rejects (run_id, source, line, reason, detail) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (source, line) DO UPDATE
           SET run_id = excluded.run_id, reason = excluded.reason, detail = excluded.detail
           WHERE reason <> excluded.reason OR detail <> excluded.detail""",
        [run_id, reject.source, reject.line, reject.reason, reject.detail],
    )


def end_intake(db: sqlite3.Connection, sources: Sequence[str]) -> None:
    """A file that was read again no longer has the rejects that were mended in it.

    Standard input is another file each time.
    """
    for source in sources:
        if source != "-":
            db.execute(
                """DELETE FROM rejects
                   WHERE source = ? AND line NOT IN (SELECT line FROM rejected_now WHERE source = ?)""",
                [source, source],
            )
    db.execute("DROP TABLE rejected_now")


def listed_rejects(db: sqlite3.Connection) -> Iterator[tuple[str, int, str, str]]:
    """Source, line, reason and detail of every row that could not be used."""
    yield from db.execute("SELECT source, line, reason, detail FROM rejects ORDER BY id")
