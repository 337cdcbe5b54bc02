"""A table of the application's own database that takes pairs: each delivery wholly, or not at all."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

from migrator.errors import OutputError
from migrator.handover.tables import deliveries
from migrator.handover.tables.target import find_or_make, lock, schema_of
from migrator.handover.tables.values import Row, prepared
from migrator.handover.tables.writing import HINT, write_rows
from migrator.sources.sql_connection import connected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from migrator.handover.tables.deliveries import Arrival
    from migrator.sources.sql_connection import DatabaseUrl

_FIRST = 500
"""Rows that tell what the columns are."""

_BEGIN = {
    "postgresql": (
        # A time goes into a column without zone as UTC.
        "SET LOCAL TIME ZONE 'UTC'",
        # What is committed must be on the server's disk, whatever its users are content with.
        "SET LOCAL synchronous_commit = on",
    ),
    # What does not fit is an error; without strict mode, a token would be cut off.
    "mysql": (
        "SET SESSION time_zone = '+00:00'",
        "SET SESSION sql_mode = CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'STRICT_ALL_TABLES')",
    ),
    # Python's driver begins too late: a table would be made outside of the transaction.
    "sqlite": ("BEGIN IMMEDIATE",),
}


def begin(connection: Connection, url: DatabaseUrl) -> None:
    """Begin a transaction that writes pairs."""
    for statement in _BEGIN[url.kind]:
        connection.exec_driver_sql(statement)


def write_table(url: DatabaseUrl, rows: Iterable[Row], *, key: str, delivery_id: str) -> int:
    """Insert each row into the URL's table, or update the row that has the same ``key``; return how many.

    Everything happens in one transaction: whatever goes wrong, in the database or in ``rows``, the table is
    as it was. That it came to its end stands in the database, under ``delivery_id``. All rows must have the
    columns of the first one, and each a key of its own. Where they have a ``generation``, a row that has one
    that is not lower stays as it is.

    If there is no such table, it is made: ``key`` is its primary key, of 255 characters; a column that holds
    ``datetime`` alone within the first rows is a time with zone (in MySQL a DATETIME, in SQLite text, both in
    UTC); any other is text. In MySQL, a new table stays after a failure, empty. If there is one, it must have
    the columns ``key``, ``access_token`` and ``refresh_token``, and ``generation`` where rows have it; those
    of ours that it has not are passed over, with a warning that names them.

    A ``datetime`` must be aware; lists and mappings are written as JSON. A SQLite file that is not there is
    made with mode 0600. Raises ``OutputError``, which quotes no row, and ``ConfigurationError`` as
    ``sql_connection.connected`` does.
    """
    require_name(url)
    remaining = iter(rows)
    first = list(itertools.islice(remaining, _FIRST))
    if not first:
        return 0
    make_file(url)
    with connected(url, OutputError, hint=HINT) as connection:
        begin(connection, url)
        target = find_or_make(connection, url, key, first)
        lock(connection, target)
        arrivals = deliveries.ensure(connection, url, target.table.schema)
        given, written = first[0].keys(), target.table.columns.keys()
        every = itertools.chain(first, remaining)
        count = write_rows(connection, target, (prepared(row, given, written, url.kind) for row in every))
        deliveries.record(connection, arrivals, delivery_id, count, {})
        return count


def arrival(url: DatabaseUrl, delivery_id: str) -> Arrival:
    """What became of a delivery of which nobody knows: one that has not arrived never will.

    Raises ``OutputError`` where the database cannot tell yet, and ``ConfigurationError``.
    """
    require_name(url)
    make_file(url)
    with connected(url, OutputError, hint="It may still be at it: try again in a while.") as connection:
        begin(connection, url)
        arrivals = deliveries.ensure(connection, url, schema_of(connection, url))
        return deliveries.settle(connection, arrivals, delivery_id)


def require_name(url: DatabaseUrl) -> None:
    """See that a URL names a table. Raises ``OutputError``."""
    if not url.table:
        raise OutputError(f"{url}: names no table", hint="Name it at the end: ?table=NAME")


def make_file(url: DatabaseUrl) -> None:
    """Let a database that will hold tokens be its owner's alone from the beginning, where it is a file.

    Raises ``OutputError``.
    """
    if url.kind != "sqlite":
        return
    if not url.path:
        raise OutputError(
            f"{url}: names no file", hint="It is sqlite:///relative.db or sqlite:////absolute.db."
        )
    try:
        os.close(os.open(url.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise OutputError(
            f"{url}: the file cannot be made: {error.strerror}", hint="Check the folder."
        ) from None
