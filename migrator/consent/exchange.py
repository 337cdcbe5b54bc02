"""What happens when a user comes back with a code: it is exchanged, and the new pair is seen to reach what
was asked for. Both in two steps, as with every call: the intent on disk before, the outcome after.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from migrator.consent.visits.outcomes import after_exchange, after_verification
from migrator.engine.application_token import ApplicationTokens, Prepared
from migrator.engine.call_material import about
from migrator.engine.reread_answers import before_giving_up, reread
from migrator.ledger.calls import EndedCall
from migrator.ledger.consent_ledger import ConsentLedger
from migrator.ledger.invitations import Invitation
from migrator.ledger.visits import Visit
from migrator.models import Action, Clock, Credentials, Secret, Standing, State, StoredPair
from migrator.providers import (
    Answer,
    Later,
    NoAnswer,
    NoRefreshToken,
    Outcome,
    Profile,
    Reached,
    StopAll,
    Suspect,
    Unknown,
    Won,
    error_description,
    network_faults,
)
from migrator.rules.transitions import settle
from migrator.rules.verdict import Policy, Verdict
from migrator.rules.visit_outcome import VisitOutcome
from migrator.wire.http import Wire

log = logging.getLogger(__name__)

_PAUSE = timedelta(seconds=5)
"""Before ``resume`` asks again what was not answered here."""
_MOST_REFRESHES = 3
"""So many of what may be the refresh token are tried while a user waits; the others are the job's to try."""
MOST_CALLS = 1 + _MOST_REFRESHES + 1
"""For one user: to exchange the code, to refresh what that brought, and to see the pair work."""


class Exchange:
    """Exchanges codes, for many users at once."""

    def __init__(
        self,
        ledger: ConsentLedger,
        profile: Profile,
        credentials: Credentials,
        policy: Policy,
        *,
        redirect_uri: str,
        new_wire: Callable[[], Wire],
        clock: Clock,
    ) -> None:
        """``new_wire`` is called once by each thread."""
        self._application_tokens = ApplicationTokens(profile, clock)
        self._ledger = ledger
        self._profile = profile
        self._credentials = credentials
        self._policy = policy
        self._redirect_uri = redirect_uri
        self._new_wire = new_wire
        self._clock = clock
        self._local = threading.local()
        self._wires: list[Wire] = []

    def close(self) -> None:
        """Let go of the connections."""
        for wire in self._wires:
            wire.close()

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The application's own, which nobody who is told something shall read in it."""
        return (self._credentials.client_secret, self._credentials.consumer_secret)

    def client_id_for(self, invitation: Invitation) -> str:
        """The client that an invitation's user authorises: its own legacy application's successor."""
        standing = self._ledger.standing(invitation.connection_id)
        return self._credentials.of(standing.consumer_key).client_id

    def redeem(
        self,
        invitation: Invitation,
        state_sha256: str,
        code: Secret,
        verifier: Secret,
        confirmable: tuple[str, ...],
    ) -> None:
        """Exchange a user's code; what came of it is in the ledger.

        ``confirmable`` are the ids of tenants that they had been told are called otherwise than is expected.

        Raises ``AlreadyUsed`` if the state has come before, ``LedgerUnwritableError``.
        """
        prepared = self._prepare(
            self._ledger.standing(invitation.connection_id),
            Action.EXCHANGE_CODE,
            code=code,
            code_verifier=verifier,
            redirect_uri=self._redirect_uri,
        )
        attempt_id = self._ledger.begin_exchange(state_sha256, invitation.id)
        if attempt_id is None:  # somebody has done it meanwhile
            return
        standing = self._ledger.standing(invitation.connection_id)
        answer, outcome = self._send(prepared, Action.EXCHANGE_CODE)
        verdict = settle(standing, Action.EXCHANGE_CODE, outcome, self._clock(), self._policy, _PAUSE)
        visit = after_exchange(outcome, error_description(answer), (code, verifier, *self.secrets))
        call = self._ended(
            attempt_id, standing, None, Action.EXCHANGE_CODE, answer, outcome, verdict, prepared.secrets
        )
        self._ledger.end_exchange(call, invitation.id, visit)
        _log_outcome(invitation.key, Action.EXCHANGE_CODE, outcome, verdict, visit)
        if isinstance(outcome, Won) or (isinstance(outcome, Unknown) and self._has_arrived(standing.id)):
            self.verify(standing.id, confirmable)

    def verify(self, connection_id: int, confirmable: tuple[str, ...] = ()) -> None:
        """See which tenants the new pair of a connection reaches; what came of it is in the ledger.

        An access token that has ended, or never came, is refreshed first. Nothing is asked where there is no
        such pair, or none came of that: the rest is the job's.
        """
        standing = replace(self._refreshed(connection_id), confirmed=confirmable)
        stored = standing.pair
        if standing.state is not State.UNCERTAIN or stored is None or self._has_ended(standing):
            return
        prepared = self._prepare(standing, Action.VERIFY)
        attempt_id = self._ledger.begin_call(standing, Action.VERIFY)
        if attempt_id is None:
            return
        answer, outcome = self._send(prepared, Action.VERIFY)
        if isinstance(outcome, Reached):
            outcome = self._profile.chosen(outcome, stored.pair.access_token)
        verdict = settle(standing, Action.VERIFY, outcome, self._clock(), self._policy, _PAUSE)
        visit = after_verification(outcome, verdict)
        call = self._ended(
            attempt_id, standing, stored, Action.VERIFY, answer, outcome, verdict, prepared.secrets
        )
        self._ledger.end_verification(call, visit)
        _log_outcome(standing.key, Action.VERIFY, outcome, verdict, visit)

    def _refreshed(self, connection_id: int) -> Standing:
        """Where a connection stands once its new pair was refreshed, if its access token is of no use."""
        standing = self._ledger.standing(connection_id)
        for _ in range(_MOST_REFRESHES):
            if standing.doubt is not Action.EXCHANGE_CODE or not self._has_ended(standing):
                break
            brought_a_pair = self._refresh(standing)
            standing = self._ledger.standing(connection_id)
            if not brought_a_pair:
                break
        return standing

    def _has_ended(self, standing: Standing) -> bool:
        """Whether the access token of a connection's pair is of no use any more."""
        return standing.pair is not None and standing.pair.pair.ended(self._clock())

    def _refresh(self, standing: Standing) -> bool:
        """Refresh a new pair; whether that brought another, be it one that an earlier answer held."""
        stored = standing.pair
        if stored is None or not self._profile.has(Action.REFRESH):
            return False
        prepared = self._prepare(standing, Action.REFRESH)
        attempt_id = self._ledger.begin_call(standing, Action.REFRESH)
        if attempt_id is None:
            return False
        answer, outcome = self._send(prepared, Action.REFRESH)
        verdict = settle(standing, Action.REFRESH, outcome, self._clock(), self._policy, _PAUSE)
        verdict = before_giving_up(self._ledger, self._profile, standing, Action.REFRESH, verdict)
        self._ledger.end_refresh(
            self._ended(
                attempt_id, standing, stored, Action.REFRESH, answer, outcome, verdict, prepared.secrets
            )
        )
        log.info("connection %s: %s: %s %s", standing.key, Action.REFRESH, verdict.outcome, verdict.problem)
        return verdict.new_pair is not None

    def _has_arrived(self, connection_id: int) -> bool:
        """Whether what an exchange won stands in an answer that was not understood: before the user is asked
        once more.
        """
        return reread(self._ledger, self._profile, connection_id, Action.EXCHANGE_CODE)

    def _prepare(self, standing: Standing, action: Action, **of_code: Any) -> Prepared:
        """A call about a connection, before its intent is on disk; ``of_code`` is what an exchange needs."""
        given = replace(about(standing, self._credentials), **of_code)
        return self._application_tokens.prepare(self._profile.request(action, given), given, self._wire())

    def _send(self, prepared: Prepared, action: Action) -> tuple[Answer | NoAnswer, Outcome]:
        answer, of_application = self._application_tokens.send(prepared, self._wire())
        outcome = self._profile.read(action, answer, prepared.secrets)
        return answer, outcome if of_application is None or isinstance(outcome, Won) else of_application

    def _ended(
        self,
        attempt_id: int,
        standing: Standing,
        stored: StoredPair | None,
        action: Action,
        answer: Answer | NoAnswer,
        outcome: Outcome,
        verdict: Verdict,
        secrets: tuple[Secret, ...],
    ) -> EndedCall:
        return EndedCall.of(
            attempt_id,
            standing.id,
            stored,
            action,
            answer,
            outcome,
            verdict,
            support_id=self._profile.support_id(action, answer, secrets),
        )

    def _wire(self) -> Wire:
        wire: Wire | None = getattr(self._local, "wire", None)
        if wire is None:
            wire = self._local.wire = self._new_wire()
            self._wires.append(wire)
        return wire


def _log_outcome(key: str, action: Action, outcome: Outcome, verdict: Verdict, visit: Visit) -> None:
    """To the operator's log; never a code, token or link."""
    if isinstance(outcome, Suspect | StopAll | NoRefreshToken | Unknown) and outcome.hint:
        said = f" ({visit.said})" if visit.said else ""
        log.error(
            "connection %s: %s: the provider answers %s%s: %s",
            key,
            action,
            outcome.problem,
            said,
            outcome.hint,
        )
    elif isinstance(outcome, Later) and outcome.problem in network_faults.HINTS:
        hint = network_faults.HINTS[outcome.problem]
        log.error("connection %s: %s: no way to the provider, %s: %s", key, action, outcome.problem, hint)
    elif visit.outcome in (
        VisitOutcome.OTHER_TENANT,
        VisitOutcome.OTHER_NAME,
        VisitOutcome.NO_TENANT,
        VisitOutcome.SEVERAL_TENANTS,
    ):
        log.warning(
            "connection %s: the user consented: %s: %s", key, visit.outcome, ", ".join(visit.connected)
        )
    else:
        log.info("connection %s: %s: %s %s", key, action, verdict.outcome, verdict.problem)
