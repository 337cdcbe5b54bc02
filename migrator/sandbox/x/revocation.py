"""``POST /2/oauth2/revoke``: a client gives a token back, and its pair ends with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import NO_STORE, Answer, Call
from migrator.sandbox.oauth2 import clients
from migrator.sandbox.x import words
from migrator.sandbox.x.token import authenticated

if TYPE_CHECKING:
    from migrator.sandbox.x.provider import X


def revoke(x: X, call: Call) -> Answer:
    """Answer that the token does not work any more; one that never did is answered alike (RFC 7009, 2.2)."""
    form = clients.read_form(call)
    client_id = authenticated(x, call, form)
    if not form.get("token"):
        raise words.error("invalid_request", "Missing required parameter: token.")
    with x.state.writing() as db:
        x.revoke(db, form["token"], client_id)
    return Answer.of_json(200, {"revoked": True}, NO_STORE)
