"""A table that stays open: one connection, and a transaction for each delivery."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.errors import OutputError
from migrator.handover.tables import deliveries
from migrator.handover.tables.database_table import begin, make_file, require_name
from migrator.handover.tables.target import find_or_make, lock, schema_of
from migrator.handover.tables.values import Row, even, prepared
from migrator.handover.tables.writing import GENERATION, HINT, write_few
from migrator.sources.sql_connection import close, connect, find_table
from migrator.sources.sql_refusals import concerns_rows, concerns_server, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnClause, Connection, Table

    from migrator.handover.tables.deliveries import Arrival
    from migrator.handover.tables.writing import Target
    from migrator.sources.sql_connection import DatabaseUrl

log = logging.getLogger(__name__)

_BEFORE = {
    "postgresql": (
        # A row which the database does not take shows itself before the end, where all would be lost.
        "SET CONSTRAINTS ALL IMMEDIATE",
        # Nobody who locks the table keeps a job from ending.
        "SET LOCAL lock_timeout = '5s'",
        "SET LOCAL statement_timeout = '20s'",
    )
}


class OpenTable:
    """One connection to the table that a URL names, made when it is needed, and anew when it was lost."""

    def __init__(self, url: DatabaseUrl, key: str) -> None:
        """``key`` is the column by which a row is known again. Raises ``OutputError`` without a table."""
        require_name(url)
        self._url = url
        self._key = key
        self._connection: Connection | None = None
        self._found: tuple[Target, Table] | None = None
        self._tell: Callable[..., None] = log.warning

    def check(self, specimen: Row) -> None:
        """See that rows with these columns can be written, as far as that can be told without one.

        A table that is not there will be made. Raises ``OutputError`` and ``ConfigurationError``.
        """
        from sqlalchemy import inspect  # noqa: PLC0415 - needs the extra

        with self._transaction() as connection:
            if find_table(inspect(connection), self._url.table) is not None:
                find_or_make(connection, self._url, self._key, [specimen], tell=log.debug)
            deliveries.ensure(connection, self._url, schema_of(connection, self._url))

    def deliver(self, delivery_id: str, rows: Sequence[Row]) -> Mapping[str, str]:
        """Write rows in one transaction, those aside that the database refuses; returns their keys, and why.

        Raises ``OutputError`` where nobody knows whether they are in.
        """
        refused: dict[str, str] = {}
        with self._transaction() as connection:
            target, arrivals = self._open(connection, rows)
            lock(connection, target)
            columns = target.table.columns.keys()
            alike = [prepared(even(row, columns), set(columns), columns, self._url.kind) for row in rows]
            strange = _write(connection, target, alike, refused)
            if strange and len(refused) == len(rows):
                raise OutputError(f"{self._url}: {refused[str(rows[0][self._key])]}", hint=HINT)
            deliveries.record(connection, arrivals, delivery_id, len(rows) - len(refused), refused)
        return refused

    def settle(self, delivery_id: str) -> Arrival:
        """What became of a delivery of which nobody knows: one that has not arrived never will.

        Raises ``OutputError`` where the database cannot tell now.
        """
        with self._transaction() as connection:
            arrivals = deliveries.ensure(connection, self._url, schema_of(connection, self._url))
            return deliveries.settle(connection, arrivals, delivery_id)

    def has(self, generations: Mapping[str, int]) -> bool:
        """Whether the table has a row of each key, of this generation or a newer one.

        Raises ``OutputError``.
        """
        from sqlalchemy import bindparam, column, inspect, select, table  # noqa: PLC0415 - needs the extra
        from sqlalchemy.types import NullType  # noqa: PLC0415 - as above

        with self._transaction() as connection:
            named = find_table(inspect(connection), self._url.table)
            if named is None:
                return False
            key: ColumnClause[object] = column(self._key)
            generation: ColumnClause[int] = column(GENERATION)
            # Without a type of ours: the application's column may be of any.
            of_key = (
                select(generation)
                .select_from(table(named[0], schema=named[1]))
                .where(key == bindparam("sought", type_=NullType()))
            )
            return all(
                (connection.execute(of_key, {"sought": each}).scalar() or -1) >= wanted
                for each, wanted in generations.items()
            )

    def close(self) -> None:
        """Let go of the connection; what was not committed is taken back."""
        connection, self._connection, self._found = self._connection, None, None
        if connection is not None:
            close(connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """The connection in a transaction, which the end of the block commits; whatever goes wrong ends both.

        Raises ``OutputError`` in words that quote no row, and ``ConfigurationError``.
        """
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - needs the extra

        whole = False
        try:
            if self._connection is None:
                make_file(self._url)
                self._connection = connect(self._url, OutputError, impatient=True)
            begin(self._connection, self._url)
            for statement in _BEFORE.get(self._url.kind, ()):
                self._connection.exec_driver_sql(statement)
            yield self._connection
            self._connection.commit()
            whole = True
        except (SQLAlchemyError, UnicodeError) as problem:
            raise OutputError(f"{self._url}: {refusal(problem)}", hint=HINT) from None
        finally:
            if not whole:
                self.close()

    def _open(self, connection: Connection, rows: Sequence[Row]) -> tuple[Target, Table]:
        if self._found is None:
            columns = dict.fromkeys(itertools.chain.from_iterable(rows))
            first = [even(row, tuple(columns)) for row in rows]
            target = find_or_make(connection, self._url, self._key, first, self._tell)
            self._tell = log.debug  # once is enough
            self._found = target, deliveries.ensure(connection, self._url, target.table.schema)
        return self._found


def _write(connection: Connection, target: Target, rows: Sequence[Row], refused: dict[str, str]) -> bool:
    """Write rows, the halves apart where the database refuses one of them, until it is found.

    Returns whether one was refused for a reason that need not be its own. Raises what SQLAlchemy raises for
    what is no row's fault.
    """
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - needs the extra

    try:
        with connection.begin_nested():
            write_few(connection, target, rows)
    except (SQLAlchemyError, UnicodeError, OutputError) as problem:
        if concerns_server(problem):
            raise
        if len(rows) == 1:
            said = problem.message if isinstance(problem, OutputError) else refusal(problem)
            refused[str(rows[0][target.key])] = said
            return not (isinstance(problem, OutputError) or concerns_rows(problem))
        middle = len(rows) // 2
        halves = [_write(connection, target, half, refused) for half in (rows[:middle], rows[middle:])]
        return any(halves)
    return False
