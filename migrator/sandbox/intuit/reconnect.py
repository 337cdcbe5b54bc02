"""``GET /api/v1/connection/reconnect``: a legacy token that ends soon is replaced; told in XML."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.intuit.legacy_tokens import LIFETIME, new_secret, new_token
from migrator.sandbox.oauth1.authentication import in_one_transaction, read, require_alive
from migrator.sandbox.oauth1.problems import Problem

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.intuit.provider import Intuit
    from migrator.sandbox.state.grants import Grant

WINDOW = 30 * 86400
"""Seconds before its end in which a token may be replaced."""
_NAMESPACE = "http://platform.intuit.com/api/v1"
_RENEWED, _AUTHORISE_AGAIN, _NOT_APPROVED, _OUTSIDE_WINDOW, _EXPIRED = 0, 22, 24, 212, 270
_MESSAGES = {
    _RENEWED: "",
    _AUTHORISE_AGAIN: "This API requires Authorization.",
    _NOT_APPROVED: "The application is not approved for this API.",
    _OUTSIDE_WINDOW: "Token Refresh Window Out of Bounds",
    _EXPIRED: "OAuth Token rejected",
}


def reconnect(intuit: Intuit, call: Call) -> Answer:
    """Answer a new token and secret, or a code that says why not; the status is 200 whatever it says.

    The old token is dead from then on.
    """
    now = intuit.clock.now()

    def replaced(db: sqlite3.Connection, grant: Grant) -> tuple[int, dict[str, str]]:
        require_alive(grant)
        code = _code(intuit, grant, now)
        return code, _replace(db, grant, now) if code == _RENEWED else {}

    try:
        code, token = in_one_transaction(intuit, read(call), replaced)
    except Problem:
        code, token = _AUTHORISE_AGAIN, {}
    return _document(code, token, now)


def _code(intuit: Intuit, grant: Grant, now: float) -> int:
    if not intuit.approved:
        return _NOT_APPROVED
    if grant.expired(now):
        return _EXPIRED
    if grant.expires_at is None or grant.expires_at - WINDOW > now:
        return _OUTSIDE_WINDOW
    return _RENEWED


def _replace(db: sqlite3.Connection, grant: Grant, now: float) -> dict[str, str]:
    token, secret = new_token(), new_secret()
    db.execute("UPDATE oauth1_tokens SET alive = 0 WHERE token = ?", (grant.token,))
    db.execute(
        "INSERT INTO oauth1_tokens (token, secret, connection_id, expires_at, consumer_key)"
        " VALUES (?, ?, ?, ?, ?)",
        (token, secret, grant.connection_id, now + LIFETIME, grant.consumer_key),
    )
    db.execute("UPDATE connections SET renewals = renewals + 1 WHERE id = ?", (grant.connection_id,))
    return {"OAuthToken": token, "OAuthTokenSecret": secret}


def _document(code: int, token: dict[str, str], now: float) -> Answer:
    root = "ReconnectResponse" if code == _RENEWED else "PlatformResponse"
    fields = {
        "ErrorMessage": _MESSAGES[code],
        "ErrorCode": str(code),
        "ServerTime": datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z"),
        **token,
    }
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    text = f'<?xml version="1.0" encoding="utf-8"?><{root} xmlns="{_NAMESPACE}">{inner}</{root}>'
    return Answer(200, text.encode(), "application/xml; charset=utf-8")
