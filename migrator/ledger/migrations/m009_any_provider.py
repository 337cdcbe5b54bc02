"""What other providers need: application types of any name or none, several legacy applications, access
tokens that do not end, pairs without a refresh token.

Two columns lose a constraint. What is stored stays as it is, so only the texts of their tables change, as
SQLite's documentation of ALTER TABLE says for this case: to write the tables anew would take as much room
again as a ledger of a million pairs has. ALTER TABLE comes after that: it tells whoever has the file open
that its schema is another one.
"""

from __future__ import annotations

from sqlite_utils import Database

_STATEMENTS = (
    "PRAGMA writable_schema = ON",
    """
    UPDATE sqlite_master SET sql = replace(
        sql, 'app_type TEXT NOT NULL CHECK (app_type IN (''partner'', ''public'', ''private''))',
        'app_type TEXT NOT NULL')
    WHERE type = 'table' AND name = 'connections'
    """,
    """
    UPDATE sqlite_master SET sql = replace(sql, 'expires_at TEXT NOT NULL', 'expires_at TEXT')
    WHERE type = 'table' AND name = 'token_pairs'
    """,
    "PRAGMA writable_schema = RESET",  # and read the schema again
    "ALTER TABLE token_pairs ADD COLUMN has_refresh_token INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE connections ADD COLUMN consumer_key TEXT NOT NULL DEFAULT ''",  # empty: the only one
    "ALTER TABLE connections ADD COLUMN disabled_at TEXT",  # when its legacy token was ended by us
    "ALTER TABLE attempts ADD COLUMN support_id TEXT NOT NULL DEFAULT ''",  # what its support asks for
    "CREATE INDEX connections_by_consumer_key ON connections (consumer_key) WHERE consumer_key <> ''",
)


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    for statement in _STATEMENTS:
        db.execute(statement)
