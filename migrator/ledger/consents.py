"""Consents: each ``state`` that a user came back with, the exchange of its code, and the check of its pair.

That a state was used is written together with the intent of the call that uses its code: neither of them
happens twice.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from migrator.ledger import calls, connections, pairs, visits
from migrator.ledger.calls import EndedCall
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.times import maybe_time_text, time_text
from migrator.ledger.visits import Visit
from migrator.models import Action, State


class AlreadyUsed(Exception):  # noqa: N818 - it is no fault
    """A state came a second time: a reload, the back button, or somebody who replays it."""


def use_state(
    db: sqlite3.Connection, state_sha256: str, invitation_id: str, attempt_id: int | None, now: datetime
) -> None:
    """A user came back with this state. Raises ``AlreadyUsed`` for the second time."""
    try:
        db.execute(
            "INSERT INTO consents (state_sha256, invitation_id, attempt_id, used_at) VALUES (?, ?, ?, ?)",
            [state_sha256, invitation_id, attempt_id, time_text(now)],
        )
    except sqlite3.IntegrityError:
        raise AlreadyUsed from None


def begin_exchange(
    db: sqlite3.Connection, state_sha256: str, invitation_id: str, run_id: int, now: datetime
) -> int | None:
    """The intent to exchange a code, and that its state is used, in one; returns the attempt's id.

    None if the connection no longer waits for its user. Raises ``AlreadyUsed``.
    """
    (connection_id, state) = db.execute(
        """SELECT c.id, c.state FROM invitations i JOIN connections c ON c.id = i.connection_id
           WHERE i.id = ?""",
        [invitation_id],
    ).fetchone()
    if state != State.NEEDS_CONSENT:
        use_state(db, state_sha256, invitation_id, None, now)
        return None
    attempt_id = calls.begin_attempt(db, connection_id, Action.EXCHANGE_CODE, run_id, now)
    use_state(db, state_sha256, invitation_id, attempt_id, now)
    return attempt_id


def end_exchange(db: sqlite3.Connection, codec: Codec, call: EndedCall, now: datetime) -> bool:
    """The outcome of an exchange, with the pair that it won; returns whether it decided anything.

    Where the connection has gone on without its user meanwhile, the pair is stored, and stands for nothing;
    and where it waits for what another visit of theirs has won, an exchange that won nothing changes nothing.
    """
    won = call.verdict.new_pair
    if _waits(db, call.connection_id) if won else connections.needs_consent(db, call.connection_id):
        calls.end_call(db, codec, call, now)
        return True
    calls.complete_calls(db, codec, [call], now)
    if won is not None:
        new = pairs.NewPair(call.connection_id, call.attempt_id, won)
        pairs.keep(db, codec, [new], now, set_aside=True)
    return False


def end_refresh(db: sqlite3.Connection, codec: Codec, call: EndedCall, now: datetime) -> None:
    """The outcome of the refresh of a pair that nobody has seen work; if it is dead, its user is told."""
    calls.end_call(db, codec, call, now)
    if call.verdict.state is State.NEEDS_CONSENT:
        visits.note_last(db, call.connection_id, Visit("response_lost", call.verdict.problem), now)


def end_verification(db: sqlite3.Connection, codec: Codec, call: EndedCall, now: datetime) -> bool:
    """The outcome of a verification; returns whether it decided anything.

    It does not where another pair has come meanwhile, or somebody else has settled the connection.
    """
    if call.pair_id is not None and pairs.is_current(db, call.pair_id) and _waits(db, call.connection_id):
        calls.end_call(db, codec, call, now)
        return True
    calls.complete_calls(db, codec, [call], now)
    return False


def _waits(db: sqlite3.Connection, connection_id: int) -> bool:
    """Whether a connection waits for its user, or for what a consent of theirs has won."""
    row = db.execute(
        """SELECT 1 FROM connections WHERE id = ? AND
           (state = 'needs_consent' OR (state = 'uncertain' AND doubt = 'exchange_code'))""",
        [connection_id],
    ).fetchone()
    return row is not None


def unverified(db: sqlite3.Connection, now: datetime | None = None) -> tuple[int, ...]:
    """Connections whose new pair nobody has seen work yet; with ``now``, those that may be asked for then."""
    rows = db.execute(
        """SELECT id FROM connections WHERE state = 'uncertain' AND doubt = 'exchange_code'
           AND (? IS NULL OR coalesce(not_before, '') <= ?) ORDER BY id""",
        [maybe_time_text(now)] * 2,
    )
    return tuple(row[0] for row in rows)
