"""The table that a URL names: found, or made; and whether one statement can write it."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

from migrator.errors import OutputError
from migrator.handover.tables.values import times
from migrator.handover.tables.writing import GENERATION, Target
from migrator.sources.sql_connection import find_table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedIndex
    from sqlalchemy.engine.reflection import Inspector

    from migrator.handover.tables.values import Row
    from migrator.sources.sql_connection import DatabaseUrl

log = logging.getLogger(__name__)

_NEEDED = ("access_token", "refresh_token")
"""Columns, beside the key, without which a table is of no use."""

_NO_GENERATION = (
    "Add it, so that no older pair takes the place of a newer one: ALTER TABLE … ADD COLUMN generation BIGINT"
)


def find_or_make(
    connection: Connection,
    url: DatabaseUrl,
    key: str,
    first: Sequence[Row],
    tell: Callable[..., None] = log.warning,
) -> Target:
    """The table to write, made if there is none; ``tell`` hears which columns are passed over."""
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
            if passed_over := [each for each in first[0] if each not in columns]:
                tell("%s: not written, for want of such columns: %s", url, ", ".join(passed_over))
            upserts = _can_insert(existing, columns) and _is_only_conflict(
                _unique(inspector, name, schema), key, columns, url.kind
            )
    if url.kind == "mysql" and any("%" in each for each in columns):
        upserts = False  # PyMySQL takes a percent sign for two, behind VALUES
    written = table(name, *[column(each) for each in columns], schema=schema)
    return Target(url, key, written, times(first), upserts, is_new)


def schema_of(connection: Connection, url: DatabaseUrl) -> str | None:
    """The schema of the table that a URL names, or where it will be made; None: the usual one."""
    from sqlalchemy import inspect  # noqa: PLC0415 - needs the extra

    found = find_table(inspect(connection), url.table)
    return found[1] if found is not None else url.table.rpartition(".")[0] or None


def lock(connection: Connection, target: Target) -> None:
    """Lock the table until the transaction ends, if only that makes writing safe.

    Others may read; nobody adds a row between our update and our insert. MySQL locks the gap itself.
    """
    if not target.upserts and target.url.kind == "postgresql":
        quoted = connection.dialect.identifier_preparer.format_table(target.table)
        connection.exec_driver_sql(f"LOCK TABLE {quoted} IN SHARE ROW EXCLUSIVE MODE")


def _create(
    connection: Connection, url: DatabaseUrl, key: str, first: Sequence[Row]
) -> tuple[str, str | None]:
    """Make the table; a first dot in its name parts off the schema."""
    from sqlalchemy import (  # noqa: PLC0415 - needs the extra
        BigInteger,
        Column,
        DateTime,
        MetaData,
        String,
        Table,
        Text,
    )

    schema, dot, name = url.table.partition(".")
    if not dot:
        schema, name = "", url.table
    # Keys that differ in case only are two keys.
    text = String(255, collation="utf8mb4_bin") if url.kind == "mysql" else String(255)
    of_times = times(first)
    types = {each: DateTime(timezone=True) for each in of_times} | {GENERATION: BigInteger()}
    columns = [Column(each, types.get(each) or Text()) for each in first[0] if each != key]
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


def _shared(url: DatabaseUrl, key: str, ours: Sequence[str], theirs: Collection[str]) -> list[str]:
    """The columns that a row and the table share. Raises ``OutputError`` where a needed one is missing."""
    needed = (key, *_NEEDED, *([GENERATION] if GENERATION in ours else []))
    missing = [column for column in needed if column not in theirs]
    if missing:
        raise OutputError(
            f"{url}: the table has no column {' and no column '.join(missing)}",
            hint=_NO_GENERATION
            if missing == [GENERATION]
            else "Add it, or let a table be made: name one that is not there.",
        )
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
