"""Remembers what a run's files held so far, in a private temporary database rather than in memory."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from types import TracebackType


class DuplicateIndex:
    """``screening.Seen`` for any number of rows.

    Only keyed hashes leave the memory, and their file has no name.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        # An empty name is SQLite's for a temporary file that is deleted as soon as it is open.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE seen (print BLOB PRIMARY KEY, place TEXT NOT NULL) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def met(self, kind: str, value: str) -> str | None:
        """Where ``value`` was met before, or None."""
        row = self._db.execute(
            "SELECT place FROM seen WHERE print = ?", [self._print(kind, value)]
        ).fetchone()
        return str(row[0]) if row else None

    def first(self, kind: str, value: str, place: str) -> str | None:
        """Where ``value`` was met before; if nowhere, remember that it was at ``place``, and return None."""
        cursor = self._db.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?)", [self._print(kind, value), place]
        )
        return None if cursor.rowcount else self.met(kind, value)

    def __enter__(self) -> DuplicateIndex:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def _print(self, kind: str, value: str) -> bytes:
        text = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=16).digest()
