"""``POST /2/auth/token/from_oauth1``: a legacy token, shown with its secret, is exchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.dropbox import words
from migrator.sandbox.http.documents import json_object
from migrator.sandbox.http.messages import JSON, Answer, Call
from migrator.sandbox.oauth2 import clients
from migrator.sandbox.state import grants

if TYPE_CHECKING:
    from migrator.sandbox.dropbox.provider import Dropbox

_ROUTE = "auth/token/from_oauth1"
_FIELDS = ("oauth1_token", "oauth1_token_secret")


def exchange(dropbox: Dropbox, call: Call) -> Answer:
    """Answer an access token, and nothing but that."""
    client_id = _authenticated(dropbox, call)
    token, secret = _token_and_secret(call)
    with dropbox.state.writing() as db:
        grant = grants.presented(db, token, secret)
        if grant is None:
            raise words.refusal(409, "invalid_oauth1_token_info")
        if grant.of_another_application(client_id):
            raise words.refusal(409, "app_id_mismatch")
        if not dropbox.swappable(grant):
            raise words.refusal(409, "invalid_oauth1_token_info")
        pair = dropbox.swap(db, grant, client_id, "")
    return words.answer(200, {"oauth2_token": pair.access_token})


def _authenticated(dropbox: Dropbox, call: Call) -> str:
    """The app key, from a Basic header and from nowhere else."""
    match clients.identify(dropbox.credentials, call, {}):
        case (client_id, clients.Manner.BASIC):
            return client_id
        case _:
            what = (
                'Invalid authorization value in HTTP header "Authorization": the app key or secret is wrong'
            )
            raise words.bad_request(_ROUTE, what)


def _token_and_secret(call: Call) -> tuple[str, str]:
    if call.media_type != JSON:
        raise words.bad_request(_ROUTE, f'Bad HTTP "Content-Type" header: expecting "{JSON}"')
    body = json_object(call.body)
    if body is None:
        raise words.bad_request(_ROUTE, "request body: could not decode input as a JSON object")
    for name in _FIELDS:
        if not isinstance(body.get(name), str) or not body[name]:
            raise words.bad_request(_ROUTE, f"request body: {name}: missing or no string")
    unknown = body.keys() - set(_FIELDS)
    if unknown:
        raise words.bad_request(_ROUTE, f"request body: unknown field {min(unknown)!r}")
    token, secret = (body[name] for name in _FIELDS)
    return token, secret
