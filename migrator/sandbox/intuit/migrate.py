"""``POST /v2/oauth2/tokens/migrate``: a legacy token, which signs the call, is swapped for a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.documents import json_object
from migrator.sandbox.http.messages import JSON, NO_STORE, Answer, Call
from migrator.sandbox.intuit import words
from migrator.sandbox.oauth1.authentication import in_one_transaction, read, require_alive
from migrator.sandbox.oauth1.problems import Problem, problem
from migrator.sandbox.oauth2.authorisation_request import SCOPE
from migrator.sandbox.oauth2.clients import secret_valid
from migrator.sandbox.state import portal

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.intuit.provider import Intuit
    from migrator.sandbox.oauth2.opaque import OpaquePair
    from migrator.sandbox.state.grants import Grant


def migrate(intuit: Intuit, call: Call) -> Answer:
    """Answer a pair for the company.

    The signature is checked first, then the token, then what is asked for: who is not known learns nothing.
    """

    def swap(db: sqlite3.Connection, grant: Grant) -> tuple[OpaquePair, str]:
        require_alive(grant)
        if grant.expired(intuit.clock.now()):
            raise problem("token_expired", "The access token has expired")
        scope = _asked_scope(intuit, db, call)
        if intuit.repeat.refuses(grant.swaps):
            raise words.bare_500()
        return intuit.swap(db, grant, intuit.credentials.client_id, scope), grant.tenant_id

    try:
        pair, realm_id = in_one_transaction(intuit, read(call), swap)
    except Problem as why:
        raise words.unsigned(why) from why
    return Answer.of_json(200, {**described(intuit, pair), "realmId": realm_id}, NO_STORE)


def described(intuit: Intuit, pair: OpaquePair) -> dict[str, object]:
    """A pair, as a migration and a refresh both answer it."""
    return {
        "token_type": "bearer",
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
        "expires_in": intuit.terms.access_lifetime,
        "x_refresh_token_expires_in": intuit.terms.refresh_lifetime,
    }


def _asked_scope(intuit: Intuit, db: sqlite3.Connection, call: Call) -> str:
    """The scope that is asked for, once the rest of the body is found right."""
    body = json_object(call.body) if call.media_type == JSON else None
    if body is None:
        raise words.error("invalid_request")
    if not secret_valid(intuit.credentials, body.get("client_id"), body.get("client_secret")):
        raise words.error("invalid_client")
    if body.get("redirect_uri") not in portal.registered(db):
        raise words.error("invalid_request")
    scope = body.get("scope")
    if not isinstance(scope, str) or not SCOPE.fullmatch(scope):
        raise words.error("invalid_scope")
    return scope
