"""Connections as lists and reports show them, one by one. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Listed:
    """One connection, as lists and reports show it."""

    key: str
    app_type: str
    organisation: str
    tenant_id: str
    tenant_type: str
    contact_email: str
    user_id: str
    state: str
    reason: str
    updated_at: str
    refresh_expires_at: str
    """When its pair's refresh token ends; empty without a pair."""
    exported_at: str
    """When its pair was handed over; empty if it was not."""
    support_id: str = ""
    """What the provider's support asks for: of its last call that came to nothing; empty if there is none."""
    delivery_problem: str = ""
    """Why the receiver refused its pair the last time; empty if it did not."""


_LISTED = """
    SELECT c.key, c.app_type, c.organisation, c.tenant_id, c.tenant_type, c.contact_email, c.user_id, c.state,
           c.reason, c.updated_at, coalesce(p.refresh_expires_at, ''),
           coalesce((SELECT e.finished_at FROM handings h JOIN exports e ON e.id = h.export_id
                     WHERE h.own_pair_id = p.id AND h.connection_id = c.id AND e.finished_at IS NOT NULL
                     ORDER BY e.id DESC LIMIT 1), ''),
           coalesce((SELECT support_id FROM attempts
                     WHERE connection_id = c.id AND support_id <> '' AND outcome <> 'done'
                     ORDER BY id DESC LIMIT 1), ''),
           coalesce((SELECT problem FROM outbox WHERE connection_id = c.id), '')
    FROM connections c
    LEFT JOIN token_pairs p ON p.connection_id = coalesce(c.served_by, c.id)
                               AND p.replaced_at IS NULL AND p.dead_at IS NULL
"""


def listed(db: sqlite3.Connection) -> Iterator[Listed]:
    """Every connection, streamed in the order in which they came."""
    return _listed(db, "true")


def needs_consent(db: sqlite3.Connection) -> Iterator[Listed]:
    """The connections whose users must authorise again."""
    return _listed(db, "c.state = 'needs_consent'")


def problems(db: sqlite3.Connection) -> Iterator[Listed]:
    """The connections of the view ``problems``."""
    return _listed(db, "c.key IN (SELECT key FROM problems)")


def _listed(db: sqlite3.Connection, where: str) -> Iterator[Listed]:
    for row in db.execute(f"{_LISTED} WHERE {where} ORDER BY c.id"):
        yield Listed(*row)
