"""Takes accepted rows into the ledger.

What is new, what is known, and what says something new of a known connection.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from migrator.ledger import connections, legacy_tokens, rejects, runs
from migrator.ledger.file.codec import Codec
from migrator.models import NO_REFRESH_TOKEN, RESPONSE_LOST, Connection, Misnamed, Reject, Standing, State
from migrator.rules.next_step import Decision, Step, decision, first_step
from migrator.rules.plan import Tally
from migrator.rules.terms import Terms
from migrator.sources.screening import Accepted


class Novelty(StrEnum):
    """What a row is to the ledger."""

    NEW = "new"
    KNOWN = "known"
    """It says what an earlier row said."""
    CORRECTED = "corrected"
    """It says something new of a known connection."""


@dataclass(frozen=True)
class Recognised:
    """A row, held against the ledger."""

    novelty: Novelty
    standing: Standing | None
    """The known connection, as it stands."""
    new_token: bool = False
    """The row's token, secret or handle is one that the ledger never held."""
    new_terms: bool = False
    """It holds them, but the row says otherwise when they end, or what they open."""


@dataclass(frozen=True)
class Intake:
    """What became of the rows of a run's files."""

    tally: Tally
    accepted: int
    """Rows that are new to the ledger, or say something new."""
    known: int
    """Rows that the ledger knew."""
    rejected: int


def take_all(
    db: sqlite3.Connection,
    codec: Codec,
    rows: Iterable[Accepted | Reject | Misnamed],
    sources: Sequence[str],
    *,
    provider: str,
    terms: Terms,
    run_id: int,
    now: datetime,
    progress: Callable[[int], None],
) -> Intake:
    """Take in all rows of a run's files; the caller's transaction makes that all or nothing."""
    tally = Tally()
    novelties: Counter[Novelty] = Counter()
    rejects.begin_intake(db)
    number = 0
    for row in rows:
        if isinstance(row, Misnamed):
            tally.misnamed.append(row)
            continue
        number += 1
        recognised = recognise(db, codec, row) if isinstance(row, Accepted) else row
        if isinstance(recognised, Reject):
            tally.reject(recognised)
            rejects.add(db, recognised, run_id)
        elif isinstance(row, Accepted):
            tally.add(row.connection.app_type, plan_row(row, recognised, terms, now))
            novelties[recognised.novelty] += 1
            take(db, codec, row, recognised, terms, provider=provider, run_id=run_id, now=now)
        progress(number)
    rejects.end_intake(db, sources)
    intake = Intake(
        tally,
        novelties[Novelty.NEW] + novelties[Novelty.CORRECTED],
        novelties[Novelty.KNOWN],
        tally.rejected.total(),
    )
    runs.count_rows(db, run_id, accepted=intake.accepted, known=intake.known, rejected=intake.rejected)
    return intake


def recognise(db: sqlite3.Connection, codec: Codec, accepted: Accepted) -> Recognised | Reject:
    """Hold a row against the ledger; reads only."""
    connection = accepted.connection
    by_token = _connection_with_token(db, codec, connection)
    by_key = db.execute("SELECT id FROM connections WHERE key = ?", [codec.key_for(connection)]).fetchone()
    if by_token is not None and by_key is None and connection.key is None:
        by_key = by_token  # it came with a key of its own before; the token still says who it is
    if by_token is not None and by_token != by_key:
        detail = "another connection in the ledger has this oauth_token"
        return Reject(accepted.source, accepted.line, "duplicate_token", detail)
    if by_key is None:
        return Recognised(Novelty.NEW, None)
    (connection_id,) = by_key
    standing = connections.standing(db, codec, connection_id)
    (row_print,) = db.execute("SELECT row_print FROM connections WHERE id = ?", [connection_id]).fetchone()
    if row_print == codec.row_print(connection):
        return Recognised(Novelty.KNOWN, standing)
    known_material = db.execute(
        "SELECT 1 FROM legacy_tokens WHERE connection_id = ? AND material_print = ?",
        [connection_id, codec.material_print(connection.legacy)],
    ).fetchone()
    now_held = codec.material_print(standing.legacy) == codec.material_print(connection.legacy)
    new_terms = now_held and (
        standing.legacy.expires_at != connection.legacy.expires_at
        or standing.app_type != connection.app_type
        or standing.tenant_type != connection.tenant_type
        or standing.consumer_key != connection.consumer_key
    )
    return Recognised(Novelty.CORRECTED, standing, new_token=known_material is None, new_terms=new_terms)


def plan_row(accepted: Accepted, recognised: Recognised, terms: Terms, now: datetime) -> Decision:
    """What a run does with a row."""
    standing = recognised.standing
    if standing is None or _starts_anew(recognised, terms):
        return first_step(accepted.connection.app_type, accepted.connection.legacy, terms, now)
    return decision(standing, terms, now)


def take(
    db: sqlite3.Connection,
    codec: Codec,
    accepted: Accepted,
    recognised: Recognised,
    terms: Terms,
    *,
    provider: str,
    run_id: int,
    now: datetime,
) -> None:
    """Write what a row says, if it says anything new."""
    match recognised.novelty:
        case Novelty.KNOWN:
            return
        case Novelty.NEW:
            first = _first_state(accepted.connection, terms, now)
            connection_id = connections.add(
                db, codec, accepted.connection, first, provider=provider, run_id=run_id, now=now
            )
            legacy_tokens.add(db, codec, connection_id, accepted.connection.legacy, now)
        case Novelty.CORRECTED:
            _correct(db, codec, accepted.connection, recognised, terms, now)


def _connection_with_token(db: sqlite3.Connection, codec: Codec, connection: Connection) -> tuple[int] | None:
    row: tuple[int] | None = db.execute(
        "SELECT connection_id FROM legacy_tokens WHERE token_print = ? LIMIT 1",
        [codec.token_print(connection.legacy)],
    ).fetchone()
    return row


def _starts_anew(recognised: Recognised, terms: Terms) -> bool:
    """Whether a corrected row changes what must happen.

    A pair in hand, or a call in doubt, is never planned away; nor is a token used again that serves once.
    """
    standing = recognised.standing
    if standing is None or standing.state in (State.MIGRATED, State.UNCERTAIN, State.IN_FLIGHT):
        return False
    if standing.reason in (RESPONSE_LOST, NO_REFRESH_TOKEN) and not terms.asks_again:
        return recognised.new_token
    return recognised.new_token or recognised.new_terms


def _first_state(connection: Connection, terms: Terms, now: datetime) -> tuple[State, str]:
    first = first_step(connection.app_type, connection.legacy, terms, now)
    return (State.NEEDS_CONSENT, first.reason) if first.step is Step.MUST_CONSENT else (State.PENDING, "")


def _correct(
    db: sqlite3.Connection,
    codec: Codec,
    connection: Connection,
    recognised: Recognised,
    terms: Terms,
    now: datetime,
) -> None:
    standing = recognised.standing
    if standing is None:
        raise ValueError("only a known connection can be corrected")
    if recognised.new_token:
        legacy_tokens.add(db, codec, standing.id, connection.legacy, now)
    elif recognised.new_terms:
        legacy_tokens.set_expiry(db, standing.id, connection.legacy.expires_at)
    if _starts_anew(recognised, terms):
        state, reason = _first_state(connection, terms, now)
        connections.rest(db, standing, state, reason, now)
    connections.correct(db, codec, standing, connection, now)
