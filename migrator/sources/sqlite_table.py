"""A table, view or query of a SQLite database."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from migrator.errors import InputError
from migrator.models import Reject
from migrator.sources.columns import require_columns
from migrator.sources.interface import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.row_rules import RowRules
    from migrator.sources.document import Document

_MAGIC = b"SQLite format 3\x00"
_WAL = b"\x02\x02"
"""Bytes 18 and 19 of a database with a write-ahead log (https://sqlite.org/fileformat.html, 1.3.3)."""

_TABLES = """
    SELECT name FROM sqlite_master
    WHERE type IN ('table', 'view') AND name NOT GLOB 'sqlite_*'
    ORDER BY name
"""

_BUSY_SECONDS = 1.0
"""How long to wait for another program that writes to the database."""


class SqliteTable:
    """One table, view or query of a database that is opened for reading only."""

    def __init__(
        self, document: Document, path: Path, table: str, query: str = "", *, rules: RowRules
    ) -> None:
        """``document`` is the file at ``path`` by the user's name for it.

        ``table`` may be empty; a ``query``, one SELECT, takes its place. Raises ``InputError`` where the
        database has no such table or cannot be read, or a required column is missing.
        """
        self._name = document.name
        self._uri = _uri(document, path)
        what = "query" if query else "table"
        with self._connection() as connection:
            self._query = query or f"SELECT * FROM {_quoted(self._existing(connection, path, table))}"  # noqa: S608
            with closing(connection.execute(f"SELECT * FROM (\n{self._query}\n) LIMIT 0")) as cursor:  # noqa: S608
                require_columns(f"{self._name}: the {what}", _columns(cursor), rules)

    @staticmethod
    def recognises(head: bytes) -> bool:
        """Whether the bytes begin a SQLite database."""
        return head.startswith(_MAGIC)

    @property
    def name(self) -> str:
        """The database and table as the user named them."""
        return self._name

    def rows(self) -> Iterator[Row | Reject]:
        """Each row by its number in the table's own order, from 1."""
        with self._connection() as connection, closing(connection.execute(self._query)) as cursor:
            columns = _columns(cursor)
            for number, cells in enumerate(cursor, 1):
                row = {
                    column: _text(value) if isinstance(value, bytes) else value
                    for column, value in zip(columns, cells, strict=True)
                }
                undecodable = next(
                    (column for column, value in row.items() if isinstance(value, bytes)), None
                )
                if undecodable is None:
                    yield Row(number, row)
                else:
                    detail = f"Column {undecodable} holds bytes that are not text in UTF-8."
                    yield Reject(self._name, number, "bad_encoding", detail)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading only. Errors come in our words: SQLite's may quote a row."""
        try:
            with closing(sqlite3.connect(self._uri, uri=True, timeout=_BUSY_SECONDS)) as connection:
                connection.text_factory = _text
                yield connection
        except sqlite3.Error as error:
            raise _unusable(self._name, error) from None

    def _existing(self, connection: sqlite3.Connection, path: Path, table: str) -> str:
        """The table's own spelling of its name. Raises ``InputError`` with the names there are."""
        with closing(connection.execute(_TABLES)) as cursor:
            names = [str(name) for (name,) in cursor]
        for name in names:
            if name.casefold() == table.casefold():
                return name
        what = f"has no table {table}" if table else "is a SQLite database, of which no table is named"
        hint = (
            f"Name one of its tables and views, as {path}:TABLE: {', '.join(names)}"
            if names
            else "It has none."
        )
        raise InputError(f"{self._name}: {what}", hint=hint)


def _uri(document: Document, path: Path) -> str:
    """The database, for reading only.

    Even then SQLite would make a write-ahead log beside a database that is to have one. Where there is none,
    nobody has the database open, and ``immutable`` keeps our hands off.
    """
    wal = document.head[18:20] == _WAL and not _is_there(Path(f"{path}-wal"))
    return f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if wal else ''}"


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:  # a name that is too long, too: nobody can have made such a file
        return False
    return True


def _columns(cursor: sqlite3.Cursor) -> list[str]:
    return [column[0] for column in cursor.description]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: bytes) -> str | bytes:
    """Text where it is, or else the bytes, by which the row is known to be damaged."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _unusable(name: str, error: sqlite3.Error) -> InputError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return InputError(
            f"{name}: the database is locked",
            hint="Another program writes to it: wait or stop it, or copy the file.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return InputError(
            f"{name}: the database is damaged",
            hint="Check it: sqlite3 FILE 'PRAGMA integrity_check'; .recover may help.",
        )
    what = getattr(error, "sqlite_errorname", "no further cause")
    return InputError(
        f"{name}: the table cannot be read ({what})", hint="Check that sqlite3 itself can read it."
    )
