"""What an answer makes of a connection that won nothing: refused, put off, unknown. Pure.

A call whose answer was lost may still be running at the provider, so nothing is asked again before any
time-out is over.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from migrator.models import NO_REFRESH_TOKEN, RESPONSE_LOST, UNVERIFIED, Action, AppType, Standing, State
from migrator.providers import RATE_LIMITED, Later, Over, RenewFirst, StopAll, Suspect, Unknown
from migrator.rules.verdict import Policy, Verdict, unchanged

REFRESH_TOKEN_EXPIRED = "refresh_token_expired"  # noqa: S105 - a reason
"""Nobody used the refresh token in time."""
SHORTEST_WAIT = timedelta(seconds=1)
"""For a connection that was called for too often, whatever the provider says."""


def stopped(standing: Standing, outcome: Suspect | StopAll, now: datetime, backoff: timedelta) -> Verdict:
    """An answer that everybody would get, or may get: the connection stands where it stood."""
    stays = replace(unchanged(standing, "stop", outcome.problem), tries=standing.tries)
    if isinstance(outcome, StopAll):
        return stays
    if standing.state is State.MIGRATED:
        return replace(stays, tries=standing.tries + 1, not_before=now + backoff)
    # The reason marks it: the second answer of this kind may be its own fault.
    return replace(stays, reason=stays.reason or outcome.problem, not_before=now + backoff)


def renew_first(
    standing: Standing, action: Action, outcome: RenewFirst, now: datetime, policy: Policy, backoff: timedelta
) -> Verdict:
    """The legacy token has expired: it is renewed first, if it can be."""
    if action is not Action.SWAP:
        return later(standing, Later(outcome.problem), now, policy, backoff)
    if not standing.legacy.session_handle:  # whatever became of a lost call, only the user can go on
        return Verdict("over", outcome.problem, State.NEEDS_CONSENT, outcome.problem)
    tries = standing.tries + 1
    if tries >= policy.max_attempts and standing.doubt is None:
        return Verdict("over", outcome.problem, State.FAILED, outcome.problem)
    return replace(unchanged(standing, "renew_first", outcome.problem), tries=tries, token_expired=True)


def later(standing: Standing, outcome: Later, now: datetime, policy: Policy, backoff: timedelta) -> Verdict:
    """Without effect: it is asked again, as long as its tries last."""
    stays = unchanged(standing, "later", outcome.problem)
    if outcome.scope == "app":  # everybody waits: the pace sees to that, and it is nobody's failure
        return replace(stays, tries=standing.tries)
    wait = outcome.after if outcome.after is not None else backoff
    tries = standing.tries + 1
    if outcome.problem == RATE_LIMITED:  # nor is this, but it may not go on for ever
        return replace(stays, tries=tries, not_before=now + max(wait, SHORTEST_WAIT))
    if tries >= policy.max_attempts and stays.state is State.PENDING:
        return Verdict("over", outcome.problem, State.FAILED, "provider_unavailable")
    return replace(stays, tries=tries, not_before=now + wait)


def over(standing: Standing, action: Action, outcome: Over, now: datetime, backoff: timedelta) -> Verdict:
    """Asking again would not help. Refused after a lost call, it is known that the call took effect."""
    if action in (Action.VERIFY, Action.REFRESH) and outcome.refused:
        return (
            _access_refused(standing, outcome, now + backoff)
            if action is Action.VERIFY
            else _refresh_refused(standing, outcome, now, now + backoff)
        )
    if standing.doubt is not None and outcome.refused:
        known = NO_REFRESH_TOKEN if standing.reason == NO_REFRESH_TOKEN else RESPONSE_LOST
        return Verdict("over", outcome.problem, State.NEEDS_CONSENT, known)
    if standing.state is State.MIGRATED or (standing.doubt is not None and outcome.state is State.FAILED):
        return replace(
            unchanged(standing, "over", outcome.problem), tries=standing.tries + 1, not_before=now + backoff
        )
    return Verdict("over", outcome.problem, outcome.state, outcome.reason)


def _access_refused(standing: Standing, outcome: Over, not_before: datetime) -> Verdict:
    """A refused access token is no proof that the pair is dead; only a refused refresh token is."""
    return Verdict(
        "over",
        outcome.problem,
        State.UNCERTAIN,
        UNVERIFIED,
        standing.doubt or Action.VERIFY,
        not_before,
        tries=standing.tries + 1,
        pair_expired=True,
    )


def _refresh_refused(standing: Standing, outcome: Over, now: datetime, not_before: datetime) -> Verdict:
    """The pair is dead. Where a call got lost, that may be why: then the legacy token is asked for another.

    Else somebody ended the grant, and only the user can give it again.
    """
    if standing.doubt in (None, Action.VERIFY, Action.EXCHANGE_CODE):
        ends = standing.pair.pair.refresh_expires_at if standing.pair else None
        reason = REFRESH_TOKEN_EXPIRED if ends is not None and ends <= now else outcome.reason
        return Verdict("over", outcome.problem, State.NEEDS_CONSENT, reason, pair_dead=True)
    if standing.app_type != AppType.PARTNER:
        return Verdict("over", outcome.problem, State.NEEDS_CONSENT, RESPONSE_LOST, pair_dead=True)
    return Verdict(
        "over",
        outcome.problem,
        State.UNCERTAIN,
        RESPONSE_LOST,
        standing.doubt,
        not_before,
        tries=standing.tries + 1,
        pair_dead=True,
    )


def unknown(
    standing: Standing, action: Action, outcome: Unknown, now: datetime, policy: Policy, backoff: timedelta
) -> Verdict:
    """Sent, and nobody knows whether it took effect: a doubt, unless it was a question."""
    tries = standing.tries + 1
    if action is Action.VERIFY:  # a question without effect
        return replace(unchanged(standing, "unknown", outcome.problem), tries=tries, not_before=now + backoff)
    return Verdict(
        "unknown", outcome.problem, State.UNCERTAIN, RESPONSE_LOST, action, now + policy.settle, tries=tries
    )
