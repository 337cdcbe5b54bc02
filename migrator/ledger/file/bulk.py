"""Fills tables that are empty: their indexes are made when they are full, each in one pass over sorted rows.

That spares a search through each index a row, and leaves no page of them half full. SQLite makes and drops
indexes within a transaction like everything else: nobody else ever sees a table without them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_CACHE = 16 * 1024
"""KiB of pages that are kept in memory meanwhile: those of the keys' index, which is made row by row."""


@contextmanager
def empty_tables_filled(db: sqlite3.Connection, tables: Sequence[str]) -> Iterator[None]:
    """Within it, in the caller's transaction, empty tables are filled; at its end their indexes are made.

    Those that belong to a table's definition stay: what is to be unique by it is so row by row.
    """
    marks = ", ".join("?" * len(tables))
    indexes = db.execute(
        f"""SELECT name, sql FROM sqlite_master
            WHERE type = 'index' AND tbl_name IN ({marks}) AND sql IS NOT NULL
            ORDER BY rowid""",  # noqa: S608
        tables,
    ).fetchall()
    (cache,) = db.execute("PRAGMA cache_size").fetchone()
    db.execute(f"PRAGMA cache_size = -{_CACHE}")
    try:
        for name, _ in indexes:
            db.execute(f'DROP INDEX "{name}"')
        yield
        for _, sql in indexes:
            db.execute(sql)
    finally:
        db.execute(f"PRAGMA cache_size = {cache}")
