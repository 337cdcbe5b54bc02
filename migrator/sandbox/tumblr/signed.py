"""Calls that are signed with a legacy token."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from migrator.sandbox.oauth1.authentication import in_one_transaction, read, require_alive
from migrator.sandbox.oauth1.problems import Problem
from migrator.sandbox.tumblr import words

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.state.grants import Grant
    from migrator.sandbox.tumblr.provider import Tumblr

T = TypeVar("T")


def is_signed(call: Call) -> bool:
    """Whether a call says that it is, in its header."""
    return call.headers.get("authorization", "").lower().startswith("oauth ")


def carried_out(tumblr: Tumblr, call: Call, effect: Callable[[sqlite3.Connection, Grant], T]) -> T:
    """Let ``effect`` happen if the call is genuine and its token lives; raises ``Refusal``."""

    def with_living_token(db: sqlite3.Connection, grant: Grant) -> T:
        require_alive(grant)
        return effect(db, grant)

    try:
        return in_one_transaction(tumblr, read(call), with_living_token)
    except Problem as problem:
        raise words.unauthorised(problem) from problem
