"""What an access token is of use for: ``/2/users/get_current_account``, and ``/2/auth/token/revoke``."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from migrator.sandbox.dropbox import words
from migrator.sandbox.http.messages import JSON, Answer, Call
from migrator.sandbox.state import pairs, tenants, users

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.dropbox.provider import Dropbox


def current_account(dropbox: Dropbox, call: Call) -> Answer:
    """Answer whose account it is."""
    with dropbox.state.reading() as db:
        user_id = dropbox.bearer(db, call, words.unauthorised)["user_id"]
        _require_null(call, "users/get_current_account")
        return words.answer(200, _described(db, user_id))


def revoke(dropbox: Dropbox, call: Call) -> Answer:
    """End the access token that the call carries."""
    with dropbox.state.writing() as db:
        row = dropbox.bearer(db, call, words.unauthorised)
        _require_null(call, "auth/token/revoke")
        pairs.revoke(db, row["grant_id"])
    return words.answer(200, None)


def _require_null(call: Call, route: str) -> None:
    if call.media_type != JSON:
        raise words.bad_request(route, f'Bad HTTP "Content-Type" header: expecting "{JSON}"')
    try:
        argument = json.loads(call.body)
    except (ValueError, RecursionError) as error:
        raise words.bad_request(route, "request body: could not decode input as JSON") from error
    if argument is not None:
        raise words.bad_request(route, "request body: expected null")


def _described(db: sqlite3.Connection, user_id: str) -> dict[str, Any]:
    name = tenants.of_user(db, user_id)[0].name
    given_name, _, surname = name.partition(" ")
    digest = hashlib.sha256(user_id.encode()).digest()
    namespace = str(int.from_bytes(digest[:4]))
    return {
        "account_id": f"dbid:{base64.urlsafe_b64encode(digest).decode()[:35]}",
        "name": {
            "given_name": given_name,
            "surname": surname,
            "familiar_name": given_name,
            "display_name": name,
            "abbreviated_name": given_name[:1] + surname[:1],
        },
        "email": users.address(db, user_id),
        "email_verified": True,
        "disabled": False,
        "country": "NZ",
        "locale": "en",
        "referral_link": f"https://db.tt/{namespace}",
        "is_paired": False,
        "account_type": {".tag": "basic"},
        "root_info": {".tag": "user", "root_namespace_id": namespace, "home_namespace_id": namespace},
    }
