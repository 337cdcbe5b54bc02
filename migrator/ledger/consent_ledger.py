"""The ledger as the consent application uses it: beside the job that may be at work, under a lock of its own.

Both write through SQLite, one transaction at a time; each takes care of its own calls when it comes back.
"""

from __future__ import annotations

import os
import sqlite3
from functools import partial

from migrator.ledger import calls, consents, invitations, recovery, rescued_calls, runs, visits
from migrator.ledger.calls import EndedCall
from migrator.ledger.deliveries import Deliveries
from migrator.ledger.invitations import Invitation, Remaining
from migrator.ledger.open_ledger import OpenLedger
from migrator.ledger.recovery import RecoveredConsents
from migrator.ledger.visits import Visit
from migrator.models import Action, Secret, Standing
from migrator.rules.verdict import Policy

_COOKIE = "consent cookie"
_STATE = "consent state"


class ConsentLedger(OpenLedger):
    """A ledger as long as its users' consents are served."""

    def begin_run(self, policy: Policy, *, workers: int) -> RecoveredConsents:
        """Start to serve, and take stock of what an earlier process left.

        Sets room aside for ``workers`` answers, should the ledger not take them.
        """
        now = self._session.now()
        rescued = list(rescued_calls.waiting(self._rescue))

        def entry(db: sqlite3.Connection) -> tuple[int, RecoveredConsents]:
            left = recovery.take_stock_of_consents(db, self._session.codec, rescued, policy, now)
            return runs.begin_run(db, runs.SERVE, os.getpid(), (), now), left

        self._session.run_id, left = self._session.write(entry)
        self._rescue.set_aside(workers)
        return left

    @property
    def deliveries(self) -> Deliveries:
        """The deliveries that it records."""
        return Deliveries(self._session)

    # --- invitations ---

    def invitation(self, invitation_id: str) -> Invitation | None:
        """An invitation, and where its connection stands; None if there is no such invitation."""
        return invitations.invitation(self._session.reader(), invitation_id)

    def remaining(self, invitation_id: str) -> tuple[Remaining, ...]:
        """The invitations that still count and went to an address that this one went to."""
        return invitations.remaining(self._session.reader(), invitation_id, self._session.now())

    def unverified(self) -> tuple[int, ...]:
        """Connections whose new pair may be asked for once more, and nobody has seen work yet."""
        return consents.unverified(self._session.reader(), self._session.now())

    def opened(self, invitation_id: str) -> None:
        """Somebody looked at the page of an invitation. Returns at once: nobody waits for a page for that."""
        self._session.write_later(lambda db: visits.opened(db, invitation_id, self._session.now()))

    def came_back(self, state_sha256: str, invitation_id: str, visit: Visit) -> None:
        """A user came back without a code. Raises ``AlreadyUsed`` for the second time."""

        def entry(db: sqlite3.Connection) -> None:
            now = self._session.now()
            consents.use_state(db, state_sha256, invitation_id, None, now)
            visits.note(db, invitation_id, visit, now)

        self._session.write(entry)

    def lost_track(self, invitation_id: str) -> str | None:
        """Somebody came back with an invitation's ``state`` and without its cookie; returns whose it is.

        None if there is no such invitation. It is counted, and nothing else comes of it.
        """
        return self._session.write(lambda db: visits.lost_track(db, invitation_id))

    # --- calls ---

    def begin_exchange(self, state_sha256: str, invitation_id: str) -> int | None:
        """Put the intent to exchange a code on disk, and that its state is used; returns the attempt's id.

        None if the connection no longer waits for its user. Raises ``AlreadyUsed``.
        """
        return self._session.write(
            lambda db: consents.begin_exchange(
                db, state_sha256, invitation_id, self._session.run_id, self._session.now()
            )
        )

    def end_exchange(self, call: EndedCall, invitation_id: str, visit: Visit) -> None:
        """Put the outcome of an exchange on disk, with the pair that it won.

        Raises ``LedgerUnwritableError``; then the answer is in the rescue file.
        """

        def entry(db: sqlite3.Connection) -> None:
            if consents.end_exchange(db, self._session.codec, call, self._session.now()):
                visits.note(db, invitation_id, visit, self._session.now())

        self._record(call, partial(self._session.write, entry))

    def begin_call(self, standing: Standing, action: Action) -> int | None:
        """Put the intent of a call about a new pair on disk; returns the attempt's id.

        None if the connection has gone on since its standing was read.
        """
        return self._session.write(
            lambda db: calls.begin_call(db, standing, action, self._session.run_id, self._session.now())
        )

    def end_refresh(self, call: EndedCall) -> None:
        """Put the outcome of the refresh of a new pair on disk. Raises ``LedgerUnwritableError``."""

        def entry(db: sqlite3.Connection) -> None:
            consents.end_refresh(db, self._session.codec, call, self._session.now())

        self._record(call, partial(self._session.write, entry))

    def end_verification(self, call: EndedCall, visit: Visit) -> None:
        """Put on disk what a connection's new pair reaches, and what that makes of its user's visit.

        Raises ``LedgerUnwritableError``.
        """

        def entry(db: sqlite3.Connection) -> None:
            if consents.end_verification(db, self._session.codec, call, self._session.now()):
                visits.note_last(db, call.connection_id, visit, self._session.now())

        self._record(call, partial(self._session.write, entry))

    # --- cookies ---

    def seal_cookie(self, text: str) -> bytes:
        """Encrypt what a browser keeps for us."""
        return self._session.codec.seal(text, _COOKIE)

    def open_cookie(self, sealed: bytes) -> Secret:
        """What ``seal_cookie`` sealed. Raises ``LedgerError`` for anything else."""
        return self._session.codec.open(sealed, _COOKIE)

    def seal_state(self, text: str) -> bytes:
        """Encrypt what a ``state`` says to us on its way back."""
        return self._session.codec.seal(text, _STATE)

    def open_state(self, sealed: bytes) -> Secret:
        """What ``seal_state`` sealed. Raises ``LedgerError`` for anything else."""
        return self._session.codec.open(sealed, _STATE)
