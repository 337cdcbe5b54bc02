"""What an answer makes of a connection. Pure: standing, call and outcome go in, the ledger's next entry comes
out.

The two traps this guards against (design: *The ledger's two-step*): a call whose answer was lost may still be
running at the provider, so nothing is asked again before any time-out is over; and where the newest pair
wins, such a late call would kill the pair of the call after it, so a pair that was not won by a connection's
only call counts as migrated only once it is seen to work.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from migrator.models import (
    LIFETIME_ASSUMED,
    NO_REFRESH_TOKEN,
    RESPONSE_LOST,
    UNVERIFIED,
    Action,
    AppType,
    LegacyToken,
    Standing,
    State,
    Tenant,
    TokenPair,
)
from migrator.providers import (
    RATE_LIMITED,
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

REVOKED_BY_OPERATOR = "revoked_by_operator"
"""Somebody undid the connection with ``migrator revoke``."""
READ_AGAIN = "read_again"
"""A problem of an attempt: its answer was not understood when it came, and was later."""
REFRESH_TOKEN_EXPIRED = "refresh_token_expired"  # noqa: S105 - a reason
"""Nobody used the refresh token in time."""

SHORTEST_WAIT = timedelta(seconds=1)
"""For a connection that was called for too often, whatever the provider says."""


@dataclass(frozen=True)
class Policy:
    """How patient the job is."""

    max_attempts: int
    settle: timedelta
    """How long after an unknown call nothing is asked: longer than any time-out, ours or the provider's."""
    patience: timedelta = timedelta(minutes=2)
    """How long nothing but trouble may come before the job stops."""
    believe_refusals: bool = False
    """Whether refused tokens are believed at once, however many there are."""


@dataclass(frozen=True)
class Verdict:
    """What one finished call makes of its connection; written in one transaction with whatever it won."""

    outcome: str
    """The attempt's ``outcome``: ``done``, ``renew_first``, ``later``, ``over``, ``stop`` or ``unknown``."""
    problem: str
    """What the provider or the network said, as a short stable word; empty where all went well."""
    state: State
    reason: str
    doubt: Action | None = None
    not_before: datetime | None = None
    tries: int = 0
    new_pair: TokenPair | None = None
    new_pair_set_aside: bool = False
    """The new pair is kept, and does not count."""
    new_legacy: LegacyToken | None = None
    pair_verified: bool = False
    """The stored pair has just been seen to work."""
    reached: tuple[str, ...] = ()
    """The tenants that it was seen to reach, by id."""
    adopted: Tenant | None = None
    """The tenant of a connection that had none to its name."""
    pair_set_aside: bool = False
    """The stored pair works, and stands for nothing that was asked for: it is kept, and does not count."""
    pair_dead: bool = False
    """The stored pair has just been seen not to work."""
    pair_expired: bool = False
    """The stored pair's access token is refused; its refresh token may still work."""
    token_expired: bool = False
    """The provider says that the legacy token has expired, whatever its row said."""
    seen: tuple[Tenant, ...] = ()
    """All tenants that the pair of a new consent reaches: others may have waited for them."""
    chosen: tuple[Tenant, ...] = ()
    """Those of them that this consent connected."""


def settle(
    standing: Standing, action: Action, outcome: Outcome, now: datetime, policy: Policy, backoff: timedelta
) -> Verdict:
    """The entry for one finished call.

    ``backoff`` is the pause the caller chose for an outcome that names none.
    """
    if action is Action.EXCHANGE_CODE:
        return _exchanged(standing, outcome, now, policy)
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
            verdict = _renew_first(standing, action, outcome, now, policy, backoff)
        case Later():
            verdict = _later(standing, outcome, now, policy, backoff)
        case Over():
            verdict = _over(standing, action, outcome, now, backoff)
        case Suspect() | StopAll():
            verdict = _stopped(standing, outcome, now, backoff)
        case Unknown():
            verdict = _unknown(standing, action, outcome, now, policy, backoff)
        case _:
            assert_never(outcome)
    return verdict


def refused(
    standing: Standing,
    action: Action,
    outcome: Over,
    now: datetime,
    policy: Policy,
    *,
    others_well: bool,
    pause: timedelta,
) -> Verdict:
    """The entry for a refused token of a connection of which no call was lost.

    It is the connection's end only if it is not everybody's: the first time, others go first; if they get
    good answers, or nothing shows for a while that everybody is refused, the next time is believed.
    """
    asked_enough = standing.tries > 1 or standing.tries + 1 >= policy.max_attempts
    if policy.believe_refusals or (others_well and standing.tries) or asked_enough:
        return settle(standing, action, outcome, now, policy, pause)
    wait = pause if not standing.tries else policy.settle
    unchanged = _unchanged(standing, "later", outcome.problem)
    return replace(unchanged, tries=standing.tries + 1, not_before=now + wait)


def give_up(
    standing: Standing, action: Action, suspect: Suspect, now: datetime, backoff: timedelta
) -> Verdict:
    """The entry for a suspect answer once others have shown that only this connection gets it."""
    if action is Action.SWAP and standing.doubt is Action.RENEW:
        # What is swapped is what a renewal answered that may have been cut off: now it is known to have been.
        return Verdict("over", suspect.problem, State.NEEDS_CONSENT, RESPONSE_LOST)
    if standing.doubt is not None or standing.state is State.MIGRATED:
        return replace(
            _unchanged(standing, "over", suspect.problem), tries=standing.tries + 1, not_before=now + backoff
        )
    return Verdict("over", suspect.problem, State.FAILED, suspect.problem)


def read_again(standing: Standing, action: Action, outcome: Outcome) -> Verdict | None:
    """The entry for an answer that was not understood when it came, and is now; None if that is of no use.

    Calls that came after it may have made it worthless, so a pair is seen to work before it counts.
    """
    doubt = standing.doubt or action
    match outcome:
        case Won():
            return Verdict(
                "done",
                READ_AGAIN,
                State.UNCERTAIN,
                UNVERIFIED,
                doubt,
                standing.not_before,
                new_pair=outcome.pair,
            )
        case Renewed():
            renewed = _with_handle(outcome.legacy, standing.legacy)
            return Verdict(
                "done",
                READ_AGAIN,
                State.UNCERTAIN,
                RESPONSE_LOST,
                Action.RENEW,
                standing.not_before,
                new_legacy=renewed,
            )
        case _:
            return None


def died(action: Action, tries: int, started_at: datetime, policy: Policy) -> Verdict:
    """The entry for a call with an effect that was under way when its process died: sent, for all we know.

    A code serves once, so what it won is gone; its user clicks through again.
    """
    if action is Action.EXCHANGE_CODE:
        return Verdict("unknown", "process_died", State.NEEDS_CONSENT, RESPONSE_LOST)
    return Verdict(
        "unknown",
        "process_died",
        State.UNCERTAIN,
        RESPONSE_LOST,
        action,
        started_at + policy.settle,
        tries=tries,
    )


def _unchanged(standing: Standing, outcome: str, problem: str = "") -> Verdict:
    """The connection stands where it stood before the call."""
    if standing.state is State.MIGRATED:
        state, reason = State.MIGRATED, standing.reason
    elif standing.doubt is None:
        state, reason = State.PENDING, ""
    else:
        state, reason = State.UNCERTAIN, standing.reason
        if reason not in (UNVERIFIED, RESPONSE_LOST, NO_REFRESH_TOKEN):
            reason = UNVERIFIED if standing.pair else RESPONSE_LOST
    return Verdict(outcome, problem, state, reason, doubt=standing.doubt)


def _stopped(standing: Standing, outcome: Suspect | StopAll, now: datetime, backoff: timedelta) -> Verdict:
    stopped = replace(_unchanged(standing, "stop", outcome.problem), tries=standing.tries)
    if isinstance(outcome, StopAll):
        return stopped
    if standing.state is State.MIGRATED:
        return replace(stopped, tries=standing.tries + 1, not_before=now + backoff)
    # The reason marks it: the second answer of this kind may be its own fault.
    return replace(stopped, reason=stopped.reason or outcome.problem, not_before=now + backoff)


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
    return Verdict(
        "done",
        "",
        State.UNCERTAIN,
        UNVERIFIED,
        standing.doubt or action,
        # No other call can still be running where this is the only one.
        None if only_call else now + policy.settle,
        tries=standing.tries,
        new_pair=won.pair,
    )


def _completed(standing: Standing, action: Action, outcome: NoRefreshToken) -> Won | None:
    """A refresh may leave the refresh token as it was (RFC 6749, 6); only the new pair's use tells."""
    if action is not Action.REFRESH or standing.pair is None:
        return None
    return Won(replace(outcome.pair, refresh_token=standing.pair.pair.refresh_token), whole=False)


def _exchanged(standing: Standing, outcome: Outcome, now: datetime, policy: Policy) -> Verdict:
    """What the exchange of an authorisation code makes of a connection that waits for its user.

    A code serves once, and only the user gets another: short of a pair, the connection needs consent as it
    did. A pair does not count before it is seen which tenants the user has chosen; whoever won it looks at
    once, so that for a while nobody else does.
    """
    stays = Verdict("unknown", "", State.NEEDS_CONSENT, standing.reason or RESPONSE_LOST)
    match outcome:
        case Won():
            settled = now + policy.settle
            return Verdict(
                "done",
                "",
                State.UNCERTAIN,
                UNVERIFIED,
                Action.EXCHANGE_CODE,
                settled,
                new_pair=outcome.pair,
            )
        case Later():
            return replace(stays, outcome="later", problem=outcome.problem)
        case Over() | RenewFirst() | NoRefreshToken():
            kept = outcome.pair if isinstance(outcome, NoRefreshToken) else None
            over = replace(stays, outcome="over", problem=outcome.problem)
            return replace(over, new_pair=kept, new_pair_set_aside=kept is not None)
        case Suspect() | StopAll():
            return replace(stays, outcome="stop", problem=outcome.problem)
        case Unknown():
            return replace(stays, problem=outcome.problem, reason=RESPONSE_LOST)
        case Renewed() | Reached() | Revoked():
            return replace(stays, problem="another_answer", reason=RESPONSE_LOST)
        case _:
            assert_never(outcome)


def _renewed(standing: Standing, outcome: Renewed) -> Verdict:
    """The new token is stored before it is used; the one before it is kept, but dead for all we know."""
    renewed = _with_handle(outcome.legacy, standing.legacy)
    if not outcome.whole:
        standing = replace(standing, doubt=standing.doubt or Action.RENEW)
    return replace(_unchanged(standing, "done"), tries=standing.tries, new_legacy=renewed)


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


def _renew_first(
    standing: Standing, action: Action, outcome: RenewFirst, now: datetime, policy: Policy, backoff: timedelta
) -> Verdict:
    if action is not Action.SWAP:
        return _later(standing, Later(outcome.problem), now, policy, backoff)
    if not standing.legacy.session_handle:  # whatever became of a lost call, only the user can go on
        return Verdict("over", outcome.problem, State.NEEDS_CONSENT, outcome.problem)
    tries = standing.tries + 1
    if tries >= policy.max_attempts and standing.doubt is None:
        return Verdict("over", outcome.problem, State.FAILED, outcome.problem)
    return replace(_unchanged(standing, "renew_first", outcome.problem), tries=tries, token_expired=True)


def _later(standing: Standing, outcome: Later, now: datetime, policy: Policy, backoff: timedelta) -> Verdict:
    unchanged = _unchanged(standing, "later", outcome.problem)
    if outcome.scope == "app":  # everybody waits: the pace sees to that, and it is nobody's failure
        return replace(unchanged, tries=standing.tries)
    wait = outcome.after if outcome.after is not None else backoff
    tries = standing.tries + 1
    if outcome.problem == RATE_LIMITED:  # nor is this, but it may not go on for ever
        return replace(unchanged, tries=tries, not_before=now + max(wait, SHORTEST_WAIT))
    if tries >= policy.max_attempts and unchanged.state is State.PENDING:
        return Verdict("over", outcome.problem, State.FAILED, "provider_unavailable")
    return replace(unchanged, tries=tries, not_before=now + wait)


def _over(standing: Standing, action: Action, outcome: Over, now: datetime, backoff: timedelta) -> Verdict:
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
            _unchanged(standing, "over", outcome.problem), tries=standing.tries + 1, not_before=now + backoff
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
    if standing.app_type is not AppType.PARTNER:
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


def _unknown(
    standing: Standing, action: Action, outcome: Unknown, now: datetime, policy: Policy, backoff: timedelta
) -> Verdict:
    tries = standing.tries + 1
    if action is Action.VERIFY:  # a question without effect
        return replace(
            _unchanged(standing, "unknown", outcome.problem), tries=tries, not_before=now + backoff
        )
    return Verdict(
        "unknown", outcome.problem, State.UNCERTAIN, RESPONSE_LOST, action, now + policy.settle, tries=tries
    )


def _with_handle(new: LegacyToken, old: LegacyToken) -> LegacyToken:
    """A renewal that names no new session handle leaves the old one in force."""
    return new if new.session_handle else replace(new, session_handle=old.session_handle)
