"""Takes the tokens of what was handed over out of the ledger, for good as far as SQLite goes.

Values are overwritten (``secure_delete``), the file is written anew without what it no longer needs
(``VACUUM``), and the write-ahead log is cut off. What SQLite cannot promise: blocks that the file system or
the disk keeps of files as they were (snapshots, journals, worn cells of an SSD), and copies of the file.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from migrator.ledger.exports import HANDED_OVER, IN_HAND
from migrator.ledger.file import opening
from migrator.ledger.file.times import time_text


@dataclass(frozen=True)
class Purged:
    """What a purge did."""

    connections: int
    """Connections whose tokens are gone now."""
    kept: int
    """Pairs that were not handed over: theirs stay."""
    wiped: bool = False
    """Whether the file could be written anew; not while another program reads it."""


def purge(db: sqlite3.Connection, now: datetime) -> Purged:
    """Empty every token column of the connections that were handed over: all generations, legacy and new."""
    db.execute("PRAGMA secure_delete = ON")
    # Handed over at some time, and with no pair in hand that was not: its own, or one that it lends.
    db.execute(
        f"""CREATE TEMP TABLE handed AS
            SELECT id FROM connections
            WHERE id IN (SELECT h.connection_id FROM handings h JOIN exports e ON e.id = h.export_id
                         WHERE e.finished_at IS NOT NULL)
                  AND (id IN (SELECT connection_id FROM token_pairs WHERE purged_at IS NULL)
                       OR (served_by IS NOT NULL
                           AND id IN (SELECT connection_id FROM legacy_tokens WHERE purged_at IS NULL)))
                  AND id NOT IN (SELECT c.id {IN_HAND} AND NOT {HANDED_OVER})
                  AND id NOT IN (SELECT c.served_by {IN_HAND} AND NOT {HANDED_OVER}
                                 AND c.served_by IS NOT NULL)"""  # noqa: S608
    )
    (kept,) = db.execute(f"SELECT count(DISTINCT p.id) {IN_HAND} AND NOT {HANDED_OVER}").fetchone()
    (number,) = db.execute("SELECT count(*) FROM handed").fetchone()
    moment = time_text(now)
    db.execute(
        """UPDATE legacy_tokens SET material = x'', purged_at = ?
           WHERE connection_id IN (SELECT id FROM handed)""",
        [moment],
    )
    db.execute(
        """UPDATE token_pairs SET access_token = x'', refresh_token = x'', purged_at = ?
           WHERE connection_id IN (SELECT id FROM handed)""",
        [moment],
    )
    # What was to be handed over besides, nobody can hand over any more.
    db.execute(
        """DELETE FROM handings WHERE own_pair_id IN (SELECT id FROM token_pairs WHERE purged_at IS NOT NULL)
           AND export_id IN (SELECT id FROM exports WHERE finished_at IS NULL)"""
    )
    db.execute(
        """DELETE FROM exports WHERE finished_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM handings WHERE export_id = exports.id)"""
    )
    db.execute("UPDATE attempts SET answer = NULL WHERE connection_id IN (SELECT id FROM handed)")
    db.execute("DROP TABLE handed")
    return Purged(number, kept)


def wipe(path: Path) -> bool:
    """Write the file anew without what it no longer needs, and cut the write-ahead log off.

    False if another program reads the ledger, so that the log is still needed.
    """
    connection = opening.connect(path, readonly=False)
    connection.execute("PRAGMA busy_timeout = 1000")  # whoever reads may do so for hours
    try:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("VACUUM")
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        connection.close()
