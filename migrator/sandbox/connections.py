"""``GET /connections``: which tenants an access token reaches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrator.sandbox.messages import Answer, Call, Refusal

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.provider import Provider


def connections(provider: Provider, call: Call) -> Answer:
    """Answer every swapped tenant of the access token's user: OAuth 2.0 tokens belong to a user."""
    scheme, _, access_token = call.headers.get("authorization", "").strip().partition(" ")
    claims = provider.access_tokens.read(access_token.strip()) if scheme.lower() == "bearer" else None
    if claims is None:
        raise _unauthorized("AuthenticationUnsuccessful")
    now = provider.clock.now()
    if claims["exp"] <= now:
        raise _unauthorized("TokenExpired")
    with provider.state.reading() as db:
        alive = db.execute("SELECT 1 FROM pairs WHERE jti = ? AND ended IS NULL", (claims["jti"],)).fetchone()
        if alive is None:
            raise _unauthorized("TokenRevoked")
        rows = db.execute(
            "SELECT * FROM connections WHERE user_id = ? AND oauth2_id IS NOT NULL ORDER BY connected_at, id",
            (claims["xero_userid"],),
        ).fetchall()
    return Answer.of_json(200, [_described(row) for row in rows])


def _described(row: sqlite3.Row) -> dict[str, str | None]:
    return {
        "id": row["oauth2_id"],
        "authEventId": None,  # no consent led here
        "tenantId": row["tenant_id"],
        "tenantType": row["tenant_type"],
        "tenantName": row["tenant_name"],
        "createdDateUtc": _seven_digits(row["connected_at"]),
        "updatedDateUtc": _seven_digits(row["updated_at"]),
    }


def _seven_digits(seconds: float) -> str:
    """The provider's way to write a time: UTC, seven fractional digits, no ``Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"


def _unauthorized(detail: str) -> Refusal:
    document = {"Title": "Unauthorized", "Status": 401, "Detail": detail}
    return Refusal(Answer.of_json(401, document, {"WWW-Authenticate": 'Bearer error="invalid_token"'}))
