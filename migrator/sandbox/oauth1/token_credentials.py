"""``/oauth/AccessToken``: a request token is turned into an access token with its verifier (RFC 5849, 2.3).

The same endpoint renews tokens: who sends a session handle wants that.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.oauth1 import request_tokens
from migrator.sandbox.oauth1.authentication import authenticated, problem, read
from migrator.sandbox.oauth1.request_tokens import Verdict
from migrator.sandbox.state import tenants
from migrator.sandbox.state.legacy_tokens import (
    GRANT_LIFETIME,
    TOKEN_LIFETIME,
    LegacyRow,
    connection_of,
    insert_token,
)
from migrator.sandbox.state.state_file import count
from migrator.sandbox.xero import renewal

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.oauth1.authentication import SignedCall
    from migrator.sandbox.oauth1.consumers import Consumer
    from migrator.sandbox.provider import Provider


def access_token(provider: Provider, call: Call) -> Answer:
    """Answer an access token: for a verifier the first, for a session handle the next."""
    signed = read(call)
    if signed.oauth.get("oauth_session_handle"):
        return renewal.renew(provider, signed)
    verifier = signed.oauth.get("oauth_verifier")
    if not verifier:
        raise problem("parameter_absent", "oauth_verifier or oauth_session_handle is missing")
    return _verify(provider, signed, verifier)


def _verify(provider: Provider, signed: SignedCall, verifier: str) -> Answer:
    now = provider.clock.now()

    def exchange(db: sqlite3.Connection, consumer: Consumer, row: sqlite3.Row) -> dict[str, str]:
        _check(row, verifier, now)
        request_tokens.close(db, row["token"], Verdict.USED)
        count(db, "authorisations")
        return _issue(db, consumer, row, now)

    return Answer.of_form(200, authenticated(provider, signed, _request_token, exchange))


def _request_token(db: sqlite3.Connection, consumer: Consumer, token: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM request_tokens WHERE token = ? AND consumer_key = ?", (token, consumer.key)
    ).fetchone()
    if row is None:
        raise problem("token_rejected", "The request token is not known")
    return row


def _check(row: sqlite3.Row, verifier: str, now: float) -> None:
    """The problem words are those of OAuth's extension *Problem Reporting*."""
    if row["verdict"] == Verdict.USED:
        raise problem("token_used", "The request token has been used")
    if row["verdict"] == Verdict.REFUSED:
        raise problem("permission_denied", "The user refused")
    if row["expires_at"] <= now:
        raise problem("token_expired", "The request token has expired")
    if row["verdict"] is None:
        raise problem("permission_unknown", "The user has not authorised the request token")
    if not hmac.compare_digest(row["verifier"].encode(), verifier.encode(errors="replace")):
        raise problem("verifier_invalid", "The verifier is not the request token's")


def _issue(db: sqlite3.Connection, consumer: Consumer, row: sqlite3.Row, now: float) -> dict[str, str]:
    """A new token of the consumer's application type; earlier ones for the organisation live on."""
    partner = consumer.app_type == "partner"
    tenant = next(
        tenant for tenant in tenants.of_user(db, row["user_id"]) if tenant.tenant_id == row["tenant_id"]
    )
    legacy = LegacyRow(
        app_type=consumer.app_type,
        organisation=tenant.name,
        tenant_id=tenant.tenant_id,
        tenant_type=tenant.tenant_type,
        contact_email="",
        user_id=row["user_id"],
        token=secrets.token_hex(15).upper(),
        token_secret=secrets.token_hex(15).upper(),
        session_handle=secrets.token_hex(15).upper() if partner else None,
        expires_at=int(now) + TOKEN_LIFETIME,
    )
    connection_id = connection_of(db, legacy, now)
    insert_token(db, connection_id, legacy)
    answer = {
        "oauth_token": legacy.token,
        "oauth_token_secret": legacy.token_secret,
        "oauth_expires_in": str(TOKEN_LIFETIME),
        "xero_org_muid": legacy.tenant_id,
    }
    if legacy.session_handle is not None:
        # Who authorises again begins a new grant.
        db.execute(
            "UPDATE connections SET authorised_until = ? WHERE id = ?", (now + GRANT_LIFETIME, connection_id)
        )
        answer["oauth_session_handle"] = legacy.session_handle
        answer["oauth_authorization_expires_in"] = str(GRANT_LIFETIME)
    return answer
