"""Whose a token is: part of the exchange's answer, and ``GET /oauth/verify``; and ``DELETE /tokens``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from migrator.sandbox.http.messages import NO_STORE, Answer, Call
from migrator.sandbox.state import pairs, tenants
from migrator.sandbox.vimeo import words

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.vimeo.provider import Vimeo

_APP = {"uri": "/apps/100001", "name": "Application of the sandbox"}


def verify(vimeo: Vimeo, call: Call) -> Answer:
    """Answer what the exchange said of the access token."""
    with vimeo.state.reading() as db:
        row = vimeo.bearer(db, call, words.unauthorised)
        document = described(db, row["user_id"], row["scope"])
    token = call.headers["authorization"].partition(" ")[2].strip()
    return Answer.of_json(200, {"access_token": token, **document}, NO_STORE)


def revoke(vimeo: Vimeo, call: Call) -> Answer:
    """End the access token that the call carries, and the refresh token beside it."""
    with vimeo.state.writing() as db:
        pairs.revoke(db, vimeo.bearer(db, call, words.unauthorised)["grant_id"])
    return Answer(204, b"", "")


def described(db: sqlite3.Connection, user_id: str, scope: str) -> dict[str, Any]:
    """What the answers say of a token, but for itself."""
    # A user who came with an adopted token has an id of the sandbox's own making; Vimeo's are numbers.
    number = user_id if user_id.isdecimal() else str(crc32(user_id.encode()))
    user = {
        "uri": f"/users/{number}",
        "name": tenants.of_user(db, user_id)[0].name,
        "link": f"https://vimeo.com/user{number}",
        "account": "basic",
        "resource_key": number,
    }
    return {"token_type": "bearer", "scope": scope, "app": _APP, "user": user}
