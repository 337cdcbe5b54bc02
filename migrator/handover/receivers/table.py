"""A table of the application's own database, which tells by itself what has arrived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from migrator.errors import OutputError
from migrator.handover.receivers.interface import Delivery, Refused, UnavailableError
from migrator.handover.shapes import Row, plain, rows_a_connection
from migrator.handover.tables.open_table import OpenTable
from migrator.handover.tables.writing import GENERATION
from migrator.ledger.exports import ExportedConnection, ExportedPair
from migrator.models import Secret, TokenPair
from migrator.sources.sql_connection import DatabaseUrl

KEY = "connection_id"
"""The column by which a row is known again."""


class DatabaseTable:
    """PostgreSQL's, MySQL's or SQLite's."""

    def __init__(self, url: DatabaseUrl) -> None:
        """Raises ``OutputError`` where the URL names no table."""
        self._url = url
        self._table = OpenTable(url, KEY)

    @property
    def name(self) -> str:
        return str(self._url)

    def check(self) -> None:
        self._table.check(_specimen())

    def deliver(self, delivery: Delivery) -> Refused:
        try:
            return self._table.deliver(delivery.id, delivery.rows)
        except OutputError as error:
            raise self._unavailable(error) from None

    def settle(self, delivery: Delivery) -> Refused | None:
        try:
            arrival = self._table.settle(delivery.id)
        except OutputError as error:
            raise self._unavailable(error) from None
        return arrival.refused if arrival.arrived else None

    def has(self, rows: Sequence[Row]) -> bool:
        try:
            return self._table.has({str(row[KEY]): int(str(row[GENERATION])) for row in rows})
        except OutputError as error:
            raise self._unavailable(error) from None

    def close(self) -> None:
        self._table.close()

    def _unavailable(self, error: OutputError) -> UnavailableError:
        return UnavailableError(error.message.removeprefix(f"{self._url}: "))


def _specimen() -> Row:
    """A row with the columns that every one has."""
    nobody = ExportedConnection(key="", app_type="", organisation="", tenant_id="", tenant_type="",
                                contact_email="", further={})  # fmt: skip
    pair = TokenPair(Secret(""), Secret(""), None, "", "", "", None)
    (row,) = rows_a_connection(ExportedPair(pair, 0, (nobody,)), plain, datetime.now(UTC))
    return row
