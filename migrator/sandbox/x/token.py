"""``POST /2/oauth2/token``: a legacy token is exchanged for a pair, or a pair is refreshed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.forms import form_fields
from migrator.sandbox.http.messages import NO_STORE, Answer, Call
from migrator.sandbox.oauth2 import clients
from migrator.sandbox.oauth2.opaque import RefreshFlaw
from migrator.sandbox.state import grants
from migrator.sandbox.x import scopes, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.sandbox.oauth2.opaque import OpaquePair
    from migrator.sandbox.x.provider import X

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
OAUTH1_TOKEN = "urn:x:params:oauth:token-type:oauth1_token"  # noqa: S105 - a type


def is_exchange(call: Call) -> bool:
    """Whether a call asks for an exchange: by its path alone it might be a refresh."""
    return call.method == "POST" and ("grant_type", EXCHANGE) in form_fields(call.body)


def token(x: X, call: Call) -> Answer:
    """Answer a new pair."""
    form = clients.read_form(call)
    client_id = authenticated(x, call, form)
    match form.get("grant_type"):
        case grant_type if grant_type == EXCHANGE:
            return _answer(x, _exchange(x, form, client_id))
        case "refresh_token":
            return _answer(x, _refresh(x, form, client_id))
        case _:
            raise words.error("invalid_request", "grant_type is missing or not supported.")


def authenticated(x: X, call: Call, form: Mapping[str, str]) -> str:
    """The client's id: the confidential client's from a Basic header, the public one's from the body."""
    identified = clients.identify(x.credentials, call, form)
    match identified:
        case (client_id, clients.Manner.BASIC):
            return client_id
        case (client_id, clients.Manner.NAMED) if client_id == x.credentials.public_client_id:
            return client_id
        case None if "client_id" in form or "authorization" in call.headers:
            raise words.error("invalid_client", "The client is unknown, or its credentials are wrong.")
        case _:
            raise words.error("unauthorized_client", "Missing valid authorization header.")


def _exchange(x: X, form: Mapping[str, str], client_id: str) -> OpaquePair:
    for name in ("subject_token", "oauth_token_secret"):
        if not form.get(name):
            raise words.error("invalid_request", f"Missing required parameter: {name}.")
    if form.get("subject_token_type") != OAUTH1_TOKEN:
        raise words.error("invalid_request", "subject_token_type is missing or not supported.")
    with x.state.writing() as db:
        grant = grants.presented(db, form["subject_token"], form["oauth_token_secret"])
        if grant is None or not x.swappable(grant):
            raise words.error("invalid_grant", "The subject token is invalid.")
        scope = scopes.granted(grant.permission, form.get("scope", ""))
        if scope is None:
            raise words.error("invalid_scope", "The requested scope exceeds what the user authorized.")
        return x.swap(db, grant, client_id, scope)


def _refresh(x: X, form: Mapping[str, str], client_id: str) -> OpaquePair:
    if not form.get("refresh_token"):
        raise words.error("invalid_request", "Missing required parameter: refresh_token.")
    with x.state.writing() as db:
        won = x.refresh(db, form["refresh_token"], client_id, form.get("scope", ""))
    match won:
        case RefreshFlaw.DEAD:
            raise words.error("invalid_grant", "The refresh token is invalid.")
        case RefreshFlaw.SCOPE:
            raise words.error("invalid_scope", "The requested scope exceeds what the user authorized.")
        case _:
            return won


def _answer(x: X, pair: OpaquePair) -> Answer:
    document = {
        "token_type": "bearer",
        "expires_in": x.terms.access_lifetime,
        "access_token": pair.access_token,
        "scope": pair.scope,
        "refresh_token": pair.refresh_token,
    }
    return Answer.of_json(200, document, NO_STORE)
