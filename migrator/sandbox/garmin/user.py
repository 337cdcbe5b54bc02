"""Who a user is: ``GET …/user/id``; and the end: ``DELETE …/user/registration``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.garmin import signed, words
from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.state import legacy_tokens, pairs

if TYPE_CHECKING:
    from migrator.sandbox.garmin.provider import Garmin


def user_id(garmin: Garmin, call: Call) -> Answer:
    """Answer Garmin's id of the user whose token comes with the call, of either OAuth."""
    if call.headers.get("authorization", "").lower().startswith("bearer "):
        with garmin.state.reading() as db:
            user: str = garmin.bearer(db, call, words.unauthorised)["user_id"]
    else:
        user = signed.carried_out(garmin, call, lambda _db, grant: grant.user_id)
    return Answer.of_json(200, {"userId": user})


def deregister(garmin: Garmin, call: Call) -> Answer:
    """End whatever the application has of the user: all pairs, and the legacy token too."""
    with garmin.state.writing() as db:
        user: str = garmin.bearer(db, call, words.unauthorised)["user_id"]
        pairs.revoke_all(db, user)
        legacy_tokens.end_all(db, user)
    return Answer(204, b"", "")
