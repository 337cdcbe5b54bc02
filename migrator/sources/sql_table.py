"""A table or query of somebody's PostgreSQL or MySQL database, read through SQLAlchemy."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.errors import InputError
from migrator.models import Reject
from migrator.sources.columns import refuse_duplicates, require_columns
from migrator.sources.document import Document
from migrator.sources.interface import Row
from migrator.sources.sql_connection import DatabaseUrl, connected, find_table
from migrator.sources.sqlite_table import SqliteTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, CursorResult

    from migrator.row_rules import RowRules
    from migrator.sources.interface import Source

_BATCH = 500
"""Rows asked for at once."""

_BEGIN = {
    # Nothing can be written. Times come in UTC whatever the server's zone, so that a row read twice is equal.
    "postgresql": (
        "SET TRANSACTION READ ONLY",
        "SET LOCAL TIME ZONE 'UTC'",
        "SET LOCAL datestyle = 'ISO'",
        "SET LOCAL intervalstyle = 'iso_8601'",
    ),
    "mysql": ("SET time_zone = '+00:00'", "START TRANSACTION READ ONLY"),
}
"""What begins a transaction that only reads."""

_AS_TEXT = ("timestamp", "timestamptz", "date", "time", "timetz", "interval")
"""PostgreSQL's types of which some values are no value in Python: ``infinity``, years before 1."""

_LISTED = 20
"""Names of tables that an error lists."""

_HINT = "Check the table or query in psql or mysql, as the same user; nothing was taken in."


def open_database(url: DatabaseUrl, query: str | None, rules: RowRules) -> Source:
    """The rows of the URL's table, or of ``query``. Raises ``InputError`` and ``ConfigurationError``."""
    query = (query or "").rstrip("; \t\r\n")
    if query and url.table:
        raise InputError(
            f"{url}: names a table, and there is a query", hint="Leave one of them out: ?table= or --query."
        )
    if url.kind != "sqlite":
        return DatabaseSource(url, query, rules=rules)
    if not url.path:
        raise InputError(
            f"{url}: names no file", hint="It is sqlite:///relative.db or sqlite:////absolute.db."
        )
    document = Document.of_file(_name(url, query), Path(url.path))
    if not SqliteTable.recognises(document.head):
        raise InputError(f"{url}: is not a SQLite database", hint="Name the database's own file.")
    return SqliteTable(document, Path(url.path), url.table, query, rules=rules)


class DatabaseSource:
    """One table, view or query of a server's database, streamed in one transaction that only reads."""

    def __init__(self, url: DatabaseUrl, query: str = "", *, rules: RowRules) -> None:
        """The rows of the URL's table, or of ``query``, which is one SELECT.

        Raises ``InputError`` where the database cannot be reached or used, or has no such table, or a
        required column is missing, and ``ConfigurationError`` as ``sql_connection.connected`` does.
        """
        self._url = url
        self._name = _name(url, query)
        with self._reading() as connection:
            self._query = query or f"SELECT * FROM {_existing(connection, url)}"  # noqa: S608 - quoted
            # Only one SELECT can stand in parentheses; nothing is computed for it.
            with _result(connection, f"SELECT * FROM (\n{self._query}\n) AS legacy LIMIT 0") as result:  # noqa: S608
                columns = list(result.keys())
        where = f"{self._name}: the {'query' if query else 'table'}"
        require_columns(where, columns, rules)
        refuse_duplicates(where, columns)

    @property
    def name(self) -> str:
        """The URL as it may be shown, told apart from other queries of the same database."""
        return self._name

    def rows(self) -> Iterator[Row | Reject]:
        """Each row by its number in the database's own order, from 1."""
        with self._reading() as connection, _result(connection, self._query) as result:
            columns = list(result.keys())
            for number, cells in enumerate(result, 1):
                row = {column: _plain(value) for column, value in zip(columns, cells, strict=True)}
                undecodable = next((column for column, value in row.items() if value is _NO_TEXT), None)
                if undecodable is None:
                    yield Row(number, row)
                else:
                    detail = f"Column {undecodable} holds bytes that are not text in UTF-8."
                    yield Reject(self._name, number, "bad_encoding", detail)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with connected(self._url, InputError, hint=_HINT) as connection:
            for statement in _BEGIN[self._url.kind]:
                connection.exec_driver_sql(statement)
            if connection.dialect.driver == "psycopg":
                _leave_times_as_text(connection)
            yield connection


@contextmanager
def _result(connection: Connection, query: str) -> Iterator[CursorResult[tuple[object, ...]]]:
    """The rows of a query, some at a time; it is handed on as it is, a percent sign being one."""
    options = connection.execution_options(stream_results=True, yield_per=_BATCH, no_parameters=True)
    with options.exec_driver_sql(query) as result:
        yield result


def _leave_times_as_text(connection: Connection) -> None:
    from psycopg import Connection as Psycopg  # noqa: PLC0415 - needs the extra
    from psycopg.types.string import TextLoader  # noqa: PLC0415 - as above

    driver = connection.connection.driver_connection
    if isinstance(driver, Psycopg):
        for kind in _AS_TEXT:
            driver.adapters.register_loader(kind, TextLoader)


def _existing(connection: Connection, url: DatabaseUrl) -> str:
    """The URL's table, quoted. Raises ``InputError`` with the names there are."""
    from sqlalchemy import inspect  # noqa: PLC0415 - needs the extra

    inspector = inspect(connection)
    found = find_table(inspector, url.table) if url.table else None
    if found is None:
        names = sorted([*inspector.get_table_names(), *inspector.get_view_names()])
        listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
        what = f"has no table {url.table}" if url.table else "names no table"
        hint = f"Name one as ?table=NAME: {listed}" if names else "There is none; is it the right database?"
        raise InputError(f"{url}: {what}", hint=hint)
    name, schema = found
    quote = connection.dialect.identifier_preparer.quote_identifier
    return ".".join(quote(part).replace("%%", "%") for part in (schema, name) if part)


def _name(url: DatabaseUrl, query: str) -> str:
    """Rows are known by source and number, so each query needs a name; the query itself may hold secrets."""
    return f"{url} [query {hashlib.sha256(query.encode()).hexdigest()[:8]}]" if query else url.name


_NO_TEXT = object()
"""Stands for bytes that are no text."""


def _plain(value: object) -> object:
    """A cell as JSON may have it: as it is if it can be, or else as text; times with a zone in UTC."""
    if isinstance(value, bytes | bytearray | memoryview):
        return _text(bytes(value))
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_nested(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): _nested(each) for name, each in value.items()}
    return value if _is_json(value) else str(value)


def _is_json(value: object) -> bool:
    return (
        value is None or isinstance(value, int | str) or (isinstance(value, float) and math.isfinite(value))
    )


def _nested(value: object) -> object:
    """A cell's part; bytes within it that are no text are written in hexadecimal."""
    plain = _plain(value)
    return bytes(value).hex() if plain is _NO_TEXT and isinstance(value, bytes | memoryview) else plain


def _text(value: bytes) -> object:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _NO_TEXT
