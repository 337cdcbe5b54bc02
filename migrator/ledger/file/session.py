"""A ledger's file as long as a process has it open: read by many threads, written by one."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from migrator.ledger.file import opening
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.writer import Batch, Entry, GroupWriter, ItemT, T
from migrator.models import Clock
from migrator.row_rules import RowRules


class Session:
    """The connections of one process to a ledger, the codec of its values, and the run under way."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        codec: Codec,
        clock: Clock,
        hurry: threading.Event,
        rules: RowRules,
    ) -> None:
        """``connection`` is the one to write with. ``hurry`` is set once the process has been told to end."""
        self.path = path
        self.codec = codec
        self.rules = rules
        """What the provider's calls use of a row."""
        self.run_id = 0
        """The run under way; 0 before it begins."""
        self._clock = clock
        self._connection = connection
        self._writer = GroupWriter(connection, hurry)
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []

    def now(self) -> datetime:
        """The time (UTC)."""
        return self._clock()

    def reader(self) -> sqlite3.Connection:
        """The connection to read with in this thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = opening.connect(self.path, readonly=True)
            self._readers.append(connection)
        return connection

    def write(self, entry: Entry[T], *, meanwhile: Callable[[], None] | None = None) -> T:
        """Run ``entry`` in a transaction and return its result once that is on disk.

        ``meanwhile`` is called if that takes long. Raises what ``entry`` raises, with its changes undone, or
        ``LedgerUnwritableError``.
        """
        return self._writer.write(entry, meanwhile=meanwhile)

    def write_in_batch(
        self, batch: Batch[ItemT, T], item: ItemT, *, meanwhile: Callable[[], None] | None = None
    ) -> T:
        """The same for an entry that is run together with others of its kind, if there are any."""
        return self._writer.write_in_batch(batch, item, meanwhile=meanwhile)

    def write_later(self, entry: Entry[Any]) -> None:
        """The same without waiting for it: for what may be lost."""
        self._writer.write_later(entry)

    def close(self) -> None:
        """Commit what is queued and let go of the file."""
        self._writer.close()
        for reader in self._readers:
            reader.close()
        self._connection.close()
