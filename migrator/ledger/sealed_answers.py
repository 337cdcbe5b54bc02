"""Answers that were not understood when they came: kept encrypted, and read again when more is at stake."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from migrator.ledger import calls, connections
from migrator.ledger.file.codec import Codec, time_of
from migrator.models import Action
from migrator.providers import Answer
from migrator.rules.verdict import Verdict

_NOT_UNDERSTOOD = """
    a.answer IS NOT NULL AND a.outcome = 'unknown'
    AND NOT EXISTS (SELECT 1 FROM token_pairs p WHERE p.attempt_id = a.id)
    AND NOT EXISTS (SELECT 1 FROM legacy_tokens l WHERE l.attempt_id = a.id)
"""

_OF_USE = """
    c.served_by IS NULL
    AND (c.state IN ('uncertain', 'pending', 'failed')
         OR (c.state = 'needs_consent' AND c.reason IN ('response_lost', 'token_expired')))
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
    """Without its headers: they are not kept."""


def not_understood(db: sqlite3.Connection, action: Action | None = None) -> list[int]:
    """Ids of the connections for which a pair in such an answer would be of use, in order.

    With ``action`` only of those whose user must consent unless the answer to such a call holds one.
    """
    rows = db.execute(
        f"""SELECT DISTINCT c.id FROM attempts a JOIN connections c ON c.id = a.connection_id
            WHERE {_NOT_UNDERSTOOD} AND {_OF_USE}
                  AND (?1 IS NULL OR (a.action = ?1 AND c.state = 'needs_consent')) ORDER BY c.id""",  # noqa: S608
        [action.value if action else None],
    )
    return [row[0] for row in rows]


def of_connection(
    db: sqlite3.Connection, codec: Codec, connection_id: int, kind: Action | None, *, of_use: bool
) -> Iterator[SealedAnswer]:
    """The answers to calls for one connection that were not understood, the newest first.

    Only those to one ``kind`` of call, unless it is None; and only those with which the connection could go
    on where it stands, with ``of_use``.
    """
    rows = db.execute(
        f"""SELECT a.id, a.action, a.http_status, a.answer, a.finished_at
            FROM attempts a JOIN connections c ON c.id = a.connection_id
            WHERE a.connection_id = ?1 AND {_NOT_UNDERSTOOD} AND (NOT ?2 OR ({_OF_USE}))
                  AND (?3 IS NULL OR a.action = ?3)
            ORDER BY a.id DESC""",  # noqa: S608
        [connection_id, of_use, kind.value if kind else None],
    ).fetchall()
    for attempt_id, action, status, sealed, finished_at in rows:
        body = codec.open_answer(sealed)
        yield SealedAnswer(
            attempt_id, Action(action), Answer(status or 0, {}, body, time_of(finished_at), delimited=False)
        )


def understood(
    db: sqlite3.Connection, codec: Codec, connection_id: int, verdict: Verdict, now: datetime
) -> bool:
    """Take in what an answer held after all; False if the connection has gone on without it."""
    row = db.execute(
        f"""SELECT 1 FROM attempts a JOIN connections c ON c.id = a.connection_id
            WHERE a.id = ? AND {_NOT_UNDERSTOOD} AND {_OF_USE}""",  # noqa: S608
        [verdict.found_in],
    )
    if verdict.found_in is None or row.fetchone() is None:
        return False
    calls.take_won(db, codec, connection_id, verdict.found_in, verdict, now)
    connections.set_standing(db, connection_id, verdict, now)
    return True
