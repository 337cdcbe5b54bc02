"""The OAuth 2.0 pairs that were issued, and which of them still work.

A swap or a consent opens a grant and wins its first pair; each refresh wins the grant's next. Nothing is
deleted: the witness counts what was.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

REFRESH_WORKS = (
    "(ended IS NULL AND refresh_token IS NOT NULL AND refresh_used_at IS NULL AND refresh_expires_at > :now)"
)
"""SQL: the refresh token of a row of ``pairs`` would be taken at ``:now`` (one in its grace is not meant)."""
ACCESS_WORKS = "(ended IS NULL AND access_expires_at > :now)"
"""SQL: its access token would be taken at ``:now``."""
PAIR_WORKS = f"(CASE WHEN refresh_token IS NULL THEN {ACCESS_WORKS} ELSE {REFRESH_WORKS} END)"
"""SQL: its refresh token would be taken at ``:now``, or its access token if it has only that."""


class End(StrEnum):
    """Why neither token of a pair works any more, if it is not for their age or use."""

    SUPERSEDED = "superseded"
    """A newer swap of its connection, where the newest wins."""
    RETRIED = "retried"
    """The refresh token that won it was used again, within the grace, and won another."""
    REVOKED = "revoked"
    """Its grant was revoked."""


@dataclass(frozen=True)
class AuthEvent:
    """The moment from which a grant stems: a user's consent, or a swap."""

    id: str
    """A UUID; a refresh keeps it."""
    time: float
    """When the user logged in, or the swap happened; epoch seconds."""


@dataclass(frozen=True)
class Pair:
    """A pair as it was just issued; the access token is yet to be signed (which needs no transaction)."""

    claims: dict[str, Any]
    refresh_token: str | None
    """None: there is none."""
    grant_id: int


def record(
    db: sqlite3.Connection,
    claims: dict[str, Any],
    *,
    user_id: str,
    client_id: str,
    scope: str,
    event: AuthEvent,
    refresh_expires_at: float,
    renewable: bool,
    connection_id: int | None,
    grant_id: int | None,
) -> Pair:
    """Record a new pair of a user's, whose access token is to say ``claims``.

    One that is not ``renewable`` has no refresh token. ``connection_id`` is the legacy connection whose swap
    won it, None if a consent did. Without a ``grant_id`` it opens a grant, which goes by its first pair's id.
    """
    pair_id: int = db.execute("SELECT coalesce(max(id), 0) + 1 FROM pairs").fetchone()[0]
    pair = Pair(
        claims=claims,
        refresh_token=secrets.token_hex(32) if renewable else None,
        grant_id=grant_id or pair_id,
    )
    db.execute(
        "INSERT INTO pairs (id, grant_id, connection_id, user_id, client_id, scope, auth_event_id, auth_time,"
        " jti, access_expires_at, refresh_token, refresh_expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            pair_id,
            pair.grant_id,
            connection_id,
            user_id,
            client_id,
            scope,
            event.id,
            event.time,
            pair.claims["jti"],
            pair.claims["exp"],
            pair.refresh_token,
            refresh_expires_at,
        ),
    )
    return pair


def record_access_token(db: sqlite3.Connection, pair: Pair, access_token: str) -> None:
    """Let the witness know a pair's access token, by its hash."""
    digest = hashlib.sha256(access_token.encode()).hexdigest()
    db.execute("UPDATE pairs SET access_sha256 = ? WHERE jti = ?", (digest, pair.claims["jti"]))


def by_refresh_token(
    db: sqlite3.Connection, refresh_token: str, client_id: str, *, now: float, grace: float
) -> sqlite3.Row | None:
    """The pair whose refresh token a client may use now; None if there is none.

    Within ``grace`` seconds after its first use a token may be used again.
    """
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM pairs WHERE refresh_token = :token AND client_id = :client"
        " AND ended IS NULL AND refresh_expires_at > :now"
        " AND (refresh_used_at IS NULL OR (:grace > 0 AND refresh_used_at + :grace > :now))",
        {"token": refresh_token, "client": client_id, "now": now, "grace": grace},
    ).fetchone()
    return row


def by_jti(db: sqlite3.Connection, jti: str, client_id: str, *, now: float) -> sqlite3.Row | None:
    """The pair whose access token has this ``jti`` and works, if there is one."""
    row: sqlite3.Row | None = db.execute(
        f"SELECT * FROM pairs WHERE jti = :jti AND client_id = :client AND {ACCESS_WORKS}",  # noqa: S608 - constant
        {"jti": jti, "client": client_id, "now": now},
    ).fetchone()
    return row


def any_works(db: sqlite3.Connection, user_id: str, now: float) -> bool:
    """Whether a user has any token that works."""
    row = db.execute(
        f"SELECT 1 FROM pairs WHERE user_id = :user AND ({REFRESH_WORKS} OR {ACCESS_WORKS}) LIMIT 1",  # noqa: S608 - constants
        {"user": user_id, "now": now},
    ).fetchone()
    return row is not None


def use_up(db: sqlite3.Connection, pair_id: int, now: float) -> None:
    """Mark a refresh token as used; its access token works until it expires.

    At a second use, what the first one won ends, and all that was won from that: the newest wins. The grace
    still counts from the first.
    """
    db.execute("UPDATE pairs SET refresh_used_at = coalesce(refresh_used_at, ?) WHERE id = ?", (now, pair_id))
    db.execute(
        "UPDATE pairs SET ended = ? WHERE grant_id = (SELECT grant_id FROM pairs WHERE id = ?) AND id > ?"
        " AND ended IS NULL",
        (End.RETRIED, pair_id, pair_id),
    )


def supersede(db: sqlite3.Connection, connection_id: int) -> None:
    """End every pair of a connection."""
    db.execute(
        "UPDATE pairs SET ended = ? WHERE connection_id = ? AND ended IS NULL",
        (End.SUPERSEDED, connection_id),
    )


def revoke(db: sqlite3.Connection, grant_id: int) -> None:
    """End every pair of a grant, those whose refresh token was used included: access tokens outlive that."""
    db.execute(
        "UPDATE pairs SET ended = ? WHERE grant_id = ? AND ended IS NULL",
        (End.REVOKED, grant_id),
    )
