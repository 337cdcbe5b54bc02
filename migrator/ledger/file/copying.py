"""A copy of a ledger in one file, made while a job may work on it (SQLite's backup interface).

A copy of the main file alone lacks what is still in the write-ahead log, which may be everything.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from migrator import output_files
from migrator.errors import LedgerError, OutputError
from migrator.ledger.file import opening
from migrator.ledger.file.codec import time_text

_PAGES = 1_000
"""Copied at a time; between two times a job may write."""

_FROM, _AT = "copied_from", "copied_at"


def copy(path: Path, target: Path, now: datetime) -> None:
    """Copy a ledger into a new file (mode 0600); of one moment, wholly or not at all.

    The copy remembers what it is a copy of. Raises ``OutputError`` where the file cannot be made, or is there
    already; ``LedgerError`` where there is no whole ledger.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    if target.exists():
        raise _taken(target)
    try:
        opening.create_private(part)
        with closing(opening.connect(path, readonly=True)) as ledger, closing(sqlite3.connect(part)) as made:
            ledger.execute("BEGIN")  # one moment, or each commit of a job would make it begin anew
            opening.refuse_emptied(ledger, path)
            ledger.backup(made, pages=_PAGES)
            # So that it is one file, which opens wherever it lies.
            made.execute("PRAGMA journal_mode = DELETE")
            _mark(made, path, now)
            _see_it_whole(made, path)
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        output_files.give_name(part, target)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written: {error.strerror}", hint="check disk and permissions of its folder"
        ) from None
    except sqlite3.Error as error:
        raise OutputError(f"{target} cannot be written: {error}", hint="make room, or name another") from None
    finally:
        for left in (part, part.with_name(f"{part.name}-journal")):
            left.unlink(missing_ok=True)


def _taken(target: Path) -> OutputError:
    return OutputError(f"{target} exists already", hint="name another file")


def _mark(made: sqlite3.Connection, path: Path, now: datetime) -> None:
    with made:
        made.executemany(
            "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)",
            [(_FROM, str(path.resolve())), (_AT, time_text(now))],
        )


def _see_it_whole(made: sqlite3.Connection, path: Path) -> None:
    (found,) = made.execute("PRAGMA quick_check").fetchone()
    if found != "ok":
        raise LedgerError(
            f"the copy of {path} is not whole: {found}", hint="check the ledger: PRAGMA integrity_check"
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
