"""``/oauth/AccessToken`` with a session handle: a partner application renews an access token."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer
from migrator.sandbox.oauth1.authentication import SignedCall, in_one_transaction, require_alive
from migrator.sandbox.oauth1.problems import problem
from migrator.sandbox.xero.app_types import require_partner
from migrator.sandbox.xero.legacy_tokens import TOKEN_LIFETIME

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.provider import Provider
    from migrator.sandbox.state.grants import Grant


def renew(provider: Provider, signed: SignedCall) -> Answer:
    """Answer a new token, secret and handle; the old token and its handle are dead from then on.

    Whether the real provider renews one token twice, and whether it keeps the handle, is unknown; this one
    does neither, so that a client that loses or mixes up a renewed token is found out.
    """
    handle = signed.oauth["oauth_session_handle"]
    now = provider.clock.now()

    def replace(db: sqlite3.Connection, grant: Grant) -> dict[str, str]:
        _check_renewable(grant, handle, now)
        return _replace_token(db, grant, now)

    return Answer.of_form(200, in_one_transaction(provider, signed, replace))


def _check_renewable(grant: Grant, handle: str, now: float) -> None:
    require_partner(grant)
    require_alive(grant)
    if not hmac.compare_digest((grant.session_handle or "").encode(), handle.encode()):
        raise problem("token_rejected", "The session handle does not belong to the access token")
    if grant.authorised_until is not None and grant.authorised_until <= now:
        raise problem("token_rejected", "The user's authorisation has ended")


def _replace_token(db: sqlite3.Connection, grant: Grant, now: float) -> dict[str, str]:
    token, secret, handle = (secrets.token_hex(15).upper() for _ in range(3))
    db.execute("UPDATE oauth1_tokens SET alive = 0 WHERE token = ?", (grant.token,))
    db.execute(
        "INSERT INTO oauth1_tokens (token, secret, session_handle, connection_id, expires_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (token, secret, handle, grant.connection_id, now + TOKEN_LIFETIME),
    )
    db.execute("UPDATE connections SET renewals = renewals + 1 WHERE id = ?", (grant.connection_id,))
    return {
        "oauth_token": token,
        "oauth_token_secret": secret,
        "oauth_expires_in": str(TOKEN_LIFETIME),
        "oauth_session_handle": handle,
        "oauth_authorization_expires_in": str(int((grant.authorised_until or now) - now)),
        "xero_org_muid": grant.tenant_id,
    }
