"""Fills tables with many rows.

Indexes of tables that are empty are made when they are full, each in one pass over sorted rows: that spares a
search through each index a row, and leaves no page of them half full. SQLite makes and drops indexes within a
transaction like everything else: nobody else ever sees a table without them. What is to be unique is so at
the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_CACHE = 16 * 1024
"""KiB of pages that are kept in memory where indexes are searched and changed row by row."""


@contextmanager
def empty_tables_filled(db: sqlite3.Connection, tables: Sequence[str]) -> Iterator[None]:
    """Within it, in the caller's transaction, empty tables are filled; at its end their indexes are made.

    Those that belong to a table's definition stay. Raises ``sqlite3.IntegrityError`` at the end where rows
    have in common what must be unique.
    """
    marks = ", ".join("?" * len(tables))
    indexes = db.execute(
        f"""SELECT name, sql FROM sqlite_master
            WHERE type = 'index' AND tbl_name IN ({marks}) AND sql IS NOT NULL
            ORDER BY rowid""",  # noqa: S608
        tables,
    ).fetchall()
    for name, _ in indexes:
        db.execute(f'DROP INDEX "{name}"')
    yield
    for _, sql in indexes:
        db.execute(sql)


@contextmanager
def further_filled(db: sqlite3.Connection) -> Iterator[None]:
    """Within it, tables that hold something are filled further; more of their indexes is kept in memory."""
    (cache,) = db.execute("PRAGMA cache_size").fetchone()
    db.execute(f"PRAGMA cache_size = -{_CACHE}")
    try:
        yield
    finally:
        db.execute(f"PRAGMA cache_size = {cache}")
