"""A copy of a ledger in one file, made while a job may work on it (SQLite's backup interface).

A copy of the main file alone lacks what is still in the write-ahead log, which may be everything.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from migrator import output_files
from migrator.errors import LedgerError, MigratorError, OutputError
from migrator.ledger.file import opening
from migrator.ledger.file.times import time_text

_PAGES = 1_000
"""Copied at a time; between two times a job may write."""

_STEPS = 100_000
"""Of SQLite's, between two looks at whether somebody wants to end it."""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_OF_READERS = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
"""What befalls who reads beside others; nobody else knows of the copy yet."""

_FROM, _AT = "copied_from", "copied_at"


def copy(path: Path, target: Path, now: datetime) -> None:
    """Copy a ledger into a new file (mode 0600); of one moment, wholly or not at all.

    The copy remembers what it is a copy of. Raises ``OutputError`` where the file cannot be made, or is there
    already; ``LedgerError`` where there is no whole ledger.
    """
    part = output_files.part_of_new(target)
    try:
        opening.create_private(part)
        with closing(opening.connect(path, readonly=True)) as ledger, closing(sqlite3.connect(part)) as made:
            _heed_signals(ledger, made)
            _fill(made, ledger, path, target)
            _mark(made, path, now)
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        output_files.give_name(part, target)
    except FileExistsError:
        raise output_files.taken(target) from None
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written: {error.strerror}", hint="check disk and permissions of its folder"
        ) from None
    except sqlite3.Error as error:
        raise _fault(error, path, target) from None
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            with suppress(OSError):
                part.with_name(part.name + ending).unlink()


def _heed_signals(*connections: sqlite3.Connection) -> None:
    """Let Python look up now and then: else Ctrl-C waits until all pages are copied, and all are checked."""
    for connection in connections:
        connection.set_progress_handler(lambda: 0, _STEPS)


def _fill(made: sqlite3.Connection, ledger: sqlite3.Connection, path: Path, target: Path) -> None:
    ledger.execute("BEGIN")  # one moment, or each commit of a job would make it begin anew
    opening.refuse_emptied(ledger, path)
    ledger.backup(made, pages=_PAGES, progress=lambda *_: None)  # which looks up between two times
    # So that it is one file, which opens wherever it lies.
    made.execute("PRAGMA journal_mode = DELETE")
    found = _damage(made)
    if found and _damage(ledger):
        raise _damaged(path, found)
    if found:
        raise OutputError(
            f"{target} did not become what the ledger {path} is: {found}",
            hint="check the disk, or name a file on another",
        )


def _damage(db: sqlite3.Connection) -> str:
    """What SQLite finds wrong with a database; empty if it is whole."""
    try:
        (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if _code(error) not in _DAMAGE:
            raise
        return str(error)
    return "" if found == "ok" else str(found)


def _fault(error: sqlite3.Error, path: Path, target: Path) -> MigratorError | KeyboardInterrupt:
    """Whose fault it was: the ledger was only read, and only the copy written."""
    code, detail = _code(error), getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_INTERRUPT:  # what was raised while SQLite worked becomes that
        return KeyboardInterrupt()
    if code in _DAMAGE:
        return _damaged(path, str(error))
    if code in _OF_READERS or detail in (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ):
        return LedgerError(
            f"the ledger {path} cannot be read: {error}", hint="check its disk, and who works on it"
        )
    return OutputError(f"{target} cannot be written: {error}", hint="make room, or name another")


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _damaged(path: Path, found: str) -> LedgerError:
    return LedgerError(
        f"the ledger {path} is damaged: {' '.join(found.split())}",
        hint=f"restore it from a backup; \"sqlite3 {path} 'PRAGMA integrity_check'\" tells more",
    )


def _mark(made: sqlite3.Connection, path: Path, now: datetime) -> None:
    with made:
        made.executemany(
            "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)",
            [(_FROM, str(path.resolve())), (_AT, time_text(now))],
        )


def refuse_work_beside_the_original(db: sqlite3.Connection, path: Path) -> None:
    """Refuse to work on a copy whose original is there: both would ask for the same tokens.

    A copy that was put in the place of its original is that. Raises ``LedgerError``.
    """
    meta = dict(db.execute("SELECT name, value FROM meta WHERE name IN (?, ?)", [_FROM, _AT]))
    original = Path(meta.get(_FROM, path))
    if original == path or not opening.exists(original) or original.samefile(path):
        return
    raise LedgerError(
        f"{path} is a copy of {original}, made {meta[_AT]}: jobs on both would ask for the same tokens",
        hint="work on the original; if it is lost, move it away, or put the copy in its place",
    )
