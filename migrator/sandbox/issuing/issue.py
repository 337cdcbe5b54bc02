"""Legacy tokens out: as many as wanted, of invented users, known to the sandbox from then on."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from migrator.sandbox.state import users
from migrator.sandbox.state.legacy_tokens import (
    BATCH,
    insert_connection,
    insert_tenant,
    insert_token,
    next_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.sandbox.issuing.interface import LegacyTokens, Order
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State


def issue(state: State, clock: Clock, tokens: LegacyTokens, order: Order) -> Iterator[dict[str, str]]:
    """Issue the tokens that are ordered and give each as a row of the columns that the provider has.

    They are issued batch by batch while the rows are taken, each before its row is given. A user has one
    e-mail address, which is nobody else's: where a name comes again, the address gets a number. Raises
    ``MixError``.
    """
    rows = tokens.invent(order, clock)
    latest = ("", "")  # id and address of the user whose tokens come now
    while batch := list(islice(rows, BATCH)):
        issued = []
        with state.writing() as db:
            first = next_id(db)
            for connection_id, wanted in enumerate(batch, first):
                if wanted.user_id != latest[0]:
                    address = users.free_address(db, wanted.contact_email)
                    latest = (users.add(db, address, wanted.user_id), address)
                row = replace(wanted, contact_email=latest[1])
                insert_tenant(db, row)
                insert_connection(db, connection_id, row)
                insert_token(db, connection_id, row)
                issued.append(row)
        for connection_id, row in enumerate(issued, first):
            cells = row.as_columns(f"conn-{connection_id:06}")
            yield {column: cells[column] for column in tokens.columns}
