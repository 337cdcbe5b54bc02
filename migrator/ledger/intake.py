"""Takes the rows of a run's files into the ledger: what is new, what is known, and what is corrected."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from migrator.batching import batched
from migrator.ledger import connections, legacy_tokens, rejects, runs
from migrator.ledger.connections import Newcomer
from migrator.ledger.file import bulk
from migrator.ledger.file.codec import Codec
from migrator.ledger.recognition import (
    NO_MATCHES,
    Matches,
    Named,
    Novelty,
    Recognised,
    hold_against,
    look_for,
    named,
    plan_row,
    starts_anew,
)
from migrator.models import Misnamed, Reject, State
from migrator.rules.next_step import Decision, Step
from migrator.rules.plan import Tally
from migrator.rules.terms import Terms
from migrator.sources.screening import Accepted

_BATCH = 100
"""Rows that are looked for, and written, at once."""
_FILLED = ("connections", "legacy_tokens")


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
    batch: int = _BATCH,
) -> Intake:
    """Take in all rows of a run's files; the caller's transaction makes that all or nothing.

    No two of them have a token or a key in common: screening has seen to that. So what is there under their
    names is the same, whether it is looked for before the first of them is written or after.
    """
    (is_new,) = db.execute("SELECT NOT EXISTS (SELECT 1 FROM connections)").fetchone()
    desk = _Desk(db, codec, provider, terms, run_id, now, is_new=bool(is_new))
    rejects.begin_intake(db)
    with bulk.empty_tables_filled(db, _FILLED) if is_new else bulk.further_filled(db):
        for some in batched(rows, batch):
            desk.take(some)
            progress(len(some))
    rejects.end_intake(db, sources)
    intake = desk.intake()
    runs.count_rows(db, run_id, accepted=intake.accepted, known=intake.known, rejected=intake.rejected)
    return intake


@dataclass
class _Desk:
    """Where rows are taken in."""

    db: sqlite3.Connection
    codec: Codec
    provider: str
    terms: Terms
    run_id: int
    now: datetime
    is_new: bool
    """Whether the ledger held no connection before: then there is nothing to look for."""
    tally: Tally = field(default_factory=Tally)
    novelties: Counter[Novelty] = field(default_factory=Counter)

    def take(self, batch: Sequence[Accepted | Reject | Misnamed]) -> None:
        """Take some rows in."""
        rows = [named(self.codec, row) if isinstance(row, Accepted) else row for row in batch]
        found = NO_MATCHES if self.is_new else self._look_for(rows)
        newcomers = []
        for row in rows:
            if isinstance(row, Misnamed):
                self.tally.misnamed.append(row)
                continue
            recognised = hold_against(self.db, self.codec, row, found) if isinstance(row, Named) else row
            if isinstance(recognised, Reject):
                self.tally.reject(recognised)
                rejects.add(self.db, recognised, self.run_id)
            elif isinstance(row, Named):
                decided = self._count(row, recognised)
                if recognised.novelty is Novelty.NEW:
                    connection = row.row.connection
                    newcomers.append(Newcomer(row.key, row.token_print, connection, *_first_state(decided)))
                elif recognised.novelty is Novelty.CORRECTED:
                    found.forget(self._correct(row, recognised, decided))
        self._add(newcomers)

    def intake(self) -> Intake:
        """What became of the rows so far."""
        return Intake(
            self.tally,
            self.novelties[Novelty.NEW] + self.novelties[Novelty.CORRECTED],
            self.novelties[Novelty.KNOWN],
            self.tally.rejected.total(),
        )

    def _count(self, row: Named, recognised: Recognised) -> Decision:
        connection = row.row.connection
        decided = plan_row(row.row, recognised, self.terms, self.now)
        self.tally.add(connection.app_type, decided)
        self.novelties[recognised.novelty] += 1
        return decided

    def _add(self, newcomers: Sequence[Newcomer]) -> None:
        ids = connections.add_all(
            self.db, self.codec, newcomers, provider=self.provider, run_id=self.run_id, now=self.now
        )
        legacy_tokens.add_first(
            self.db, self.codec, ids, [(new.connection.legacy, new.token_print) for new in newcomers]
        )

    def _look_for(self, rows: Sequence[Named | Reject | Misnamed]) -> Matches:
        return look_for(self.db, self.codec, [row for row in rows if isinstance(row, Named)])

    def _correct(self, row: Named, recognised: Recognised, decided: Decision) -> int:
        """Take in what a row says that is new of a known connection; returns the connection's id."""
        standing, connection = recognised.standing, row.row.connection
        if standing is None:
            raise ValueError("only a known connection can be corrected")
        if recognised.new_token:
            legacy_tokens.add(self.db, self.codec, standing.id, connection.legacy)
        elif recognised.new_terms:
            legacy_tokens.set_expiry(self.db, standing.id, connection.legacy.expires_at)
        if starts_anew(recognised, self.terms):
            connections.rest(self.db, standing, *_first_state(decided), self.now)
        connections.correct(self.db, self.codec, standing, connection, self.now)
        return standing.id


def _first_state(decided: Decision) -> tuple[State, str]:
    """State and reason of a connection that was never sent, by what must happen to it."""
    consents = decided.step is Step.MUST_CONSENT
    return (State.NEEDS_CONSENT, decided.reason) if consents else (State.PENDING, "")
