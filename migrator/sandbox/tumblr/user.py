"""``GET /v2/user/info``: who the token's user is, of either OAuth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.tumblr import signed, words

if TYPE_CHECKING:
    from migrator.sandbox.http.messages import Answer, Call
    from migrator.sandbox.tumblr.provider import Tumblr


def info(tumblr: Tumblr, call: Call) -> Answer:
    """Answer the user's name."""
    if signed.is_signed(call):
        name = signed.carried_out(tumblr, call, lambda _db, grant: grant.user_id)
    else:
        with tumblr.state.reading() as db:
            name = tumblr.bearer(db, call, words.unauthorised)["user_id"]
    return words.enveloped({"user": {"name": name}})
