"""Prints of values, in a private temporary database: any number of them, in little memory."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class PrintsOnDisk:
    """The same as ``PrintsInMemory``, for any number, and much slower. Its file has no name."""

    def __init__(self, prints: Iterable[tuple[int, int, int]]) -> None:
        """``prints`` are there from the beginning, each with its place."""
        # An empty name is SQLite's for a temporary file that is deleted as soon as it is open.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE seen (first INTEGER, second INTEGER, place INTEGER NOT NULL,"
            " PRIMARY KEY (first, second)) WITHOUT ROWID"
        )
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO seen VALUES (?, ?, ?)", prints)
        self._last = (0, 0)

    def meet(self, first: int, second: int, place: int) -> int | None:
        """Where a print was met before; if nowhere, remember that it was at ``place``, and return None."""
        added = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (first, second, place))
        if added.rowcount:
            self._last = (first, second)
            return None
        (earlier,) = self._db.execute(
            "SELECT place FROM seen WHERE first = ? AND second = ?", (first, second)
        ).fetchone()
        return int(earlier)

    def forget_last(self) -> None:
        """Forget the print that was remembered last."""
        self._db.execute("DELETE FROM seen WHERE first = ? AND second = ?", self._last)

    def close(self) -> None:
        """Delete all."""
        self._db.close()
