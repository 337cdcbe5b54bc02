"""Calls to the provider (the table ``attempts``): the intent before each, the outcome after it.

Each function runs inside the writer's transaction.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime

from migrator.ledger import connections, legacy_tokens, pairs, shared_pairs, visits
from migrator.ledger.file.codec import Codec, time_text
from migrator.ledger.visits import Visit
from migrator.models import Action, Standing, StoredPair
from migrator.providers import (
    Answer,
    Disabled,
    Identified,
    NoAnswer,
    NoRefreshToken,
    Outcome,
    Reached,
    Renewed,
    Revoked,
    Unknown,
    Won,
    is_plain,
)
from migrator.rules.recovery import READ_AGAIN
from migrator.rules.verdict import Verdict

LEAVE_STANDING = frozenset({Action.VERIFY, Action.IDENTIFY, Action.DISABLE})
"""Calls that leave a connection where it stands: they only ask, or end what it does not need any more.

One that got lost is made again, and none of their answers holds a pair.
"""

_AWAITS_USER = frozenset({Action.EXCHANGE_CODE})
"""Calls during which a connection stands where it stood: it needs consent until a pair is there."""


def begin_call(
    db: sqlite3.Connection, standing: Standing, action: Action, run_id: int, now: datetime
) -> int | None:
    """The intent, on disk before the request leaves; returns the attempt's id.

    None if the connection has gone on since its standing was read: by its user, while the job looked away.
    """
    if not connections.is_unchanged(db, standing, of_its_own=action is Action.DISABLE):
        return None
    attempt_id = begin_attempt(db, standing.id, action, run_id, now)
    if action not in LEAVE_STANDING | _AWAITS_USER:
        connections.set_in_flight(db, standing.id, now)
    return attempt_id


def begin_attempt(
    db: sqlite3.Connection, connection_id: int, action: Action, run_id: int, now: datetime
) -> int:
    """A call without an outcome, which leaves its connection where it stands; returns the attempt's id."""
    cursor = db.execute(
        "INSERT INTO attempts (connection_id, run_id, action, started_at) VALUES (?, ?, ?, ?)",
        [connection_id, run_id, action.value, time_text(now)],
    )
    return int(cursor.lastrowid or 0)


@dataclass(frozen=True)
class EndedCall:
    """What is known of a call once it has ended."""

    attempt_id: int
    connection_id: int
    pair_id: int | None
    """The stored pair that the call was about, if any."""
    verdict: Verdict
    http_status: int | None
    unreadable: bytes | None = field(default=None, repr=False)
    """The body of an answer that was not understood, or not wholly: a later version may."""
    support_id: str = ""
    """What the answer says that the provider's support asks for; empty if nothing."""

    @classmethod
    def of(
        cls,
        attempt_id: int,
        connection_id: int,
        pair: StoredPair | None,
        action: Action,
        answer: Answer | NoAnswer,
        outcome: Outcome,
        verdict: Verdict,
        support_id: str = "",
    ) -> EndedCall:
        """What the ledger keeps of a call about ``pair``; of an answer that was not wholly understood, all
        that arrived.
        """
        arrived = answer if isinstance(answer, Answer) else answer.part
        return cls(
            attempt_id=attempt_id,
            connection_id=connection_id,
            pair_id=pair.id if pair is not None else None,
            verdict=verdict,
            http_status=arrived.status if arrived else None,
            unreadable=arrived.body if arrived and not _understood(action, arrived, outcome) else None,
            support_id=support_id,
        )


def _understood(action: Action, arrived: Answer, outcome: Outcome) -> bool:
    """Whether nothing of what was asked for can be hidden in an answer: an error may come with a pair too."""
    match outcome:
        case Unknown() | NoRefreshToken():
            return False
        case Won() | Renewed():
            return outcome.whole
        case Reached() | Revoked() | Identified() | Disabled():
            return True
        case _:
            return action in LEAVE_STANDING or is_plain(arrived)


def end_call(db: sqlite3.Connection, codec: Codec, call: EndedCall, now: datetime) -> bool:
    """The outcome, with whatever it won and what that makes of the connection: all of it or nothing.

    Returns whether it makes anything of it: an answer that others have overtaken does not.
    """
    verdict = call.verdict
    complete_call(db, codec, call, now)
    if _overtaken(db, call):
        return False
    if call.pair_id is not None:
        pairs.mark(db, call.pair_id, verdict, now)
    if verdict.pair_restored is not None:
        pairs.restore(db, verdict.pair_restored, call.connection_id, now)
    take_won(db, codec, call.connection_id, verdict.found_in or call.attempt_id, verdict, now)
    if verdict.token_expired:
        legacy_tokens.set_expiry(db, call.connection_id, now)
    if verdict.adopted is not None:
        connections.adopt_tenant(db, call.connection_id, verdict.adopted)
    if verdict.user_id:
        connections.note_user(db, call.connection_id, verdict.user_id)
    if verdict.disabled:
        connections.note_disabled(db, call.connection_id, now)
    connections.set_standing(db, call.connection_id, verdict, now)
    if call.pair_id is not None:
        shared_pairs.share(db, call.connection_id, call.pair_id, verdict, now)
    return True


def take_won(
    db: sqlite3.Connection,
    codec: Codec,
    connection_id: int,
    attempt_id: int,
    verdict: Verdict,
    now: datetime,
) -> None:
    """Whatever a call won: a pair, or the next generation of the legacy token."""
    if verdict.found_in is not None:
        _mark_understood(db, connection_id, verdict.found_in, now)
    if verdict.new_pair is not None and verdict.new_pair_set_aside:
        pairs.keep(db, codec, connection_id, attempt_id, verdict.new_pair, now, set_aside=True)
    elif verdict.new_pair is not None:
        pairs.add(db, codec, connection_id, attempt_id, verdict.new_pair, now)
        connections.note_pair(db, connection_id, verdict.new_pair)
    if verdict.new_legacy is not None:
        legacy_tokens.add(db, codec, connection_id, verdict.new_legacy, attempt_id=attempt_id)


def _mark_understood(db: sqlite3.Connection, connection_id: int, attempt_id: int, now: datetime) -> None:
    """An attempt whose answer was not understood when it came, and is now."""
    (action,) = db.execute(
        "UPDATE attempts SET outcome = 'done', problem = ? WHERE id = ? RETURNING action",
        [READ_AGAIN, attempt_id],
    ).fetchone()
    if action == Action.EXCHANGE_CODE:
        visits.note_last(db, connection_id, Visit(visits.UNVERIFIED), now)


def _overtaken(db: sqlite3.Connection, call: EndedCall) -> bool:
    """Whether others have settled meanwhile what a call asked about a pair: then its answer is an old one.

    Only a verification can be: every other call has its connection in flight, for itself alone. It is where
    the pair stands no more, because its user came with another one; and where somebody else saw it work after
    the call began, which itself did not.
    """
    action, seen = db.execute(
        """SELECT a.action, coalesce(p.verified_at, '') > a.started_at
           FROM attempts a LEFT JOIN token_pairs p ON p.id = ? WHERE a.id = ?""",
        [call.pair_id, call.attempt_id],
    ).fetchone()
    if call.pair_id is None or action != Action.VERIFY:
        return False
    return not pairs.is_current(db, call.pair_id) or bool(seen and not call.verdict.pair_verified)


def complete_call(db: sqlite3.Connection, codec: Codec, call: EndedCall, now: datetime) -> None:
    """The outcome alone, with the answer if it was not wholly understood."""
    complete(db, call.attempt_id, call.verdict, call.http_status, now)
    if call.support_id:
        db.execute("UPDATE attempts SET support_id = ? WHERE id = ?", [call.support_id, call.attempt_id])
    if call.unreadable is not None:
        sealed = codec.seal_answer(call.unreadable)
        db.execute("UPDATE attempts SET answer = ? WHERE id = ?", [sealed, call.attempt_id])


def complete(
    db: sqlite3.Connection, attempt_id: int, verdict: Verdict, http_status: int | None, now: datetime
) -> None:
    """How an attempt ended."""
    db.execute(
        "UPDATE attempts SET finished_at = ?, outcome = ?, http_status = ?, problem = ? WHERE id = ?",
        [time_text(now), verdict.outcome, http_status, verdict.problem or None, attempt_id],
    )
