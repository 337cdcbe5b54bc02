"""The ledger as the job uses it: opened under its lock and key, read by many threads, written by one."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from migrator.errors import LedgerError, LedgerUnwritableError
from migrator.ledger import (
    agendas,
    calls,
    connections,
    exports,
    intake,
    invitations,
    purge,
    recovery,
    rescued_calls,
    runs,
    schema,
    sealed_answers,
    status,
    unfinished_exports,
    visits,
)
from migrator.ledger.calls import EndedCall
from migrator.ledger.exports import HandedPair, InHand, Size
from migrator.ledger.file import copying, lock, opening
from migrator.ledger.file.codec import FINGERPRINT_KEY, Codec
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.vault import Fingerprints, LedgerKey, Vault
from migrator.ledger.intake import Intake
from migrator.ledger.invitations import LINKS, Invitee
from migrator.ledger.open_ledger import Book
from migrator.ledger.sealed_answers import SealedAnswer
from migrator.ledger.unfinished_exports import Fate
from migrator.models import Action, Clock, Reject, Standing, State
from migrator.rules.agenda import Agenda, Work
from migrator.rules.transitions import Policy, Verdict
from migrator.sources.screening import Accepted


@dataclass(frozen=True)
class TakenStock:
    """What an earlier process had left."""

    rescued: int
    """Answers from the rescue file, now in the ledger."""
    open_calls: int
    """Calls that were under way when it died."""
    consents: int = 0
    """Calls of ``reconsent serve`` among those that were under way when that died: only users repeat them."""
    exports: tuple[tuple[str, Fate], ...] = ()
    """Exports that were under way when it died: where to, and what became of them."""


class Ledger(Book):
    """A ledger that this process alone may write, but for the consents beside it."""

    # --- runs ---

    def begin_run(
        self, command: str, policy: Policy, sources: Iterable[str] = (), *, workers: int
    ) -> TakenStock:
        """Start a run and take stock of what an earlier process left.

        Sets room aside for ``workers`` answers, should the ledger not take them.
        """
        now = self._clock()
        rescued = list(rescued_calls.waiting(self._rescue))

        def entry(db: sqlite3.Connection) -> tuple[int, TakenStock]:
            run_id = runs.begin_run(db, command, os.getpid(), sources, now)
            taken_in = recovery.end_rescued(db, self._codec, rescued, now)
            return run_id, TakenStock(taken_in, recovery.recover(db, policy, now))

        self._run_id, stock = self._writer.write(entry)
        self._rescue.set_aside(workers)
        consents = self._take_stock_of_consents(policy, now)
        return TakenStock(
            stock.rescued + consents.rescued,
            stock.open_calls,
            consents.open_calls,
            tuple(self._settle_exports()),
        )

    def _take_stock_of_consents(self, policy: Policy, now: datetime) -> recovery.Left:
        """What the consent application left when it died: whoever comes first takes it in."""
        nothing = recovery.Left(0, 0, ())
        serve = lock.serve_path(self.path)
        if not (RescueFile.waits(serve) or recovery.consents_open(self._reader())):
            return nothing
        with lock.consents_if_free(self.path) as free:
            if not free:  # it lives, and they are its own
                return nothing
            rescue = RescueFile(serve, self._rescue.vault)
            rescued = list(rescued_calls.waiting(rescue))
            left = self._writer.write(
                lambda db: recovery.take_stock_of_consents(db, self._codec, rescued, policy, now)
            )
            rescue.clear()
        return left

    def _settle_exports(self) -> Iterator[tuple[str, Fate]]:
        for export in exports.unfinished(self._reader()):
            fate = unfinished_exports.fate(export)
            if fate is Fate.HANDED_OVER:
                self.finish_export(export.id)
            elif fate is Fate.NOT_HANDED_OVER:
                self.cancel_export(export.id)
            yield os.fsdecode(export.target), fate

    def retry_failed(self) -> int:
        """Put what failed back in line; returns how many."""
        return self._writer.write(lambda db: connections.retry_failed(db, self._clock()))

    def take_in(
        self,
        rows: Iterable[Accepted | Reject],
        sources: Sequence[str],
        provider: str,
        progress: Callable[[int], None],
    ) -> Intake:
        """Take the rows of a run's files in, in one transaction: all of them, or none if the files cannot be
        read to their end.

        ``sources`` are the files' names; ``progress`` is called with the number of rows so far.
        """
        return self._writer.write(
            lambda db: intake.take_all(
                db,
                self._codec,
                rows,
                sources,
                provider=provider,
                run_id=self._run_id,
                now=self._clock(),
                progress=progress,
            )
        )

    # --- calls ---

    def begin_call(self, standing: Standing, action: Action) -> int | None:
        """Put the intent of a call on disk; returns the attempt's id.

        None if the connection has gone on since its standing was read.
        """
        return self._writer.write(
            lambda db: calls.begin_call(db, standing, action, self._run_id, self._clock())
        )

    def end_call(self, call: EndedCall) -> None:
        """Put the outcome of a call on disk, with whatever it won.

        While the ledger does not take it, it is in the rescue file: a kill must not cost it. Raises
        ``LedgerUnwritableError`` if the ledger cannot take it at all.
        """

        def entry(db: sqlite3.Connection) -> None:
            now = self._clock()
            if calls.end_call(db, self._codec, call, now):
                visits.note_settled(db, call.connection_id, call.verdict, now)

        self._record(call, entry)

    def rest(self, standing: Standing, state: State, reason: str) -> None:
        """Record that a connection needs no call any more."""
        self._writer.write(lambda db: connections.rest(db, standing, state, reason, self._clock()))

    # --- answers that were not understood ---

    def not_understood(self) -> list[int]:
        """Ids of the connections for which a pair in such an answer would be of use, in order."""
        return sealed_answers.not_understood(self._reader())

    def sealed_answers(self, connection_id: int) -> list[SealedAnswer]:
        """The answers to calls for one connection that were not understood, the newest first."""
        return list(sealed_answers.of_connection(self._reader(), self._codec, connection_id))

    def understood(self, connection_id: int, found: SealedAnswer, verdict: Verdict) -> bool:
        """Take in what an answer held after all; False if the connection has gone on without it."""
        return self._writer.write(
            lambda db: sealed_answers.understood(
                db, self._codec, connection_id, found, verdict, self._clock()
            )
        )

    # --- the hand-over ---

    def begin_export(
        self,
        target: str,
        part: str | None,
        choose: Callable[[Iterable[InHand]], Iterable[tuple[InHand, int]]],
        *,
        only_new: bool,
    ) -> tuple[int, Size]:
        """Put the intent of a hand-over on disk; returns the export's id, and how much it takes.

        ``choose`` names for each connection in hand the pair that stands for it. ``part`` is the file that is
        written before it gets the name ``target``.
        """

        def entry(db: sqlite3.Connection) -> tuple[int, Size]:
            now = self._clock()
            export_id = exports.begin_export(db, self._run_id, target, part, now)
            in_hand = exports.in_hand(db, now, only_new=only_new)
            return export_id, exports.take(db, export_id, choose(in_hand))

        return self._writer.write(entry)

    def taken(self, export_id: int) -> Iterator[HandedPair]:
        """What an export takes, decrypted, pair by pair."""
        return exports.taken(self._reader(), self._codec, export_id)

    def seal_export(self, export_id: int, sha256: str) -> None:
        """The file of an export is whole; only its name is missing."""
        self._writer.write(lambda db: exports.seal_export(db, export_id, sha256))

    def finish_export(self, export_id: int) -> None:
        """The application can have it: it counts as handed over."""
        self._writer.write(lambda db: exports.finish_export(db, export_id, self._clock()))

    def cancel_export(self, export_id: int) -> None:
        """Nobody got anything."""
        self._writer.write(lambda db: exports.cancel_export(db, export_id))

    def ended_in_hand(self) -> int:
        """How many pairs nobody can use any more, for their refresh token has ended."""
        return exports.ended_in_hand(self._reader(), self._clock())

    def purge(self) -> purge.Purged:
        """Take the tokens of what was handed over out of the ledger, for good as far as SQLite goes.

        The log stays. It may be interrupted, and done again. Raises ``LedgerLockedError`` while consents are
        served: their process reads the ledger, and would keep what it was.
        """
        with lock.consents(self.path):
            purged = self._writer.write(lambda db: purge.purge(db, self._clock()))
            return replace(purged, wiped=purge.wipe(self.path))

    def served(self, key: str) -> exports.Served | None:
        """Which pair serves the connection of this key; None if there is no such connection."""
        return exports.served(self._reader(), key)

    # --- the campaign ---

    def invite(self, expires_at: datetime) -> int:
        """Invite whoever must consent and holds no invitation that still counts; returns how many.

        An invitation is of use until ``expires_at`` (UTC).
        """
        return self._writer.write(lambda db: invitations.invite(db, self._run_id, expires_at, self._clock()))

    def lengthen_invitations(self, expires_at: datetime) -> int:
        """Let those that end before ``expires_at`` (UTC) end then; returns how many. None ends sooner."""
        return self._writer.write(lambda db: invitations.lengthen(db, expires_at, self._clock()))

    def invitees(self) -> Iterator[Invitee]:
        """Everybody whose invitation counts, with the input's further columns, decrypted."""
        return invitations.invitees(self._reader(), self._codec, self._clock())

    @property
    def link_key(self) -> bytes:
        """What links are signed with; it outlives a change of the ledger's key, as the links must."""
        return self._codec.derived_key(LINKS)

    # --- reading ---

    def agenda(
        self, work: Work, max_attempts: int, *, moment: datetime | None = None, limit: int | None = None
    ) -> Agenda:
        """An agenda that takes in the first ``limit`` connections with such work to do, or all.

        ``moment`` is now where the work speaks of none.
        """
        now = self._clock()
        return agendas.agenda_of(self._reader(), work, moment or now, now, max_attempts, limit=limit)

    def due(self, agenda: Agenda, now: datetime, *, after: int, limit: int) -> list[int]:
        """Ids of open connections that may be called for now, in order, behind the id ``after``."""
        return agendas.due(self._reader(), agenda, now, after=after, limit=limit)

    def next_due(self, agenda: Agenda) -> datetime | None:
        """When the next open connection may be called for; None if none is open."""
        return agendas.next_due(self._reader(), agenda)

    def open_count(self, agenda: Agenda) -> int:
        """How many connections of the agenda are open."""
        return agendas.open_count(self._reader(), agenda)

    def open_ids(self, agenda: Agenda) -> list[int]:
        """Ids of the open connections of an agenda, in order."""
        return agendas.open_ids(self._reader(), agenda)

    def still_open(self, agenda: Agenda) -> int:
        """How many connections an agenda has not settled, those that were asked too often among them."""
        return agendas.open_count(self._reader(), replace(agenda, max_attempts=sys.maxsize))

    def ended_calls(self) -> Counter[tuple[str, str]]:
        """The calls of this run that have ended: action and outcome to number."""
        return status.ended_calls(self._reader(), self._run_id)

    def given_up(self) -> int:
        """How many connections this run found to be over."""
        return status.given_up(self._reader(), self._run_id)

    def findings(self) -> list[status.Finding]:
        """Pairs that work, and do not reach what the legacy row said."""
        return list(status.findings(self._reader()))

    def status(self) -> status.Status:
        """Where the job stands."""
        reader = self._reader()
        with status.one_view(reader):
            return status.status(reader, self._clock())


@contextmanager
def open_for_job(
    path: Path, key: LedgerKey, clock: Clock, *, create: bool, hurry: threading.Event
) -> Iterator[Ledger]:
    """Open a ledger to work on it, alone; made if missing, where ``create`` says so.

    ``hurry`` is set when the job is told to end: from then on it does not wait long for other programs.

    Raises ``LedgerLockedError`` if another process works on it, ``LedgerError`` if there is none, it is not
    ours, or the key is not its key.
    """
    path = path.resolve()
    if create:
        _ensure_file(path)
    elif not opening.exists(path):
        raise LedgerError(
            f"there is no ledger {path}",
            hint="'migrator run TOKENS' makes one; name another with --ledger FILE",
        )
    with lock.exclusive(path), opening.translated(path):
        connection = opening.connect(path, readonly=False)
        try:
            if not create:
                opening.refuse_emptied(connection, path)
            schema.prepare(connection, create=create)
            copying.refuse_work_beside_the_original(connection, path)
            codec = unlock(connection, key, may_claim=True)
            rescue = RescueFile(path, Vault(key))
        except BaseException:
            connection.close()
            raise
        ledger = Ledger(path, connection, codec, rescue, clock, hurry)
        try:
            yield ledger
        finally:
            ledger.close()


@contextmanager
def open_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger for what it says in the clear: no key, no lock, nothing written."""
    with opening.translated(path):
        connection = opening.connect(path.resolve(), readonly=True)
        try:
            opening.refuse_emptied(connection, path)
            schema.check(connection)
            yield connection
        finally:
            connection.close()


@contextmanager
def open_to_compare(path: Path, key: LedgerKey) -> Iterator[tuple[sqlite3.Connection, Codec]]:
    """Open a ledger to hold rows against it: with its key, without a lock, nothing written."""
    with open_to_read(path) as connection:
        yield connection, unlock(connection, key, may_claim=False)


def _ensure_file(path: Path) -> None:
    if path.exists():
        return
    try:
        opening.create_private(path)
    except FileExistsError:
        return
    except OSError as error:
        raise LedgerUnwritableError(
            f"the ledger {path} cannot be made: {error.strerror}", hint="name another with --ledger FILE"
        ) from None


def unlock(connection: sqlite3.Connection, key: LedgerKey, *, may_claim: bool) -> Codec:
    """The codec of a ledger, once the key has been seen to be its key.

    A new ledger is claimed for the key.
    """
    vault = Vault(key)
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    if not meta and may_claim:
        sealed = vault.seal(os.urandom(32).hex(), FINGERPRINT_KEY)
        meta = {"key_id": vault.key_id, "fingerprint_key": sealed}
        connection.execute(
            "INSERT INTO meta (name, value) VALUES ('key_id', ?), ('fingerprint_key', ?)",
            [vault.key_id, sealed],
        )
    if meta.get("key_id") != vault.key_id:
        raise LedgerError(
            f"the ledger was made with key {meta.get('key_id')}, and the one given is {vault.key_id}",
            hint="give the right one as MIGRATOR_LEDGER_KEY, as ledger_key_file, or as the file <ledger>.key",
        )
    fingerprint_key = vault.open(meta["fingerprint_key"], FINGERPRINT_KEY)
    return Codec(vault, Fingerprints(bytes.fromhex(fingerprint_key.reveal())))
