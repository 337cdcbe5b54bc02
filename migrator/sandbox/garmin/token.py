"""``POST /di-oauth2-service/oauth/token``: a pair is refreshed, or won by a consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.garmin.provider import SCOPE
from migrator.sandbox.http.messages import NO_STORE, Answer, Call
from migrator.sandbox.oauth2 import clients, codes
from migrator.sandbox.oauth2.clients import Manner
from migrator.sandbox.oauth2.opaque import RefreshFlaw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.sandbox.garmin.provider import Garmin
    from migrator.sandbox.oauth2.opaque import OpaquePair


def token(garmin: Garmin, call: Call) -> Answer:
    """Answer a new pair."""
    form = clients.read_form(call)
    client_id = _authenticated(garmin, call, form)
    match form.get("grant_type"):
        case "refresh_token":
            return pair_answer(garmin, _refresh(garmin, client_id, form))
        case "authorization_code":
            return pair_answer(garmin, _redeem(garmin, client_id, form))
        case None | "":
            raise clients.error("invalid_request", "grant_type is missing")
        case _:
            raise clients.error("unsupported_grant_type", "There is no such grant_type")


def pair_answer(garmin: Garmin, pair: OpaquePair) -> Answer:
    """A pair, as every endpoint answers it."""
    document = {
        "access_token": pair.access_token,
        "token_type": "bearer",
        "refresh_token": pair.refresh_token,
        "expires_in": garmin.terms.access_lifetime,
        "scope": pair.scope,
        "refresh_token_expires_in": garmin.terms.refresh_lifetime,
    }
    return Answer.of_json(200, document, NO_STORE)


def _authenticated(garmin: Garmin, call: Call, form: Mapping[str, str]) -> str:
    """The client's id, which is the consumer key: from the form, with the secret beside it."""
    match clients.identify(garmin.credentials, call, form):
        case (client_id, Manner.BODY):
            return client_id
        case _:
            raise clients.error("invalid_client", "client_id and client_secret are missing or wrong", 401)


def _redeem(garmin: Garmin, client_id: str, form: Mapping[str, str]) -> OpaquePair:
    codes.check(form)
    with garmin.state.writing() as db:  # also where it is refused: a second use revokes
        pair = garmin.redeem(db, form, client_id, SCOPE)
    if pair is None:
        raise clients.error("invalid_grant", "The code is unknown, used or expired, or not for this request")
    return pair


def _refresh(garmin: Garmin, client_id: str, form: Mapping[str, str]) -> OpaquePair:
    if not form.get("refresh_token"):
        raise clients.error("invalid_request", "refresh_token is missing")
    with garmin.state.writing() as db:
        pair = garmin.refresh(db, form["refresh_token"], client_id)
    if isinstance(pair, RefreshFlaw):
        raise clients.error("invalid_grant", "The refresh token is unknown, used, ended or expired")
    return pair
