"""``POST /partner-gateway/rest/user/token-exchange``: a legacy token is exchanged for a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.garmin import signed, words
from migrator.sandbox.garmin.provider import LEGACY_LIFETIME, SCOPE
from migrator.sandbox.garmin.token import pair_answer
from migrator.sandbox.state import legacy_tokens

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.garmin.provider import Garmin
    from migrator.sandbox.http.messages import Answer, Call
    from migrator.sandbox.oauth2.opaque import OpaquePair
    from migrator.sandbox.state.grants import Grant


def token_exchange(garmin: Garmin, call: Call) -> Answer:
    """Answer a pair for the token that signed the call, which then lives 30 days more at the longest."""

    def exchange(db: sqlite3.Connection, grant: Grant) -> OpaquePair:
        if call.query or call.body:
            raise words.failure(400, "The call takes no parameters and no body")
        if not garmin.swappable(grant):
            raise words.failure(400, "The user has been migrated already")
        legacy_tokens.end_by(db, grant.connection_id, garmin.clock.now() + LEGACY_LIFETIME)
        return garmin.swap(db, grant, garmin.credentials.client_id, SCOPE)

    return pair_answer(garmin, signed.carried_out(garmin, call, exchange))
