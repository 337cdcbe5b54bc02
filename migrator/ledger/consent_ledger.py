"""The ledger as the consent application uses it: beside the job that may be at work, under a lock of its own.

Both write through SQLite, one transaction at a time; each takes care of its own calls when it comes back.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrator.ledger import calls, consents, invitations, recovery, rescued_calls, runs, schema, visits
from migrator.ledger.calls import EndedCall
from migrator.ledger.file import copying, lock, opening
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.vault import LedgerKey, Vault
from migrator.ledger.invitations import LINKS, Invitation, Remaining
from migrator.ledger.job_ledger import unlock
from migrator.ledger.open_ledger import Book
from migrator.ledger.recovery import Left
from migrator.ledger.visits import Visit
from migrator.models import Action, Clock, Secret, Standing
from migrator.rules.transitions import Policy

_COOKIE = "consent cookie"
_STATE = "consent state"


class ConsentLedger(Book):
    """A ledger as long as its users' consents are served."""

    def begin_run(self, policy: Policy, *, workers: int) -> Left:
        """Start to serve, and take stock of what an earlier process left.

        Sets room aside for ``workers`` answers, should the ledger not take them.
        """
        now = self._clock()
        rescued = list(rescued_calls.waiting(self._rescue))

        def entry(db: sqlite3.Connection) -> tuple[int, Left]:
            left = recovery.take_stock_of_consents(db, self._codec, rescued, policy, now)
            return runs.begin_run(db, runs.SERVE, os.getpid(), (), now), left

        self._run_id, left = self._writer.write(entry)
        self._rescue.set_aside(workers)
        return left

    @property
    def link_key(self) -> bytes:
        """What links are signed with."""
        return self._codec.derived_key(LINKS)

    # --- invitations ---

    def invitation(self, invitation_id: str) -> Invitation | None:
        """An invitation, and where its connection stands; None if there is no such invitation."""
        return invitations.invitation(self._reader(), invitation_id)

    def remaining(self, invitation_id: str) -> tuple[Remaining, ...]:
        """The invitations that still count and went to the same address as this one."""
        return invitations.remaining(self._reader(), invitation_id, self._clock())

    def unverified(self) -> tuple[int, ...]:
        """Connections whose new pair may be asked for once more, and nobody has seen work yet."""
        return consents.unverified(self._reader(), self._clock())

    def opened(self, invitation_id: str) -> None:
        """Somebody looked at the page of an invitation. Returns at once: nobody waits for a page for that."""
        self._writer.write_later(lambda db: visits.opened(db, invitation_id, self._clock()))

    def came_back(self, state_sha256: str, invitation_id: str, visit: Visit) -> None:
        """A user came back without a code. Raises ``AlreadyUsed`` for the second time."""

        def entry(db: sqlite3.Connection) -> None:
            now = self._clock()
            consents.use_state(db, state_sha256, invitation_id, None, now)
            visits.note(db, invitation_id, visit, now)

        self._writer.write(entry)

    def lost_track(self, invitation_id: str) -> str | None:
        """Somebody came back with an invitation's ``state`` and without its cookie; returns whose it is.

        None if there is no such invitation. It is counted, and nothing else comes of it.
        """
        return self._writer.write(lambda db: visits.lost_track(db, invitation_id))

    # --- calls ---

    def begin_exchange(self, state_sha256: str, invitation_id: str) -> int | None:
        """Put the intent to exchange a code on disk, and that its state is used; returns the attempt's id.

        None if the connection no longer waits for its user. Raises ``AlreadyUsed``.
        """
        return self._writer.write(
            lambda db: consents.begin_exchange(db, state_sha256, invitation_id, self._run_id, self._clock())
        )

    def end_exchange(self, call: EndedCall, invitation_id: str, visit: Visit) -> None:
        """Put the outcome of an exchange on disk, with the pair that it won.

        Raises ``LedgerUnwritableError``; then the answer is in the rescue file.
        """

        def entry(db: sqlite3.Connection) -> None:
            if consents.end_exchange(db, self._codec, call, self._clock()):
                visits.note(db, invitation_id, visit, self._clock())

        self._record(call, entry)

    def begin_verification(self, standing: Standing) -> int | None:
        """Put the intent to see a pair work on disk; returns the attempt's id.

        None if the connection has gone on since its standing was read.
        """
        return self._writer.write(
            lambda db: calls.begin_call(db, standing, Action.VERIFY, self._run_id, self._clock())
        )

    def end_verification(self, call: EndedCall, visit: Visit) -> None:
        """Put on disk what a connection's new pair reaches, and what that makes of its user's visit.

        Raises ``LedgerUnwritableError``.
        """

        def entry(db: sqlite3.Connection) -> None:
            if consents.end_verification(db, self._codec, call, self._clock()):
                visits.note_last(db, call.connection_id, visit, self._clock())

        self._record(call, entry)

    # --- cookies ---

    def seal_cookie(self, text: str) -> bytes:
        """Encrypt what a browser keeps for us."""
        return self._codec.seal(text, _COOKIE)

    def open_cookie(self, sealed: bytes) -> Secret:
        """What ``seal_cookie`` sealed. Raises ``LedgerError`` for anything else."""
        return self._codec.open(sealed, _COOKIE)

    def seal_state(self, text: str) -> bytes:
        """Encrypt what a ``state`` says to us on its way back."""
        return self._codec.seal(text, _STATE)

    def open_state(self, sealed: bytes) -> Secret:
        """What ``seal_state`` sealed. Raises ``LedgerError`` for anything else."""
        return self._codec.open(sealed, _STATE)


@contextmanager
def open_for_consents(
    path: Path, key: LedgerKey, clock: Clock, *, hurry: threading.Event
) -> Iterator[ConsentLedger]:
    """Open a ledger to serve its users' consents, which only one process does.

    Raises ``LedgerLockedError`` if another one does, or changes the ledger's key, or purges it;
    ``LedgerError`` if there is no ledger, it is not ours, or the key is not its key.
    """
    path = path.resolve()
    with lock.consents(path), opening.translated(path):
        connection = opening.connect(path, readonly=False)
        try:
            opening.refuse_emptied(connection, path)
            schema.prepare(connection, create=False)
            copying.refuse_work_beside_the_original(connection, path)
            codec = unlock(connection, key, may_claim=False)
            rescue = RescueFile(lock.serve_path(path), Vault(key))
        except BaseException:
            connection.close()
            raise
        ledger = ConsentLedger(path, connection, codec, rescue, clock, hurry)
        try:
            yield ledger
        finally:
            ledger.close()
