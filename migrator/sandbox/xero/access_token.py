"""``/oauth/AccessToken``: for a verifier the first access token, for a session handle the next."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from migrator.sandbox.oauth1 import token_credentials
from migrator.sandbox.oauth1.authentication import read
from migrator.sandbox.oauth1.problems import problem
from migrator.sandbox.state import tenants
from migrator.sandbox.state.legacy_tokens import LegacyRow, connection_of, insert_token
from migrator.sandbox.xero import renewal
from migrator.sandbox.xero.legacy_tokens import GRANT_LIFETIME, TOKEN_LIFETIME

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.http.messages import Answer, Call
    from migrator.sandbox.oauth1.consumers import Consumer
    from migrator.sandbox.provider import Provider


def access_token(provider: Provider, call: Call) -> Answer:
    """Answer an access token."""
    signed = read(call)
    if signed.oauth.get("oauth_session_handle"):
        return renewal.renew(provider, signed)
    verifier = signed.oauth.get("oauth_verifier")
    if not verifier:
        raise problem("parameter_absent", "oauth_verifier or oauth_session_handle is missing")
    return token_credentials.exchange(provider, signed, verifier, _issue)


def _issue(db: sqlite3.Connection, consumer: Consumer, row: sqlite3.Row, now: float) -> dict[str, str]:
    """A new token of the consumer's application type; earlier ones for the organisation live on."""
    app_type = consumer.app_type or "partner"
    partner = app_type == "partner"
    tenant = next(
        tenant for tenant in tenants.of_user(db, row["user_id"]) if tenant.tenant_id == row["tenant_id"]
    )
    legacy = LegacyRow(
        app_type=app_type,
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
    connection_id = connection_of(db, legacy)
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
