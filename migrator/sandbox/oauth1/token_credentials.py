"""A request token is turned into an access token by its verifier: the last of three legs (RFC 5849, 2.3)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer
from migrator.sandbox.oauth1 import request_tokens
from migrator.sandbox.oauth1.authentication import authenticated
from migrator.sandbox.oauth1.problems import problem
from migrator.sandbox.oauth1.request_tokens import Verdict
from migrator.sandbox.state.state_file import count

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from migrator.sandbox.oauth1.authentication import SignedCall
    from migrator.sandbox.oauth1.consumers import Consumer
    from migrator.sandbox.provider import Provider


def exchange(
    provider: Provider,
    signed: SignedCall,
    verifier: str,
    issue: Callable[[sqlite3.Connection, Consumer, sqlite3.Row, float], dict[str, str]],
) -> Answer:
    """Answer what ``issue`` issues for a request token, once its verifier is found right.

    ``issue`` takes the consumer, the request token's row with what its user allowed, and the time; it gives
    the fields of the answer: an access token with its secret, and what the provider adds.
    """
    now = provider.clock.now()

    def effect(db: sqlite3.Connection, consumer: Consumer, row: sqlite3.Row) -> dict[str, str]:
        _check(row, verifier, now)
        request_tokens.close(db, row["token"], Verdict.USED)
        count(db, "authorisations")
        return issue(db, consumer, row, now)

    return Answer.of_form(200, authenticated(provider, signed, _request_token, effect))


def _request_token(db: sqlite3.Connection, consumer: Consumer, token: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM request_tokens WHERE token = ? AND consumer_key = ?", (token, consumer.key)
    ).fetchone()
    if row is None:
        raise problem("token_rejected", "The request token is not known")
    return row


def _check(row: sqlite3.Row, verifier: str, now: float) -> None:
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
