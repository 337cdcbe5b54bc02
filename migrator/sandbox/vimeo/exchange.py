"""``POST /oauth/authorize/vimeo_oauth1``: a legacy token, shown with its secret, is exchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.sandbox.http.documents import json_object
from migrator.sandbox.http.messages import FORM, NO_STORE, Answer, Call
from migrator.sandbox.oauth2 import clients
from migrator.sandbox.state import grants
from migrator.sandbox.vimeo import scopes, user, words
from migrator.sandbox.vimeo.provider import terms_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.sandbox.vimeo.provider import Vimeo

GRANT_TYPE = "vimeo_oauth1"
VENDORS_JSON = "application/vnd.vimeo.auth+json"


def exchange(vimeo: Vimeo, call: Call) -> Answer:
    """Answer an access token, whose it is, and for some users a refresh token and the moment it ends."""
    client_id, fields = _authenticated(vimeo, call), _fields(call)
    if fields.get("grant_type") != GRANT_TYPE:
        raise words.error("unsupported_grant_type", f"The grant type must be {GRANT_TYPE}.")
    for name in ("token", "token_secret"):
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise words.error("invalid_request", f"The {name} parameter is required.")
    scope = fields.get("scope", "")
    if not isinstance(scope, str):
        raise words.error("invalid_scope", "The scope must be a string.")
    with vimeo.state.writing() as db:
        grant = grants.presented(db, fields["token"], fields["token_secret"])
        if grant is None or not vimeo.swappable(grant):
            raise words.error("invalid_grant", "The OAuth 1.0 token is not valid.")
        granted = scopes.granted(grant.permission, scope)
        pair = vimeo.swap(db, grant, client_id, granted, terms_for(grant.user_id))
        document: dict[str, Any] = {
            "access_token": pair.access_token,
            **user.described(db, pair.user_id, pair.scope),
        }
    if pair.refresh_token:
        document["refresh_token"] = pair.refresh_token
    if pair.access_expires_at is not None:
        document["expires_on"] = str(int(pair.access_expires_at))  # a moment, and text
    return Answer.of_json(200, document, NO_STORE)


def _authenticated(vimeo: Vimeo, call: Call) -> str:
    """The client's id, from a Basic header and from nowhere else."""
    match clients.identify(vimeo.credentials, call, {}):
        case (client_id, clients.Manner.BASIC):
            return client_id
        case _:
            raise words.error("invalid_client", "The client credentials are missing or wrong.")


def _fields(call: Call) -> Mapping[str, Any]:
    if call.media_type == FORM:
        return clients.read_form(call)
    document = json_object(call.body) if call.media_type == VENDORS_JSON else None
    if document is None:
        raise words.error("invalid_request", f"The body must be {FORM} or {VENDORS_JSON}.")
    return document
