"""What a legacy access token opens: found by its name, whoever shows it and however they prove it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True)
class Grant:
    """A legacy access token, with the connection it opens."""

    token: str
    session_handle: str | None
    expires_at: float | None
    alive: bool
    """Whether it was neither renewed away nor ended by its swap."""
    connection_id: int
    app_type: str
    tenant_id: str
    tenant_type: str
    user_id: str
    authorised_until: float | None
    permission: str
    """What the token may do, in the provider's own words."""
    consumer_key: str
    """Of the application that it is of; empty: of the one whose credentials the sandbox hands out."""
    swaps: int
    """How often the connection was swapped before."""

    def expired(self, now: float) -> bool:
        """Whether the token's time is over."""
        return self.expires_at is not None and self.expires_at <= now

    def of_another_application(self, consumer_key: str) -> bool:
        """Whether it belongs to another application than the one with this key."""
        return self.consumer_key not in {"", consumer_key}


def by_token(db: sqlite3.Connection, token: str) -> sqlite3.Row | None:
    """A token's row with its ``secret``, for ``of_row``; None if there is no such token."""
    row: sqlite3.Row | None = db.execute(
        "SELECT t.*, c.*, tenant_type FROM oauth1_tokens t JOIN connections c ON c.id = t.connection_id"
        " JOIN organisations o USING (user_id, tenant_id) WHERE token = ?",
        (token,),
    ).fetchone()
    return row


def presented(db: sqlite3.Connection, token: str, secret: str) -> Grant | None:
    """What a token opens that a call shows together with its secret, unsigned; None if these are none.

    Whether it is alive is the caller's to ask.
    """
    # JSON may carry half a surrogate pair, which is no text.
    row = by_token(db, token.encode(errors="replace").decode())
    if row is None or not hmac.compare_digest(row["secret"].encode(), secret.encode(errors="replace")):
        return None
    return of_row(row)


def of_row(row: sqlite3.Row) -> Grant:
    """What a row of ``by_token`` says."""
    return Grant(
        token=row["token"],
        session_handle=row["session_handle"],
        expires_at=row["expires_at"],
        alive=bool(row["alive"]),
        connection_id=row["connection_id"],
        app_type=row["app_type"],
        tenant_id=row["tenant_id"],
        tenant_type=row["tenant_type"],
        user_id=row["user_id"],
        authorised_until=row["authorised_until"],
        permission=row["permission"],
        consumer_key=row["consumer_key"],
        swaps=row["swaps"],
    )
