"""Legacy tokens in: rows of an input file whose tokens the sandbox is to take for its own."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from migrator.sandbox.state import users
from migrator.sandbox.state.legacy_tokens import (
    APP_TYPES,
    BATCH,
    COLUMNS,
    TENANT_TYPES,
    TOKEN_LIFETIME,
    LegacyRow,
    connection_of,
    insert_tenant,
    insert_token,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State


def adopt(state: State, clock: Clock, rows: Iterable[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Make the sandbox know the tokens of ``rows`` (by the contract's columns), and give each row it took.

    Rows without a token, of an unknown type, with an unreadable date, or with a token that is known are
    passed over. A blank ``oauth_expires_at`` ends in 30 minutes, a private token never. Rows with one contact
    e-mail address, whatever its case, belong to one user.
    """
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        now = clock.now()
        with state.writing() as db:
            taken = [row for row in batch if _take(db, row, now)]
        for row in taken:
            yield {column: _cell(row, column) for column in COLUMNS}


def _take(db: sqlite3.Connection, row: Mapping[str, str], now: float) -> bool:
    token, app_type = _cell(row, "oauth_token"), _cell(row, "app_type").lower()
    tenant_type = _cell(row, "tenant_type").upper() or "ORGANISATION"
    if not token or app_type not in APP_TYPES or tenant_type not in TENANT_TYPES:
        return False
    if db.execute("SELECT 1 FROM oauth1_tokens WHERE token = ?", (token,)).fetchone():
        return False
    try:
        expires_at = _expiry(_cell(row, "oauth_expires_at"), app_type, now)
    except (ValueError, OverflowError):
        return False
    legacy = LegacyRow(
        app_type=app_type,
        organisation=_cell(row, "organisation"),
        tenant_id=_cell(row, "tenant_id") or str(uuid.uuid4()),
        tenant_type=tenant_type,
        contact_email=_cell(row, "contact_email"),
        user_id=_user_id(db, _cell(row, "contact_email")),
        token=token,
        token_secret=_cell(row, "oauth_token_secret"),
        session_handle=_cell(row, "oauth_session_handle") or None,
        expires_at=expires_at,
    )
    insert_tenant(db, legacy)
    insert_token(db, connection_of(db, legacy, now), legacy)
    return True


def _cell(row: Mapping[str, str], column: str) -> str:
    # A short CSV row has None in its last columns.
    return (row.get(column) or "").strip()


def _expiry(text: str, app_type: str, now: float) -> int | None:
    """Epoch seconds from ISO 8601 (UTC unless it says otherwise) or epoch seconds."""
    if app_type == "private":
        return None
    if not text:
        return int(now) + TOKEN_LIFETIME
    try:
        return int(float(text))
    except ValueError:
        moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _user_id(db: sqlite3.Connection, contact_email: str) -> str:
    known = users.by_address(db, contact_email) if contact_email else None
    return known.user_id if known else users.add(db, contact_email or None)
