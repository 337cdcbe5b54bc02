"""The ledger as the job uses it: one method an entry or a question, the statements in a module a subject."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from migrator.ledger import (
    agendas,
    calls,
    connections,
    intake,
    pairs,
    purge,
    recovery,
    rescued_calls,
    runs,
    sent_calls,
    status,
    visits,
)
from migrator.ledger.calls import EndedCall
from migrator.ledger.deliveries import Deliveries
from migrator.ledger.exports import Exports
from migrator.ledger.file import lock
from migrator.ledger.intake import Intake
from migrator.ledger.invitations import Invitations
from migrator.ledger.open_ledger import OpenLedger
from migrator.ledger.recovery import Recovered
from migrator.models import Action, Misnamed, Reject, Standing, State
from migrator.rules.agenda import Agenda, Work
from migrator.rules.terms import Terms
from migrator.rules.verdict import Policy
from migrator.sources.screening import Accepted


class Ledger(OpenLedger):
    """A ledger that this process alone may write, but for the consents beside it."""

    # --- runs ---

    def begin_run(
        self, command: str, policy: Policy, sources: Iterable[str] = (), *, workers: int
    ) -> Recovered:
        """Start a run and take stock of what an earlier process left.

        Sets room aside for ``workers`` answers, should the ledger not take them.
        """
        now = self._session.now()
        rescued = list(rescued_calls.waiting(self._rescue))

        def entry(db: sqlite3.Connection) -> tuple[int, Recovered]:
            run_id = runs.begin_run(db, command, os.getpid(), sources, now)
            taken_in = recovery.end_rescued(db, self._session.codec, rescued, now)
            return run_id, Recovered(taken_in, recovery.recover(db, policy, now))

        self._session.run_id, stock = self._session.write(entry)
        self._rescue.set_aside(workers)
        consents = recovery.take_in_consents(self._session, self._rescue.vault, policy)
        return Recovered(
            stock.rescued + consents.rescued,
            stock.open_calls,
            consents.open_calls,
            tuple(recovery.settle_exports(self.exports)),
        )

    def retry_failed(self) -> int:
        """Put what failed back in line; returns how many."""
        return self._session.write(lambda db: connections.retry_failed(db, self._session.now()))

    def take_in(
        self,
        rows: Iterable[Accepted | Reject | Misnamed],
        sources: Sequence[str],
        provider: str,
        progress: Callable[[int], None],
        *,
        terms: Terms,
    ) -> Intake:
        """Take the rows of a run's files in, in one transaction: all of them, or none if the files cannot be
        read to their end.

        ``sources`` are the files' names, ``terms`` the provider's; ``progress`` is called now and then with
        the number of rows since the last time.
        """
        return self._session.write(
            lambda db: intake.take_all(
                db,
                self._session.codec,
                rows,
                sources,
                provider=provider,
                terms=terms,
                run_id=self._session.run_id,
                now=self._session.now(),
                progress=progress,
            )
        )

    # --- calls ---

    def begin_call(self, standing: Standing, action: Action) -> int | None:
        """Put the intent of a call on disk; returns the attempt's id.

        None if the connection has gone on since its standing was read.
        """
        return self._session.write_in_batch(self._begin_calls, (standing, action))

    def _begin_calls(
        self, db: sqlite3.Connection, intended: Sequence[tuple[Standing, Action]]
    ) -> list[int | None]:
        return calls.begin_calls(db, intended, self._session.run_id, self._session.now())

    def end_call(self, call: EndedCall) -> None:
        """Put the outcome of a call on disk, with whatever it won.

        While the ledger does not take it, it is in the rescue file: a kill must not cost it. Raises
        ``LedgerUnwritableError`` if the ledger cannot take it at all.
        """
        self._record(call, partial(self._session.write_in_batch, self._end_calls, call))

    def _end_calls(self, db: sqlite3.Connection, ended: Sequence[EndedCall]) -> list[None]:
        now = self._session.now()
        valid = calls.end_calls(db, self._session.codec, ended, now)
        for call, decides in zip(ended, valid, strict=True):
            if decides:
                visits.note_settled(db, call.connection_id, call.verdict, now)
        return [None] * len(ended)

    def rest(self, standing: Standing, state: State, reason: str) -> None:
        """Record that a connection needs no call any more."""
        self._session.write(lambda db: connections.rest(db, standing, state, reason, self._session.now()))

    def leave(self, standing: Standing, tries: int) -> None:
        """Record that this run can do nothing more for a connection: ``tries`` are all that it has."""
        self._session.write(lambda db: connections.leave(db, standing, tries, self._session.now()))

    # --- the hand-over ---

    @property
    def exports(self) -> Exports:
        """The exports that it records."""
        return Exports(self._session)

    @property
    def deliveries(self) -> Deliveries:
        """The deliveries that it records."""
        return Deliveries(self._session)

    def purge(self) -> purge.Purged:
        """Take the tokens of what was handed over out of the ledger, for good as far as SQLite goes.

        The log stays. It may be interrupted, and done again. Raises ``LedgerLockedError`` while consents are
        served or pairs delivered: their process reads the ledger, and would keep what it was.
        """
        with lock.consents(self._session.path), lock.deliveries(self._session.path):
            purged = self._session.write(lambda db: purge.purge(db, self._session.now()))
            return replace(purged, wiped=purge.wipe(self._session.path))

    def served(self, key: str) -> pairs.Served | None:
        """Which pair serves the connection of this key; None if there is no such connection."""
        return pairs.served(self._session.reader(), key)

    # --- the campaign ---

    @property
    def invitations(self) -> Invitations:
        """The invitations that it records."""
        return Invitations(self._session)

    # --- reading ---

    def is_empty(self) -> bool:
        """Whether it holds no connection."""
        return connections.none(self._session.reader())

    def agenda(
        self, work: Work, max_attempts: int, *, moment: datetime | None = None, limit: int | None = None
    ) -> Agenda:
        """An agenda that takes in the first ``limit`` connections with such work to do, or all.

        ``moment`` is now where the work speaks of none.
        """
        now = self._session.now()
        return agendas.agenda_of(self._session.reader(), work, moment or now, now, max_attempts, limit=limit)

    def due(self, agenda: Agenda, now: datetime, *, after: int, limit: int) -> list[int]:
        """Ids of open connections that may be called for now, in order, behind the id ``after``."""
        return agendas.due(self._session.reader(), agenda, now, after=after, limit=limit)

    def next_due(self, agenda: Agenda) -> datetime | None:
        """When the next open connection may be called for; None if none is open."""
        return agendas.next_due(self._session.reader(), agenda)

    def open_count(self, agenda: Agenda) -> int:
        """How many connections of the agenda are open."""
        return agendas.open_count(self._session.reader(), agenda)

    def open_ids(self, agenda: Agenda) -> list[int]:
        """Ids of the open connections of an agenda, in order."""
        return agendas.open_ids(self._session.reader(), agenda)

    def still_open(self, agenda: Agenda) -> int:
        """How many connections an agenda has not settled, those that were asked too often among them."""
        return agendas.open_count(self._session.reader(), replace(agenda, max_attempts=sys.maxsize))

    def sent_since(self, since: datetime) -> list[sent_calls.SentCalls]:
        """The calls that left from ``since`` on, of whatever run, the earliest first."""
        return list(sent_calls.sent_since(self._session.reader(), since))

    def ended_calls(self) -> Counter[tuple[str, str]]:
        """The calls of this run that have ended: action and outcome to number."""
        return runs.ended_calls(self._session.reader(), self._session.run_id)

    def refreshed_pairs(self) -> int:
        """How many pairs stand that this run's refreshes won."""
        return runs.refreshed_pairs(self._session.reader(), self._session.run_id)

    def given_up(self) -> int:
        """How many connections this run found to be over."""
        return runs.given_up(self._session.reader(), self._session.run_id)

    def findings(self) -> list[pairs.Finding]:
        """Pairs that work, and are not as they should be."""
        return list(pairs.findings(self._session.reader()))

    def status(self) -> status.Status:
        """Where the job stands."""
        reader = self._session.reader()
        with status.one_view(reader):
            told = status.read_status(reader, self._session.now())
        return told.with_app_types(self._session.rules.app_types)
