"""What an answer makes of a connection. Pure: standing, call and outcome go in, the ledger's next entry comes
out.

The two traps this guards against (design: *The ledger's two-step*): a call whose answer was lost may still be
running at the provider, so nothing is asked again before any time-out is over; and where the newest pair
wins, such a late call would kill the pair of the call after it, so a pair that was not won by a connection's
only call counts as migrated only once it is seen to work.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from migrator.models import (
    LIFETIME_ASSUMED,
    NO_REFRESH_TOKEN,
    UNVERIFIED,
    Action,
    LegacyToken,
    Standing,
    State,
    TokenPair,
)
from migrator.providers import (
    Later,
    NoRefreshToken,
    Outcome,
    Over,
    Reached,
    Renewed,
    RenewFirst,
    Revoked,
    StopAll,
    Suspect,
    Unknown,
    Won,
)
from migrator.rules import tenants
from migrator.rules.code_exchange import exchanged
from migrator.rules.failures import later, over, renew_first, stopped, unknown
from migrator.rules.verdict import Policy, Verdict, unchanged

REVOKED_BY_OPERATOR = "revoked_by_operator"
"""Somebody undid the connection with ``migrator revoke``."""


def settle(
    standing: Standing, action: Action, outcome: Outcome, now: datetime, policy: Policy, backoff: timedelta
) -> Verdict:
    """The entry for one finished call.

    ``backoff`` is the pause the caller chose for an outcome that names none.
    """
    if action is Action.EXCHANGE_CODE:
        return exchanged(standing, outcome, now, policy)
    return _settled(standing, action, outcome, now, policy, backoff)


def _settled(
    standing: Standing, action: Action, outcome: Outcome, now: datetime, policy: Policy, backoff: timedelta
) -> Verdict:
    match outcome:
        case Won() | NoRefreshToken():
            verdict = _won(standing, action, outcome, now, policy)
        case Renewed():
            verdict = _renewed(standing, outcome)
        case Reached():
            verdict = _reached(standing, outcome)
        case Revoked():
            verdict = Verdict("done", "", State.NEEDS_CONSENT, REVOKED_BY_OPERATOR, pair_dead=True)
        case RenewFirst():
            verdict = renew_first(standing, action, outcome, now, policy, backoff)
        case Later():
            verdict = later(standing, outcome, now, policy, backoff)
        case Over():
            verdict = over(standing, action, outcome, now, backoff)
        case Suspect() | StopAll():
            verdict = stopped(standing, outcome, now, backoff)
        case Unknown():
            verdict = unknown(standing, action, outcome, now, policy, backoff)
        case _:
            assert_never(outcome)
    return verdict


def _won(
    standing: Standing, action: Action, outcome: Won | NoRefreshToken, now: datetime, policy: Policy
) -> Verdict:
    won = outcome if isinstance(outcome, Won) else _completed(standing, action, outcome)
    if won is None:
        # Fruitless: the pair is kept, and does not count. Asked again, the provider may give another.
        return Verdict(
            "over",
            NO_REFRESH_TOKEN,
            State.FAILED,
            NO_REFRESH_TOKEN,
            new_pair=outcome.pair,
            new_pair_set_aside=True,
        )
    # A refresh that was asked only once shows by itself that the pair before it worked; not, though, which
    # tenants its user has consented to.
    only_call = standing.doubt is None or (
        action is Action.REFRESH and standing.doubt not in (Action.REFRESH, Action.EXCHANGE_CODE)
    )
    if only_call and won.whole and not won.pair.lifetime_assumed:
        return Verdict("done", "", State.MIGRATED, _mismatch(standing, won.pair), new_pair=won.pair)
    doubt = standing.doubt or action
    if won.ends is not None and action is Action.REFRESH:
        if won.sole and _guess_was_right(standing):
            won = replace(won, pair=replace(won.pair, expires_at=won.ends))
        elif doubt is not Action.EXCHANGE_CODE:
            doubt = Action.REFRESH  # whatever was lost before, what it left has just worked
    # A refresh that leads to nothing but a refresh: not for ever.
    fruitless = action is Action.REFRESH and won.pair.expires_at <= now
    return Verdict(
        "done",
        "",
        State.UNCERTAIN,
        UNVERIFIED,
        doubt,
        # No other call can still be running where this is the only one.
        None if only_call else now + policy.settle,
        tries=standing.tries + fruitless,
        new_pair=won.pair,
    )


def _guess_was_right(standing: Standing) -> bool:
    """Whether the refresh token that was just used was the first guess from a refresh's answer too: then the
    first guess from the next such answer is as right, and need not be used up to show that.
    """
    sent = standing.pair
    return (
        sent is not None
        and sent.first_of_refresh
        and bool(sent.pair.access_token)
        and sent.obtained_at is not None
        and sent.pair.expires_at <= sent.obtained_at
    )


def _completed(standing: Standing, action: Action, outcome: NoRefreshToken) -> Won | None:
    """A refresh may leave the refresh token as it was (RFC 6749, 6); only the new pair's use tells."""
    if action is not Action.REFRESH or standing.pair is None:
        return None
    return Won(replace(outcome.pair, refresh_token=standing.pair.pair.refresh_token), whole=False)


def _renewed(standing: Standing, outcome: Renewed) -> Verdict:
    """The new token is stored before it is used; the one before it is kept, but dead for all we know."""
    renewed = with_handle(outcome.legacy, standing.legacy)
    if not outcome.whole:
        standing = replace(standing, doubt=standing.doubt or Action.RENEW)
    return replace(unchanged(standing, "done"), tries=standing.tries, new_legacy=renewed)


def _mismatch(standing: Standing, pair: TokenPair) -> str:
    if not pair.tenant_id:  # a refresh does not name it; what was found before still holds
        found = standing.reason in (
            tenants.TENANT_MISMATCH,
            tenants.TENANT_TYPE_MISMATCH,
            tenants.SEVERAL_TENANTS,
        )
        return standing.reason if found else ""
    other = standing.tenant_id and standing.tenant_id.lower() != pair.tenant_id.lower()
    return tenants.TENANT_MISMATCH if other else ""


def _reached(standing: Standing, outcome: Reached) -> Verdict:
    if standing.consented and standing.state is not State.MIGRATED:
        return _consented(standing, outcome)
    return Verdict(
        "done",
        "",
        State.MIGRATED,
        tenants.finding(standing, outcome.tenants) or _assumed(standing),
        pair_verified=True,
        reached=tuple(tenant.id for tenant in outcome.tenants),
    )


def _assumed(standing: Standing) -> str:
    """What is to be said of a pair that works, though its answer did not say all."""
    assumed = standing.pair is not None and standing.pair.pair.lifetime_assumed
    return LIFETIME_ASSUMED if assumed else ""


def _consented(standing: Standing, outcome: Reached) -> Verdict:
    """Whether the user has connected what was asked for; if not, only the user can."""
    choice = tenants.choice(standing, outcome)
    return Verdict(
        "done",
        choice.problem,
        State.MIGRATED if choice.counts else State.NEEDS_CONSENT,
        choice.reason or _assumed(standing),
        pair_verified=True,
        pair_set_aside=not choice.counts,
        reached=tuple(tenant.id for tenant in outcome.tenants),
        adopted=choice.adopted,
        seen=outcome.tenants,
        chosen=outcome.chosen or outcome.tenants,
    )


def with_handle(new: LegacyToken, old: LegacyToken) -> LegacyToken:
    """A renewal that names no new session handle leaves the old one in force."""
    return new if new.session_handle else replace(new, session_handle=old.session_handle)
