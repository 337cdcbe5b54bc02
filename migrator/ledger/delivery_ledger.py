"""The ledger as 'migrator deliver' uses it: beside the job that wins the pairs, under a lock of its own."""

from __future__ import annotations

import os
import sqlite3

from migrator.ledger import runs
from migrator.ledger.deliveries import Deliveries
from migrator.ledger.file.session import Session


class DeliveryLedger:
    """A ledger as long as its pairs are delivered."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin_run(self) -> None:
        """Start to deliver."""

        def entry(db: sqlite3.Connection) -> int:
            return runs.begin_run(db, runs.DELIVER, os.getpid(), (), self._session.now())

        self._session.run_id = self._session.write(entry)

    def end_run(self, outcome: str) -> None:
        """How that ended: ``done``, ``incomplete``, ``stopped`` or ``interrupted``."""
        self._session.write(lambda db: runs.end_run(db, self._session.run_id, outcome, self._session.now()))

    @property
    def deliveries(self) -> Deliveries:
        """The deliveries that it records."""
        return Deliveries(self._session)

    def close(self) -> None:
        """Commit what is queued and let go of the file."""
        self._session.close()
