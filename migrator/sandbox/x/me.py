"""``GET /2/users/me``: who the token's user is, of either OAuth; X bills for each answer."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.oauth1.authentication import in_one_transaction, read, require_alive
from migrator.sandbox.oauth1.problems import Problem
from migrator.sandbox.state import tenants
from migrator.sandbox.state.state_file import count
from migrator.sandbox.state.witness import READS_BILLED
from migrator.sandbox.x import words

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.state.grants import Grant
    from migrator.sandbox.x.provider import X

_LONGEST = 15
"""Characters of a username."""


def me(x: X, call: Call) -> Answer:
    """Answer id, name and username."""
    if call.headers.get("authorization", "").lower().startswith("oauth "):
        return Answer.of_json(200, {"data": _signed(x, call)})
    with x.state.writing() as db:
        user = _described(db, x.bearer(db, call, words.unauthorised)["user_id"])
    return Answer.of_json(200, {"data": user})


def _signed(x: X, call: Call) -> dict[str, str]:
    def described(db: sqlite3.Connection, grant: Grant) -> dict[str, str]:
        require_alive(grant)
        return _described(db, grant.user_id)

    try:
        return in_one_transaction(x, read(call), described)
    except Problem as problem:
        raise words.unauthorised(problem) from problem


def _described(db: sqlite3.Connection, user_id: str) -> dict[str, str]:
    count(db, READS_BILLED)
    name = tenants.of_user(db, user_id)[0].name
    return {"id": user_id, "name": name, "username": _username(name, user_id)}


def _username(name: str, user_id: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return (re.sub(r"[^A-Za-z0-9]+", "_", letters)[:8] + user_id[-7:])[:_LONGEST]
