"""A file into a table, in the clear: ``python -m tests.bench.competitors.load TOKENS.CSV TABLE.DB``."""

from __future__ import annotations

import csv
import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def main() -> None:
    """All rows in one transaction, by their key."""
    tokens, database = sys.argv[1:]
    with Path(tokens).open(encoding="utf-8", newline="") as file, closing(sqlite3.connect(database)) as db:
        rows = csv.reader(file)
        columns = next(rows)
        db.execute(f"CREATE TABLE tokens ({', '.join(columns)}, PRIMARY KEY (connection_id))")
        with db:
            db.executemany(f"INSERT INTO tokens VALUES ({', '.join('?' * len(columns))})", rows)


if __name__ == "__main__":
    main()
