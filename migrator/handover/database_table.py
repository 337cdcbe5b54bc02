"""Pairs into a table of the application's own database, all of them or none."""

from __future__ import annotations

import itertools
import json
import logging
import os
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrator.errors import OutputError
from migrator.handover.table_writing import HINT, Row, Target, write_rows
from migrator.sources.sql_connection import connected, find_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence, Set

    from sqlalchemy import Connection, TableClause
    from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedIndex
    from sqlalchemy.engine.reflection import Inspector

    from migrator.sources.sql_connection import DatabaseUrl

log = logging.getLogger(__name__)

_FIRST = 500
"""Rows that tell what the columns are."""

_NEEDED = ("access_token", "refresh_token")
"""Columns, beside the key, without which a table is of no use."""

_BEGIN = {
    # A time goes into a column without zone as UTC.
    "postgresql": ("SET LOCAL TIME ZONE 'UTC'",),
    # What does not fit is an error; without strict mode, a token would be cut off.
    "mysql": (
        "SET SESSION time_zone = '+00:00'",
        "SET SESSION sql_mode = CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'STRICT_ALL_TABLES')",
    ),
    # Python's driver begins too late: a table would be made outside of the transaction.
    "sqlite": ("BEGIN IMMEDIATE",),
}

_INT64 = 2**63


def write_table(url: DatabaseUrl, rows: Iterable[Row], *, key: str) -> int:
    """Insert each row into the URL's table, or update the row that has the same ``key``; return how many.

    Everything happens in one transaction: whatever goes wrong, in the database or in ``rows``, the table is
    as it was. All rows must have the columns of the first one, and each a key of its own.

    If there is no such table, it is made: ``key`` is its primary key, of 255 characters; a column that holds
    ``datetime`` alone within the first rows is a time with zone (in MySQL a DATETIME, in SQLite text, both in
    UTC); any other is text. In MySQL, a new table stays after a failure, empty. If there is one, it must have
    the columns ``key``, ``access_token`` and ``refresh_token``; those of ours that it has not are passed
    over, with a warning that names them.

    A ``datetime`` must be aware; lists and mappings are written as JSON. A SQLite file that is not there is
    made with mode 0600. Raises ``OutputError``, which quotes no row, and ``ConfigurationError`` as
    ``sql_connection.connected`` does.
    """
    if not url.table:
        raise OutputError(f"{url}: names no table", hint="Name it at the end: ?table=NAME")
    remaining = iter(rows)
    first = list(itertools.islice(remaining, _FIRST))
    if not first:
        return 0
    if url.kind == "sqlite":
        _make_file(url)
    with connected(url, OutputError, hint=HINT) as connection:
        for statement in _BEGIN[url.kind]:
            connection.exec_driver_sql(statement)
        target = _target(connection, url, key, first)
        given, written = first[0].keys(), target.table.columns.keys()
        every = itertools.chain(first, remaining)
        return write_rows(connection, target, (_prepared(row, given, written, url.kind) for row in every))


def _target(connection: Connection, url: DatabaseUrl, key: str, first: Sequence[Row]) -> Target:
    """The table to write, made if there is none, and locked if only that makes the write safe."""
    from sqlalchemy import column, inspect, table  # noqa: PLC0415 - needs the extra
    from sqlalchemy.exc import SAWarning  # noqa: PLC0415 - as above

    inspector = inspect(connection)
    found = find_table(inspector, url.table)
    is_new = found is None
    if found is None:
        name, schema = _create(connection, url, key, first)
        columns, upserts = list(first[0]), True
    else:
        name, schema = found
        with warnings.catch_warnings(action="ignore", category=SAWarning):  # of types it does not know
            existing = inspector.get_columns(name, schema)
            columns = _shared(url, key, list(first[0]), [each["name"] for each in existing])
            upserts = _can_insert(existing, columns) and _is_only_conflict(
                _unique(inspector, name, schema), key, columns, url.kind
            )
    if url.kind == "mysql" and any("%" in each for each in columns):
        upserts = False  # PyMySQL takes a percent sign for two, behind VALUES
    target = table(name, *[column(each) for each in columns], schema=schema)
    if not upserts and url.kind == "postgresql":
        # Others may read; nobody adds a row between our update and our insert. MySQL locks the gap itself.
        _lock(connection, target)
    return Target(url, key, target, _times(first), upserts, is_new)


def _lock(connection: Connection, table: TableClause) -> None:
    quoted = connection.dialect.identifier_preparer.format_table(table)
    connection.exec_driver_sql(f"LOCK TABLE {quoted} IN SHARE ROW EXCLUSIVE MODE")


def _create(
    connection: Connection, url: DatabaseUrl, key: str, first: Sequence[Row]
) -> tuple[str, str | None]:
    """Make the table; a first dot in its name parts off the schema."""
    from sqlalchemy import Column, DateTime, MetaData, String, Table, Text  # noqa: PLC0415 - needs the extra

    schema, dot, name = url.table.partition(".")
    if not dot:
        schema, name = "", url.table
    # Keys that differ in case only are two keys.
    text = String(255, collation="utf8mb4_bin") if url.kind == "mysql" else String(255)
    times = _times(first)
    columns = [
        Column(each, DateTime(timezone=True) if each in times else Text()) for each in first[0] if each != key
    ]
    Table(
        name,
        MetaData(),
        Column(key, text, primary_key=True),
        *columns,
        schema=schema or None,
        mysql_charset="utf8mb4",
        mariadb_charset="utf8mb4",
    ).create(connection)
    return name, schema or None


def _times(first: Sequence[Row]) -> set[str]:
    """The columns that hold times and nothing else, as far as the first rows tell."""
    said = {
        (each, isinstance(value, datetime))
        for row in first
        for each, value in row.items()
        if value is not None
    }
    return {each for each, is_time in said if is_time and (each, False) not in said}


def _shared(url: DatabaseUrl, key: str, ours: Sequence[str], theirs: Collection[str]) -> list[str]:
    """The columns that a row and the table share. Raises ``OutputError`` where a needed one is missing."""
    missing = [column for column in (key, *_NEEDED) if column not in theirs]
    if missing:
        raise OutputError(
            f"{url}: the table has no column {' and no column '.join(missing)}",
            hint="Add it, or let a table be made: name one that is not there.",
        )
    passed_over = [column for column in ours if column not in theirs]
    if passed_over:
        log.warning("%s: not written, for want of such columns: %s", url, ", ".join(passed_over))
    return [column for column in ours if column in theirs]


def _can_insert(existing: Sequence[ReflectedColumn], columns: Collection[str]) -> bool:
    """Whether a row of these columns alone can be inserted.

    If it cannot, neither can it be upserted, though there be a row to update.
    """
    return all(
        each["name"] in columns
        or each["nullable"]
        or each["default"] is not None
        or each.get("autoincrement") is True
        or "identity" in each
        or "computed" in each
        for each in existing
    )


def _unique(inspector: Inspector, name: str, schema: str | None) -> list[frozenset[str | None]]:
    """The columns of each constraint and index of which the table holds a value once only.

    None stands among them for an expression or a condition, by which uniqueness is another thing.
    """
    found: list[frozenset[str | None]] = [
        frozenset(inspector.get_pk_constraint(name, schema)["constrained_columns"])
    ]
    found += [frozenset(each["column_names"]) for each in inspector.get_unique_constraints(name, schema)]
    indexes = [each for each in inspector.get_indexes(name, schema) if each["unique"]]
    found += [frozenset([*each["column_names"], *([None] if _is_partial(each) else [])]) for each in indexes]
    return [each for each in found if each]


def _is_partial(index: ReflectedIndex) -> bool:
    options = index.get("dialect_options", {})
    return any(option.endswith(("_where", "_length")) and value for option, value in options.items())


def _is_only_conflict(
    unique: Sequence[frozenset[str | None]], key: str, columns: Collection[str], kind: str
) -> bool:
    """Whether an upsert by ``key`` is possible, and updates the row of that key or none.

    MySQL's updates the row that is equal by any unique index: it could hand one connection's pair to another.
    """
    if frozenset([key]) not in unique:
        return False
    others = [each for each in unique if each != {key}]
    return kind != "mysql" or not any(None in each or each & set(columns) for each in others)


def _prepared(row: Row, expected: Set[str], written: Iterable[str], kind: str) -> dict[str, object]:
    """A row as the driver takes it. Raises ``ValueError`` where its columns are not the first row's."""
    if row.keys() != expected:
        raise ValueError("the rows differ in their columns")
    return {
        column: value if (value := row[column]) is None or type(value) is str else _value(value, kind)
        for column in written
    }


def _value(value: object, kind: str) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        moment = value if value.tzinfo is UTC else value.astimezone(UTC)
        if kind == "mysql":
            return moment.replace(tzinfo=None)
        return moment.isoformat() if kind == "sqlite" else moment
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) or (isinstance(value, int) and abs(value) >= _INT64):
        return str(value)  # a plain one: drivers take members of enumerations for something else
    return value


def _make_file(url: DatabaseUrl) -> None:
    """Let a database that will hold tokens be its owner's alone from the beginning."""
    if not url.path:
        raise OutputError(
            f"{url}: names no file", hint="It is sqlite:///relative.db or sqlite:////absolute.db."
        )
    try:
        os.close(os.open(url.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise OutputError(
            f"{url}: the file cannot be made: {error.strerror}", hint="Check the folder."
        ) from None
