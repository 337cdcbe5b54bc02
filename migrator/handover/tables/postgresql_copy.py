"""Many rows into a table of PostgreSQL's: ``COPY``, which takes them in a tenth of the time of statements.

All it can do is insert. So a table that was just made takes the rows itself; for one that may have some
already they go into a temporary table, from where one statement inserts or updates, in the same transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.adapt import Dumper
from sqlalchemy import cast, select
from sqlalchemy import column as any_column
from sqlalchemy import table as any_table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import UserDefinedType

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, Insert, TableClause

    Driver = psycopg.Connection[tuple[Any, ...]]

_MAY_STAGE = "SELECT has_database_privilege(current_database(), 'TEMPORARY')"

_PLAIN_TYPES = """
    WITH RECURSIVE plain (name, type) AS (
        SELECT attname, atttypid FROM pg_attribute
        WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT name, typbasetype FROM plain JOIN pg_type ON pg_type.oid = plain.type WHERE typtype = 'd'
    )
    SELECT name, format_type(plain.type, -1)
    FROM plain JOIN pg_type ON pg_type.oid = plain.type WHERE typtype <> 'd'
"""
"""The types of a table's columns, behind domains, without length: a cast to one would cut a token off."""


def may_stage(connection: Connection) -> bool:
    """Whether the database lets its user have temporary tables."""
    return bool(connection.exec_driver_sql(_MAY_STAGE).scalar())


def copy_into(connection: Connection, table: TableClause, rows: Iterable[Mapping[str, object]]) -> int:
    """Insert rows of all columns of a table, in their order; returns how many.

    Raises ``DBAPIError``.
    """
    return _copy(_driver(connection), _named(table), table.columns.keys(), rows)


def copy_by_way(
    connection: Connection,
    upsert: Insert,
    table: TableClause,
    times: Collection[str],
    rows: Iterable[Mapping[str, object]],
) -> tuple[int, Mapping[str, ColumnElement[object]]]:
    """The same for a table that may have rows: ``upsert`` says how one comes into it.

    ``times`` are the columns whose values are times. Returns also the columns of the temporary table by their
    names, as values of the table's types: it stays until the transaction ends.
    """
    driver, columns = _driver(connection), table.columns.keys()
    name = f"migrator_{secrets.token_hex(8)}"
    staged = sql.Identifier(name)
    with _errors_as_sqlalchemy():
        driver.execute(_temporary(staged, columns, times))
        types: dict[str, str] = dict(
            driver.execute(_PLAIN_TYPES, [_named(table).as_string(driver)]).fetchall()
        )
    count = _copy(driver, staged, columns, rows)
    source = any_table(name, *map(any_column, columns))
    values = {
        each: source.c[each] if each in times else cast(source.c[each], _Type(types[each]))
        for each in columns
    }
    connection.execute(upsert.from_select(columns, select(*values.values())))
    return count, values


def _temporary(name: sql.Identifier, columns: Sequence[str], times: Collection[str]) -> sql.Composed:
    """A table for rows on their way.

    Its columns are texts, of which the server makes values of other types only behind ``COPY``: that would
    show them in the server's log, where it could not.
    """
    declared = [
        sql.SQL("{} {}").format(sql.Identifier(each), sql.SQL("timestamptz" if each in times else "text"))
        for each in columns
    ]
    command = sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP")
    return command.format(name, sql.SQL(", ").join(declared))


def _copy(
    driver: Driver, table: sql.Identifier, columns: Sequence[str], rows: Iterable[Mapping[str, object]]
) -> int:
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    count = 0
    with _errors_as_sqlalchemy(), driver.cursor() as cursor:
        for kind, dumper in _AS_TEXT.items():
            cursor.adapters.register_dumper(kind, dumper)
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, listed)) as copy:
            for row in rows:
                copy.write_row([*row.values()])
                count += 1
    return count


def _driver(connection: Connection) -> Driver:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"{driver!r} is none of psycopg's connections")
    return driver


def _named(table: TableClause) -> sql.Identifier:
    return sql.Identifier(*filter(None, (table.schema, table.name)))


@contextmanager
def _errors_as_sqlalchemy() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError(None, None, error) from None


class _Type(UserDefinedType[object]):
    """A type as the database itself calls it."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **kw: object) -> str:
        del kw
        return self.name.replace("%", "%%")


class _Truth(Dumper):
    def dump(self, obj: bool) -> bytes:
        return b"true" if obj else b"false"


class _Number(Dumper):
    def dump(self, obj: float) -> bytes:
        return repr(obj).removesuffix(".0").encode()


class _Moment(Dumper):
    def dump(self, obj: datetime) -> bytes:
        text = obj.isoformat(sep=" ").removesuffix("+00:00")  # they come in UTC
        return f"{text.rstrip('0') if obj.microsecond else text}+00".encode()


_AS_TEXT: Mapping[type, type[Dumper]] = {bool: _Truth, float: _Number, datetime: _Moment}
"""How values become texts: as the database writes them that has them as parameters of a statement."""
