"""That a key is there once is an index's business, too, which can be made when the table is full.

The index that SQLite made for the column's constraint becomes that index: it holds what a new one would, so
that only the texts of table and index change, as in ``m009_any_provider``. The index that is made anew after
that is a small one; it tells whoever has the file open that its schema is another one.
"""

from __future__ import annotations

from sqlite_utils import Database

_STATEMENTS = (
    "PRAGMA writable_schema = ON",
    """
    UPDATE sqlite_master SET sql = replace(sql, 'key TEXT NOT NULL UNIQUE', 'key TEXT NOT NULL')
    WHERE type = 'table' AND name = 'connections'
    """,
    """
    UPDATE sqlite_master SET name = 'connections_by_key',
        sql = 'CREATE UNIQUE INDEX connections_by_key ON connections (key)'
    WHERE type = 'index' AND name = 'sqlite_autoindex_connections_1'
    """,
    "PRAGMA writable_schema = RESET",  # and read the schema again
    "DROP INDEX connections_served",
    "CREATE INDEX connections_served ON connections (served_by) WHERE served_by IS NOT NULL",
)


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    for statement in _STATEMENTS:
        db.execute(statement)
