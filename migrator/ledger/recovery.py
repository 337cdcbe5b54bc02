"""What a dead process left behind: calls without an outcome, and outcomes in the rescue file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from migrator.ledger import calls, connections, runs
from migrator.ledger.calls import EndedCall
from migrator.ledger.file.codec import Codec, time_of
from migrator.models import Action
from migrator.rules.transitions import Policy, died


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
        [runs.SERVE],
    ).fetchall()
    for attempt_id, connection_id, action_text, started_at, tries in open_attempts:
        action = Action(action_text)
        verdict = died(action, tries, time_of(started_at), policy)
        calls.complete(db, attempt_id, verdict, None, now)
        if action not in calls.WITHOUT_EFFECT:
            connections.stand(db, connection_id, verdict, now)
    db.execute("UPDATE connections SET tries = 0 WHERE tries > 0")
    return len(open_attempts)


def end_rescued(db: sqlite3.Connection, codec: Codec, rescued: Iterable[EndedCall], now: datetime) -> int:
    """Take in what an earlier job could not write; returns how many.

    What was written after all is left alone.
    """
    number = 0
    for call in rescued:
        if db.execute(
            "SELECT 1 FROM attempts WHERE id = ? AND outcome IS NULL", [call.attempt_id]
        ).fetchone():
            calls.end_call(db, codec, call, now)
            number += 1
    return number
