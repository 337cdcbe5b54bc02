"""Calls to the provider (the table ``attempts``): the intent before each, the outcome after it.

Each function runs inside the writer's transaction. Those that every call goes through take many calls at
once, of different connections: one statement writes them all, as statements cost more than rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from migrator.ledger import connections, legacy_tokens, pairs, shared_pairs, standings, visits
from migrator.ledger.file import many_rows
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.times import time_text
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
    """The intent of one call, as ``begin_calls``."""
    return begin_calls(db, [(standing, action)], run_id, now)[0]


def begin_calls(
    db: sqlite3.Connection, intended: Sequence[tuple[Standing, Action]], run_id: int, now: datetime
) -> list[int | None]:
    """The intents, on disk before the requests leave; returns the attempts' ids.

    None for a connection that has gone on since its standing was read: by its user, while the job looked
    away.
    """
    of_its_own = frozenset(standing.id for standing, action in intended if action is Action.DISABLE)
    unchanged = standings.unchanged(db, [standing for standing, _ in intended], of_its_own)
    begun = [(standing.id, action) for standing, action in intended if standing.id in unchanged]
    attempt_ids = _begin_attempts(db, begun, run_id, now)
    in_flight = [each for each, action in begun if action not in LEAVE_STANDING | _AWAITS_USER]
    if in_flight:
        connections.set_in_flight(db, in_flight, now)
    return [attempt_ids.get(standing.id) for standing, _ in intended]


def _begin_attempts(
    db: sqlite3.Connection, begun: Sequence[tuple[int, Action]], run_id: int, now: datetime
) -> dict[int, int]:
    """Calls without an outcome; returns the attempts' ids by connection."""
    if not begun:
        return {}
    cursor = many_rows.execute(
        db,
        ("connection_id", "action"),
        begun,
        """INSERT INTO attempts (connection_id, run_id, action, started_at)
           SELECT connection_id, :run, action, :now FROM given""",
        run=run_id,
        now=time_text(now),
    )
    # SQLite counts on from the highest id, row by row.
    first = int(cursor.lastrowid or 0) - len(begun) + 1
    return {connection_id: number for number, (connection_id, _) in enumerate(begun, first)}


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
    """The outcome of one call, as ``end_calls``."""
    return end_calls(db, codec, [call], now)[0]


def end_calls(db: sqlite3.Connection, codec: Codec, ended: Sequence[EndedCall], now: datetime) -> list[bool]:
    """The outcomes, with whatever they won and what that makes of the connections: all of it or nothing.

    Returns of each whether it makes anything of its connection: an answer that others have overtaken does
    not.
    """
    complete_calls(db, codec, ended, now)
    overtaken = _overtaken(db, ended)
    valid = [call for call in ended if call.attempt_id not in overtaken]
    for call in valid:
        if call.pair_id is not None:
            pairs.mark(db, call.pair_id, call.verdict, now)
        if call.verdict.pair_restored is not None:
            pairs.restore(db, call.verdict.pair_restored, call.connection_id, now)
    take_won(db, codec, [Winnings.of(call) for call in valid], now)
    for call in valid:
        _note_shown(db, call.connection_id, call.verdict, now)
    connections.set_standings(db, [(call.connection_id, call.verdict) for call in valid], now)
    for call in valid:
        if call.pair_id is not None:
            shared_pairs.share(db, call.connection_id, call.pair_id, call.verdict, now)
    return [call.attempt_id not in overtaken for call in ended]


def _note_shown(db: sqlite3.Connection, connection_id: int, verdict: Verdict, now: datetime) -> None:
    """What a call has shown of its connection, which most do not."""
    if verdict.token_expired:
        legacy_tokens.set_expiry(db, connection_id, now)
    if verdict.adopted is not None:
        connections.adopt_tenant(db, connection_id, verdict.adopted)
    if verdict.user_id:
        connections.note_user(db, connection_id, verdict.user_id)
    if verdict.disabled:
        connections.note_disabled(db, connection_id, now)


@dataclass(frozen=True)
class Winnings:
    """What a call may have won for a connection, by its verdict."""

    connection_id: int
    attempt_id: int
    """The call whose answer held it."""
    verdict: Verdict

    @classmethod
    def of(cls, call: EndedCall) -> Winnings:
        """Those of a call that has ended, in its own answer or an earlier one."""
        return cls(call.connection_id, call.verdict.found_in or call.attempt_id, call.verdict)


def take_won(db: sqlite3.Connection, codec: Codec, won: Sequence[Winnings], now: datetime) -> None:
    """Whatever calls won: a pair each, or the next generation of the legacy token."""
    current = list[pairs.NewPair]()
    for each in won:
        verdict, connection_id = each.verdict, each.connection_id
        if verdict.found_in is not None:
            _mark_understood(db, connection_id, verdict.found_in, now)
        if verdict.new_pair is not None:
            new = pairs.NewPair(connection_id, each.attempt_id, verdict.new_pair)
            if verdict.new_pair_set_aside:
                pairs.keep(db, codec, [new], now, set_aside=True)
            else:
                current.append(new)
        if verdict.new_legacy is not None:
            legacy_tokens.add(db, codec, connection_id, verdict.new_legacy, attempt_id=each.attempt_id)
    if current:
        pairs.add(db, codec, current, now)


def _mark_understood(db: sqlite3.Connection, connection_id: int, attempt_id: int, now: datetime) -> None:
    """An attempt whose answer was not understood when it came, and is now."""
    (action,) = db.execute(
        "UPDATE attempts SET outcome = 'done', problem = ? WHERE id = ? RETURNING action",
        [READ_AGAIN, attempt_id],
    ).fetchone()
    if action == Action.EXCHANGE_CODE:
        visits.note_last(db, connection_id, Visit(visits.UNVERIFIED), now)


def _overtaken(db: sqlite3.Connection, ended: Sequence[EndedCall]) -> frozenset[int]:
    """The attempts whose answer is an old one: others have settled meanwhile what they asked about a pair.

    Only a verification can be: every other call has its connection in flight, for itself alone. It is where
    the pair stands no more, because its user came with another one; and where somebody else saw it work after
    the call began, or it was handed over, and the call itself did not see it work: the application may have
    refreshed it.
    """
    about = [(each.attempt_id, each.pair_id, each.verdict.pair_verified) for each in ended if each.pair_id]
    if not about:
        return frozenset()
    (found,) = many_rows.execute(
        db,
        ("attempt", "pair", "seen"),
        about,
        """SELECT json_group_array(a.id)
            FROM given JOIN attempts a ON a.id = attempt JOIN token_pairs p ON p.id = pair
            WHERE a.action = 'verify'
                  AND (p.replaced_at IS NOT NULL OR p.dead_at IS NOT NULL
                       OR (NOT seen
                           AND (coalesce(p.verified_at, '') > a.started_at
                                OR EXISTS (SELECT 1 FROM handings WHERE own_pair_id = p.id))))""",
    ).fetchone()
    return frozenset(json.loads(found))


def complete_calls(db: sqlite3.Connection, codec: Codec, ended: Sequence[EndedCall], now: datetime) -> None:
    """The outcomes alone, with the answers that were not wholly understood."""
    rows = [
        (
            each.attempt_id,
            each.verdict.outcome,
            each.http_status,
            each.verdict.problem or None,
            each.support_id,
        )
        for each in ended
    ]
    many_rows.execute(
        db,
        ("attempt", "outcome", "http_status", "problem", "support_id"),
        rows,
        """UPDATE attempts
            SET finished_at = :now, outcome = given.outcome, http_status = given.http_status,
                problem = given.problem, support_id = given.support_id
            FROM given WHERE id = attempt""",
        now=time_text(now),
    )
    for call in ended:
        if call.unreadable is not None:
            sealed = codec.seal_answer(call.unreadable)
            db.execute("UPDATE attempts SET answer = ? WHERE id = ?", [sealed, call.attempt_id])


def complete(
    db: sqlite3.Connection, attempt_id: int, verdict: Verdict, http_status: int | None, now: datetime
) -> None:
    """How an attempt ended of which no more is known."""
    db.execute(
        "UPDATE attempts SET finished_at = ?, outcome = ?, http_status = ?, problem = ? WHERE id = ?",
        [time_text(now), verdict.outcome, http_status, verdict.problem or None, attempt_id],
    )
