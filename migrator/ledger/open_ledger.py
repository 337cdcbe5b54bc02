"""An open ledger, whoever works on it: read by many threads, written by one, with a place for what it cannot
take.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from migrator.errors import LedgerUnwritableError
from migrator.ledger import connections, pairs, rescued_calls, runs, sealed_answers, standings
from migrator.ledger.calls import EndedCall
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.session import Session
from migrator.ledger.invitations import LINKS
from migrator.ledger.sealed_answers import SealedAnswer
from migrator.models import Action, Standing
from migrator.rules.verdict import Verdict


class _Write(Protocol):
    """Writes something, and calls ``meanwhile`` if that takes long."""

    def __call__(self, *, meanwhile: Callable[[], None]) -> object: ...


class OpenLedger:
    """What every open ledger does."""

    def __init__(self, session: Session, rescue: RescueFile) -> None:
        self._session = session
        self._rescue = rescue

    def close(self) -> None:
        """Commit what is queued and let go of the file."""
        self._session.close()
        self._rescue.close()

    @property
    def link_key(self) -> bytes:
        """What links are signed with; it outlives a change of the ledger's key, as the links must."""
        return self._session.codec.derived_key(LINKS)

    def end_run(self, outcome: str, resume_at: datetime | None = None) -> None:
        """How the run ended: ``done``, ``incomplete``, ``stopped`` or ``interrupted``.

        ``resume_at`` is when the provider lets another one go on (UTC), where it said so.
        """
        self._session.write(
            lambda db: runs.end_run(db, self._session.run_id, outcome, self._session.now(), resume_at)
        )

    def standing(self, connection_id: int) -> Standing:
        """Where one connection stands."""
        session = self._session
        return standings.standing(
            session.reader(), session.codec, connection_id, session.rules.further_columns
        )

    def standings(self, connection_ids: Sequence[int]) -> list[Standing]:
        """Where several connections stand, in the order of their ids."""
        session = self._session
        return standings.standings(
            session.reader(), session.codec, connection_ids, session.rules.further_columns
        )

    def other_provider(self, provider: str) -> str:
        """A provider that some connection is of, and that is not this one; empty if all are of this one."""
        return connections.other_provider(self._session.reader(), provider)

    def applications(self) -> dict[str, int]:
        """The legacy applications that rows named, by consumer key, and how many connections are of each."""
        return connections.applications(self._session.reader())

    # --- answers that were not understood ---

    def not_understood(self, action: Action | None = None) -> list[int]:
        """Ids of the connections for which a pair in such an answer would be of use, in order.

        With ``action`` only of those whose user must consent unless the answer to such a call holds one.
        """
        return sealed_answers.not_understood(self._session.reader(), action)

    def sealed_answers(self, connection_id: int, action: Action | None = None) -> list[SealedAnswer]:
        """The answers to calls for one connection that were not understood, and with which it could go on
        from where it stands, the newest first. With ``action`` only those to such calls.
        """
        reader, codec = self._session.reader(), self._session.codec
        return list(sealed_answers.of_connection(reader, codec, connection_id, action))

    def answers_before_giving_up(self, connection_id: int, dying: int | None) -> list[SealedAnswer]:
        """The same, wherever it stands: ``dying`` is its pair, where that is about to be given up."""
        reader, codec = self._session.reader(), self._session.codec
        return list(sealed_answers.before_giving_up(reader, codec, connection_id, dying))

    def set_aside_for(self, pair_id: int) -> int | None:
        """The pair in whose place this one came, if nothing shows that this one ever worked."""
        return pairs.set_aside_for(self._session.reader(), self._session.codec, pair_id)

    def understood(self, connection_id: int, verdict: Verdict) -> bool:
        """Take in what an answer held after all; False if the connection has gone on without it."""
        session = self._session
        return session.write(
            lambda db: sealed_answers.understood(db, session.codec, connection_id, verdict, session.now())
        )

    def _record(self, call: EndedCall, write: _Write) -> None:
        """Put the outcome of a call on disk, with whatever it won, as ``write`` does.

        While the ledger does not take it, it is in the rescue file: a kill must not cost it. Raises
        ``LedgerUnwritableError`` if the ledger cannot take it at all.
        """
        saved = threading.Event()

        def save() -> None:
            rescued_calls.save(self._rescue, call)
            saved.set()

        def save_meanwhile() -> None:
            with suppress(OSError):  # it waits for the ledger, which may take it yet
                save()

        try:
            write(meanwhile=save_meanwhile)
        except LedgerUnwritableError:
            if not saved.is_set():
                self._save_or_tell(call, save)
            raise

    def _save_or_tell(self, call: EndedCall, save: Callable[[], None]) -> None:
        try:
            save()
        except OSError as error:
            problem = f"neither the ledger nor {self._rescue.path} can be written: {error.strerror or error}"
            raise LedgerUnwritableError(
                problem,
                hint=f"the answer for connection {call.connection_id} is lost; make room, then resume",
            ) from None
