"""When the provider lets the job go on that it has stopped."""

from __future__ import annotations

from sqlite_utils import Database


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    db.execute("ALTER TABLE runs ADD COLUMN resume_at TEXT")
