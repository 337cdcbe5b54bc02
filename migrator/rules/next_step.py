"""What must happen to a connection next, and why. Pure: facts and the time go in, a decision comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

from migrator.models import (
    RESPONSE_LOST,
    UNVERIFIED,
    Action,
    LegacyToken,
    Standing,
    State,
    StoredPair,
)
from migrator.providers.facts import Renewal, RenewalRule
from migrator.rules.terms import Terms

EXPIRY_MARGIN = timedelta(minutes=1)
"""A token that ends this soon counts as expired: it might end on the way."""
TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a reason
"""A reason: the legacy token has ended."""


class Step(StrEnum):
    """What a dry run says of a connection."""

    SWAP = "swap"
    RENEW_THEN_SWAP = "renew, then swap"
    MUST_CONSENT = "must consent again"
    CANNOT_BE_USED = "cannot be used"
    DONE_ALREADY = "done already"

    __hash__ = str.__hash__  # Enum's is Python code, and plans count millions


class Decision(NamedTuple):
    """One step and its reason."""

    step: Step
    reason: str
    """A short stable word, as in the ledger."""


@dataclass(frozen=True)
class Call:
    """Call the provider now."""

    action: Literal[Action.RENEW, Action.IDENTIFY, Action.SWAP, Action.VERIFY, Action.REFRESH, Action.DISABLE]


@dataclass(frozen=True)
class Wait:
    """Nothing before this time (UTC)."""

    until: datetime


@dataclass(frozen=True)
class Rest:
    """Nothing more in this run; the connection rests in this state."""

    state: State
    reason: str


def expired(ends: datetime | None, now: datetime) -> bool:
    """Whether a token has ended, or ends within a minute.

    One that does not say when it ends has not: it is tried first.
    """
    return ends is not None and ends - now < EXPIRY_MARGIN


def first_step(app_type: str, legacy: LegacyToken, terms: Terms, now: datetime) -> Decision:
    """What must happen to a connection that was never sent."""
    if not terms.swaps(app_type):
        return Decision(Step.MUST_CONSENT, f"{app_type}_app")
    if legacy.expires_at is None:
        return Decision(Step.SWAP, "expiry_unknown")
    ended = expired(legacy.expires_at, now)
    if terms.renewal.rule is RenewalRule.REFUSED:  # only the provider tells whether it has ended
        return Decision(Step.SWAP, TOKEN_EXPIRED if ended else "valid")
    if _due(legacy, terms.renewal, now) and renewable(legacy, terms.renewal, now):
        return Decision(Step.RENEW_THEN_SWAP, TOKEN_EXPIRED)
    return Decision(Step.MUST_CONSENT, TOKEN_EXPIRED) if ended else Decision(Step.SWAP, "valid")


def renewable(legacy: LegacyToken, renewal: Renewal, now: datetime) -> bool:
    """Whether a legacy token can be renewed now."""
    if renewal.rule is RenewalRule.NEVER or (renewal.needs_handle and not legacy.session_handle):
        return False
    if renewal.rule is RenewalRule.WINDOW:
        ends = legacy.expires_at
        return ends is not None and ends - renewal.window <= now < ends
    return renewal.rule is RenewalRule.EXPIRED or not legacy.renewed


def _due(legacy: LegacyToken, renewal: Renewal, now: datetime) -> bool:
    """Whether a token has ended, or ends so soon that it is renewed before it is used.

    One that was renewed is used while it lives: another renewal may give no longer one.
    """
    ends, ahead = legacy.expires_at, timedelta(0) if legacy.renewed else renewal.ahead
    return ends is not None and ends - now < max(ahead, EXPIRY_MARGIN)


def decision(standing: Standing, terms: Terms, now: datetime) -> Decision:
    """What a run would do with a connection that is in the ledger already."""
    match standing.state:
        case State.MIGRATED:
            return Decision(Step.DONE_ALREADY, "migrated")
        case State.NEEDS_CONSENT:
            return Decision(Step.MUST_CONSENT, standing.reason)
        case State.FAILED:
            return Decision(Step.CANNOT_BE_USED, standing.reason)
        case State.UNCERTAIN | State.IN_FLIGHT:
            return _of_uncertain(standing, terms, now)
        case State.PENDING:
            return first_step(standing.app_type, standing.legacy, terms, now)


def _of_uncertain(standing: Standing, terms: Terms, now: datetime) -> Decision:
    """What a run would do with a connection of which a call got lost, for all we know."""
    if standing.pair is not None and (standing.consented or not terms.asks_again):
        return Decision(Step.DONE_ALREADY, UNVERIFIED)
    match _ask_again(standing, standing.doubt or Action.SWAP, terms, now):
        case Call(Action.RENEW):
            return Decision(Step.RENEW_THEN_SWAP, RESPONSE_LOST)
        case Call():
            return Decision(Step.SWAP, RESPONSE_LOST)
        case Rest(reason=reason):
            return Decision(Step.MUST_CONSENT, reason)


def next_step(  # noqa: PLR0911 - a return a rule
    standing: Standing, terms: Terms, now: datetime
) -> Call | Wait | Rest:
    """What the job does with a connection now."""
    if standing.state not in (State.PENDING, State.UNCERTAIN):
        return Rest(standing.state, standing.reason)
    if standing.not_before is not None and standing.not_before > now:
        return Wait(standing.not_before)
    if standing.doubt is Action.REVOKE:  # only the operator goes on with that
        return Rest(standing.state, standing.reason)
    if standing.pair is not None:
        return _settle_pair(standing, standing.pair, terms, now)
    if standing.doubt is not None:
        return _ask_again(standing, standing.doubt, terms, now)
    if _was_told(standing, terms):
        return Call(Action.RENEW)
    first = first_step(standing.app_type, standing.legacy, terms, now)
    match first.step:
        case Step.SWAP if terms.identifies and not standing.user_id:
            return Call(Action.IDENTIFY)
        case Step.SWAP:
            return Call(Action.SWAP)
        case Step.RENEW_THEN_SWAP:
            return Call(Action.RENEW)
        case _:
            return Rest(State.NEEDS_CONSENT, first.reason)


def _was_told(standing: Standing, terms: Terms) -> bool:
    """Whether the provider has said that a legacy token has ended that is renewed only then."""
    return terms.renewal.rule is RenewalRule.REFUSED and standing.reason == TOKEN_EXPIRED


def _ask_again(standing: Standing, doubt: Action, terms: Terms, now: datetime) -> Call | Rest:
    """A call got lost, and no pair is there: only the provider's answer tells what became of it."""
    if doubt is Action.EXCHANGE_CODE:  # what a consent won is not won by the legacy token
        return Rest(State.NEEDS_CONSENT, RESPONSE_LOST)
    if doubt is not Action.RENEW and not terms.asks_again:
        return Rest(State.NEEDS_CONSENT, RESPONSE_LOST)
    first = first_step(standing.app_type, standing.legacy, terms, now)
    if first.step is Step.RENEW_THEN_SWAP or _was_told(standing, terms):
        return Call(Action.RENEW)
    if doubt is Action.RENEW and terms.identifies and not standing.user_id:  # nothing was swapped yet
        return Call(Action.IDENTIFY)
    # The provider is asked, expired token or not.
    return Call(Action.SWAP)


def _settle_pair(standing: Standing, stored: StoredPair, terms: Terms, now: datetime) -> Call | Rest:
    """A pair that was not won by the connection's only call is seen to work before it counts.

    An access token that has ended meanwhile cannot show that, nor can one whose refresh token was sent and
    may have been used up; only the refresh token can.
    """
    refreshable = terms.refreshable(standing) and not stored.taken  # else it is the application's to use up
    refresh_lost = standing.doubt is Action.REFRESH and standing.reason != UNVERIFIED
    if refreshable and (refresh_lost or expired(stored.pair.expires_at, now) or not terms.verifies):
        return Call(Action.REFRESH)
    if terms.verifies:
        return Call(Action.VERIFY)
    return Rest(standing.state, standing.reason)  # nothing shows whether it works
