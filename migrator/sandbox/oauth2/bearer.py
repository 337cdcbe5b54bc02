"""Whose access token a call carries, and how the provider says no where it carries none that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call, Refusal

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.provider import Provider

UNSUCCESSFUL = "AuthenticationUnsuccessful"


def user(provider: Provider, db: sqlite3.Connection, call: Call) -> str:
    """The id of the user whose access token this is: OAuth 2.0 tokens belong to a user. Else a 401."""
    scheme, _, access_token = call.headers.get("authorization", "").strip().partition(" ")
    claims = provider.access_tokens.read(access_token.strip()) if scheme.lower() == "bearer" else None
    if claims is None:
        raise _unauthorized(UNSUCCESSFUL)
    if claims["exp"] <= provider.clock.now():
        raise _unauthorized("TokenExpired")
    alive = db.execute("SELECT 1 FROM pairs WHERE jti = ? AND ended IS NULL", (claims["jti"],)).fetchone()
    if alive is None:
        raise _unauthorized("TokenRevoked")
    user_id: str = claims["xero_userid"]
    return user_id


def refusal(status: int, title: str, detail: str) -> Refusal:
    """A refusal as the provider's API words it."""
    return Refusal(Answer.of_json(status, {"Title": title, "Status": status, "Detail": detail}))


def _unauthorized(detail: str) -> Refusal:
    refused = refusal(401, "Unauthorized", detail).answer
    return Refusal(refused.with_headers({"WWW-Authenticate": 'Bearer error="invalid_token"'}))
