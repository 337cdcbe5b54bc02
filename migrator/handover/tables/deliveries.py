"""What has arrived in an application's database, by its own word: the table ``migrator_deliveries``.

A row of it is written in the transaction that writes the pairs. So whoever does not know whether a
transaction came to its end, having died or lost the connection, asks for its row afterwards. Nobody can be
sure that a transaction will not end later still, by merely looking: so who asks puts a row of that id there,
which waits for the other transaction's, and keeps it out from then on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.errors import OutputError
from migrator.sources.sql_refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Table

    from migrator.sources.sql_connection import DatabaseUrl

NAME = "migrator_deliveries"

_LONGEST_WAIT = {"postgresql": "SET LOCAL lock_timeout = '10s'"}
"""For another one's transaction, where there is no limit otherwise."""


@dataclass(frozen=True)
class Arrival:
    """What became of a delivery."""

    arrived: bool
    refused: Mapping[str, str] = field(default_factory=dict)
    """Keys of the rows that the database did not take, and why."""


def ensure(connection: Connection, url: DatabaseUrl, schema: str | None) -> Table:
    """The table, made if there is none. In MySQL that ends a transaction.

    Raises ``OutputError`` where it cannot be made.
    """
    from sqlalchemy import inspect  # noqa: PLC0415 - needs the extra
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - as above
    from sqlalchemy.schema import CreateTable  # noqa: PLC0415 - as above

    table = _table(schema)
    if inspect(connection).has_table(NAME, schema):
        return table
    try:
        table.create(connection)
    except DBAPIError as problem:
        statement = " ".join(str(CreateTable(table).compile(dialect=connection.dialect)).split())
        raise OutputError(
            f"{url}: the table {NAME}, which tells what has arrived, cannot be made: {refusal(problem)}",
            hint=f"Let somebody make it who may, for this user to read and insert: {statement}",
        ) from None
    return table


def _table(schema: str | None) -> Table:
    from sqlalchemy import (  # noqa: PLC0415 - needs the extra
        Boolean,
        Column,
        DateTime,
        Integer,
        MetaData,
        String,
        Table,
        Text,
        func,
    )

    return Table(
        NAME,
        MetaData(),
        Column("id", String(64), primary_key=True),
        Column("arrived", Boolean(create_constraint=False), nullable=False),
        Column("pairs", Integer, nullable=False),
        Column("refused", Text, nullable=False),
        Column("written_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        schema=schema,
    )


def record(
    connection: Connection, table: Table, delivery_id: str, pairs: int, refused: Mapping[str, str]
) -> None:
    """That a delivery has arrived, once the transaction ends.

    Raises ``IntegrityError`` if it was given up.
    """
    values = {"id": delivery_id, "arrived": True, "pairs": pairs, "refused": json.dumps(dict(refused))}
    connection.execute(table.insert(), values)


def settle(connection: Connection, table: Table, delivery_id: str) -> Arrival:
    """Whether a delivery has arrived; one that has not never will.

    Ends the transaction. Raises what SQLAlchemy raises, where it is not known yet.
    """
    from sqlalchemy import select  # noqa: PLC0415 - needs the extra
    from sqlalchemy.exc import IntegrityError  # noqa: PLC0415 - as above

    if (limit := _LONGEST_WAIT.get(connection.dialect.name)) is not None:
        connection.exec_driver_sql(limit)
    try:
        connection.execute(table.insert(), {"id": delivery_id, "arrived": False, "pairs": 0, "refused": "{}"})
        connection.commit()
    except IntegrityError:
        connection.rollback()
        found = select(table.c.arrived, table.c.refused).where(table.c.id == delivery_id)
        arrived, refused = connection.execute(found).one()
        connection.rollback()
        return Arrival(bool(arrived), json.loads(refused))
    return Arrival(arrived=False)
