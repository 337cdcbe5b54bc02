"""What a dead process left: calls without an outcome, outcomes in the rescue file, unfinished exports."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from migrator.ledger import calls, connections, consents, rescued_calls, runs, unfinished_exports, visits
from migrator.ledger.calls import EndedCall
from migrator.ledger.exports import Exports
from migrator.ledger.file import lock
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.session import Session
from migrator.ledger.file.times import time_of
from migrator.ledger.file.vault import Vault
from migrator.ledger.unfinished_exports import Fate
from migrator.ledger.visits import Visit
from migrator.models import Action
from migrator.rules.recovery import died
from migrator.rules.verdict import Policy


@dataclass(frozen=True)
class Recovered:
    """What an earlier process had left."""

    rescued: int
    """Answers from the rescue file, now in the ledger."""
    open_calls: int
    """Calls that were under way when it died."""
    consents: int = 0
    """Calls of ``reconsent serve`` among those that were under way when that died: only users repeat them."""
    exports: tuple[tuple[str, Fate], ...] = ()
    """Exports that were under way when it died: where to, and what became of them."""


def recover(db: sqlite3.Connection, policy: Policy, now: datetime) -> int:
    """Complete the attempts that a process left open when it died, and give every open connection a fresh
    start.

    Returns how many there were. What had an effect, for all we know, makes its connection uncertain. What
    ``reconsent serve`` has under way is left alone.
    """
    open_attempts = db.execute(
        """SELECT a.id, a.connection_id, a.action, a.started_at, c.tries, c.doubt
           FROM attempts a JOIN connections c ON c.id = a.connection_id
           JOIN runs r ON r.id = a.run_id
           WHERE a.outcome IS NULL AND r.command <> ?""",
        [runs.SERVE],
    ).fetchall()
    for attempt_id, connection_id, action_text, started_at, tries, doubt in open_attempts:
        action, before = Action(action_text), Action(doubt) if doubt else None
        verdict = died(action, tries, time_of(started_at), policy, before)
        calls.complete(db, attempt_id, verdict, None, now)
        if action not in calls.LEAVE_STANDING:
            connections.set_standing(db, connection_id, verdict, now)
    connections.forget_tries(db)
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
            if calls.end_call(db, codec, call, now):
                visits.note_settled(db, call.connection_id, call.verdict, now)
            number += 1
    return number


@dataclass(frozen=True)
class RecoveredConsents:
    """What an earlier process of the application had left."""

    rescued: int
    """Answers from its rescue file, now in the ledger."""
    open_calls: int
    """Calls that were under way when it died."""
    unverified: tuple[int, ...]
    """Connections whose new pair nobody has seen work yet."""


def take_stock_of_consents(
    db: sqlite3.Connection, codec: Codec, rescued: Iterable[EndedCall], policy: Policy, now: datetime
) -> RecoveredConsents:
    """Complete what an earlier process of the application left open when it died."""
    taken_in = 0
    for call in rescued:
        action = _open_action(db, call.attempt_id)
        if action is Action.EXCHANGE_CODE:
            if consents.end_exchange(db, codec, call, now) and call.verdict.new_pair is not None:
                visits.note_last(db, call.connection_id, Visit(visits.UNVERIFIED), now)
        elif action is Action.VERIFY:
            consents.end_verification(db, codec, call, now)
        elif action is Action.REFRESH:
            consents.end_refresh(db, codec, call, now)
        taken_in += action is not None
    open_calls = _recover_consents(db, policy, now)
    return RecoveredConsents(taken_in, open_calls, consents.unverified(db))


def consents_open(db: sqlite3.Connection) -> bool:
    """Whether a process of the application, alive or not, has calls under way."""
    row = db.execute(
        "SELECT 1 FROM attempts a JOIN runs r ON r.id = a.run_id WHERE a.outcome IS NULL AND r.command = ?",
        [runs.SERVE],
    ).fetchone()
    return row is not None


def _open_action(db: sqlite3.Connection, attempt_id: int) -> Action | None:
    row = db.execute("SELECT action FROM attempts WHERE id = ? AND outcome IS NULL", [attempt_id]).fetchone()
    return Action(row[0]) if row else None


def _recover_consents(db: sqlite3.Connection, policy: Policy, now: datetime) -> int:
    rows: Sequence[tuple[int, int, str, str]] = db.execute(
        """SELECT a.id, a.connection_id, a.action, a.started_at FROM attempts a JOIN runs r ON r.id = a.run_id
           WHERE a.outcome IS NULL AND r.command = ?""",
        [runs.SERVE],
    ).fetchall()
    for attempt_id, connection_id, action, started_at in rows:
        verdict = died(Action(action), 0, time_of(started_at), policy)
        calls.complete(db, attempt_id, verdict, None, now)
        if action == Action.REFRESH:
            connections.set_standing(db, connection_id, verdict, now)
        if action != Action.EXCHANGE_CODE:
            continue
        if connections.needs_consent(db, connection_id):
            connections.set_standing(db, connection_id, verdict, now)
        visits.note_lost(db, attempt_id, verdict.problem)
    return len(rows)


def take_in_consents(session: Session, vault: Vault, policy: Policy) -> RecoveredConsents:
    """What the application left when it died: whoever comes first takes it in. Nothing while it lives."""
    nothing = RecoveredConsents(0, 0, ())
    serve = lock.serve_path(session.path)
    if not (RescueFile.waits(serve) or consents_open(session.reader())):
        return nothing
    with lock.consents_if_free(session.path) as free:
        if not free:  # it lives, and they are its own
            return nothing
        rescue = RescueFile(serve, vault)
        rescued = list(rescued_calls.waiting(rescue))
        left = session.write(
            lambda db: take_stock_of_consents(db, session.codec, rescued, policy, session.now())
        )
        rescue.clear()
    return left


def settle_exports(exports: Exports) -> Iterator[tuple[str, Fate]]:
    """Find out what became of exports that were under way: where to, and their fate."""
    for export in exports.unfinished():
        fate = unfinished_exports.fate(export)
        if fate is Fate.HANDED_OVER:
            exports.finish(export.id)
        elif fate is Fate.NOT_HANDED_OVER:
            exports.cancel(export.id)
        yield os.fsdecode(export.target), fate
