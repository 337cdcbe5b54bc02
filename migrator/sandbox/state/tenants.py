"""The organisations that users own, and which of them are connected to the application's OAuth 2.0 side.

A swap connects one, a consent those that its user ticked. Legacy connections are another matter: a tenant
may have those, be connected, both, or neither.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True)
class Tenant:
    """One organisation of one user."""

    user_id: str
    tenant_id: str
    tenant_type: str
    name: str
    connected: bool = False


def add(db: sqlite3.Connection, tenant: Tenant) -> None:
    """Make the sandbox know that a user owns an organisation; what it knows already stays."""
    db.execute(
        "INSERT OR IGNORE INTO organisations (user_id, tenant_id, tenant_type, tenant_name)"
        " VALUES (?, ?, ?, ?)",
        (tenant.user_id, tenant.tenant_id, tenant.tenant_type, tenant.name),
    )


def of_user(db: sqlite3.Connection, user_id: str) -> list[Tenant]:
    """What a user owns, oldest first."""
    rows = db.execute("SELECT * FROM organisations WHERE user_id = ? ORDER BY id", (user_id,))
    return [
        Tenant(
            user_id, row["tenant_id"], row["tenant_type"], row["tenant_name"], row["oauth2_id"] is not None
        )
        for row in rows
    ]


def connect(
    db: sqlite3.Connection, user_id: str, tenant_id: str, now: float, auth_event_id: str | None
) -> None:
    """Connect an organisation of a user's; one that is connected keeps its id.

    ``auth_event_id`` names the consent that led here. A swap is none, and takes nothing from an earlier one.
    """
    db.execute(
        "UPDATE organisations SET oauth2_id = coalesce(oauth2_id, :new), updated_at = :now,"
        " connected_at = coalesce(connected_at, :now), auth_event_id = coalesce(:event, auth_event_id)"
        " WHERE user_id = :user AND tenant_id = :tenant",
        {
            "new": str(uuid.uuid4()),
            "now": now,
            "event": auth_event_id,
            "user": user_id,
            "tenant": tenant_id,
        },
    )


def disconnect(db: sqlite3.Connection, organisation_id: int) -> None:
    """Disconnect one, by the number of its row."""
    db.execute(
        "UPDATE organisations SET oauth2_id = NULL, auth_event_id = NULL, connected_at = NULL,"
        " updated_at = NULL, disconnections = disconnections + 1 WHERE id = ?",
        (organisation_id,),
    )


def disconnect_user(db: sqlite3.Connection, user_id: str) -> None:
    """Disconnect all organisations of a user."""
    rows = db.execute("SELECT id FROM organisations WHERE user_id = ? AND oauth2_id IS NOT NULL", (user_id,))
    for row in rows.fetchall():
        disconnect(db, row["id"])


def exceeds(db: sqlite3.Connection, limit: int, tenant_ids: set[str]) -> bool:
    """Whether more than so many organisations would be connected, were these connected too."""
    rows = db.execute("SELECT DISTINCT lower(tenant_id) FROM organisations WHERE oauth2_id IS NOT NULL")
    connected = {row[0] for row in rows}
    wanted = {tenant_id.lower() for tenant_id in tenant_ids}
    return not wanted <= connected and len(connected | wanted) > limit
