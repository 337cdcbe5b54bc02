"""The judge: what one finished call makes of its connection, and of the job. Pure.

Whatever the answer to a job's call decides is decided here, in one pass. What it means for a connection by
itself is in ``transitions``; here it is seen whether it is this connection's fault or everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from migrator.models import RESPONSE_LOST, Action, Standing, State
from migrator.providers import Later, Outcome, Over, Suspect, Unknown
from migrator.rules.breaker import Breaker, Pause, Reaction, Trip
from migrator.rules.failures import outlives
from migrator.rules.pacing import backoff
from migrator.rules.stop_reasons import Stop, stop
from migrator.rules.terms import Terms
from migrator.rules.transitions import settle
from migrator.rules.verdict import Policy, Verdict, unchanged

SUSPECT_PAUSE = timedelta(seconds=2)
"""A connection under suspicion lets others go first: they tell whether it is its fault or everybody's.
Its second such answer is its own fault if others have got good ones since."""


@dataclass(frozen=True)
class JudgedAt:
    """When a call was judged, by each clock that counts, with the chance that spreads what is tried again."""

    now: datetime
    """UTC."""
    running: float
    """Seconds for which this process has run; what it slept is not in it."""
    jitter: float
    """A random number from 0 to 1."""
    alone: bool
    """Whether no other call is under way, or waits to be: no answer is on its way that could tell more."""


@dataclass(frozen=True)
class Judgement:
    """What becomes of a connection, and of the job."""

    verdict: Verdict
    """The ledger's next entry for the connection."""
    breaker: Breaker
    """What the job knows of all its calls, this one among them."""
    job: Pause | Stop | None
    """Whether everybody waits, or the job stops; None if it goes on."""


def judge(
    standing: Standing, action: Action, outcome: Outcome, breaker: Breaker, moment: JudgedAt, policy: Policy
) -> Judgement:
    """Judge one finished call.

    ``standing`` is where its connection stood before, ``breaker`` what the job knew of the calls before it.
    """
    if isinstance(outcome, Over) and _ends_a_grant(standing, action, outcome, policy.terms):
        return _judge_refusal(standing, action, outcome, breaker, moment, policy)
    if isinstance(outcome, Suspect):
        return _judge_suspect(standing, action, outcome, breaker, moment, policy)
    pause = timedelta(seconds=backoff(standing.tries, moment.jitter))
    after, reaction = breaker.after(
        action, outcome, moment.now, moment.running, policy.patience.total_seconds()
    )
    put_off = isinstance(outcome, Later) or (isinstance(outcome, Unknown) and action is Action.IDENTIFY)
    if put_off and after.in_trouble:
        standing = replace(standing, tries=0)  # it is everybody's trouble, and not this connection's failure
    verdict = settle(standing, action, outcome, moment.now, policy, pause)
    return Judgement(verdict, after, _of_job(reaction, outcome, moment))


def _of_job(reaction: Reaction, outcome: Outcome, moment: JudgedAt) -> Pause | Stop | None:
    return stop(outcome, reaction, moment.now) if isinstance(reaction, Trip) else reaction


def _judge_suspect(
    standing: Standing, action: Action, outcome: Suspect, breaker: Breaker, moment: JudgedAt, policy: Policy
) -> Judgement:
    """Either this connection's credentials are wrong or everybody's."""
    suspected = standing.reason == outcome.problem
    # The last one of a job has no others after it: that nobody else is suspect shows the same.
    last = moment.alone and breaker.lone_suspect(action)
    lone = suspected and standing.not_before is not None and last
    asked_before = suspected or standing.doubt is not None
    if lone or (asked_before and _others_went_well(standing, action, breaker)):
        pause = timedelta(seconds=backoff(standing.tries, moment.jitter))
        return Judgement(_give_up(standing, action, outcome, moment.now + pause), breaker, None)
    verdict = settle(standing, action, outcome, moment.now, policy, SUSPECT_PAUSE)
    if standing.state is State.MIGRATED and standing.tries:
        # Its pair is safe: one that keeps getting such answers is left, and stops nobody else.
        return Judgement(verdict, breaker, None)
    after, reaction = breaker.after(
        action, outcome, moment.now, moment.running, policy.patience.total_seconds()
    )
    return Judgement(verdict, after, _of_job(reaction, outcome, moment))


def _give_up(standing: Standing, action: Action, suspect: Suspect, not_before: datetime) -> Verdict:
    """Others have shown that only this connection gets the answer."""
    if action is Action.SWAP and standing.doubt is Action.RENEW:
        # What is swapped is what a renewal answered that may have been cut off: now it is known to have been.
        return Verdict("over", suspect.problem, State.NEEDS_CONSENT, RESPONSE_LOST)
    if standing.doubt is not None or standing.state is State.MIGRATED:
        stays = unchanged(standing, "over", suspect.problem)
        return replace(stays, tries=standing.tries + 1, not_before=not_before)
    return Verdict("over", suspect.problem, State.FAILED, suspect.problem)


def _judge_refusal(
    standing: Standing, action: Action, outcome: Over, breaker: Breaker, moment: JudgedAt, policy: Policy
) -> Judgement:
    """A token was refused, and no lost call explains it: its user's doing, or everybody's.

    It is the connection's end only if it is not everybody's: the first time, others go first; if they get
    good answers, or nothing shows for a while that everybody is refused, the next time is believed. Of an
    answer that wrong credentials of the application might get too, that nothing shows it is not enough.
    """
    believed = settle(standing, action, outcome, moment.now, policy, SUSPECT_PAUSE)
    if _has_ended(standing, action, moment.now):  # then it is no surprise
        return Judgement(believed, breaker, None)
    reaction: Reaction = None
    shown = not outcome.by_status_alone or action in breaker.went_well or policy.believe_refusals
    if not (standing.tries and shown) and not policy.believe_refusals:
        breaker, reaction = breaker.refused(action, outcome)
    others_well = _others_went_well(standing, action, breaker)
    asked_enough = standing.tries > 1 or standing.tries + 1 >= policy.max_attempts
    if asked_enough and not shown and moment.alone:  # no other answer will tell
        reaction = reaction or Trip(outcome.problem)
    if policy.believe_refusals or (others_well and standing.tries) or (asked_enough and shown):
        return Judgement(believed, breaker, _of_job(reaction, outcome, moment))
    wait = SUSPECT_PAUSE if not standing.tries else policy.settle
    stays = unchanged(standing, "later", outcome.problem)
    verdict = replace(stays, tries=standing.tries + 1, not_before=moment.now + wait)
    return Judgement(verdict, breaker, _of_job(reaction, outcome, moment))


def _ends_a_grant(standing: Standing, action: Action, outcome: Over, terms: Terms) -> bool:
    """Whether an answer, believed, gives up a token of a user's though no lost call explains that, or though
    it does not say that this is why.
    """
    unexplained = standing.doubt in (None, Action.VERIFY) or outcome.by_status_alone
    match action:
        case Action.IDENTIFY | Action.SWAP | Action.RENEW:
            return outcome.refused and (unexplained or outlives(standing, outcome, terms))
        case Action.REFRESH:
            return outcome.refused and unexplained
        case Action.VERIFY:  # the access token is all that there is only where no refresh token is
            return outcome.refused and unexplained and not standing.has_refresh_token
        case _:
            return False


def _has_ended(standing: Standing, action: Action, now: datetime) -> bool:
    """Whether the token of a connection's pair that was sent has ended, by all that is known of it."""
    if standing.pair is None or action not in (Action.REFRESH, Action.VERIFY):
        return False
    pair = standing.pair.pair
    ends = pair.refresh_expires_at if action is Action.REFRESH else pair.expires_at
    return ends is not None and ends <= now


def _others_went_well(standing: Standing, action: Action, breaker: Breaker) -> bool:
    """Whether others have got good answers since this connection got one that is suspect."""
    if standing.not_before is None:
        return False
    return breaker.went_well_since(action, standing.not_before - SUSPECT_PAUSE)
