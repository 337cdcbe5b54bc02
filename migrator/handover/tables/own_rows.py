"""A database may take two keys for the same (citext, a collation that ignores case): then the row of one
connection would get the pair of another. So what was written is read back by its key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, TableClause

    from migrator.sources.sql_connection import DatabaseUrl


def require_own(
    connection: Connection,
    url: DatabaseUrl,
    table: TableClause,
    key: str,
    rows: Sequence[Mapping[str, object]],
) -> None:
    """See that each row was written under its own ``key``. Raises ``OutputError``."""
    from sqlalchemy import bindparam, select  # noqa: PLC0415 - needs the extra
    from sqlalchemy.types import NullType  # noqa: PLC0415 - as above

    column = table.columns[key]
    sought = column.in_(bindparam("sought", expanding=True, type_=NullType()))  # it may be of any type
    ours = {str(row[key]) for row in rows}
    found = _texts(connection.execute(select(column).where(sought), {"sought": list(ours)}).scalars())
    if found and found != _texts(ours):
        raise _taken_for_the_same(url, key)


def require_own_staged(
    connection: Connection, url: DatabaseUrl, table: TableClause, key: str, staged: ColumnElement[object]
) -> None:
    """The same for all keys of PostgreSQL's temporary table; ``staged`` is its column, of the table's type.

    Raises ``OutputError``.
    """
    from sqlalchemy import String, cast, select  # noqa: PLC0415 - needs the extra

    column = table.columns[key]
    theirs, ours = (cast(each, String).collate("C") for each in (column, staged))
    other = select(column).where(column == staged, theirs != ours).limit(1)
    if _texts(connection.execute(other).scalars()):
        raise _taken_for_the_same(url, key)


def _texts(keys: Iterable[object]) -> set[str]:
    """Those that are texts, without what pads them. A number or a UUID has several spellings."""
    return {each.rstrip(" ") for each in keys if isinstance(each, str)}


def _taken_for_the_same(url: DatabaseUrl, key: str) -> OutputError:
    return OutputError(
        f"{url}: takes the {key} of two connections for the same",
        hint="Nothing was written. Have them compared as bytes: as text in PostgreSQL, as binary in MySQL.",
    )
