"""``POST /oauth2/v1/tokens/bearer``: a pair is refreshed; its refresh token changes about once a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import NO_STORE, Answer, Call
from migrator.sandbox.intuit import words
from migrator.sandbox.intuit.migrate import described
from migrator.sandbox.oauth2 import clients
from migrator.sandbox.oauth2.opaque import RefreshFlaw

if TYPE_CHECKING:
    from migrator.sandbox.intuit.provider import Intuit


def refresh(intuit: Intuit, call: Call) -> Answer:
    """Answer a new access token, with the same refresh token or a new one."""
    match clients.identify(intuit.credentials, call, {}):
        case (client_id, clients.Manner.BASIC):
            pass
        case _:
            raise words.error("invalid_client", 401)
    form = clients.read_form(call)
    if form.get("grant_type") != "refresh_token":
        raise words.error("unsupported_grant_type")
    if not form.get("refresh_token"):
        raise words.error("invalid_request")
    with intuit.state.writing() as db:
        pair = intuit.refresh(db, form["refresh_token"], client_id)
    if isinstance(pair, RefreshFlaw):
        raise words.error("invalid_grant")
    return Answer.of_json(200, described(intuit, pair), NO_STORE)
