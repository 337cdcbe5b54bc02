"""Many rows in one statement.

A statement for each row costs more than the row does: each of its steps lets go of Python's lock and waits to
get it back from the threads that make calls, and begins what it would undo should it fail.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain


def execute(
    db: sqlite3.Connection,
    columns: tuple[str, ...],
    rows: Iterable[Sequence[object]],
    statement: str,
    **parameters: object,
) -> sqlite3.Cursor:
    """Execute a statement that finds ``rows`` as a table ``given`` of these columns: whole numbers, None, and
    texts, which end where they have a NUL. SQLite reads them from JSON itself.
    """
    # Not in ASCII, so that a text which is not Unicode is refused as it would be by itself.
    given = json.dumps(list(rows), ensure_ascii=False)
    return db.execute(f"{_given(columns)} {statement}", {"given": given, **parameters})


@lru_cache(maxsize=64)
def _given(columns: tuple[str, ...]) -> str:
    values = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(columns)))
    return f"WITH given ({', '.join(columns)}) AS (SELECT {values} FROM json_each(:given))"  # noqa: S608


def insert(
    db: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[object]]
) -> None:
    """Insert rows of these columns: any values, bytes too, and 32,766 of them at the most.

    Raises ``sqlite3.IntegrityError``: then none is inserted.
    """
    if rows:
        db.execute(_insert(table, columns, len(rows)), [*chain.from_iterable(rows)])


@lru_cache(maxsize=64)
def _insert(table: str, columns: tuple[str, ...], number: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * number)}"  # noqa: S608
