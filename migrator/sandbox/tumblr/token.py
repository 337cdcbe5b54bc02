"""``POST /v2/oauth2/token``: a pair is refreshed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import NO_STORE, Answer, Call, Refusal
from migrator.sandbox.oauth2 import clients
from migrator.sandbox.oauth2.clients import Manner
from migrator.sandbox.oauth2.opaque import RefreshFlaw
from migrator.sandbox.tumblr import words

if TYPE_CHECKING:
    from migrator.sandbox.oauth2.opaque import OpaquePair
    from migrator.sandbox.tumblr.provider import Tumblr


def token(tumblr: Tumblr, call: Call) -> Answer:
    """Answer a new pair."""
    try:
        form = clients.read_form(call)
    except Refusal as refusal:
        raise words.error(400, "The body must be a form whose fields come once each.") from refusal
    match clients.identify(tumblr.credentials, call, form):
        case (client_id, Manner.BODY):
            pass
        case _:
            raise words.error(401, "The client is unknown, or its credentials are wrong.")
    if form.get("grant_type") != "refresh_token":
        raise words.error(400, "grant_type is missing or not supported.")
    if not form.get("refresh_token"):
        raise words.error(400, "refresh_token is missing.")
    with tumblr.state.writing() as db:
        pair = tumblr.refresh(db, form["refresh_token"], client_id)
    if isinstance(pair, RefreshFlaw):
        raise words.error(401, "The refresh token has expired.")
    return pair_answer(tumblr, pair)


def pair_answer(tumblr: Tumblr, pair: OpaquePair) -> Answer:
    """A pair, without Tumblr's usual envelope."""
    document = {
        "access_token": pair.access_token,
        "expires_in": tumblr.terms.access_lifetime,
        "token_type": "bearer",
        "scope": pair.scope,
        "refresh_token": pair.refresh_token,
    }
    return Answer.of_json(200, document, NO_STORE)
