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
    SCOPE_MISSING,
    UNVERIFIED,
    Action,
    LegacyToken,
    Standing,
    State,
    TokenPair,
)
from migrator.providers import (
    Disabled,
    Identified,
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
from migrator.rules.next_step import TOKEN_EXPIRED, expired
from migrator.rules.terms import Terms
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


def _settled(  # noqa: C901 - a case an outcome
    standing: Standing, action: Action, outcome: Outcome, now: datetime, policy: Policy, backoff: timedelta
) -> Verdict:
    match outcome:
        case Won() | NoRefreshToken():
            verdict = _won(standing, action, outcome, now, policy)
        case Renewed():
            verdict = _renewed(standing, outcome, now, policy)
        case Reached():
            verdict = _reached(standing, outcome, policy.terms)
        case Revoked():
            verdict = Verdict("done", "", State.NEEDS_CONSENT, REVOKED_BY_OPERATOR, pair_dead=True)
        case Identified():
            verdict = replace(unchanged(standing, "done"), tries=standing.tries, user_id=outcome.user_id)
        case Disabled():
            verdict = replace(unchanged(standing, "done"), disabled=True)
        case RenewFirst():
            verdict = renew_first(standing, action, outcome, now, policy, backoff)
        case Later():
            verdict = later(standing, outcome, now, policy, backoff)
        case Over():
            verdict = over(standing, action, outcome, now, policy, backoff)
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
    won = _completed(standing, action, outcome)
    if won is None:
        # Fruitless: the pair is kept, and does not count. Asked again, the provider may give another.
        return Verdict(
            "over",
            NO_REFRESH_TOKEN,
            State.FAILED if policy.terms.asks_again else State.NEEDS_CONSENT,
            NO_REFRESH_TOKEN,
            new_pair=outcome.pair,
            new_pair_set_aside=True,
        )
    pair = _with_what_is_known(standing, action, won.pair)
    won = won if pair is won.pair else replace(won, pair=pair)
    verifies = policy.terms.verifies
    only_call = standing.doubt is None or (action is Action.REFRESH and _shows_the_pair(standing, verifies))
    if only_call and won.whole and not (won.pair.lifetime_assumed and verifies):
        found = _finding(standing, won.pair, policy.terms)
        reason = found or (LIFETIME_ASSUMED if won.pair.lifetime_assumed else "")
        # What it cost counts until the pair is seen to work: one that never does is not asked for on and on.
        return Verdict("done", "", State.MIGRATED, reason, tries=standing.tries, new_pair=won.pair)
    doubt = standing.doubt or action
    if won.ends is not None and action is Action.REFRESH:
        if won.sole and _guess_was_right(standing):
            won = replace(won, pair=replace(won.pair, expires_at=won.ends))
        elif doubt is not Action.EXCHANGE_CODE:
            doubt = Action.REFRESH  # whatever was lost before, what it left has just worked
    # A refresh that leads to nothing but a refresh: not for ever.
    fruitless = action is Action.REFRESH and (won.pair.ended(now) or not verifies)
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


def _shows_the_pair(standing: Standing, verifies: bool) -> bool:
    """Whether a good answer to a refresh shows that the pair before it worked, and so that this one does.

    One that was asked only once does; not, though, which tenants its user has consented to. Where nothing
    else can be asked, that must do, and the next refresh shows what one that was asked twice has left.
    """
    if standing.doubt in (Action.REFRESH, Action.EXCHANGE_CODE):
        return not verifies and standing.reason == UNVERIFIED
    return True


def _with_what_is_known(standing: Standing, action: Action, pair: TokenPair) -> TokenPair:
    """A pair with what its answer leaves out: whose it is; its scope, which a refresh leaves as it was."""
    if standing.user_id and not pair.user_id:
        pair = replace(pair, user_id=standing.user_id)
    if action is Action.REFRESH and not pair.scope and standing.pair is not None:
        pair = replace(pair, scope=standing.pair.pair.scope)
    return pair


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
        and sent.pair.ended(sent.obtained_at)
    )


def _completed(standing: Standing, action: Action, outcome: Won | NoRefreshToken) -> Won | None:
    """A refresh may leave the refresh token as it was (RFC 6749, 6), with its end, as far as anybody knows.

    Where the provider is not known to do so, only the new pair's use tells. None if there is no such token.
    """
    if isinstance(outcome, Won) and (outcome.pair.refresh_token or action is not Action.REFRESH):
        return outcome
    if action is not Action.REFRESH or standing.pair is None:
        return outcome if isinstance(outcome, Won) else None
    old = standing.pair.pair
    pair = replace(outcome.pair, refresh_token=old.refresh_token, refresh_expires_at=old.refresh_expires_at)
    return replace(outcome, pair=pair) if isinstance(outcome, Won) else Won(pair, whole=False)


def _renewed(standing: Standing, outcome: Renewed, now: datetime, policy: Policy) -> Verdict:
    """The new token is stored before it is used; the one before it is kept, but dead for all we know."""
    renewed = with_handle(outcome.legacy, standing.legacy)
    if not outcome.whole:
        standing = replace(standing, doubt=standing.doubt or Action.RENEW)
    # A renewal that leads to nothing but a renewal: not for ever.
    tries = standing.tries + expired(renewed.expires_at, now)
    stays = replace(unchanged(standing, "done"), tries=tries, new_legacy=renewed)
    if tries >= policy.max_attempts and stays.state is State.PENDING:
        return replace(stays, state=State.FAILED, reason=TOKEN_EXPIRED)
    return stays


def _finding(standing: Standing, pair: TokenPair, terms: Terms) -> str:
    """What is to be said of a pair that counts."""
    return _mismatch(standing, pair) or _narrower(pair, terms)


def _narrower(pair: TokenPair, terms: Terms) -> str:
    """Whether a pair was granted less than it should be; one that does not say was granted what was asked
    for (RFC 6749, 5.1).
    """
    granted = _scopes(pair.scope)
    return SCOPE_MISSING if granted and not _scopes(*terms.scope) <= granted else ""


def _scopes(*texts: str) -> set[str]:
    """Single scopes; some providers write commas between them, where RFC 6749, 3.3, has blanks."""
    return set(" ".join(texts).replace(",", " ").split())


def _mismatch(standing: Standing, pair: TokenPair) -> str:
    if pair.user_id and standing.user_id and pair.user_id != standing.user_id:
        return tenants.OTHER_ACCOUNT
    if not pair.tenant_id:  # a refresh does not name it; what was found before still holds
        found = standing.reason in (
            tenants.TENANT_MISMATCH,
            tenants.TENANT_TYPE_MISMATCH,
            tenants.SEVERAL_TENANTS,
            tenants.OTHER_ACCOUNT,
        )
        return standing.reason if found else ""
    other = standing.tenant_id and standing.tenant_id.lower() != pair.tenant_id.lower()
    return tenants.TENANT_MISMATCH if other else ""


def _reached(standing: Standing, outcome: Reached, terms: Terms) -> Verdict:
    if standing.consented and standing.state is not State.MIGRATED:
        return _consented(standing, outcome, terms)
    account = outcome.tenants[0].id if terms.of_account and outcome.tenants else ""
    return Verdict(
        "done",
        "",
        State.MIGRATED,
        tenants.finding(standing, outcome.tenants, terms) or _of_grant(standing, terms),
        pair_verified=True,
        reached=tuple(tenant.id for tenant in outcome.tenants),
        user_id=standing.user_id or account,
    )


def _of_grant(standing: Standing, terms: Terms) -> str:
    """What is to be said of a pair that works, though it was granted less, or its answer did not say all."""
    if standing.pair is None:
        return ""
    assumed = LIFETIME_ASSUMED if standing.pair.pair.lifetime_assumed else ""
    return _narrower(standing.pair.pair, terms) or assumed


def _consented(standing: Standing, outcome: Reached, terms: Terms) -> Verdict:
    """Whether the user has connected what was asked for; if not, only the user can."""
    choice = tenants.choice(standing, outcome, terms)
    return Verdict(
        "done",
        choice.problem,
        State.MIGRATED if choice.counts else State.NEEDS_CONSENT,
        choice.reason or _of_grant(standing, terms),
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
