"""Opens the ledger for what it says in the clear, as whoever tells of it does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrator.ledger import schema_version
from migrator.ledger.file import opening


@contextmanager
def open_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger for what it says in the clear: no key, no lock, nothing written."""
    with opening.translated(path):
        connection = opening.connect(path.resolve(), readonly=True)
        try:
            opening.refuse_emptied(connection, path)
            schema_version.check(connection)
            yield connection
        finally:
            connection.close()
