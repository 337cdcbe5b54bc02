"""The OAuth 2.0 pairs that were issued, and which of them still work.

A swap or a consent opens a grant and wins its first pair; each refresh wins the grant's next. Nothing is
deleted: the witness counts what was.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

REFRESH_WORKS = (
    "(ended IS NULL AND refresh_token IS NOT NULL AND refresh_used_at IS NULL"
    " AND (refresh_expires_at IS NULL OR refresh_expires_at > :now))"
)
"""SQL: the refresh token of a row of ``pairs`` would be taken at ``:now`` (one in its grace is not meant)."""
ACCESS_WORKS = "(ended IS NULL AND (access_expires_at IS NULL OR access_expires_at > :now))"
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


@dataclass(frozen=True, kw_only=True)
class NewPair:
    """What is kept of a pair that is issued."""

    user_id: str
    client_id: str
    scope: str
    event: AuthEvent
    jti: str | None = None
    """Of a signed access token."""
    access_token: str | None = None
    """None: it is yet to be signed."""
    access_expires_at: float | None
    """Epoch seconds; None: it does not end."""
    refresh_token: str | None
    """None: there is none."""
    refresh_issued_at: float
    refresh_expires_at: float | None
    """Epoch seconds; None: it does not end."""
    connection_id: int | None = None
    """The legacy connection whose swap won it; None: a consent did."""
    grant_id: int | None = None
    """None: it opens a grant, which goes by its first pair's id."""


def insert(db: sqlite3.Connection, new: NewPair) -> int:
    """Keep a new pair; returns the id of its grant."""
    pair_id: int = db.execute("SELECT coalesce(max(id), 0) + 1 FROM pairs").fetchone()[0]
    grant_id = new.grant_id or pair_id
    db.execute(
        "INSERT INTO pairs (id, grant_id, connection_id, user_id, client_id, scope, auth_event_id, auth_time,"
        " jti, access_sha256, access_expires_at, refresh_token, refresh_issued_at, refresh_expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            pair_id,
            grant_id,
            new.connection_id,
            new.user_id,
            new.client_id,
            new.scope,
            new.event.id,
            new.event.time,
            new.jti,
            None if new.access_token is None else sha256(new.access_token),
            new.access_expires_at,
            new.refresh_token,
            new.refresh_issued_at,
            new.refresh_expires_at,
        ),
    )
    return grant_id


def record_access_token(db: sqlite3.Connection, pair: Pair, access_token: str) -> None:
    """Let the witness know a pair's access token, by its hash."""
    db.execute("UPDATE pairs SET access_sha256 = ? WHERE jti = ?", (sha256(access_token), pair.claims["jti"]))


def by_refresh_token(
    db: sqlite3.Connection, refresh_token: str, client_id: str, *, now: float, grace: float
) -> sqlite3.Row | None:
    """The pair whose refresh token a client may use now; None if there is none.

    Within ``grace`` seconds after its first use a token may be used again.
    """
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM pairs WHERE refresh_token = :token AND client_id = :client"
        " AND ended IS NULL AND (refresh_expires_at IS NULL OR refresh_expires_at > :now)"
        " AND (refresh_used_at IS NULL OR (:grace > 0 AND refresh_used_at + :grace > :now))"
        " ORDER BY refresh_used_at IS NOT NULL LIMIT 1",
        {"token": refresh_token, "client": client_id, "now": now, "grace": grace},
    ).fetchone()
    return row


def by_access_token(db: sqlite3.Connection, access_token: str) -> sqlite3.Row | None:
    """The pair of an access token, whether it works or not, if there is one."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM pairs WHERE access_sha256 = ?", (sha256(access_token),)
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


def revoke_all(db: sqlite3.Connection, user_id: str) -> None:
    """End every pair of a user, of whatever grant."""
    db.execute("UPDATE pairs SET ended = ? WHERE user_id = ? AND ended IS NULL", (End.REVOKED, user_id))


def sha256(token: str) -> str:
    """The hash by which a token is known, hexadecimal."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
