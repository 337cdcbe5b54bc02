"""Rotates a ledger's key: a new key on disk, everything sealed anew in one transaction, the old key replaced.

It may be killed at any moment: before the commit the old key opens the ledger, after it the new one does, and
which of the two it needs is written in the ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from migrator.errors import LedgerError, LedgerUnwritableError
from migrator.ledger import codec, files, lock, schema
from migrator.ledger.keys import new_key_path
from migrator.ledger.rescue import RescueFile
from migrator.ledger.vault import LedgerKey, Vault

_SEALED = (
    ("legacy_tokens", "material", codec.MATERIAL),
    ("token_pairs", "access_token", codec.ACCESS),
    ("token_pairs", "refresh_token", codec.REFRESH),
    ("connections", "further", codec.FURTHER),
    ("attempts", "answer", codec.ANSWER),
)
"""Every encrypted column, and what its values are sealed for."""

_BATCH = 500


def rotate_key(path: Path, key: LedgerKey, key_file: Path) -> int:
    """Seal a ledger under a new key, which replaces ``key_file``; returns how many values it sealed.

    Raises ``LedgerError`` if the key is not the ledger's or a rescue file waits, ``LedgerLockedError``,
    ``LedgerUnwritableError``.
    """
    path = path.resolve()
    with lock.exclusive(path):
        if RescueFile.waits(path):
            raise LedgerError(
                "answers wait in the rescue file, under the present key", hint="run 'migrator resume' first"
            )
        new = LedgerKey.generate()
        waiting = new_key_path(key_file)
        try:
            waiting.unlink(missing_ok=True)  # of a rotation that never was committed
            files.create_private(waiting, new.text.reveal().encode("ascii") + b"\n")
        except OSError as error:
            raise LedgerUnwritableError(
                f"the new key {waiting} cannot be written: {error.strerror}"
            ) from None
        connection = files.connect(path, readonly=False)
        try:
            schema.prepare(connection, create=False)
            number = _seal_anew(connection, Vault(key), Vault(new))
        except sqlite3.Error as error:
            raise LedgerUnwritableError(f"the ledger could not be written: {error}") from None
        finally:
            connection.close()
        waiting.replace(key_file)
        return number


def _seal_anew(connection: sqlite3.Connection, old: Vault, new: Vault) -> int:
    connection.execute(
        "PRAGMA secure_delete = ON"
    )  # what the old key opens shall not stay behind in free pages
    connection.execute("BEGIN IMMEDIATE")
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    if meta.get("key_id") != old.key_id:
        raise LedgerError(
            f"the ledger was made with key {meta.get('key_id')}, and the one given is {old.key_id}"
        )
    number = 0
    for table, column, purpose in _SEALED:
        for row_id, value in _values(connection, table, column):
            sealed = new.seal(old.open(value, purpose).reveal(), purpose)
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", [sealed, row_id])  # noqa: S608
            number += 1
    fingerprint_key = old.open(meta["fingerprint_key"], codec.FINGERPRINT_KEY).reveal()
    values = {"key_id": new.key_id, "fingerprint_key": new.seal(fingerprint_key, codec.FINGERPRINT_KEY)}
    connection.executemany("UPDATE meta SET value = ? WHERE name = ?", [(v, k) for k, v in values.items()])
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return number


def _values(connection: sqlite3.Connection, table: str, column: str) -> Iterator[tuple[int, bytes]]:
    """Every value of a column with its row's id, read in batches: the table is written meanwhile."""
    last = 0
    while True:
        batch = connection.execute(
            f"SELECT id, {column} FROM {table} WHERE id > ? AND {column} IS NOT NULL ORDER BY id LIMIT ?",  # noqa: S608
            [last, _BATCH],
        ).fetchall()
        yield from batch
        if len(batch) < _BATCH:
            return
        last = batch[-1][0]
