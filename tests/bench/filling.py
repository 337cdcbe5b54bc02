"""A ledger of a job that is nearly done, without doing it: rows that calls left are copied for the others.

A million swaps would take longer than all that is measured on them. What is copied is what the ledger itself
wrote for one connection that was swapped, its pair among it, sealed as it is.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_MODEL = "SELECT id FROM connections WHERE state = 'migrated' ORDER BY id LIMIT 1"
_MOVED = ("state", "reason", "doubt", "not_before", "tries", "updated_at")
"""What a swap changes of a connection, beside its user: theirs is of their own."""
_USER = "printf('00000000-0000-4000-a000-%012d', {id})"
_OPEN = "SELECT id FROM connections WHERE state = 'pending' ORDER BY id LIMIT ?"


def fill(ledger: Path, left: int) -> int:
    """Have all connections migrated but the last so many; returns how many that makes.

    At least one must be migrated already, and no job may be at work.
    """
    of_pair, of_connection = (_USER.format(id=name) for name in ("attempt.connection_id", "connections.id"))
    with closing(sqlite3.connect(ledger)) as db, db:
        (pending,) = db.execute("SELECT count(*) FROM connections WHERE state = 'pending'").fetchone()
        (model,) = db.execute(_MODEL).fetchone()
        (last,) = db.execute("SELECT max(id) FROM attempts").fetchone()
        attempts = _columns(db, "attempts", but=("id", "connection_id"))
        db.execute(
            f"""INSERT INTO attempts (connection_id, {attempts})
                SELECT connection.id, {attempts} FROM ({_OPEN}) connection
                CROSS JOIN (SELECT {attempts} FROM attempts WHERE connection_id = ?)""",
            [max(0, pending - left), model],
        )
        pairs = _columns(db, "token_pairs", but=("id", "connection_id", "attempt_id", "user_id"))
        db.execute(
            f"""INSERT INTO token_pairs (connection_id, attempt_id, user_id, {pairs})
                SELECT attempt.connection_id, attempt.id, {of_pair}, {pairs}
                FROM (SELECT id, connection_id FROM attempts WHERE id > ?) attempt
                CROSS JOIN (SELECT {pairs} FROM token_pairs WHERE connection_id = ?)""",
            [last, model],
        )
        moved = ", ".join(f"{name} = model.{name}" for name in _MOVED)
        return db.execute(
            f"""UPDATE connections SET {moved}, user_id = {of_connection}
                FROM (SELECT * FROM connections WHERE id = ?) model
                WHERE connections.id IN (SELECT connection_id FROM attempts WHERE id > ?)""",
            [model, last],
        ).rowcount


def _columns(db: sqlite3.Connection, table: str, *, but: tuple[str, ...]) -> str:
    names = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
    return ", ".join(name for name in names if name not in but)
