"""Authorisation codes: a consent on its way to the application, which turns it into a pair once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import uuid
from typing import TYPE_CHECKING

from migrator.sandbox.oauth2 import clients
from migrator.sandbox.state import pairs
from migrator.sandbox.state.pairs import AuthEvent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from migrator.sandbox.oauth2.authorisation_request import AuthorisationRequest
    from migrator.sandbox.oauth2.authorisation_server import AuthorisationServer

LIFETIME = 300
"""Seconds."""
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636, 4.1."""


def issue(
    db: sqlite3.Connection,
    request: AuthorisationRequest,
    *,
    user_id: str,
    tenant_ids: Iterable[str],
    event: AuthEvent,
    now: float,
) -> str:
    """A code for a consent about these tenants."""
    code = secrets.token_urlsafe(32)
    db.execute(
        "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            code,
            request.client_id,
            request.redirect_uri,
            request.challenge,
            request.scope,
            request.nonce,
            user_id,
            event.id,
            event.time,
            json.dumps(list(tenant_ids)),
            now + LIFETIME,
        ),
    )
    return code


def new_event(logged_in_at: float) -> AuthEvent:
    """A consent that is given now, by a user who logged in then."""
    return AuthEvent(str(uuid.uuid4()), logged_in_at)


def redeem(
    server: AuthorisationServer, db: sqlite3.Connection, client_id: str, form: Mapping[str, str], now: float
) -> tuple[pairs.Pair, sqlite3.Row] | None:
    """The pair that the form's code wins, and the code's row; None if it wins none, as for ``good``."""
    row = good(db, client_id, form, now)
    if row is None:
        return None
    pair = server.issue(
        db,
        user_id=row["user_id"],
        client_id=client_id,
        scope=row["scope"],
        event=event(row),
        now=now,
        renewable=server.refresh_scope in row["scope"].split(),
    )
    use_up(db, row, pair.grant_id)
    return pair, row


def good(db: sqlite3.Connection, client_id: str, form: Mapping[str, str], now: float) -> sqlite3.Row | None:
    """The row of the form's code, if it wins a pair now.

    A code that comes again was stolen or sent twice: what it won dies with it (RFC 6749, 4.1.2). A refusal
    for another reason leaves it as it was.
    """
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM codes WHERE code = ? AND client_id = ?", (form["code"], client_id)
    ).fetchone()
    if row is None:
        return None
    if row["grant_id"] is not None:
        pairs.revoke(db, row["grant_id"])
        return None
    if row["expires_at"] <= now or form.get("redirect_uri") != row["redirect_uri"]:
        return None
    return row if _proven(row["challenge"], form.get("code_verifier")) else None


def event(row: sqlite3.Row) -> AuthEvent:
    """The consent that a code stands for."""
    return AuthEvent(row["auth_event_id"], row["auth_time"])


def use_up(db: sqlite3.Connection, row: sqlite3.Row, grant_id: int) -> None:
    """Mark a code as used for a grant, and the grant as one about the code's tenants."""
    db.execute("UPDATE codes SET grant_id = ? WHERE code = ?", (grant_id, row["code"]))
    db.executemany(
        "INSERT INTO consents VALUES (?, ?)",
        [(grant_id, tenant_id) for tenant_id in json.loads(row["tenant_ids"])],
    )


def check(form: Mapping[str, str]) -> None:
    """Refuse a form that names no code, or not where it was sent to (RFC 6749, 4.1.3)."""
    for name in ("code", "redirect_uri"):
        if not form.get(name):
            raise clients.error("invalid_request", f"{name} is missing")


def _proven(challenge: str | None, verifier: str | None) -> bool:
    """Whether the client is the one that began (RFC 7636, 4.6).

    A verifier where no challenge was is refused too: somebody may have taken the challenge away (RFC 9700,
    4.8.2).
    """
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    digest = hashlib.sha256(verifier.encode(errors="replace")).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return _VERIFIER.fullmatch(verifier) is not None and hmac.compare_digest(expected, challenge.encode())
