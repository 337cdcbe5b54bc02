"""Calls that are signed with a legacy token."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from migrator.sandbox.garmin import words
from migrator.sandbox.oauth1.authentication import in_one_transaction, read, require_alive
from migrator.sandbox.oauth1.problems import Problem, problem

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from migrator.sandbox.garmin.provider import Garmin
    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.state.grants import Grant

T = TypeVar("T")


def carried_out(garmin: Garmin, call: Call, effect: Callable[[sqlite3.Connection, Grant], T]) -> T:
    """Let ``effect`` happen if the call is genuine and its token lives; raises ``Refusal``."""

    def with_living_token(db: sqlite3.Connection, grant: Grant) -> T:
        require_alive(grant)
        if grant.expired(garmin.clock.now()):
            raise problem("token_expired", "The access token has expired")
        return effect(db, grant)

    try:
        return in_one_transaction(garmin, read(call), with_living_token)
    except Problem as refused:
        raise words.signature_refused(refused) from refused
