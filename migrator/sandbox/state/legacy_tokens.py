"""A legacy connection with its token: as the sandbox keeps it, and as a row of an input file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrator.sandbox.state import tenants

if TYPE_CHECKING:
    import sqlite3

COLUMNS = (
    "connection_id",
    "app_type",
    "organisation",
    "tenant_id",
    "tenant_type",
    "contact_email",
    "oauth_token",
    "oauth_token_secret",
    "oauth_session_handle",
    "oauth_expires_at",
)
"""The contract's input columns, in this order."""

BATCH = 2000
"""Rows that are inserted in one transaction."""


@dataclass(frozen=True)
class LegacyRow:
    """One connection, one token."""

    app_type: str
    organisation: str
    tenant_id: str
    tenant_type: str
    contact_email: str
    user_id: str
    token: str
    token_secret: str
    session_handle: str | None
    """Of tokens that may be renewed by one."""
    expires_at: int | None
    """Epoch seconds; None for a token that does not end."""
    authorised_until: float | None = None
    """Epoch seconds until which it may be renewed; None: not at all, or for ever."""
    permission: str = ""
    """What it may do, in the provider's own words, where these differ from token to token."""
    consumer_key: str = ""
    """Of the application that it is of, if the row says so."""

    def as_columns(self, connection_id: str) -> dict[str, str]:
        """The row of ``COLUMNS`` that an application would have in its database."""
        ends = "" if self.expires_at is None else datetime.fromtimestamp(self.expires_at, UTC).isoformat()
        return {
            "connection_id": connection_id,
            "app_type": self.app_type,
            "organisation": self.organisation,
            "tenant_id": self.tenant_id,
            "tenant_type": self.tenant_type,
            "contact_email": self.contact_email,
            "oauth_token": self.token,
            "oauth_token_secret": self.token_secret,
            "oauth_session_handle": self.session_handle or "",
            "oauth_expires_at": ends.replace("+00:00", "Z"),
        }


def next_id(db: sqlite3.Connection) -> int:
    """The id of the next connection."""
    number: int = db.execute("SELECT coalesce(max(id), 0) + 1 FROM connections").fetchone()[0]
    return number


def insert_tenant(db: sqlite3.Connection, row: LegacyRow) -> None:
    """Make the sandbox know that the row's user owns its tenant."""
    tenants.add(db, tenants.Tenant(row.user_id, row.tenant_id, row.tenant_type, row.organisation))


def insert_connection(db: sqlite3.Connection, connection_id: int, row: LegacyRow) -> None:
    """Make the sandbox know a connection."""
    db.execute(
        "INSERT INTO connections (id, tenant_id, app_type, user_id, authorised_until) VALUES (?, ?, ?, ?, ?)",
        (
            connection_id,
            row.tenant_id,
            row.app_type,
            row.user_id,
            row.authorised_until,
        ),
    )


def connection_of(db: sqlite3.Connection, row: LegacyRow) -> int:
    """The connection of a tenant and type, made if new: two tokens of one tenant open one connection."""
    known = db.execute(
        "SELECT id FROM connections WHERE tenant_id = ? AND app_type = ?", (row.tenant_id, row.app_type)
    ).fetchone()
    if known:
        return int(known["id"])
    connection_id = next_id(db)
    insert_connection(db, connection_id, row)
    return connection_id


def insert_token(db: sqlite3.Connection, connection_id: int, row: LegacyRow) -> None:
    """Make the sandbox know a connection's token."""
    db.execute(
        "INSERT INTO oauth1_tokens"
        " (token, secret, session_handle, connection_id, expires_at, permission, consumer_key)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            row.token,
            row.token_secret,
            row.session_handle,
            connection_id,
            row.expires_at,
            row.permission,
            row.consumer_key,
        ),
    )


def end_by(db: sqlite3.Connection, connection_id: int, moment: float) -> None:
    """Let a connection's tokens end at ``moment`` (epoch seconds), unless they end before."""
    db.execute(
        "UPDATE oauth1_tokens SET expires_at = min(coalesce(expires_at, :end), :end)"
        " WHERE connection_id = :connection",
        {"end": moment, "connection": connection_id},
    )


def end_all(db: sqlite3.Connection, user_id: str) -> None:
    """End every token of a user at once."""
    db.execute(
        "UPDATE oauth1_tokens SET alive = 0"
        " WHERE connection_id IN (SELECT id FROM connections WHERE user_id = ?)",
        (user_id,),
    )
