"""The least that a database can take for so many rows: ``COPY`` of a file that has them.

``python -m tests.bench.competitors.copy PAIRS.CSV POSTGRESQL-URL TABLE``
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import psycopg
from psycopg import sql

_BLOCK = 1 << 16


def main() -> None:
    """Into a new table, by their key."""
    pairs, url, name = sys.argv[1:]
    with Path(pairs).open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
    table = sql.Identifier(name)
    declared = [
        sql.SQL("{} text{}").format(sql.Identifier(column), sql.SQL("" if number else " PRIMARY KEY"))
        for number, column in enumerate(columns)
    ]
    with psycopg.connect(url) as connection, Path(pairs).open("rb") as file:
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(declared)))
        command = sql.SQL("COPY {} FROM STDIN WITH (FORMAT csv, HEADER)").format(table)
        with connection.cursor().copy(command) as copy:
            while block := file.read(_BLOCK):
                copy.write(block)


if __name__ == "__main__":
    main()
