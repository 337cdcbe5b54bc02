"""Opens the ledger's file: created for its owner alone, durable, and never by accident."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from migrator.errors import LedgerError, LedgerUnwritableError

BUSY_SECONDS = 15
_LONGEST_LOG = 4 * 1024 * 1024
"""Bytes that the write-ahead log keeps once it is in the ledger: an intake makes it as long as the ledger.

SQLite moves it there whenever it has so many.
"""

LONGEST_ENDING = ".key.old-0123456789abcdef"
"""The longest that is put behind the ledger's name to name a file beside it: an old key's."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours: what cannot be written, and what is damaged."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise LedgerUnwritableError(
            f"the ledger {path} could not be used: {error}", hint="check disk and permissions"
        ) from None
    except sqlite3.Error as error:
        raise LedgerError(
            f"the ledger {path} is damaged: {error}",
            hint=f"restore it from a backup; \"sqlite3 {path} 'PRAGMA integrity_check'\" tells more",
        ) from None


def usable(path: Path) -> Path:
    """The path of a ledger that may be there or not; of a link its target, beside which key and lock lie.

    Raises ``LedgerError`` where no ledger can be: a folder that may not be entered or is a file, links in a
    circle, a name that is empty or too long. Whoever asks first need not mind any of that later.
    """
    try:
        target = path.resolve() if path.is_symlink() else path
        for beside in (target, target.with_name(target.name + LONGEST_ENDING)):
            with suppress(FileNotFoundError):
                beside.stat()
        path.absolute()  # fails where the working folder is gone
    except (OSError, RuntimeError, ValueError) as error:
        raise LedgerError(
            f"there can be no ledger {str(path)!r}: {_why(error)}", hint="name another with --ledger FILE"
        ) from None
    return target


def _why(error: OSError | RuntimeError | ValueError) -> str:
    """In the system's words, or for what Python says without any."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "its links lead in a circle" if isinstance(error, RuntimeError) else "it names no file"


def exists(path: Path) -> bool:
    """Whether there is a ledger file with anything in it."""
    return path.is_file() and path.stat().st_size > 0


def create_private(path: Path, content: bytes = b"") -> None:
    """Make a new file that only its owner can read, and put it on disk.

    Raises ``FileExistsError``, ``OSError``.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        path.unlink(missing_ok=True)  # half a key would be taken for one
        raise
    # The name of a file is on disk only once its folder is.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def refuse_emptied(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file in which nothing stands: most likely a ledger that was copied without its log.

    Raises ``LedgerError``.
    """
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        raise LedgerError(
            f"the ledger {path} is empty; was it copied while a job ran, without the file"
            f" {path.name}-wal beside it?",
            hint="'migrator ledger copy FILE' makes a whole copy, while a job runs too",
        )


def connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """A connection in autocommit mode whose commits are on disk when they return (WAL, ``synchronous=FULL``).

    Raises ``LedgerError`` where the file cannot be read as a database, ``LedgerUnwritableError`` where it
    cannot be written.
    """
    if not path.is_file():
        raise LedgerError(
            f"there is no ledger {path}",
            hint="'migrator run TOKENS' makes one; name another with --ledger FILE",
        )
    connection = _opened_to_read(path) if readonly else _opened(path, "rw")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not readonly:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA journal_size_limit = {_LONGEST_LOG}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError) and not readonly:
            raise LedgerUnwritableError(
                f"the ledger {path} cannot be written: {error}", hint="check disk and permissions"
            ) from None
        raise LedgerError(
            f"{path} cannot be read as a ledger: {error}", hint="name another file with --ledger"
        ) from None
    return connection


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise LedgerError(
            f"the ledger {path} cannot be opened: {error}",
            hint="check its permissions and those of its folder, or name another with --ledger FILE",
        ) from None


def _opened_to_read(path: Path) -> sqlite3.Connection:
    """A connection that reads, also for who may not write where the ledger lies.

    SQLite wants to make files beside a database that is to have a write-ahead log. Where there is no log,
    nobody works on the ledger, and it can be read as what does not change.
    """
    connection = _opened(path, "ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        # Whatever else is wrong, whoever reads next is told.
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            return connection
        if os.access(path.parent, os.W_OK) or not os.access(path, os.R_OK):
            return connection
        connection.close()
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise LedgerError(
                f"the ledger {path} is being worked on, and you may not read the log beside it ({log.name})",
                hint="read it as its owner, or have the owner copy it: 'migrator ledger copy FILE'",
            ) from None
        return _opened(path, "ro&immutable=1")
    return connection
