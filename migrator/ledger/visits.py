"""What users did with their invitations: looked at it, came back from the provider, with what outcome."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from migrator.ledger.file.times import time_text
from migrator.models import State
from migrator.rules.verdict import Verdict
from migrator.rules.visit_outcome import of_verification

UNVERIFIED = "unverified"
"""Of an invitation's outcome: a pair is stored, and nobody has yet seen what it reaches."""


@dataclass(frozen=True)
class Visit:
    """What came of a user's visit at the provider."""

    outcome: str
    problem: str = ""
    said: str = ""
    """What the provider said to it, masked, where an operator must know."""
    finished: bool = False
    """Whether what was asked for is connected."""
    refused: bool = False
    """Whether the user said no."""
    connected: tuple[str, ...] = ()
    """The names of what was connected."""
    tenants: tuple[str, ...] = ()
    """And the ids."""


def opened(db: sqlite3.Connection, invitation_id: str, now: datetime) -> None:
    """Somebody looked at the page of an invitation; the first time counts."""
    db.execute(
        "UPDATE invitations SET opened_at = ? WHERE id = ? AND opened_at IS NULL",
        [time_text(now), invitation_id],
    )


def lost_track(db: sqlite3.Connection, invitation_id: str) -> str | None:
    """Count one who came back without what their browser was given; returns the connection's key."""
    row = db.execute(
        """UPDATE invitations SET lost_track = lost_track + 1 WHERE id = ?
           RETURNING (SELECT key FROM connections WHERE id = connection_id)""",
        [invitation_id],
    ).fetchone()
    return str(row[0]) if row else None


def note(db: sqlite3.Connection, invitation_id: str, visit: Visit, now: datetime) -> None:
    """What came of a user's visit at the provider; what is finished stays so."""
    moment = time_text(now)
    db.execute(
        """UPDATE invitations SET outcome = ?, problem = ?, said = ?, connected = ?, tenants = ?,
           finished_at = CASE WHEN ? THEN ? END, refused_at = CASE WHEN ? THEN ? ELSE refused_at END
           WHERE id = ? AND finished_at IS NULL""",
        [
            visit.outcome,
            visit.problem or None,
            visit.said or None,
            json.dumps(visit.connected) if visit.connected else None,
            json.dumps(visit.tenants) if visit.tenants else None,
            visit.finished,
            moment,
            visit.refused,
            moment,
            invitation_id,
        ],
    )


def note_last(db: sqlite3.Connection, connection_id: int, visit: Visit, now: datetime) -> None:
    """The same for whichever invitation of a connection a pair was last won by."""
    row = db.execute(
        """SELECT s.invitation_id FROM consents s JOIN invitations i ON i.id = s.invitation_id
           WHERE i.connection_id = ? AND s.attempt_id IS NOT NULL ORDER BY s.attempt_id DESC LIMIT 1""",
        [connection_id],
    ).fetchone()
    if row is not None:
        note(db, row[0], visit, now)


def note_lost(db: sqlite3.Connection, attempt_id: int, problem: str) -> None:
    """The exchange of a code whose process died: nobody knows what came of the visit."""
    db.execute(
        """UPDATE invitations SET outcome = 'response_lost', problem = ?, said = NULL
           WHERE finished_at IS NULL
                 AND id = (SELECT invitation_id FROM consents WHERE attempt_id = ?)""",
        [problem, attempt_id],
    )


def note_settled(db: sqlite3.Connection, connection_id: int, verdict: Verdict, now: datetime) -> None:
    """What the job has found out about a pair that a user's visit won, and nobody had seen work."""
    if not verdict.pair_verified:
        return
    row = db.execute(
        "SELECT id FROM invitations WHERE connection_id = ? AND outcome = ? AND finished_at IS NULL",
        [connection_id, UNVERIFIED],
    ).fetchone()
    if row is None:
        return
    problem = verdict.problem if verdict.state is State.MIGRATED else verdict.reason
    finished = verdict.state is State.MIGRATED
    note(db, row[0], Visit(of_verification(verdict), problem, finished=finished), now)
