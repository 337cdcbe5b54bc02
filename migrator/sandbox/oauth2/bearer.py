"""Whose access token a call carries (RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Call, Refusal
from migrator.sandbox.oauth2.authorisation_server import TokenFlaw

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.oauth2.authorisation_server import AuthorisationServer


def user(server: AuthorisationServer, db: sqlite3.Connection, call: Call) -> str:
    """The id of the user whose access token this is: OAuth 2.0 tokens belong to a user. Else a 401."""
    scheme, _, access_token = call.headers.get("authorization", "").strip().partition(" ")
    claims = server.access_tokens.read(access_token.strip()) if scheme.lower() == "bearer" else None
    if claims is None:
        raise _refusal(server, TokenFlaw.UNKNOWN)
    if claims["exp"] <= server.clock.now():
        raise _refusal(server, TokenFlaw.EXPIRED)
    alive = db.execute("SELECT 1 FROM pairs WHERE jti = ? AND ended IS NULL", (claims["jti"],)).fetchone()
    if alive is None:
        raise _refusal(server, TokenFlaw.REVOKED)
    return server.user_id(claims)


def _refusal(server: AuthorisationServer, flaw: TokenFlaw) -> Refusal:
    refused = server.unauthorised(flaw)
    return Refusal(refused.with_headers({"WWW-Authenticate": 'Bearer error="invalid_token"'}))
