"""The resumable job: take what is open from the ledger, call, record, until nothing is open.

It holds nothing that the ledger does not: killed at any moment, it goes on from there.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from migrator.engine.gate import Gate
from migrator.engine.reread import reread
from migrator.errors import StoppedError
from migrator.ledger import EndedCall, Ledger
from migrator.models import RESPONSE_LOST, Action, Clock, Credentials, Standing, State
from migrator.providers import (
    RATE_LIMITED,
    Answer,
    Later,
    NoAnswer,
    NoRefreshToken,
    Outcome,
    Over,
    Profile,
    Reached,
    Renewed,
    Request,
    Revoked,
    StopAll,
    Suspect,
    Unknown,
    Won,
    faults,
)
from migrator.rules.agenda import Agenda
from migrator.rules.pacing import LONGEST_PAUSE, Trip, backoff
from migrator.rules.plan import Call, Rest, Wait
from migrator.rules.transitions import Policy, Verdict, give_up, refused, settle
from migrator.terminal.progress import Progress
from migrator.wire.http import Wire
from migrator.wording import counted

log = logging.getLogger(__name__)

_PAGE = 500
_POLL = 0.05
_LONGEST_LOOK = 5.0
"""Seconds between two looks at what is waited for."""
_SUSPECT_PAUSE = timedelta(seconds=2)
"""A connection under suspicion lets others go first: they tell whether it is its fault or everybody's.
Its second such answer is its own fault if others have got good ones since."""


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
    dice: Random
    progress: Progress


class Job:
    """One run over a range of the ledger, by several workers."""

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
        self._stop = stop
        self._fault: BaseException | None = None
        self._queue: queue.Queue[int | None] = queue.Queue(maxsize=2 * concurrency)
        self._claimed: set[int] = set()
        self._lock = threading.Lock()
        self._went_well: dict[Action, datetime] = {}
        self._awaited: datetime | None = None

    def work(self, agenda: Agenda) -> None:
        """Work until nothing of the agenda is open, or the job is told to stop.

        Raises ``StoppedError`` for a fault that would hit every connection, ``LedgerUnwritableError`` if
        nothing can be recorded.
        """
        workers = [
            threading.Thread(target=self._serve, args=[agenda], name=f"worker-{number}", daemon=True)
            for number in range(self._concurrency)
        ]
        for worker in workers:
            worker.start()
        try:
            self._feed(agenda)
        finally:
            for _ in workers:
                self._put(None)
            for worker in workers:
                worker.join()
        if self._fault is not None:
            raise self._fault

    def verify(self, connection_ids: list[int]) -> None:
        """See each stored pair work, one after the other; what came of it is in the ledger."""
        self._insist(connection_ids, Action.VERIFY, _verifiable)

    def revoke(self, connection_id: int) -> None:
        """Make a connection's pair worthless; what came of it is in the ledger."""
        self._insist([connection_id], Action.REVOKE, _revocable)

    def _insist(self, connection_ids: list[int], action: Action, wanted: Callable[[Standing], bool]) -> None:
        """Make one kind of call for each connection, one after the other, as long as it is wanted."""
        wire = self._tools.new_wire()
        try:
            for connection_id in connection_ids:
                self._insist_on_one(connection_id, action, wanted, wire)
        finally:
            wire.close()
        if self._fault is not None:
            raise self._fault

    def _insist_on_one(
        self, connection_id: int, action: Action, wanted: Callable[[Standing], bool], wire: Wire
    ) -> None:
        for _ in range(self._policy.max_attempts):
            standing = self._ledger.standing(connection_id)
            if self._stop.is_set() or not wanted(standing):
                return
            verdict = self._call(standing, action, wire)
            if verdict is not None and verdict.not_before is not None:
                self._wait_for(verdict.not_before)

    def _wait_for(self, moment: datetime) -> None:
        while (seconds := (moment - self._tools.due()).total_seconds()) > 0:
            if self._stop.wait(min(seconds, _LONGEST_LOOK)):
                return

    # --- handing out ---

    def _feed(self, agenda: Agenda) -> None:
        after = 0
        while not self._stop.is_set():
            page = self._ledger.due(agenda, self._tools.due(), after=after, limit=_PAGE)
            handed = sum(self._hand_out(connection_id) for connection_id in page)
            after = page[-1] if len(page) == _PAGE else 0
            if handed or after:
                continue
            if self._busy():
                self._stop.wait(_POLL)
            elif not self._await_due(agenda):
                return

    def _hand_out(self, connection_id: int) -> bool:
        with self._lock:
            if connection_id in self._claimed:
                return False
            self._claimed.add(connection_id)
        self._put(connection_id)
        return True

    def _put(self, item: int | None) -> None:
        """Into the bounded queue, once there is room; workers that stop take nothing any more."""
        while not self._stop.is_set():
            try:
                return self._queue.put(item, timeout=_POLL)
            except queue.Full:
                continue
        return None

    def _busy(self) -> bool:
        with self._lock:
            return bool(self._claimed)

    def _await_due(self, agenda: Agenda) -> bool:
        """Wait until something is due; False if nothing is open any more."""
        moment = self._ledger.next_due(agenda)
        if moment is None:
            return False
        seconds = (moment - self._tools.clock()).total_seconds()
        if seconds > LONGEST_PAUSE:
            return False
        if seconds > 1 and moment != self._awaited:
            waiting = self._ledger.open_count(agenda)
            again = counted(waiting, "is to be asked again,", "are to be asked again, the next")
            self._tools.progress.note(f"{again} in {seconds:.0f} s")
        self._awaited = moment
        # A hair more, so that it is due when we look; not for long, as others may have settled it meanwhile.
        seconds = (moment - self._tools.due()).total_seconds()
        self._stop.wait(min(max(seconds, 0) + 0.001, _LONGEST_LOOK))
        return True

    # --- working ---

    def _serve(self, agenda: Agenda) -> None:
        wire = self._tools.new_wire()
        try:
            while (connection_id := self._next()) is not None:
                self._carry(agenda, connection_id, wire)
                with self._lock:
                    self._claimed.discard(connection_id)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the job was started
            self._fail(error)
        finally:
            wire.close()

    def _next(self) -> int | None:
        while not self._stop.is_set():
            try:
                return self._queue.get(timeout=_POLL)
            except queue.Empty:
                continue
        return None

    def _carry(self, agenda: Agenda, connection_id: int, wire: Wire) -> None:
        """Take one connection as far as it goes now."""
        called = False
        while not self._stop.is_set():
            standing = self._ledger.standing(connection_id)
            step = agenda.step(standing, self._tools.due())
            match step:
                case Call():
                    verdict = self._call(standing, step.action, wire, first=called)
                    if verdict is None or self._waits(verdict):
                        return
                    called = True
                case Wait():
                    return
                case Rest():
                    if step.state is not standing.state:
                        self._ledger.rest(standing, step.state, step.reason)
                        called = True
                    if called:  # else somebody has just carried it here
                        self._tools.progress.advance(step.state)
                    return

    def _waits(self, verdict: Verdict) -> bool:
        """Whether nothing more is done for a connection now."""
        if verdict.tries >= self._policy.max_attempts:
            self._tools.progress.advance(verdict.state)
            return True
        return verdict.not_before is not None

    def _call(self, standing: Standing, action: Action, wire: Wire, *, first: bool = False) -> Verdict | None:
        """One call to the provider: intent on disk, call, outcome on disk.

        ``first`` lets it go before others. None if the job stops before the intent, or the connection has
        gone on without it.
        """
        if not self._tools.gate.admit(self._stop, first=first):
            return None
        try:
            attempt_id = self._ledger.begin_call(standing, action)
            if attempt_id is None:
                return None
            answer = wire.send(self._request(standing, action))
            outcome = self._tools.profile.read(action, answer)
            if isinstance(outcome, Reached) and standing.consented and standing.pair:
                outcome = self._tools.profile.chosen(outcome, standing.pair.pair.access_token)
            self._hear(answer)
            verdict = self._judge(standing, action, outcome)
            self._ledger.end_call(
                EndedCall.of(attempt_id, standing.id, standing.pair, answer, outcome, verdict)
            )
            if (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, RESPONSE_LOST):
                # Before its user is asked: did an answer hold a pair that nobody understood?
                reread(self._ledger, self._tools.profile, standing.id)
        finally:
            self._tools.gate.leave()
        status = answer.status if isinstance(answer, Answer) else "-"
        log.debug(
            "connection %d: %s: %s %s %s", standing.id, action, verdict.outcome, status, verdict.problem
        )
        return verdict

    def _request(self, standing: Standing, action: Action) -> Request:
        profile, credentials = self._tools.profile, self._tools.credentials
        match action, standing.pair:
            case Action.SWAP, _:
                return profile.swap(standing.legacy, standing.tenant_type, credentials)
            case Action.RENEW, _:
                return profile.renew(standing.legacy)
            case Action.VERIFY, stored if stored is not None:
                return profile.verify(stored.pair.access_token)
            case Action.REFRESH, stored if stored is not None:
                return profile.refresh(stored.pair.refresh_token, credentials)
            case Action.REVOKE, stored if stored is not None:
                return profile.revoke(stored.pair.refresh_token, credentials)
        raise ValueError(f"the job makes no call {action}")

    def _judge(self, standing: Standing, action: Action, outcome: Outcome) -> Verdict:
        now = self._tools.clock()
        pause = timedelta(seconds=backoff(standing.tries, self._tools.dice))
        if _ends_a_grant(standing, action, outcome) and isinstance(outcome, Over):
            return self._judge_refusal(standing, action, outcome, now)
        if isinstance(outcome, Suspect):
            if self._alone(standing, action, outcome):
                return give_up(standing, action, outcome, now, pause)
            pause = _SUSPECT_PAUSE
            if standing.state is State.MIGRATED and standing.tries:
                # Its pair is safe: one that keeps getting such answers is left, and stops nobody else.
                return settle(standing, action, outcome, now, self._policy, pause)
        trip = self._tools.gate.listen(action, outcome)
        if trip is not None:
            self._fail(_stopped(outcome, trip, now))
        if isinstance(outcome, Won | Renewed | Reached | Revoked):
            self._went_well[action] = now
        if isinstance(outcome, Later) and self._tools.gate.in_trouble():
            standing = replace(
                standing, tries=0
            )  # it is everybody's trouble, and not this connection's failure
        return settle(standing, action, outcome, now, self._policy, pause)

    def _judge_refusal(self, standing: Standing, action: Action, outcome: Over, now: datetime) -> Verdict:
        """A token was refused, and no lost call explains it: the user's doing, or everybody's."""
        if action is Action.REFRESH and _has_ended(standing, now):  # then it is no surprise
            return settle(standing, action, outcome, now, self._policy, _SUSPECT_PAUSE)
        if not standing.tries and not self._policy.believe_refusals:
            trip = self._tools.gate.refused(action, outcome)
            if trip is not None:
                self._fail(_stopped(outcome, trip, now))
        return refused(
            standing,
            action,
            outcome,
            now,
            self._policy,
            others_well=self._others_went_well(standing, action),
            pause=_SUSPECT_PAUSE,
        )

    def _alone(self, standing: Standing, action: Action, outcome: Suspect) -> bool:
        """Whether a connection got a suspect answer before, and others have got good ones since."""
        if standing.doubt is None and standing.reason != outcome.problem:
            return False
        return self._others_went_well(standing, action)

    def _others_went_well(self, standing: Standing, action: Action) -> bool:
        """Whether others have got good answers since this connection got one that is suspect."""
        went_well = self._went_well.get(action)
        if standing.not_before is None or went_well is None:
            return False
        return went_well > standing.not_before - _SUSPECT_PAUSE

    def _hear(self, answer: Answer | NoAnswer) -> None:
        remaining = self._tools.profile.remaining(answer) if isinstance(answer, Answer) else None
        if remaining is not None:
            self._tools.gate.heard(remaining)

    def _fail(self, error: BaseException) -> None:
        """The first fault is the one that is told."""
        with self._lock:
            self._fault = self._fault or error
        self._stop.set()


def _verifiable(standing: Standing) -> bool:
    return standing.state is State.MIGRATED and standing.pair is not None and not standing.pair.verified


def _revocable(standing: Standing) -> bool:
    being_revoked = standing.state is State.UNCERTAIN and standing.doubt is Action.REVOKE
    return standing.pair is not None and (standing.state is State.MIGRATED or being_revoked)


def _has_ended(standing: Standing, now: datetime) -> bool:
    """Whether the refresh token of a connection's pair has ended, by all that is known of it."""
    ends = standing.pair.pair.refresh_expires_at if standing.pair is not None else None
    return ends is not None and ends <= now


def _ends_a_grant(standing: Standing, action: Action, outcome: Outcome) -> bool:
    """Whether an answer, believed, makes a user consent again though no call of theirs was lost."""
    refused_ = isinstance(outcome, Over) and outcome.refused
    asked = action in (Action.SWAP, Action.RENEW, Action.REFRESH)
    return refused_ and asked and standing.doubt in (None, Action.VERIFY)


def _stopped(outcome: Outcome, trip: Trip, now: datetime) -> StoppedError:
    """Why the job stops, and what to do about it."""
    problem = trip.problem
    resume_at = now + timedelta(seconds=trip.wait) if trip.wait is not None else None
    go_on = "'migrator resume' goes on"
    if isinstance(outcome, Over):
        message = f"the provider refuses one token after another ({problem!r}); none was given up"
        hint = (
            "do they belong to this application? Check oauth1.consumer_key and the file; if their users"
            " really have ended their grants, go on with --believe-refusals"
        )
    elif isinstance(outcome, NoRefreshToken):
        message = f"the provider gives access tokens without refresh tokens ({problem!r})"
        hint, go_on = outcome.hint, "'migrator resume --retry-failed' goes on, with those too"
    elif isinstance(outcome, Unknown) and outcome.hint:
        message, hint = f"the answer is not the provider's ({problem!r})", outcome.hint
    elif isinstance(outcome, Suspect | StopAll):
        message, hint = f"the provider answers {problem!r}, and would answer everybody so", outcome.hint
    elif problem == RATE_LIMITED:
        message = f"the provider's limit for the application is reached ({problem!r})"
        hint = "" if resume_at else "the provider does not say for how long; try again later"
    else:
        trouble = "the provider" if problem not in faults.HINTS else "the way to the provider"
        message = (
            f"there is no way to the provider ({problem!r})"
            if problem in faults.LASTING
            else f"nothing but trouble with {trouble} for a while, at last {problem!r}"
        )
        hint = faults.HINTS.get(problem, "")
    hint = f"{hint}; then {go_on}" if hint else go_on
    return StoppedError(f"stopped: {message}", hint=hint, resume_at=resume_at)
