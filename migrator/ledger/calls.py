"""What the job writes, statement by statement. Each function runs inside the writer's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from migrator.ledger import shared_pairs
from migrator.ledger.file.codec import Codec, maybe_time_text, time_of, time_text
from migrator.models import (
    NO_REFRESH_TOKEN,
    Action,
    LegacyToken,
    Standing,
    State,
    StoredPair,
    Tenant,
    TenantType,
    TokenPair,
)
from migrator.providers import Answer, NoAnswer, NoRefreshToken, Outcome, Unknown, Won
from migrator.rules.recovery import died
from migrator.rules.verdict import Policy, Verdict

WITHOUT_EFFECT = frozenset({Action.VERIFY})
"""Calls that only ask: one that got lost changed nothing."""

_AWAITS_USER = frozenset({Action.EXCHANGE_CODE})
"""Calls during which a connection stands where it stood: it needs consent until a pair is there."""

SERVE = "reconsent serve"
"""The run that works beside the others; what it leaves open is its own to complete."""


def begin_run(
    db: sqlite3.Connection, command: str, process: int, sources: Iterable[str], now: datetime
) -> int:
    """A new run; returns its id."""
    cursor = db.execute(
        "INSERT INTO runs (command, process, started_at, sources) VALUES (?, ?, ?, ?)",
        [command, process, time_text(now), "\n".join(sources)],
    )
    return int(cursor.lastrowid or 0)


def end_run(
    db: sqlite3.Connection, run_id: int, outcome: str, now: datetime, resume_at: datetime | None = None
) -> None:
    """How a run ended, and when the provider lets another one go on, where it said so."""
    db.execute(
        "UPDATE runs SET finished_at = ?, outcome = ?, resume_at = ? WHERE id = ?",
        [time_text(now), outcome, maybe_time_text(resume_at), run_id],
    )


def recover(db: sqlite3.Connection, policy: Policy, now: datetime) -> int:
    """Complete the attempts that a process left open when it died, and give every open connection a fresh
    start.

    Returns how many there were. What had an effect, for all we know, makes its connection uncertain. What
    ``reconsent serve`` has under way is left alone.
    """
    open_attempts = db.execute(
        """SELECT a.id, a.connection_id, a.action, a.started_at, c.tries
           FROM attempts a JOIN connections c ON c.id = a.connection_id
           JOIN runs r ON r.id = a.run_id
           WHERE a.outcome IS NULL AND r.command <> ?""",
        [SERVE],
    ).fetchall()
    for attempt_id, connection_id, action_text, started_at, tries in open_attempts:
        action = Action(action_text)
        verdict = died(action, tries, time_of(started_at), policy)
        complete(db, attempt_id, verdict, None, now)
        if action not in WITHOUT_EFFECT:
            stand(db, connection_id, verdict, now)
    db.execute("UPDATE connections SET tries = 0 WHERE tries > 0")
    return len(open_attempts)


def begin_call(
    db: sqlite3.Connection, standing: Standing, action: Action, run_id: int, now: datetime
) -> int | None:
    """The intent, on disk before the request leaves; returns the attempt's id.

    None if the connection has gone on since its standing was read: by its user, while the job looked away.
    """
    if not _stands_so(db, standing):
        return None
    cursor = db.execute(
        "INSERT INTO attempts (connection_id, run_id, action, started_at) VALUES (?, ?, ?, ?)",
        [standing.id, run_id, action.value, time_text(now)],
    )
    if action not in WITHOUT_EFFECT | _AWAITS_USER:
        db.execute(
            "UPDATE connections SET state = ?, updated_at = ? WHERE id = ? OR served_by = ?",
            [State.IN_FLIGHT.value, time_text(now), standing.id, standing.id],
        )
    return int(cursor.lastrowid or 0)


def _stands_so(db: sqlite3.Connection, standing: Standing) -> bool:
    """Whether a connection still stands as it was read: whoever brings a new pair sets the old one aside.

    One that is served by another's pair is nobody's to call for.
    """
    state, served = db.execute(
        "SELECT state, served_by IS NOT NULL FROM connections WHERE id = ?", [standing.id]
    ).fetchone()
    return bool(state == standing.state and not served) and (
        standing.pair is None or _in_hand(db, standing.pair.id)
    )


def _in_hand(db: sqlite3.Connection, pair_id: int) -> bool:
    """Whether a pair still stands for its connection."""
    (stands,) = db.execute(
        "SELECT replaced_at IS NULL AND dead_at IS NULL FROM token_pairs WHERE id = ?", [pair_id]
    ).fetchone()
    return bool(stands)


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

    @classmethod
    def of(
        cls,
        attempt_id: int,
        connection_id: int,
        pair: StoredPair | None,
        answer: Answer | NoAnswer,
        outcome: Outcome,
        verdict: Verdict,
    ) -> EndedCall:
        """What the ledger keeps of a call about ``pair``; of an answer that was not wholly understood, all
        that arrived.
        """
        arrived = answer if isinstance(answer, Answer) else answer.part
        understood = not isinstance(outcome, Unknown | NoRefreshToken) and not (
            isinstance(outcome, Won) and not outcome.whole
        )
        return cls(
            attempt_id=attempt_id,
            connection_id=connection_id,
            pair_id=pair.id if pair is not None else None,
            verdict=verdict,
            http_status=arrived.status if arrived else None,
            unreadable=arrived.body if arrived and not understood else None,
        )


def end_call(db: sqlite3.Connection, codec: Codec, call: EndedCall, now: datetime) -> bool:
    """The outcome, with whatever it won and what that makes of the connection: all of it or nothing.

    Returns whether it makes anything of it: an answer that others have overtaken does not.
    """
    verdict = call.verdict
    complete_call(db, codec, call, now)
    if _overtaken(db, call):
        return False
    if call.pair_id is not None:
        _mark_pair(db, call.pair_id, verdict, now)
    take_won(db, codec, call.connection_id, call.attempt_id, verdict, now)
    if verdict.token_expired:
        set_expiry(db, call.connection_id, now)
    if verdict.adopted is not None:
        _adopt(db, call.connection_id, verdict.adopted)
    stand(db, call.connection_id, verdict, now)
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
    if verdict.new_pair is not None and verdict.new_pair_set_aside:
        keep_pair(db, codec, connection_id, attempt_id, verdict.new_pair, now, set_aside=True)
    elif verdict.new_pair is not None:
        _add_pair(db, codec, connection_id, attempt_id, verdict.new_pair, now)
    if verdict.new_legacy is not None:
        add_legacy(db, codec, connection_id, verdict.new_legacy, now, attempt_id=attempt_id)


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
    return not _in_hand(db, call.pair_id) or bool(seen and not call.verdict.pair_verified)


def complete_call(db: sqlite3.Connection, codec: Codec, call: EndedCall, now: datetime) -> None:
    """The outcome alone, with the answer if it was not wholly understood."""
    complete(db, call.attempt_id, call.verdict, call.http_status, now)
    if call.unreadable is not None:
        sealed = codec.seal_answer(call.unreadable)
        db.execute("UPDATE attempts SET answer = ? WHERE id = ?", [sealed, call.attempt_id])


def _adopt(db: sqlite3.Connection, connection_id: int, tenant: Tenant) -> None:
    """The tenant of a connection that had none to its name."""
    known = [kind.value for kind in TenantType if kind.value == tenant.type.upper()]
    db.execute(
        """UPDATE connections SET tenant_id = ?, tenant_type = coalesce(?, tenant_type)
           WHERE id = ? AND tenant_id = ''""",
        [tenant.id, known[0] if known else None, connection_id],
    )


def end_rescued(db: sqlite3.Connection, codec: Codec, calls: Iterable[EndedCall], now: datetime) -> int:
    """Take in what an earlier job could not write; returns how many.

    What was written after all is left alone.
    """
    number = 0
    for call in calls:
        if db.execute(
            "SELECT 1 FROM attempts WHERE id = ? AND outcome IS NULL", [call.attempt_id]
        ).fetchone():
            end_call(db, codec, call, now)
            number += 1
    return number


def rest(db: sqlite3.Connection, standing: Standing, state: State, reason: str, now: datetime) -> None:
    """A connection that needs no call any more, unless it has gone on since its standing was read."""
    if not _stands_so(db, standing):
        return
    db.execute(
        """UPDATE connections
           SET state = ?, reason = ?, doubt = NULL, not_before = NULL, tries = 0, updated_at = ?
           WHERE id = ?""",
        [state.value, reason, time_text(now), standing.id],
    )


def retry_failed(db: sqlite3.Connection, now: datetime) -> int:
    """Put what failed back in line; returns how many.

    A swap that gave no refresh token took effect: refused the next time, its token was used up by it.
    """
    cursor = db.execute(
        """UPDATE connections
           SET state = CASE reason WHEN :fruitless THEN 'uncertain' ELSE 'pending' END,
               doubt = CASE reason WHEN :fruitless THEN 'swap' END,
               reason = CASE reason WHEN :fruitless THEN reason ELSE '' END,
               not_before = NULL, tries = 0, updated_at = :now
           WHERE state = 'failed'""",
        {"fruitless": NO_REFRESH_TOKEN, "now": time_text(now)},
    )
    return cursor.rowcount


def add_legacy(
    db: sqlite3.Connection,
    codec: Codec,
    connection_id: int,
    legacy: LegacyToken,
    now: datetime,
    *,
    attempt_id: int | None = None,
) -> None:
    """The next generation of a legacy token.

    The ones before it stay: the new one is not yet known to work.
    """
    db.execute(
        """INSERT INTO legacy_tokens
           (connection_id, generation, attempt_id,
            material, token_print, material_print, expires_at, obtained_at)
           SELECT ?1, coalesce(max(generation), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7
           FROM legacy_tokens WHERE connection_id = ?1""",
        [
            connection_id,
            attempt_id,
            codec.seal_legacy(legacy),
            codec.token_print(legacy),
            codec.material_print(legacy),
            maybe_time_text(legacy.expires_at),
            time_text(now),
        ],
    )


def set_expiry(db: sqlite3.Connection, connection_id: int, expires_at: datetime | None) -> None:
    """When the newest generation of a legacy token ends, as somebody who knows better says."""
    db.execute(
        """UPDATE legacy_tokens SET expires_at = ? WHERE id =
           (SELECT id FROM legacy_tokens WHERE connection_id = ? ORDER BY generation DESC LIMIT 1)""",
        [maybe_time_text(expires_at), connection_id],
    )


def _add_pair(
    db: sqlite3.Connection, codec: Codec, connection_id: int, attempt_id: int, pair: TokenPair, now: datetime
) -> None:
    db.execute(
        "UPDATE token_pairs SET replaced_at = ? WHERE connection_id = ? AND replaced_at IS NULL",
        [time_text(now), connection_id],
    )
    keep_pair(db, codec, connection_id, attempt_id, pair, now)
    # What the row did not say, the answer does.
    db.execute(
        """UPDATE connections SET user_id = ?, tenant_id = CASE tenant_id WHEN '' THEN ? ELSE tenant_id END
           WHERE id = ?""",
        [pair.user_id, pair.tenant_id, connection_id],
    )


def keep_pair(
    db: sqlite3.Connection,
    codec: Codec,
    connection_id: int,
    attempt_id: int,
    pair: TokenPair,
    now: datetime,
    *,
    set_aside: bool = False,
) -> None:
    """Store a pair; one that is set aside stands for nothing."""
    access, refresh = codec.seal_pair(pair)
    db.execute(
        """INSERT INTO token_pairs
           (connection_id, attempt_id, access_token, refresh_token, scope, tenant_id, user_id, expires_at,
            refresh_expires_at, lifetime_assumed, obtained_at, replaced_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            connection_id,
            attempt_id,
            access,
            refresh,
            pair.scope,
            pair.tenant_id,
            pair.user_id,
            time_text(pair.expires_at),
            maybe_time_text(pair.refresh_expires_at),
            pair.lifetime_assumed,
            time_text(now),
            time_text(now) if set_aside else None,
        ],
    )


def _mark_pair(db: sqlite3.Connection, pair_id: int, verdict: Verdict, now: datetime) -> None:
    if verdict.pair_verified:
        db.execute(
            "UPDATE token_pairs SET verified_at = ?, reached = ? WHERE id = ?",
            [time_text(now), json.dumps(verdict.reached), pair_id],
        )
    if verdict.pair_expired:
        db.execute("UPDATE token_pairs SET expires_at = ? WHERE id = ?", [time_text(now), pair_id])
    if verdict.pair_set_aside:
        db.execute("UPDATE token_pairs SET replaced_at = ? WHERE id = ?", [time_text(now), pair_id])
    if verdict.pair_dead:
        db.execute("UPDATE token_pairs SET dead_at = ? WHERE id = ?", [time_text(now), pair_id])


def complete(
    db: sqlite3.Connection, attempt_id: int, verdict: Verdict, http_status: int | None, now: datetime
) -> None:
    """How an attempt ended."""
    db.execute(
        "UPDATE attempts SET finished_at = ?, outcome = ?, http_status = ?, problem = ? WHERE id = ?",
        [time_text(now), verdict.outcome, http_status, verdict.problem or None, attempt_id],
    )


def stand(db: sqlite3.Connection, connection_id: int, verdict: Verdict, now: datetime) -> None:
    """Where a connection stands from now on, and whoever is served by its pair."""
    db.execute(
        """UPDATE connections SET state = ?, reason = ?, doubt = ?, not_before = ?, tries = ?, updated_at = ?
           WHERE id = ?""",
        [
            verdict.state.value,
            verdict.reason,
            verdict.doubt.value if verdict.doubt else None,
            maybe_time_text(verdict.not_before),
            verdict.tries,
            time_text(now),
            connection_id,
        ],
    )
    shared_pairs.follow(db, connection_id, verdict, now)
