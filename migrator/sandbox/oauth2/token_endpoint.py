"""The token endpoint: a code or a refresh token is turned into a pair (RFC 6749, 4.1.3 and 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.sandbox.http.messages import NO_STORE, Answer, Call
from migrator.sandbox.oauth2 import clients, codes, id_tokens
from migrator.sandbox.state import pairs
from migrator.sandbox.state.pairs import AuthEvent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from migrator.sandbox.oauth2.authorisation_server import AuthorisationServer


def token(server: AuthorisationServer, call: Call) -> Answer:
    """Answer a new pair for a code, or for a refresh token.

    A refresh token serves once; the old access token lives on. Where the provider grants a grace, it may be
    used again for so long, for a client that lost the answer; the pair that it won before is then dead.
    """
    form = clients.read_form(call)
    client_id = clients.authenticate(server.credentials, call, form)
    if "grant_type" not in form:
        raise clients.error("invalid_request", "grant_type is missing")
    match form["grant_type"]:
        case "authorization_code":
            return _with_code(server, client_id, form)
        case "refresh_token":
            return _with_refresh_token(server, client_id, form)
        case _:
            raise clients.error(
                "unsupported_grant_type", "The sandbox knows authorization_code and refresh_token"
            )


def _with_code(server: AuthorisationServer, client_id: str, form: Mapping[str, str]) -> Answer:
    codes.check(form)
    with server.state.writing() as db:  # also where it is refused: a second use revokes
        won = codes.redeem(server, db, client_id, form, server.clock.now())
    if won is None:
        raise clients.error(
            "invalid_grant",
            "The code is unknown, used or expired, or not for this client, redirect_uri or verifier",
        )
    pair, code = won
    return _answer(server, pair, code["nonce"])


def _with_refresh_token(server: AuthorisationServer, client_id: str, form: Mapping[str, str]) -> Answer:
    if not form.get("refresh_token"):
        raise clients.error("invalid_request", "refresh_token is missing")
    with server.state.writing() as db:
        pair = _refresh(server, db, client_id, form)
    return _answer(server, pair, None)


def _answer(server: AuthorisationServer, pair: pairs.Pair, nonce: str | None) -> Answer:
    """Nothing that was not asked for."""
    access_token = server.sign(pair)
    document: dict[str, Any] = {
        "access_token": access_token,
        "expires_in": server.access_lifetime,
        "token_type": "Bearer",
        "scope": " ".join(pair.claims["scope"]),
    }
    if pair.refresh_token is not None:
        document["refresh_token"] = pair.refresh_token
    if id_tokens.OPENID in pair.claims["scope"]:
        document["id_token"] = id_tokens.sign(server, pair.claims, access_token, nonce)
    return Answer.of_json(200, document, NO_STORE)


def _refresh(
    server: AuthorisationServer, db: sqlite3.Connection, client_id: str, form: Mapping[str, str]
) -> pairs.Pair:
    now = server.clock.now()
    old = pairs.by_refresh_token(db, form["refresh_token"], client_id, now=now, grace=server.refresh_grace)
    if old is None:
        raise clients.error("invalid_grant", "The refresh token is unknown, used, ended or expired")
    wanted = form.get("scope", old["scope"])
    if not set(wanted.split()) <= set(old["scope"].split()):
        raise clients.error("invalid_scope", "scope goes beyond what the user granted")
    pairs.use_up(db, old["id"], now)
    return server.issue(
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
