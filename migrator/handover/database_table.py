"""Pairs into a table of the application's own database, all of them or none."""

from __future__ import annotations

import itertools
import json
import logging
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrator.errors import OutputError
from migrator.sources.sql_connection import connected, find_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence, Set

    from sqlalchemy import Connection, Insert, TableClause
    from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedIndex
    from sqlalchemy.engine.reflection import Inspector

    from migrator.sources.sql_connection import DatabaseUrl

log = logging.getLogger(__name__)

_Row = Mapping[str, object]

_BATCH = 500
"""Rows sent at once."""

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

_HINT = (
    "Nothing was written, unless the connection broke in the very last moment; "
    "in any case the rows may be written again."
)

_INT64 = 2**63

_HIT_TWICE = "21000"
"""PostgreSQL's code where one statement would update a row twice."""


def write_table(url: DatabaseUrl, rows: Iterable[_Row], *, key: str) -> int:
    """Insert each row into the URL's table, or update the row that has the same ``key``; return how many.

    Everything happens in one transaction: whatever goes wrong, in the database or in ``rows``, the table is
    as it was. All rows must have the columns of the first one, and each a key of its own.

    If there is no such table, it is made: ``key`` is its primary key, of 255 characters; a column that holds
    a ``datetime`` within the first rows is a time with zone (in MySQL a DATETIME, in SQLite text, both in
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
    first = list(itertools.islice(remaining, _BATCH))
    if not first:
        return 0
    if url.kind == "sqlite":
        _make_file(url)
    with connected(url, OutputError, hint=_HINT) as connection:
        for statement in _BEGIN[url.kind]:
            connection.exec_driver_sql(statement)
        target = _target(connection, url, key, first)
        prepared = (
            _prepared(row, first[0].keys(), target.columns, url.kind)
            for row in itertools.chain(first, remaining)
        )
        if target.upserts and url.kind == "postgresql":
            return _write_postgresql(connection, url, target, key, _times(first), prepared)
        return _write_in_batches(connection, url, target, key, prepared)


@dataclass(frozen=True)
class _Target:
    """A table as far as it is written."""

    table: TableClause
    columns: Sequence[str]
    upserts: bool
    """Whether one statement inserts or updates, so that the row with the key is the only one it can touch."""
    is_new: bool
    """Whether it was made just now, so that there is nothing to update, and nobody else sees it."""


def _write_postgresql(
    connection: Connection,
    url: DatabaseUrl,
    target: _Target,
    key: str,
    times: Collection[str],
    rows: Iterable[_Row],
) -> int:
    """Write rows by ``COPY``, where the driver and the database let us."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - needs the extra

    from migrator.handover import postgresql_copy  # noqa: PLC0415 - as above

    if not postgresql_copy.copies(connection):
        return _write_in_batches(connection, url, target, key, rows)
    if target.is_new:
        return postgresql_copy.copy_into(connection, target.table, rows)
    if not postgresql_copy.may_stage(connection):
        return _write_in_batches(connection, url, target, key, rows)
    statement = upsert(target.table, url.kind, key)
    try:
        return postgresql_copy.copy_by_way(connection, statement, target.table, times, rows)
    except DBAPIError as problem:
        if getattr(problem.orig, "sqlstate", None) != _HIT_TWICE:
            raise
        raise OutputError(f"{url}: takes the {key} of several connections for the same", hint=_HINT) from None


def _write_in_batches(
    connection: Connection, url: DatabaseUrl, target: _Target, key: str, rows: Iterable[_Row]
) -> int:
    count = 0
    for batch in _batches(rows):
        if target.upserts:
            connection.execute(upsert(target.table, url.kind, key), batch)
        else:
            _update_or_insert(connection, url, target.table, key, batch)
        count += len(batch)
    return count


def upsert(table: TableClause, kind: str, key: str) -> Insert:
    """The dialect's own statement that inserts a row, or updates the one that has its key."""
    from sqlalchemy.dialects import mysql, postgresql, sqlite  # noqa: PLC0415 - needs the extra

    others = [column.name for column in table.columns if column.name != key]
    if kind == "mysql":
        into_mysql = mysql.insert(table)
        return into_mysql.on_duplicate_key_update({name: into_mysql.inserted[name] for name in others})
    into = sqlite.insert(table) if kind == "sqlite" else postgresql.insert(table)
    return into.on_conflict_do_update(
        index_elements=[table.columns[key]], set_={name: into.excluded[name] for name in others}
    )


def _update_or_insert(
    connection: Connection, url: DatabaseUrl, table: TableClause, key: str, rows: Sequence[_Row]
) -> None:
    """The same row by row, for tables where one statement could not do it, or could hit another row."""
    from sqlalchemy import bindparam, insert, update  # noqa: PLC0415 - needs the extra

    sought = max((column.name for column in table.columns), key=len) + "_"  # no column's name
    change, add = update(table).where(table.columns[key] == bindparam(sought)), insert(table)
    for row in rows:
        values = {name: value for name, value in row.items() if name != key}
        found = connection.execute(change, {**values, sought: row[key]}).rowcount
        if found > 1:
            raise OutputError(f"{url}: has several rows with the same {key}", hint=_HINT)
        if found == 0:
            connection.execute(add, row)


def _target(connection: Connection, url: DatabaseUrl, key: str, first: Sequence[_Row]) -> _Target:
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
    return _Target(target, columns, upserts, is_new)


def _lock(connection: Connection, table: TableClause) -> None:
    quoted = connection.dialect.identifier_preparer.format_table(table)
    connection.exec_driver_sql(f"LOCK TABLE {quoted} IN SHARE ROW EXCLUSIVE MODE")


def _create(
    connection: Connection, url: DatabaseUrl, key: str, first: Sequence[_Row]
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


def _times(first: Sequence[_Row]) -> set[str]:
    """The columns that hold times, as far as the first rows tell."""
    return {each for row in first for each, value in row.items() if isinstance(value, datetime)}


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


def _batches(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch


def _prepared(row: _Row, expected: Set[str], written: Iterable[str], kind: str) -> dict[str, object]:
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
        moment = value.astimezone(UTC)
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
