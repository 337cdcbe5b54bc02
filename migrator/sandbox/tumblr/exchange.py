"""``POST /v2/oauth2/exchange``: a legacy token is exchanged for a pair, and dies of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.state import portal
from migrator.sandbox.tumblr import signed, words
from migrator.sandbox.tumblr.provider import SCOPE
from migrator.sandbox.tumblr.token import pair_answer

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.http.messages import Answer, Call
    from migrator.sandbox.oauth2.opaque import OpaquePair
    from migrator.sandbox.state.grants import Grant
    from migrator.sandbox.tumblr.provider import Tumblr


def exchange(tumblr: Tumblr, call: Call) -> Answer:
    """Answer a pair for the token that signed the call."""
    if not signed.is_signed(call):
        raise words.error(400, "The request must be signed with OAuth 1.0a.")

    def swap(db: sqlite3.Connection, grant: Grant) -> OpaquePair:
        if call.query or call.body:
            raise words.error(400, "This endpoint takes no parameters.")
        if not portal.registered(db):
            raise words.error(400, "The application has no OAuth 2.0 redirect URL.")
        if not tumblr.swappable(grant):
            raise words.error(401, "Unable to authorize")
        return tumblr.swap(db, grant, tumblr.credentials.client_id, SCOPE)

    return pair_answer(tumblr, signed.carried_out(tumblr, call, swap))
