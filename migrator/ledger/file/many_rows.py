"""Many rows in one parameter of one statement.

A statement for each row costs more than the row does: each of its steps lets go of Python's lock and waits to
get it back from the threads that make calls. SQLite reads rows from JSON itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache


def execute(
    db: sqlite3.Connection,
    columns: tuple[str, ...],
    rows: Iterable[Sequence[object]],
    statement: str,
    **parameters: object,
) -> sqlite3.Cursor:
    """Execute a statement that finds ``rows`` as a table ``given`` of these columns: whole numbers, None, and
    texts, which end where they have a NUL.
    """
    # Not in ASCII, so that a text which is not Unicode is refused as it would be by itself.
    given = json.dumps(list(rows), ensure_ascii=False)
    return db.execute(f"{_given(columns)} {statement}", {"given": given, **parameters})


@lru_cache(maxsize=64)
def _given(columns: tuple[str, ...]) -> str:
    values = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(columns)))
    return f"WITH given ({', '.join(columns)}) AS (SELECT {values} FROM json_each(:given))"  # noqa: S608
