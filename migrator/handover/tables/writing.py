"""How rows come into a table: each way writes all of them in the transaction that is open, or raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.batching import batched
from migrator.errors import OutputError
from migrator.handover.tables import own_rows
from migrator.handover.tables.values import Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Insert, TableClause
    from sqlalchemy.sql.base import ReadOnlyColumnCollection
    from sqlalchemy.sql.elements import KeyedColumnElement

    from migrator.sources.sql_connection import DatabaseUrl

GENERATION = "generation"
"""The column that says which of two pairs of one connection is the newer one: a greater number."""

_BATCH = 500
"""Rows sent at once, where they are sent in statements."""

_HIT_TWICE = "21000"
"""PostgreSQL's code where one statement would update a row twice."""

HINT = (
    "Nothing was written, unless the connection broke in the very last moment; "
    "in any case the rows may be written again."
)


@dataclass(frozen=True)
class Target:
    """A table as far as it is written."""

    url: DatabaseUrl
    key: str
    """The column by which a row is known again."""
    table: TableClause
    """With the columns that are written."""
    times: Collection[str]
    """The columns of the rows that hold times and nothing else."""
    upserts: bool
    """Whether one statement inserts or updates, so that the row with the key is the only one it can touch."""
    is_new: bool
    """Whether it was made just now, so that there is nothing to update, and nobody else sees it."""


def write_rows(connection: Connection, target: Target, rows: Iterable[Row]) -> int:
    """Write rows, which have the table's columns in their order; returns how many.

    Raises ``OutputError`` and what SQLAlchemy raises.
    """
    if target.upserts and connection.dialect.driver == "psycopg":
        from migrator.handover.tables import postgresql_copy  # noqa: PLC0415 - needs the extra

        if target.is_new:
            return postgresql_copy.copy_into(connection, target.table, rows)
        if postgresql_copy.may_stage(connection):
            return _copy_by_way(connection, target, rows)
    count = 0
    for batch in batched(rows, _BATCH):
        write_few(connection, target, batch)
        count += len(batch)
    return count


def write_few(connection: Connection, target: Target, rows: Sequence[Row]) -> None:
    """The same for as many as go into one statement. Raises what SQLAlchemy raises, and ``OutputError``."""
    if target.upserts:
        connection.execute(upsert(target.table, target.url.kind, target.key), rows)
    else:
        _update_or_insert(connection, target, rows)
    if not target.is_new:
        own_rows.require_own(connection, target.url, target.table, target.key, rows)


def upsert(table: TableClause, kind: str, key: str) -> Insert:
    """The dialect's own statement that inserts a row, or updates the one that has its key.

    Where rows have a generation, one that is not older than the row's stays as it is.
    """
    from sqlalchemy.dialects import mysql, postgresql, sqlite  # noqa: PLC0415 - needs the extra

    if kind == "mysql":
        into_mysql = mysql.insert(table)
        return into_mysql.on_duplicate_key_update(_mysqls_changes(table, into_mysql.inserted, key))
    into = sqlite.insert(table) if kind == "sqlite" else postgresql.insert(table)
    return into.on_conflict_do_update(
        index_elements=[table.columns[key]],
        set_={column.name: into.excluded[column.name] for column in table.columns if column.name != key},
        where=_is_older(table, into.excluded[GENERATION]) if GENERATION in table.columns else None,
    )


def _is_older(table: TableClause, generation: ColumnElement[object]) -> ColumnElement[bool]:
    """Of a row of the table: whether it is older than a generation, or was never written by us."""
    from sqlalchemy import or_  # noqa: PLC0415 - needs the extra

    own = table.columns[GENERATION]
    return or_(own.is_(None), own < generation)


def _mysqls_changes(
    table: TableClause, inserted: ReadOnlyColumnCollection[str, KeyedColumnElement[object]], key: str
) -> list[tuple[str, ColumnElement[object]]]:
    """What MySQL changes in a row, one after the other: the generation, by which each is decided, at last."""
    from sqlalchemy import func  # noqa: PLC0415 - needs the extra

    names = sorted((each.name for each in table.columns if each.name != key), key=GENERATION.__eq__)
    if GENERATION not in names:
        return [(name, inserted[name]) for name in names]
    older = _is_older(table, inserted[GENERATION])
    return [(name, func.if_(older, inserted[name], table.columns[name])) for name in names]


def _update_or_insert(connection: Connection, target: Target, rows: Sequence[Row]) -> None:
    """The same row by row, for tables where one statement could not do it, or could hit another row."""
    from sqlalchemy import bindparam, insert, literal, select, update  # noqa: PLC0415 - needs the extra

    table, key = target.table, target.key
    sought = max((column.name for column in table.columns), key=len) + "_"  # no column's name
    is_it = table.columns[key] == bindparam(sought)
    change, add = update(table).where(is_it), insert(table)
    if GENERATION in table.columns:
        change = change.where(_is_older(table, bindparam(sought + "_")))
    there = select(literal(1)).select_from(table).where(is_it).with_for_update()  # or MySQL locks no gap
    for row in rows:
        known = connection.execute(there, {sought: row[key]}).fetchmany(2)
        if len(known) > 1:
            raise OutputError(f"{target.url}: has several rows with the same {key}", hint=HINT)
        if not known:
            connection.execute(add, row)
            continue
        values = {name: value for name, value in row.items() if name != key}
        newer = {sought + "_": row[GENERATION]} if GENERATION in row else {}
        connection.execute(change, {**values, **newer, sought: row[key]})


def _copy_by_way(connection: Connection, target: Target, rows: Iterable[Row]) -> int:
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - needs the extra

    from migrator.handover.tables import postgresql_copy  # noqa: PLC0415 - as above

    statement = upsert(target.table, target.url.kind, target.key)
    try:
        count, staged = postgresql_copy.copy_by_way(connection, statement, target.table, target.times, rows)
    except DBAPIError as problem:
        if getattr(problem.orig, "sqlstate", None) != _HIT_TWICE:
            raise
        message = f"{target.url}: takes the {target.key} of two rows for the same"
        raise OutputError(message, hint=HINT) from None
    own_rows.require_own_staged(connection, target.url, target.table, target.key, staged[target.key])
    return count
