"""The body of an answer that nobody could read, encrypted: an operator may find a pair in it."""

from __future__ import annotations

from sqlite_utils import Database


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    db.execute("ALTER TABLE attempts ADD COLUMN answer BLOB")
