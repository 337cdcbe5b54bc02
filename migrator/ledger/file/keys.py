"""Where a ledger's key comes from."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from migrator.errors import LedgerError, LedgerUnwritableError
from migrator.ledger.file.opening import connect, create_private, exists
from migrator.ledger.file.vault import LedgerKey, Vault
from migrator.models import Secret

VARIABLE = "MIGRATOR_LEDGER_KEY"

_KEY_HINT = (
    "put the copy back that you keep elsewhere, or name the right file as ledger_key_file in migrator.toml"
)


def key_path(ledger: Path) -> Path:
    """Where a key lies that nobody put elsewhere: next to its ledger."""
    return ledger.with_name(ledger.name + ".key")


def new_key_path(key_file: Path) -> Path:
    """Where the next key waits while a ledger is sealed anew under it."""
    return key_file.with_name(key_file.name + ".new")


def find_key(ledger: Path, environ: Mapping[str, str], key_file: Path | None) -> LedgerKey | None:
    """The key from the environment, the file that the settings name, or the one next to the ledger.

    None if there is none. Raises ``LedgerError`` for a file that cannot be read.
    """
    if environ.get(VARIABLE):
        return LedgerKey(Secret(environ[VARIABLE]))
    path = key_file or key_path(ledger)
    _finish_rotation(ledger, path)
    key = read_key(path)
    if key is None and key_file is not None:
        raise LedgerError(f"there is no ledger key file {path}", hint="mend ledger_key_file in migrator.toml")
    return key


def key_id_of(ledger: Path) -> str | None:
    """The name of the key that a ledger was made with; None where there is no ledger yet."""
    if not exists(ledger):
        return None
    connection = connect(ledger.resolve(), readonly=True)
    try:
        row = connection.execute("SELECT value FROM meta WHERE name = 'key_id'").fetchone()
    except sqlite3.OperationalError:  # it is there, and has no tables yet
        return None
    finally:
        connection.close()
    return row[0] if row else None


def _finish_rotation(ledger: Path, key_file: Path) -> None:
    """Put the new key in the old one's place, if a rotation was killed after its commit."""
    waiting = read_key(new_key_path(key_file))
    if waiting is not None and Vault(waiting).key_id == key_id_of(ledger):
        put_in_place(key_file)


def put_in_place(key_file: Path) -> None:
    """The waiting key becomes the key; the old one is kept beside it, for other ledgers may be under it."""
    old = read_key(key_file)
    with suppress(FileNotFoundError):  # somebody else has just done it
        if old is not None:
            key_file.rename(old_key_path(key_file, Vault(old).key_id))
        new_key_path(key_file).replace(key_file)


def old_key_path(key_file: Path, key_id: str) -> Path:
    """Where a key is kept that was replaced."""
    return key_file.with_name(f"{key_file.name}.old-{key_id}")


def read_key(path: Path) -> LedgerKey | None:
    """The key in a file; None if there is no such file. Raises ``LedgerError`` if it cannot be read."""
    try:
        return LedgerKey(Secret(path.read_text("ascii").strip()))
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise LedgerError(f"the ledger key file {path} holds no key", hint=_KEY_HINT) from None
    except OSError as error:
        raise LedgerError(
            f"the ledger key file {path} cannot be read: {error.strerror}",
            hint="see that it is a file that you may read; ledger_key_file in migrator.toml names another",
        ) from None


def make_key(ledger: Path) -> LedgerKey:
    """A new key, on disk next to the ledger (mode 0600) before anything is encrypted under it."""
    key = LedgerKey.generate()
    path = key_path(ledger)
    try:
        create_private(path, key.text.reveal().encode("ascii") + b"\n")
    except OSError as error:
        raise LedgerUnwritableError(
            f"the ledger key {path} cannot be written: {error.strerror}",
            hint="check disk and permissions of its folder, or name another ledger with --ledger FILE",
        ) from None
    return key


def readable_by_others(path: Path) -> bool:
    """Whether somebody besides the owner may read a file."""
    try:
        return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False


def require_key(ledger: Path, environ: Mapping[str, str], key_file: Path | None) -> LedgerKey:
    """The key of a ledger that exists. Raises ``LedgerError`` where there is none to be found."""
    key = find_key(ledger, environ, key_file)
    if key is None:
        raise LedgerError(
            f"the key of {ledger} is missing: there is no {key_path(ledger)}, and {VARIABLE} is not set",
            hint=f"set {VARIABLE}, or name the key file as ledger_key_file in migrator.toml",
        )
    return key
