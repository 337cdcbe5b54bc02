"""The pairs that an answer gave are found without looking at all pairs."""

from __future__ import annotations

from sqlite_utils import Database


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    db.execute("CREATE INDEX token_pairs_by_attempt ON token_pairs (attempt_id)")
