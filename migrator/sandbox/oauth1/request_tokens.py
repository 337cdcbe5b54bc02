"""Request tokens, the temporary credentials of OAuth 1.0a: the first of three legs (RFC 5849, 2.1)."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.oauth1 import callbacks
from migrator.sandbox.oauth1.authentication import authenticated, read
from migrator.sandbox.oauth1.problems import problem
from migrator.sandbox.state import portal

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.oauth1.consumers import Consumer
    from migrator.sandbox.provider import Provider

LIFETIME = 1800
"""Seconds from the request until the verifier must have been used; the provider's own figure is unknown."""
PIN_DIGITS = 7
"""Of a verifier that a person types in."""


class Verdict(StrEnum):
    """What has become of a request token."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    USED = "used"
    """It was turned into an access token."""


def request_token(provider: Provider, call: Call, longest_callback: int) -> Answer:
    """Answer a token that the application takes to the user. Without ``oauth_callback`` ``oob`` is meant.

    ``longest_callback``: characters that the provider takes.
    """
    signed = read(call)

    def issue(db: sqlite3.Connection, consumer: Consumer, _no_token: object) -> dict[str, str]:
        callback = signed.oauth.get("oauth_callback") or callbacks.OUT_OF_BAND
        flaw = callbacks.callback_flaw(callback, portal.registered(db), longest_callback)
        if flaw:
            raise problem("parameter_rejected", flaw)
        token, secret = (secrets.token_hex(15).upper() for _ in range(2))
        db.execute(
            "INSERT INTO request_tokens (token, secret, consumer_key, callback, expires_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (token, secret, consumer.key, callback, provider.clock.now() + LIFETIME),
        )
        return {"oauth_token": token, "oauth_token_secret": secret, "oauth_callback_confirmed": "true"}

    return Answer.of_form(200, authenticated(provider, signed, None, issue))


def undecided(db: sqlite3.Connection, token: str, now: float) -> sqlite3.Row | None:
    """The request token that a user may decide about, if it is one."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM request_tokens WHERE token = ? AND verdict IS NULL AND expires_at > ?", (token, now)
    ).fetchone()
    return row


def allow(db: sqlite3.Connection, row: sqlite3.Row, user_id: str, tenant_id: str) -> str:
    """The user allows access to one organisation; returns the verifier."""
    if row["callback"] == callbacks.OUT_OF_BAND:
        verifier = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"
    else:
        verifier = secrets.token_hex(8).upper()
    db.execute(
        "UPDATE request_tokens SET verdict = ?, verifier = ?, user_id = ?, tenant_id = ? WHERE token = ?",
        (Verdict.ALLOWED, verifier, user_id, tenant_id, row["token"]),
    )
    return verifier


def close(db: sqlite3.Connection, token: str, verdict: Verdict) -> None:
    """The token's way ends here."""
    db.execute("UPDATE request_tokens SET verdict = ? WHERE token = ?", (verdict, token))
