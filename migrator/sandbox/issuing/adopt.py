"""Legacy tokens in: rows of an input file whose tokens the sandbox is to take for its own."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from migrator.sandbox.issuing.cells import cell
from migrator.sandbox.state import users
from migrator.sandbox.state.legacy_tokens import BATCH, connection_of, insert_tenant, insert_token

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

    from migrator.sandbox.issuing.interface import LegacyTokens
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.legacy_tokens import LegacyRow
    from migrator.sandbox.state.state_file import State


def adopt(
    state: State, clock: Clock, tokens: LegacyTokens, rows: Iterable[Mapping[str, str]]
) -> Iterator[dict[str, str]]:
    """Make the sandbox know the tokens of ``rows`` (by the contract's columns), and give each row it took.

    Rows that hold no token of this provider, or one that is known, are passed over. Rows with one contact
    e-mail address, whatever its case, belong to one user, unless the tokens themselves name their users.
    """
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        now = clock.now()
        with state.writing() as db:
            taken = [row for row in batch if _take(db, tokens.read(row, now))]
        for row in taken:
            yield {column: cell(row, column) for column in tokens.columns}


def _take(db: sqlite3.Connection, legacy: LegacyRow | None) -> bool:
    if legacy is None:
        return False
    if db.execute("SELECT 1 FROM oauth1_tokens WHERE token = ?", (legacy.token,)).fetchone():
        return False
    user_id = _owner(db, legacy)
    owned = replace(legacy, user_id=user_id, tenant_id=legacy.tenant_id or user_id)
    insert_tenant(db, owned)
    insert_token(db, connection_of(db, owned), owned)
    return True


def _owner(db: sqlite3.Connection, legacy: LegacyRow) -> str:
    """The id of the token's user, made if new."""
    address = legacy.contact_email
    of_address = users.by_address(db, address) if address else None
    if not legacy.user_id:
        return of_address.user_id if of_address else users.add(db, address or None)
    if not users.exists(db, legacy.user_id):
        users.add(db, None if of_address else address or None, legacy.user_id)
    return legacy.user_id
