"""Rotates a ledger's key: a new key on disk, everything sealed anew in one transaction, the old key replaced.

It may be killed at any moment: before the commit the old key opens the ledger, after it the new one does, and
which of the two it needs is written in the ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from migrator.errors import LedgerError, LedgerUnwritableError
from migrator.ledger.file import codec, lock, opening
from migrator.ledger.file.keys import new_key_path, put_in_place, read_key
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.vault import LedgerKey, Vault

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
    from migrator.ledger import schema  # noqa: PLC0415 - whoever reads needs no library of migrations

    path = path.resolve()
    with lock.exclusive(path), lock.consents(path), lock.deliveries(path):
        if RescueFile.waits(path):
            raise LedgerError(
                "answers wait in the rescue file, under the present key", hint="run 'migrator resume' first"
            )
        if RescueFile.waits(lock.serve_path(path)):
            raise LedgerError(
                "consents wait in the rescue file, under the present key",
                hint="run 'migrator reconsent serve' first, until it listens",
            )
        connection = opening.connect(path, readonly=False)
        try:
            schema.prepare(connection, create=False)
            _check(connection, key, key_file)
            new = _write_new_key(key_file)
            number = _seal_anew(connection, Vault(key), Vault(new))
        except sqlite3.Error as error:
            raise LedgerUnwritableError(
                f"the ledger {path} could not be written: {error}",
                hint="check disk and permissions, then run it again; the key that it is under is kept",
            ) from None
        finally:
            connection.close()
        put_in_place(key_file)
        return number


def _check(connection: sqlite3.Connection, key: LedgerKey, key_file: Path) -> None:
    """Refuse, before any file is touched, what would cost a key."""
    ((needed,),) = connection.execute("SELECT value FROM meta WHERE name = 'key_id'").fetchall()
    if Vault(key).key_id != needed:
        raise LedgerError(
            f"the ledger was made with key {needed}, and the one given is {Vault(key).key_id}",
            hint=f"if a rotation was interrupted, the key is in {new_key_path(key_file)}",
        )
    present = read_key(key_file)
    if present is not None and Vault(present).key_id != needed:
        raise LedgerError(f"{key_file} holds another key than the ledger's", hint="move it away first")


def _write_new_key(key_file: Path) -> LedgerKey:
    new = LedgerKey.generate()
    waiting = new_key_path(key_file)
    try:
        waiting.unlink(
            missing_ok=True
        )  # of a rotation that never was committed: the ledger is under another key
        opening.create_private(waiting, new.text.reveal().encode("ascii") + b"\n")
    except OSError as error:
        raise LedgerUnwritableError(
            f"the new key {waiting} cannot be written: {error.strerror}",
            hint="check disk and permissions of its folder, then run it again; the old key still opens",
        ) from None
    return new


def _seal_anew(connection: sqlite3.Connection, old: Vault, new: Vault) -> int:
    connection.execute(
        "PRAGMA secure_delete = ON"
    )  # what the old key opens shall not stay behind in free pages
    connection.execute("BEGIN IMMEDIATE")
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    number = 0
    for table, column, purpose in _SEALED:
        for row_id, value in _values(connection, table, column):
            sealed = new.seal_bytes(old.open_bytes(value, purpose), purpose)
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
            f"SELECT id, {column} FROM {table} WHERE id > ? AND length({column}) > 0 ORDER BY id LIMIT ?",  # noqa: S608
            [last, _BATCH],
        ).fetchall()
        yield from batch
        if len(batch) < _BATCH:
            return
        last = batch[-1][0]
