"""What is told elsewhere, and what nobody reads, goes: a connection takes a sixth less room.

- Where a row says something new, the material of its legacy token is opened and compared: no print of it.
- When a connection came, its run says; when a legacy token was renewed, its attempt.
- Ten bytes of a keyed hash name a token: two of a million share them once in 10^12 ledgers.
- That a generation is there once is an index's business, which can be made when the table is full.

Prints of rows stay as they are: their length says which version made them.
"""

from __future__ import annotations

from sqlite_utils import Database

_STATEMENTS = (
    """
    CREATE TABLE legacy_tokens_of_less (
        id INTEGER PRIMARY KEY,
        connection_id INTEGER NOT NULL REFERENCES connections(id),
        generation INTEGER NOT NULL,
        attempt_id INTEGER REFERENCES attempts(id),   -- the renewal that gave it; NULL: from a source
        material BLOB NOT NULL,                       -- token, secret and session handle, encrypted
        token_print BLOB NOT NULL,
        expires_at TEXT,
        purged_at TEXT
    )
    """,
    """
    INSERT INTO legacy_tokens_of_less
    SELECT id, connection_id, generation, attempt_id, material, substr(token_print, 1, 10), expires_at,
           purged_at
    FROM legacy_tokens ORDER BY id
    """,
    "DROP TABLE legacy_tokens",
    "ALTER TABLE legacy_tokens_of_less RENAME TO legacy_tokens",
    "CREATE UNIQUE INDEX legacy_tokens_by_connection ON legacy_tokens (connection_id, generation)",
    "CREATE INDEX legacy_tokens_by_print ON legacy_tokens (token_print)",
    "ALTER TABLE connections DROP COLUMN created_at",
)


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    for statement in _STATEMENTS:
        db.execute(statement)
