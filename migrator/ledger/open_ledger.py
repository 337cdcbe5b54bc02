"""An open ledger, whoever works on it: read by many threads, written by one, with a place for what it cannot
take.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from migrator.errors import LedgerUnwritableError
from migrator.ledger import connections, rescued_calls, runs
from migrator.ledger.calls import EndedCall
from migrator.ledger.file import opening
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.writer import GroupWriter
from migrator.models import Clock, Standing


class Book:
    """What every open ledger does."""

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

    def end_run(self, outcome: str, resume_at: datetime | None = None) -> None:
        """How the run ended: ``done``, ``incomplete``, ``stopped`` or ``interrupted``.

        ``resume_at`` is when the provider lets another one go on (UTC), where it said so.
        """
        self._writer.write(lambda db: runs.end_run(db, self._run_id, outcome, self._clock(), resume_at))

    def standing(self, connection_id: int) -> Standing:
        """Where one connection stands."""
        return connections.standing(self._reader(), self._codec, connection_id)

    def _record(self, call: EndedCall, entry: Callable[[sqlite3.Connection], None]) -> None:
        """Put the outcome of a call on disk, with whatever it won.

        While the ledger does not take it, it is in the rescue file: a kill must not cost it. Raises
        ``LedgerUnwritableError`` if the ledger cannot take it at all.
        """
        saved = threading.Event()

        def save() -> None:
            rescued_calls.save(self._rescue, call)
            saved.set()

        def save_meanwhile() -> None:
            with suppress(OSError):  # it waits for the ledger, which may take it yet
                save()

        try:
            self._writer.write(entry, meanwhile=save_meanwhile)
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

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = opening.connect(self.path, readonly=True)
            self._readers.append(connection)
        return connection
