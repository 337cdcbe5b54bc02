"""What an answer makes of a connection that won nothing: refused, put off, unknown. Pure.

A call whose answer was lost may still be running at the provider, so nothing is asked again before any
time-out is over.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from migrator.models import NO_REFRESH_TOKEN, RESPONSE_LOST, UNVERIFIED, Action, Standing, State
from migrator.providers import RATE_LIMITED, Later, Over, RenewFirst, StopAll, Suspect, Unknown
from migrator.providers.facts import LegacyFate, RenewalRule
from migrator.providers.refusals import ALREADY_EXCHANGED
from migrator.rules.next_step import TOKEN_EXPIRED
from migrator.rules.terms import Terms
from migrator.rules.verdict import Policy, Verdict, doubt_left, unchanged

REFRESH_TOKEN_EXPIRED = "refresh_token_expired"  # noqa: S105 - a reason
"""Nobody used the refresh token in time."""
HARMLESS = frozenset({Action.VERIFY, Action.IDENTIFY, Action.DISABLE})
"""Calls of which one that got lost is simply made again."""
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
    if action is Action.DISABLE:  # what has ended needs no end
        return replace(unchanged(standing, "done", outcome.problem), disabled=True)
    if action not in (Action.SWAP, Action.IDENTIFY):
        return later(standing, Later(outcome.problem), now, policy, backoff)
    if not _can_be_renewed(standing, policy.terms):  # whatever became of a lost call, only the user can go on
        return Verdict("over", outcome.problem, State.NEEDS_CONSENT, TOKEN_EXPIRED)
    tries = standing.tries + 1
    if tries >= policy.max_attempts and standing.doubt is None:
        return Verdict("over", outcome.problem, State.FAILED, TOKEN_EXPIRED)
    stays = replace(unchanged(standing, "renew_first", outcome.problem), tries=tries, token_expired=True)
    # The reason marks it: without it, such a token is not renewed.
    marked = policy.terms.renewal.rule is RenewalRule.REFUSED
    return replace(stays, reason=TOKEN_EXPIRED) if marked else stays


def _can_be_renewed(standing: Standing, terms: Terms) -> bool:
    """Whether a token that has ended can be: what can be in a window before its end only, cannot."""
    if terms.renewal.rule not in (RenewalRule.EXPIRED, RenewalRule.REFUSED):
        return False
    if terms.renewal.rule is RenewalRule.REFUSED and standing.legacy.renewed:  # once is all that it gets
        return False
    return bool(standing.legacy.session_handle) or not terms.renewal.needs_handle


def later(standing: Standing, outcome: Later, now: datetime, policy: Policy, backoff: timedelta) -> Verdict:
    """Without effect: it is asked again, as long as its tries last."""
    stays = unchanged(standing, "later", outcome.problem)
    wait = outcome.after if outcome.after is not None else backoff
    if outcome.scope == "app":  # nobody's failure; over a limit everybody waits, and the pace sees to that
        limited = outcome.problem == RATE_LIMITED
        return replace(stays, tries=standing.tries, not_before=None if limited else now + wait)
    tries = standing.tries + 1
    if outcome.problem == RATE_LIMITED:  # nor is this, but it may not go on for ever
        return replace(stays, tries=tries, not_before=now + max(wait, SHORTEST_WAIT))
    if tries >= policy.max_attempts and stays.state is State.PENDING:
        return Verdict("over", outcome.problem, State.FAILED, "provider_unavailable")
    return replace(stays, tries=tries, not_before=now + wait)


def over(
    standing: Standing, action: Action, outcome: Over, now: datetime, policy: Policy, backoff: timedelta
) -> Verdict:
    """Asking again would not help.

    Refused after a lost call, it is known that the call took effect, unless the token outlives that.
    """
    if outcome.refused and (of_its_kind := _refused(standing, action, outcome, now, policy, backoff)):
        return of_its_kind
    if standing.doubt is not None and outcome.refused and not outlives(standing, outcome, policy.terms):
        known = NO_REFRESH_TOKEN if standing.reason == NO_REFRESH_TOKEN else RESPONSE_LOST
        return Verdict("over", outcome.problem, State.NEEDS_CONSENT, known)
    if standing.state is State.MIGRATED or (standing.doubt is not None and outcome.state is State.FAILED):
        return replace(
            unchanged(standing, "over", outcome.problem), tries=standing.tries + 1, not_before=now + backoff
        )
    return Verdict("over", outcome.problem, outcome.state, outcome.reason)


def _refused(
    standing: Standing, action: Action, outcome: Over, now: datetime, policy: Policy, backoff: timedelta
) -> Verdict | None:
    """What a refused token of a pair means, or one that is to be ended; None for a legacy token."""
    terms = policy.terms
    match action:
        case Action.VERIFY if _shows_nothing(standing, terms, now):
            left = unchanged(standing, "over", outcome.problem)
            return replace(left, tries=max(standing.tries + 1, policy.max_attempts))
        case Action.VERIFY if standing.has_refresh_token:  # whoever can use it
            return _access_refused(standing, outcome, now + backoff)
        case Action.VERIFY | Action.REFRESH:  # all that there is of the pair
            return _refresh_refused(standing, outcome, now, terms, now + backoff)
        case Action.DISABLE:  # it has ended already
            return replace(unchanged(standing, "done", outcome.problem), disabled=True)
        case _:
            return None


def _shows_nothing(standing: Standing, terms: Terms, now: datetime) -> bool:
    """Whether the access token of a pair that counts has ended, and only others can use its refresh token:
    then its refusal is no news, and the pair is handed over as it is.
    """
    ended = standing.pair is not None and standing.pair.pair.ended(now)
    others_refresh = standing.has_refresh_token and not terms.refreshable(standing)
    return standing.state is State.MIGRATED and ended and others_refresh


def outlives(standing: Standing, outcome: Over, terms: Terms) -> bool:
    """Whether no lost call explains that a legacy token is refused: it lives on after a swap."""
    if outcome.reason == ALREADY_EXCHANGED:
        return False
    return terms.legacy_fate is LegacyFate.LIVES and standing.doubt in (Action.SWAP, Action.REFRESH)


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


def _refresh_refused(
    standing: Standing, outcome: Over, now: datetime, terms: Terms, not_before: datetime
) -> Verdict:
    """The pair is dead. Where a call got lost, that may be why: then the legacy token is asked for another.

    Else somebody ended the grant, and only the user can give it again; but where a legacy token brings one
    pair after the other, it is asked first.
    """
    swaps = terms.swaps(standing.app_type) and not standing.consented
    if standing.doubt in (None, Action.VERIFY, Action.EXCHANGE_CODE):
        if swaps and terms.cures and standing.doubt is not Action.EXCHANGE_CODE:
            tries = standing.tries + 1
            return Verdict("over", outcome.problem, State.PENDING, "", tries=tries, pair_dead=True)
        ends = standing.pair.pair.refresh_expires_at if standing.pair else None
        reason = REFRESH_TOKEN_EXPIRED if ends is not None and ends <= now else outcome.reason
        return Verdict("over", outcome.problem, State.NEEDS_CONSENT, reason, pair_dead=True)
    if not (swaps and terms.asks_again):
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
    if action is Action.IDENTIFY and tries >= policy.max_attempts and standing.doubt is None:
        return Verdict("over", outcome.problem, State.FAILED, "provider_unavailable")
    if action in HARMLESS:
        return replace(unchanged(standing, "unknown", outcome.problem), tries=tries, not_before=now + backoff)
    if action is Action.SWAP and not policy.terms.asks_again:  # the pair, if there is one, is gone
        return Verdict("unknown", outcome.problem, State.NEEDS_CONSENT, RESPONSE_LOST)
    doubt = doubt_left(action, standing.doubt)
    return Verdict(
        "unknown", outcome.problem, State.UNCERTAIN, RESPONSE_LOST, doubt, now + policy.settle, tries=tries
    )
