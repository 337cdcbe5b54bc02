"""The resumable job: claim a connection, call, read, judge, record, until nothing is open.

It holds nothing that the ledger does not: killed at any moment, it goes on from there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from migrator import waiting
from migrator.engine.application_token import ApplicationTokens, Prepared
from migrator.engine.call_material import about, with_user
from migrator.engine.delivery import Delivering
from migrator.engine.first_fault import Fault
from migrator.engine.gate import Gate, LimitUsedUpError
from migrator.engine.reread_answers import before_giving_up, reread
from migrator.engine.worker_pool import LONGEST_LOOK, WorkerPool
from migrator.errors import StoppedError
from migrator.ledger.calls import EndedCall
from migrator.ledger.job_ledger import Ledger
from migrator.models import Action, Clock, Credentials, Secret, Standing, State
from migrator.providers import Answer, NoAnswer, Outcome, Profile, Reached, Won
from migrator.rules.agenda import Agenda, Work
from migrator.rules.breaker import Breaker
from migrator.rules.judgement import JudgedAt, judge
from migrator.rules.next_step import Call, Rest, Wait
from migrator.rules.stop_reasons import Stop, used_up
from migrator.rules.verdict import Policy, Verdict
from migrator.terminal.progress import Progress
from migrator.wire.http import Wire
from migrator.wire.running_time import RunningClock

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What a job works with."""

    profile: Profile
    credentials: Credentials
    gate: Gate
    new_wire: Callable[[], Wire]
    """Called once by each worker."""
    clock: Clock
    due: Clock
    """Tells whether somebody has waited long enough: as ``clock``, but never ahead of the time that passed.

    Who waits for a call that may still run at the provider waits for real, whoever sets the clock.
    """
    running: RunningClock
    """Counts how long trouble was borne; while this process was stopped, nothing was."""
    random: Random
    """For jitter."""
    progress: Progress
    application_tokens: ApplicationTokens
    delivering: Delivering
    """Holds swaps up while the application has not got what they won."""


class Job:
    """One run over a range of the ledger."""

    def __init__(
        self, ledger: Ledger, tools: Tools, policy: Policy, *, concurrency: int, stop: threading.Event
    ) -> None:
        """``stop`` ends the job once what is in flight has been answered and recorded.

        The job sets it too, on a fault.
        """
        self._ledger = ledger
        self._tools = tools
        self._policy = policy
        self._concurrency = concurrency
        self._fault = Fault(stop)
        self._stop = stop
        self._breaker = Breaker()
        self._judging = threading.Lock()
        self._is_last: Callable[[], bool] = _always  # where calls are made one after the other

    def work(self, agenda: Agenda) -> None:
        """Work until nothing of the agenda is open, or the job is told to stop.

        Raises ``StoppedError`` for a fault that would hit every connection, ``LedgerUnwritableError`` if
        nothing can be recorded.
        """
        tools = self._tools
        pool = WorkerPool(
            self._ledger,
            tools.progress,
            tools.clock,
            tools.due,
            size=self._concurrency,
            crowded=tools.gate.is_crowded,
            fault=self._fault,
        )
        self._is_last = pool.is_last
        pool.run(agenda, lambda: _Worker(self, agenda, tools.new_wire()))
        self._fault.raise_if_any()

    def verify(self, connection_ids: list[int]) -> None:
        """See each stored pair work, one after the other; what came of it is in the ledger.

        Nothing is asked where the provider cannot be.
        """
        if not self._policy.terms.verifies:
            return
        self._call_each(connection_ids, Action.VERIFY, _verifiable)

    def revoke(self, connection_id: int) -> None:
        """Make a connection's pair worthless; what came of it is in the ledger."""
        self._call_each([connection_id], Action.REVOKE, _revocable)

    def _call_each(
        self, connection_ids: list[int], action: Action, wanted: Callable[[Standing], bool]
    ) -> None:
        """Make one kind of call for each connection, one after the other, as long as it is wanted."""
        wire = self._tools.new_wire()
        try:
            for connection_id in connection_ids:
                self._call_until_settled(connection_id, action, wanted, wire)
        finally:
            wire.close()
        self._fault.raise_if_any()

    def _call_until_settled(
        self, connection_id: int, action: Action, wanted: Callable[[Standing], bool], wire: Wire
    ) -> None:
        for _ in range(self._policy.max_attempts):
            standing = self._standing(connection_id)
            if self._stop.is_set() or not wanted(standing):
                return
            verdict = self._call(standing, action, wire)
            if verdict is not None and verdict.not_before is not None:
                self._wait_for(verdict.not_before)

    def _wait_for(self, moment: datetime) -> None:
        while (seconds := (moment - self._tools.due()).total_seconds()) > 0:
            if waiting.until_set(self._stop, min(seconds, LONGEST_LOOK)):
                return

    def waited_for_application(self, agenda: Agenda) -> bool:
        """Whether no pair was to be won just now, and it had to be waited for that."""
        return agenda.work is Work.SWAP and self._tools.delivering.holds_up(self._stop)

    def work_on(self, standing: Standing, agenda: Agenda, wire: Wire) -> None:
        """Take one connection as far as it goes now, from where it stands."""
        called = False
        standing = with_user(standing, self._tools.profile)
        while not self._stop.is_set():
            step = agenda.step(standing, self._policy.terms, self._tools.due())
            if self._has_arrived(standing, step):
                standing = self._standing(standing.id)
                continue
            match step:
                case Call():
                    verdict = self._call(standing, step.action, wire, priority=called)
                    if verdict is None or self._leaves(agenda, step.action, verdict):
                        return
                    called = True
                    standing = self._standing(standing.id)
                case Wait():
                    return
                case Rest():
                    if step.state is not standing.state:
                        self._ledger.rest(standing, step.state, step.reason)
                        called = True
                    elif step.state is State.UNCERTAIN:  # nothing shows what it has: not for ever
                        self._ledger.leave(standing, self._policy.max_attempts)
                        called = True
                    if called:  # else somebody has just carried it here
                        self._tools.progress.advance(step.state)
                    return

    def _standing(self, connection_id: int) -> Standing:
        """Where a connection stands, with its user's id if its legacy token shows that."""
        return with_user(self._ledger.standing(connection_id), self._tools.profile)

    def _has_arrived(self, standing: Standing, step: Call | Wait | Rest) -> bool:
        """Whether what a lost call won stands in an answer that nobody understood: before it is asked again,
        or its user is.
        """
        if standing.doubt is None or isinstance(step, Wait):
            return False
        return reread(self._ledger, self._tools.profile, standing.id)

    def _leaves(self, agenda: Agenda, action: Action, verdict: Verdict) -> bool:
        """Whether nothing more is done for a connection now."""
        if verdict.tries >= self._policy.max_attempts or agenda.is_over(action, verdict):
            self._tools.progress.advance(verdict.state)
            return True
        return verdict.not_before is not None

    def _call(
        self, standing: Standing, action: Action, wire: Wire, *, priority: bool = False
    ) -> Verdict | None:
        """One call to the provider: intent on disk, call, outcome on disk.

        ``priority`` lets it go before others. None if the job stops before the intent, or the connection has
        gone on without it.
        """
        if not self._admit(standing, action, priority=priority):
            return None
        try:
            prepared = self._prepare(standing, action, wire)
            attempt_id = self._ledger.begin_call(standing, action)
            if attempt_id is None:
                return None
            answer, of_application = self._tools.application_tokens.send(prepared, wire)
            outcome = self._read(standing, action, answer, prepared.secrets)
            if of_application is not None and not isinstance(outcome, Won):
                outcome = of_application
            verdict = self._judge(standing, action, outcome)
            verdict = before_giving_up(self._ledger, self._tools.profile, standing, action, verdict)
            call = EndedCall.of(
                attempt_id,
                standing.id,
                standing.pair,
                action,
                answer,
                outcome,
                verdict,
                support_id=self._tools.profile.support_id(action, answer, prepared.secrets),
            )
            self._ledger.end_call(call)
        finally:
            self._tools.gate.leave(action, standing.consumer_key)
        status = answer.status if isinstance(answer, Answer) else "-"
        log.debug(
            "connection %d: %s: %s %s %s", standing.id, action, verdict.outcome, status, verdict.problem
        )
        return verdict

    def _admit(self, standing: Standing, action: Action, *, priority: bool) -> bool:
        """Wait until a call may leave; False if the job stops instead, for whatever reason."""
        try:
            return self._tools.gate.admit(self._stop, action, standing.consumer_key, priority=priority)
        except LimitUsedUpError as error:
            self._stop_for(used_up(error.limit, error.seconds, self._tools.clock()))
            return False

    def _prepare(self, standing: Standing, action: Action, wire: Wire) -> Prepared:
        given = about(standing, self._tools.credentials)
        request = self._tools.profile.request(action, given)
        return self._tools.application_tokens.prepare(request, given, wire)

    def _read(
        self, standing: Standing, action: Action, answer: Answer | NoAnswer, secrets: tuple[Secret, ...]
    ) -> Outcome:
        profile = self._tools.profile
        if isinstance(answer, Answer):
            self._tools.gate.note_remaining(profile.remaining(answer), standing.consumer_key)
        outcome = profile.read(action, answer, secrets)
        if isinstance(outcome, Reached) and standing.consented and standing.pair:
            return profile.chosen(outcome, standing.pair.pair.access_token)
        return outcome

    def _judge(self, standing: Standing, action: Action, outcome: Outcome) -> Verdict:
        """One answer at a time: each is judged by what those before it have shown."""
        with self._judging:
            moment = JudgedAt(
                self._tools.clock(),
                self._tools.running(),
                self._tools.random.random(),
                alone=self._tools.gate.is_alone() and self._is_last(),
            )
            judgement = judge(standing, action, outcome, self._breaker, moment, self._policy)
            self._breaker = judgement.breaker
            pause = None if isinstance(judgement.job, Stop) else judgement.job
            self._tools.gate.apply(pause, cautious=judgement.breaker.cautious)
        if isinstance(judgement.job, Stop):
            self._stop_for(judgement.job)
        return judgement.verdict

    def _stop_for(self, stop: Stop) -> None:
        self._fault.occurred(StoppedError(stop.message, hint=stop.hint, resume_at=stop.resume_at))


@dataclass(frozen=True)
class _Worker:
    """One task's part of a job, with a way to the provider of its own."""

    job: Job
    agenda: Agenda
    wire: Wire

    def work_on(self, standing: Standing) -> None:
        if self.job.waited_for_application(self.agenda):
            return  # it comes again, from where it stands by then
        self.job.work_on(standing, self.agenda, self.wire)

    def close(self) -> None:
        self.wire.close()


def _always() -> bool:
    return True


def _verifiable(standing: Standing) -> bool:
    return standing.state is State.MIGRATED and standing.pair is not None and not standing.pair.verified


def _revocable(standing: Standing) -> bool:
    being_revoked = standing.state is State.UNCERTAIN and standing.doubt is Action.REVOKE
    return standing.pair is not None and (standing.state is State.MIGRATED or being_revoked)
