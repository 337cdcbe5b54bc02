"""Answers that were not understood are looked through again; what a pair's answer did not say."""

from __future__ import annotations

from sqlite_utils import Database

_STATEMENTS = (
    "ALTER TABLE token_pairs ADD COLUMN lifetime_assumed INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX attempts_with_answer ON attempts (connection_id) WHERE answer IS NOT NULL",
)


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    for statement in _STATEMENTS:
        db.execute(statement)
