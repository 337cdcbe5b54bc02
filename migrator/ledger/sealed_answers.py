"""Answers that were not understood when they came: kept encrypted, and read again when more is at stake."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from migrator.ledger import calls, connections, visits
from migrator.ledger.file.codec import Codec, time_of
from migrator.ledger.visits import UNVERIFIED, Visit
from migrator.models import Action
from migrator.providers import Answer
from migrator.rules.verdict import Verdict

_WITHOUT_PAIR = """
    NOT EXISTS (SELECT 1 FROM token_pairs p
                WHERE p.connection_id = c.id AND p.replaced_at IS NULL AND p.dead_at IS NULL)
    AND c.served_by IS NULL
    AND (c.state IN ('uncertain', 'pending', 'failed')
         OR (c.state = 'needs_consent'
             AND c.reason IN ('response_lost', 'token_expired', 'grant_revoked', 'no_refresh_token')))
"""
"""Of a connection ``c``: whether a pair that is found would be of use. What an operator revoked stays so."""

_NOT_UNDERSTOOD = """
    a.answer IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM token_pairs p
                    WHERE p.attempt_id = a.id AND p.dead_at IS NULL AND a.problem IS NOT 'no_refresh_token')
    AND NOT EXISTS (SELECT 1 FROM legacy_tokens l WHERE l.attempt_id = a.id)
"""
"""Of an attempt ``a``: whether its answer gave nothing, or nothing that works or could go on."""


@dataclass(frozen=True)
class SealedAnswer:
    """An answer that was not understood, and the call that it answered."""

    attempt_id: int
    action: Action
    answer: Answer
    """Without its headers: they are not kept. It names the refresh tokens that were taken from it already."""
    gave_a_pair_once: bool
    """Whether a pair that was taken from it has been seen to work, before it died."""


def not_understood(db: sqlite3.Connection) -> list[int]:
    """Ids of the connections for which a pair in such an answer would be of use, in order."""
    rows = db.execute(
        f"""SELECT DISTINCT c.id FROM attempts a JOIN connections c ON c.id = a.connection_id
            WHERE {_NOT_UNDERSTOOD} AND {_WITHOUT_PAIR} ORDER BY c.id"""  # noqa: S608
    )
    return [row[0] for row in rows]


def of_connection(db: sqlite3.Connection, codec: Codec, connection_id: int) -> Iterator[SealedAnswer]:
    """The answers to calls for one connection that were not understood, the newest first."""
    rows = db.execute(
        f"""SELECT a.id, a.action, a.http_status, a.answer, a.finished_at
            FROM attempts a JOIN connections c ON c.id = a.connection_id
            WHERE a.connection_id = ? AND {_NOT_UNDERSTOOD} AND {_WITHOUT_PAIR} ORDER BY a.id DESC""",  # noqa: S608
        [connection_id],
    ).fetchall()
    for attempt_id, action, status, sealed, finished_at in rows:
        refused, worked = _taken_before(db, codec, attempt_id)
        answer = Answer(
            status or 0, {}, codec.open_answer(sealed), time_of(finished_at), delimited=False, refused=refused
        )
        yield SealedAnswer(attempt_id, Action(action), answer, worked)


def _taken_before(db: sqlite3.Connection, codec: Codec, attempt_id: int) -> tuple[frozenset[str], bool]:
    """The dead refresh tokens that an answer gave, and whether one of them had been seen to work."""
    rows = db.execute(
        """SELECT access_token, refresh_token, verified_at FROM token_pairs
           WHERE attempt_id = ? AND dead_at IS NOT NULL AND purged_at IS NULL""",
        [attempt_id],
    ).fetchall()
    dead = [codec.open_pair(access, refresh)[1].reveal() for access, refresh, _ in rows]
    return frozenset(dead), any(verified_at for _, _, verified_at in rows)


def understood(
    db: sqlite3.Connection,
    codec: Codec,
    connection_id: int,
    found: SealedAnswer,
    verdict: Verdict,
    now: datetime,
) -> bool:
    """Take in what an answer held after all; False if the connection has gone on without it."""
    row = db.execute(f"SELECT 1 FROM connections c WHERE c.id = ? AND {_WITHOUT_PAIR}", [connection_id])  # noqa: S608
    if row.fetchone() is None:
        return False
    db.execute(
        "UPDATE attempts SET outcome = ?, problem = ? WHERE id = ?",
        [verdict.outcome, verdict.problem, found.attempt_id],
    )
    calls.take_won(db, codec, connection_id, found.attempt_id, verdict, now)
    connections.set_standing(db, connection_id, verdict, now)
    if found.action is Action.EXCHANGE_CODE:
        visits.note_last(db, connection_id, Visit(UNVERIFIED), now)
    return True
