"""The ledger as the job uses it: opened under its lock and key, read by many threads, written by one."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from migrator.errors import LedgerError, LedgerUnwritableError
from migrator.intake import Accepted
from migrator.ledger import entries, files, intaking, lock, reading, schema
from migrator.ledger.codec import FINGERPRINT_KEY, Codec
from migrator.ledger.entries import EndedCall
from migrator.ledger.intaking import Intake
from migrator.ledger.reading import Range
from migrator.ledger.rescue import RescueFile
from migrator.ledger.vault import Fingerprints, LedgerKey, Vault
from migrator.ledger.writer import GroupWriter
from migrator.models import Action, Clock, Reject, Standing, State
from migrator.transitions import Policy


@dataclass(frozen=True)
class TakenStock:
    """What an earlier process had left."""

    rescued: int
    """Answers from the rescue file, now in the ledger."""
    open_calls: int
    """Calls that were under way when it died."""


class Ledger:
    """A ledger that this process alone may write."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        codec: Codec,
        rescue: RescueFile,
        clock: Clock,
        hurry: threading.Event,
    ) -> None:
        self.path = path
        self._codec = codec
        self._rescue = rescue
        self._clock = clock
        self._connection = connection
        self._writer = GroupWriter(connection, hurry)
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._run_id = 0

    def close(self) -> None:
        """Commit what is queued and let go of the file."""
        self._writer.close()
        for reader in self._readers:
            reader.close()
        self._connection.close()
        self._rescue.close()

    # --- runs ---

    def begin_run(
        self, command: str, policy: Policy, sources: Iterable[str] = (), *, workers: int
    ) -> TakenStock:
        """Start a run and take stock of what an earlier process left.

        Sets room aside for ``workers`` answers, should the ledger not take them.
        """
        now = self._clock()
        rescued = list(self._rescue.records())

        def entry(db: sqlite3.Connection) -> tuple[int, TakenStock]:
            run_id = entries.begin_run(db, command, os.getpid(), sources, now)
            taken_in = entries.end_rescued(db, self._codec, rescued, now)
            return run_id, TakenStock(taken_in, entries.recover(db, policy, now))

        self._run_id, stock = self._writer.write(entry)
        self._rescue.set_aside(workers)
        return stock

    def end_run(self, outcome: str) -> None:
        """How the run ended: ``done``, ``incomplete``, ``stopped`` or ``interrupted``."""
        self._writer.write(lambda db: entries.end_run(db, self._run_id, outcome, self._clock()))

    def retry_failed(self) -> int:
        """Put what failed back in line; returns how many."""
        return self._writer.write(lambda db: entries.retry_failed(db, self._clock()))

    def take_in(
        self,
        rows: Iterable[Accepted | Reject],
        sources: Sequence[str],
        provider: str,
        progress: Callable[[int], None],
    ) -> Intake:
        """Take the rows of a run's files in, in one transaction: all of them, or none if the files cannot be
        read to their end.

        ``sources`` are the files' names; ``progress`` is called with the number of rows so far.
        """
        return self._writer.write(
            lambda db: intaking.take_all(
                db,
                self._codec,
                rows,
                sources,
                provider=provider,
                run_id=self._run_id,
                now=self._clock(),
                progress=progress,
            )
        )

    # --- calls ---

    def begin_call(self, standing: Standing, action: Action) -> int:
        """Put the intent of a call on disk; returns the attempt's id."""
        return self._writer.write(
            lambda db: entries.begin_call(db, standing, action, self._run_id, self._clock())
        )

    def end_call(self, call: EndedCall) -> None:
        """Put the outcome of a call on disk, with whatever it won.

        While the ledger does not take it, it is in the rescue file: a kill must not cost it. Raises
        ``LedgerUnwritableError`` if the ledger cannot take it at all.
        """
        saved = threading.Event()

        def save() -> None:
            self._rescue.save(call)
            saved.set()

        def save_meanwhile() -> None:
            with suppress(OSError):  # it waits for the ledger, which may take it yet
                save()

        try:
            self._writer.write(
                lambda db: entries.end_call(db, self._codec, call, self._clock()), meanwhile=save_meanwhile
            )
        except LedgerUnwritableError:
            if not saved.is_set():
                self._save_or_tell(call, save)
            raise

    def _save_or_tell(self, call: EndedCall, save: Callable[[], None]) -> None:
        try:
            save()
        except OSError as error:
            problem = f"neither the ledger nor {self._rescue.path} can be written: {error.strerror or error}"
            raise LedgerUnwritableError(
                problem,
                hint=f"the answer for connection {call.connection_id} is lost; make room, then resume",
            ) from None

    def rest(self, standing: Standing, state: State, reason: str) -> None:
        """Record that a connection needs no call any more."""
        self._writer.write(lambda db: entries.rest(db, standing, state, reason, self._clock()))

    # --- reading ---

    def standing(self, connection_id: int) -> Standing:
        """Where one connection stands."""
        return reading.standing(self._reader(), self._codec, connection_id)

    def open_range(self, max_attempts: int, limit: int | None = None) -> Range:
        """The range of the first ``limit`` open connections, or of all."""
        return reading.open_range(self._reader(), max_attempts, limit=limit)

    def due(self, within: Range, now: datetime, *, after: int, limit: int) -> list[int]:
        """Ids of open connections that may be called for now, in order, behind the id ``after``."""
        return reading.due(self._reader(), within, now, after=after, limit=limit)

    def next_due(self, within: Range) -> datetime | None:
        """When the next open connection may be called for; None if none is open."""
        return reading.next_due(self._reader(), within)

    def open_count(self, within: Range) -> int:
        """How many connections of the range are open."""
        return reading.open_count(self._reader(), within)

    def open_ids(self, within: Range) -> list[int]:
        """Ids of the open connections of a range, in order."""
        return reading.open_ids(self._reader(), within)

    def status(self) -> reading.Status:
        """Where the job stands."""
        reader = self._reader()
        with reading.one_view(reader):
            return reading.status(reader)

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = files.connect(self.path, readonly=True)
            self._readers.append(connection)
        return connection


@contextmanager
def open_for_job(
    path: Path, key: LedgerKey, clock: Clock, *, create: bool, hurry: threading.Event
) -> Iterator[Ledger]:
    """Open a ledger to work on it, alone; made if missing, where ``create`` says so.

    ``hurry`` is set when the job is told to end: from then on it does not wait long for other programs.

    Raises ``LedgerLockedError`` if another process works on it, ``LedgerError`` if there is none, it is not
    ours, or the key is not its key.
    """
    path = path.resolve()
    if create:
        _ensure_file(path)
    elif not files.exists(path):
        raise LedgerError(
            f"there is no ledger {path}",
            hint="'migrator run TOKENS' makes one; name another with --ledger FILE",
        )
    with lock.exclusive(path), files.translated(path):
        connection = files.connect(path, readonly=False)
        try:
            schema.prepare(connection, create=create)
            codec = _unlock(connection, key, may_claim=True)
            rescue = RescueFile(path, Vault(key))
        except BaseException:
            connection.close()
            raise
        ledger = Ledger(path, connection, codec, rescue, clock, hurry)
        try:
            yield ledger
        finally:
            ledger.close()


@contextmanager
def open_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger for what it says in the clear: no key, no lock, nothing written."""
    with files.translated(path):
        connection = files.connect(path.resolve(), readonly=True)
        try:
            schema.check(connection)
            yield connection
        finally:
            connection.close()


@contextmanager
def open_to_compare(path: Path, key: LedgerKey) -> Iterator[tuple[sqlite3.Connection, Codec]]:
    """Open a ledger to hold rows against it: with its key, without a lock, nothing written."""
    with open_to_read(path) as connection:
        yield connection, _unlock(connection, key, may_claim=False)


def _ensure_file(path: Path) -> None:
    if path.exists():
        return
    try:
        files.create_private(path)
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
