"""``POST /connect/token`` with the refresh grant (RFC 6749, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox import access_tokens, clients, pairs
from migrator.sandbox.access_tokens import AuthEvent
from migrator.sandbox.messages import NO_STORE, Answer, Call

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from migrator.sandbox.provider import Provider


def token(provider: Provider, call: Call) -> Answer:
    """Answer a new pair for a refresh token, which serves once; the old access token lives on.

    Where the provider grants a grace, it may be used again for so long, for a client that lost the answer;
    the pair that it won before is then dead.
    """
    form = clients.read_form(call)
    client_id = clients.authenticate(provider.credentials, call, form)
    if "grant_type" not in form:
        raise clients.error("invalid_request", "grant_type is missing")
    if form["grant_type"] != "refresh_token":
        raise clients.error("unsupported_grant_type", "The sandbox knows the refresh_token grant")
    if not form.get("refresh_token"):
        raise clients.error("invalid_request", "refresh_token is missing")
    with provider.state.writing() as db:
        pair = _refresh(db, client_id, form, provider.clock.now(), provider.refresh_grace)
    document = {
        "access_token": pairs.sign(provider, pair),
        "refresh_token": pair.refresh_token,
        "expires_in": access_tokens.LIFETIME,
        "token_type": "Bearer",
        "scope": " ".join(pair.claims["scope"]),
    }
    return Answer.of_json(200, document, NO_STORE)


def _refresh(
    db: sqlite3.Connection, client_id: str, form: Mapping[str, str], now: float, grace: float
) -> pairs.Pair:
    old = pairs.by_refresh_token(db, form["refresh_token"], client_id, now=now, grace=grace)
    if old is None:
        raise clients.error("invalid_grant", "The refresh token is unknown, used, ended or expired")
    wanted = form.get("scope", old["scope"])
    if not set(wanted.split()) <= set(old["scope"].split()):
        raise clients.error("invalid_scope", "scope goes beyond what the user granted")
    pairs.use_up(db, old["id"], now)
    return pairs.issue(
        db,
        connection_id=old["connection_id"],
        user_id=old["user_id"],
        client_id=client_id,
        scope=old["scope"],
        access_scope=wanted,
        event=AuthEvent(old["auth_event_id"], old["auth_time"]),
        now=now,
        grant_id=old["grant_id"],
    )
