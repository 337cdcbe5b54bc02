"""The OAuth 2.0 pairs that were issued, and which of them still live."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.sandbox import access_tokens

if TYPE_CHECKING:
    import sqlite3

REFRESH_LIFETIME = 30 * 24 * 3600
"""Seconds unused; the stricter of the two that the provider's documents name."""


@dataclass(frozen=True)
class Pair:
    """A pair as it was just issued; the access token is yet to be signed (which needs no transaction)."""

    claims: dict[str, Any]
    refresh_token: str


def issue(
    db: sqlite3.Connection,
    *,
    connection_id: int,
    user_id: str,
    client_id: str,
    scope: str,
    access_scope: str,
    now: float,
) -> Pair:
    """Record a new pair for a connection; ``access_scope`` is what of ``scope`` this access token may use."""
    pair = Pair(
        claims=access_tokens.claims(client_id=client_id, user_id=user_id, scope=access_scope, now=now),
        refresh_token=secrets.token_hex(32),
    )
    db.execute(
        "INSERT INTO pairs (connection_id, client_id, scope, jti, access_expires_at, refresh_token,"
        " refresh_expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            connection_id,
            client_id,
            scope,
            pair.claims["jti"],
            pair.claims["exp"],
            pair.refresh_token,
            now + REFRESH_LIFETIME,
        ),
    )
    return pair


def kill_all(db: sqlite3.Connection, connection_id: int) -> None:
    """End every pair of a connection: neither token of any works from now on."""
    db.execute(
        "UPDATE pairs SET access_alive = 0, refresh_alive = 0 WHERE connection_id = ?"
        " AND (access_alive OR refresh_alive)",
        (connection_id,),
    )


def use_up(db: sqlite3.Connection, pair_id: int) -> None:
    """End a refresh token that was just used; its access token lives until it expires."""
    db.execute("UPDATE pairs SET refresh_alive = 0 WHERE id = ?", (pair_id,))
