"""Answers that were not understood when they came: kept encrypted, and read again when more is at stake."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from migrator.ledger import calls, connections
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.times import time_of
from migrator.models import Action
from migrator.providers import Answer
from migrator.rules.verdict import Verdict

_NOT_UNDERSTOOD = """
    a.answer IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM token_pairs p
                    WHERE p.attempt_id = a.id AND p.dead_at IS NULL AND p.id IS NOT :dying
                          AND a.problem IS NOT 'no_refresh_token')
    AND NOT EXISTS (SELECT 1 FROM legacy_tokens l WHERE l.attempt_id = a.id)
"""
"""Of an attempt ``a``: whether its answer gave nothing, or nothing that works or could go on.

``:dying`` is a pair that is about to be given up, or NULL.
"""

_OF_USE = """
    c.served_by IS NULL
    AND (c.state IN ('uncertain', 'pending', 'failed')
         OR (c.state = 'needs_consent'
             AND c.reason IN ('response_lost', 'token_expired', 'grant_revoked', 'no_refresh_token')))
    AND NOT EXISTS (
        SELECT 1 FROM token_pairs p
        WHERE p.connection_id = c.id AND p.replaced_at IS NULL AND p.dead_at IS NULL
              AND NOT (c.state = 'uncertain' AND c.doubt = 'refresh'
                       AND a.action = 'refresh' AND a.id > p.attempt_id))
"""
"""Of an answer ``a`` and its connection ``c``: whether a pair that is found in it would be of use.

It would where no pair stands; and where the refresh token of the one that does was sent, for all we know, to
get this answer: asked again with that, a provider may end the grant. What an operator revoked stays so.
"""


@dataclass(frozen=True)
class SealedAnswer:
    """An answer that was not understood, and the call that it answered."""

    attempt_id: int
    action: Action
    answer: Answer
    """Without its headers: they are not kept. It names the refresh tokens that were taken from it already."""


def not_understood(db: sqlite3.Connection, action: Action | None = None) -> list[int]:
    """Ids of the connections for which a pair in such an answer would be of use, in order.

    With ``action`` only of those whose user must consent unless the answer to such a call holds one. An
    answer is of use to whom it was asked for, and to whom a pair in it was given (``shared_pairs``).
    """
    rows = db.execute(
        f"""WITH whose (attempt_id, connection_id) AS (
                SELECT id, connection_id FROM attempts WHERE answer IS NOT NULL
                UNION ALL
                SELECT b.id, g.connection_id FROM attempts b CROSS JOIN token_pairs g ON g.attempt_id = b.id
                WHERE b.answer IS NOT NULL AND b.connection_id <> g.connection_id)
            SELECT DISTINCT c.id FROM whose CROSS JOIN connections c ON c.id = whose.connection_id
            CROSS JOIN attempts a ON a.id = whose.attempt_id
            WHERE {_OF_USE} AND {_NOT_UNDERSTOOD}
                  AND (:action IS NULL OR (a.action = :action AND c.state = 'needs_consent'))
            ORDER BY c.id""",  # noqa: S608
        {"action": action.value if action else None, "dying": None},
    )
    return [row[0] for row in rows]


def of_connection(
    db: sqlite3.Connection, codec: Codec, connection_id: int, action: Action | None = None
) -> Iterator[SealedAnswer]:
    """The answers to calls for one connection, or with a pair of its, that were not understood, and with
    which it could go on from where it stands, the newest first. With ``action`` only those to such calls.
    """
    where = f"{_OF_USE} AND (:action IS NULL OR a.action = :action)"
    facts = {"connection": connection_id, "action": action.value if action else None, "dying": None}
    return _answers(db, codec, where, facts)


def before_giving_up(
    db: sqlite3.Connection, codec: Codec, connection_id: int, dying: int | None
) -> Iterator[SealedAnswer]:
    """The same, wherever it stands.

    ``dying`` is its pair, where that is about to be given up: what it was taken from may hold another.
    """
    return _answers(db, codec, "true", {"connection": connection_id, "dying": dying})


def _answers(
    db: sqlite3.Connection, codec: Codec, where: str, facts: Mapping[str, object]
) -> Iterator[SealedAnswer]:
    rows = db.execute(
        f"""SELECT a.id, a.action, a.http_status, a.answer, a.finished_at
            FROM attempts a JOIN connections c ON c.id = :connection
            WHERE a.id IN (SELECT id FROM attempts WHERE connection_id = :connection
                           UNION SELECT attempt_id FROM token_pairs WHERE connection_id = :connection)
                  AND {_NOT_UNDERSTOOD} AND {where} ORDER BY a.id DESC""",  # noqa: S608
        facts,
    ).fetchall()
    for attempt_id, action, status, sealed, finished_at in rows:
        refused = _refused(db, codec, attempt_id, facts["dying"])
        answer = Answer(
            status or 0, {}, codec.open_answer(sealed), time_of(finished_at), delimited=False, refused=refused
        )
        yield SealedAnswer(attempt_id, Action(action), answer)


def _refused(db: sqlite3.Connection, codec: Codec, attempt_id: int, dying: object) -> frozenset[str]:
    """The dead refresh tokens that an answer gave."""
    rows = db.execute(
        """SELECT access_token, refresh_token FROM token_pairs
           WHERE attempt_id = ? AND (dead_at IS NOT NULL OR id IS ?) AND purged_at IS NULL""",
        [attempt_id, dying],
    )
    return frozenset(codec.open_pair(access, refresh)[1].reveal() for access, refresh in rows)


def understood(
    db: sqlite3.Connection, codec: Codec, connection_id: int, verdict: Verdict, now: datetime
) -> bool:
    """Take in what an answer held after all; False if the connection has gone on without it."""
    row = db.execute(
        f"""SELECT 1 FROM attempts a JOIN connections c ON c.id = :connection
            WHERE a.id = :id AND {_NOT_UNDERSTOOD} AND {_OF_USE}""",  # noqa: S608
        {"connection": connection_id, "id": verdict.found_in, "dying": None},
    )
    if verdict.found_in is None or row.fetchone() is None:
        return False
    calls.take_won(db, codec, [calls.Winnings(connection_id, verdict.found_in, verdict)], now)
    connections.set_standing(db, connection_id, verdict, now)
    return True
