"""The ways to open a ledger: for a job, to serve consents, to read what it says in the clear, to compare."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrator.errors import LedgerError, LedgerUnwritableError
from migrator.ledger import schema_version
from migrator.ledger.consent_ledger import ConsentLedger
from migrator.ledger.delivery_ledger import DeliveryLedger
from migrator.ledger.file import copying, lock, opening
from migrator.ledger.file.codec import FINGERPRINT_KEY, Codec
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.session import Session
from migrator.ledger.file.vault import Fingerprints, LedgerKey, Vault
from migrator.ledger.job_ledger import Ledger
from migrator.ledger.reading import open_to_read
from migrator.models import Clock
from migrator.row_rules import RowRules

ANY_ROW = RowRules()
"""For work that uses nothing of a row but what every row has."""


@contextmanager
def open_for_job(
    path: Path,
    key: LedgerKey,
    clock: Clock,
    *,
    create: bool,
    hurry: threading.Event,
    rules: RowRules = ANY_ROW,
) -> Iterator[Ledger]:
    """Open a ledger to work on it, alone; made if missing, where ``create`` says so.

    ``hurry`` is set when the job is told to end: from then on it does not wait long for other programs.
    ``rules`` says which columns of a row the provider's calls use: a ``Standing`` has those alone.

    Raises ``LedgerLockedError`` if another process works on it, ``LedgerError`` if there is none, it is not
    ours, or the key is not its key.
    """
    path = path.resolve()
    if create:
        _ensure_file(path)
    elif not opening.exists(path):
        raise LedgerError(
            f"there is no ledger {path}",
            hint="'migrator run TOKENS' makes one; name another with --ledger FILE",
        )
    with lock.exclusive(path), opening.translated(path):
        connection = opening.connect(path, readonly=False)
        try:
            if not create:
                opening.refuse_emptied(connection, path)
            _bring_up_to_date(connection, create=create)
            copying.refuse_work_beside_the_original(connection, path)
            codec = _unlock(connection, key, may_claim=True)
            rescue = RescueFile(path, Vault(key))
        except BaseException:
            connection.close()
            raise
        ledger = Ledger(Session(path, connection, codec, clock, hurry, rules), rescue)
        try:
            yield ledger
        finally:
            ledger.close()


@contextmanager
def open_for_consents(
    path: Path, key: LedgerKey, clock: Clock, *, hurry: threading.Event, rules: RowRules = ANY_ROW
) -> Iterator[ConsentLedger]:
    """Open a ledger to serve its users' consents, which only one process does; ``rules`` as for a job.

    Raises ``LedgerLockedError`` if another one does, or changes the ledger's key, or purges it;
    ``LedgerError`` if there is no ledger, it is not ours, or the key is not its key.
    """
    path = path.resolve()
    with lock.consents(path), opening.translated(path):
        rescue = RescueFile(lock.serve_path(path), Vault(key))
        ledger = ConsentLedger(_beside_a_job(path, key, clock, hurry, rules), rescue)
        try:
            yield ledger
        finally:
            ledger.close()


@contextmanager
def open_to_deliver(
    path: Path, key: LedgerKey, clock: Clock, *, hurry: threading.Event
) -> Iterator[DeliveryLedger]:
    """Open a ledger to hand over what others win; who does so holds the lock for it, besides.

    Raises as ``open_for_consents``.
    """
    path = path.resolve()
    with opening.translated(path):
        ledger = DeliveryLedger(_beside_a_job(path, key, clock, hurry, ANY_ROW))
        try:
            yield ledger
        finally:
            ledger.close()


def _beside_a_job(
    path: Path, key: LedgerKey, clock: Clock, hurry: threading.Event, rules: RowRules
) -> Session:
    """A ledger that is there, opened to write it while a job may do so, too."""
    connection = opening.connect(path, readonly=False)
    try:
        opening.refuse_emptied(connection, path)
        _bring_up_to_date(connection, create=False)
        copying.refuse_work_beside_the_original(connection, path)
        codec = _unlock(connection, key, may_claim=False)
    except BaseException:
        connection.close()
        raise
    return Session(path, connection, codec, clock, hurry, rules)


@contextmanager
def open_to_compare(path: Path, key: LedgerKey) -> Iterator[tuple[sqlite3.Connection, Codec]]:
    """Open a ledger to hold rows against it: with its key, without a lock, nothing written."""
    with open_to_read(path) as connection:
        yield connection, _unlock(connection, key, may_claim=False)


def _bring_up_to_date(connection: sqlite3.Connection, *, create: bool) -> None:
    if schema_version.is_newest(connection):
        return
    from migrator.ledger import schema  # noqa: PLC0415 - most ledgers need no library of migrations

    schema.prepare(connection, create=create)


def _ensure_file(path: Path) -> None:
    if path.exists():
        return
    try:
        opening.create_private(path)
    except FileExistsError:
        return
    except OSError as error:
        raise LedgerUnwritableError(
            f"the ledger {path} cannot be made: {error.strerror}", hint="name another with --ledger FILE"
        ) from None


def _unlock(connection: sqlite3.Connection, key: LedgerKey, *, may_claim: bool) -> Codec:
    """The codec of a ledger, once the key has been seen to be its key.

    A new ledger is claimed for the key.
    """
    vault = Vault(key)
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    if not meta and may_claim:
        sealed = vault.seal(os.urandom(32).hex(), FINGERPRINT_KEY)
        meta = {"key_id": vault.key_id, "fingerprint_key": sealed}
        connection.execute(
            "INSERT INTO meta (name, value) VALUES ('key_id', ?), ('fingerprint_key', ?)",
            [vault.key_id, sealed],
        )
    if meta.get("key_id") != vault.key_id:
        raise LedgerError(
            f"the ledger was made with key {meta.get('key_id')}, and the one given is {vault.key_id}",
            hint="give the right one as MIGRATOR_LEDGER_KEY, as ledger_key_file, or as the file <ledger>.key",
        )
    fingerprint_key = vault.open(meta["fingerprint_key"], FINGERPRINT_KEY)
    return Codec(vault, Fingerprints(bytes.fromhex(fingerprint_key.reveal())))
