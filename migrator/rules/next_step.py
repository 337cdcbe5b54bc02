"""What must happen to a connection next, and why. Pure: facts and the time go in, a decision comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from migrator.models import (
    RESPONSE_LOST,
    UNVERIFIED,
    Action,
    AppType,
    LegacyToken,
    Standing,
    State,
    StoredPair,
)

EXPIRY_MARGIN = timedelta(minutes=1)
"""A token that ends this soon counts as expired: it might end on the way."""


class Step(StrEnum):
    """What a dry run says of a connection."""

    SWAP = "swap"
    RENEW_THEN_SWAP = "renew, then swap"
    MUST_CONSENT = "must consent again"
    CANNOT_BE_USED = "cannot be used"
    DONE_ALREADY = "done already"


@dataclass(frozen=True)
class Decision:
    """One step and its reason."""

    step: Step
    reason: str
    """A short stable word, as in the ledger."""


@dataclass(frozen=True)
class Call:
    """Call the provider now."""

    action: Literal[Action.RENEW, Action.SWAP, Action.VERIFY, Action.REFRESH]


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


def first_step(app_type: AppType, legacy: LegacyToken, now: datetime) -> Decision:
    """What must happen to a connection that was never sent."""
    match app_type:
        case AppType.PUBLIC:
            return Decision(Step.MUST_CONSENT, "public_app")
        case AppType.PRIVATE:
            return Decision(Step.MUST_CONSENT, "private_app")
        case AppType.PARTNER:
            if not expired(legacy.expires_at, now):
                return Decision(Step.SWAP, "valid" if legacy.expires_at else "expiry_unknown")
            if legacy.session_handle:
                return Decision(Step.RENEW_THEN_SWAP, "token_expired")
            return Decision(Step.MUST_CONSENT, "token_expired")


def decision(standing: Standing, now: datetime) -> Decision:
    """What a run would do with a connection that is in the ledger already."""
    match standing.state:
        case State.MIGRATED:
            return Decision(Step.DONE_ALREADY, "migrated")
        case State.NEEDS_CONSENT:
            return Decision(Step.MUST_CONSENT, standing.reason)
        case State.FAILED:
            return Decision(Step.CANNOT_BE_USED, standing.reason)
        case State.UNCERTAIN | State.IN_FLIGHT:
            if standing.consented and standing.pair is not None:
                return Decision(Step.DONE_ALREADY, UNVERIFIED)
            first = first_step(standing.app_type, standing.legacy, now)
            return Decision(first.step if first.step is Step.RENEW_THEN_SWAP else Step.SWAP, "response_lost")
        case State.PENDING:
            return first_step(standing.app_type, standing.legacy, now)


def next_step(standing: Standing, now: datetime) -> Call | Wait | Rest:  # noqa: PLR0911 - a return a rule
    """What the job does with a connection now."""
    if standing.state not in (State.PENDING, State.UNCERTAIN):
        return Rest(standing.state, standing.reason)
    if standing.not_before is not None and standing.not_before > now:
        return Wait(standing.not_before)
    if standing.doubt is Action.REVOKE:  # only the operator goes on with that
        return Rest(standing.state, standing.reason)
    if standing.pair is not None:
        return _settle_pair(standing, standing.pair, now)
    if standing.doubt is Action.EXCHANGE_CODE:  # what a consent won is not won by the legacy token
        return Rest(State.NEEDS_CONSENT, RESPONSE_LOST)
    renewable = standing.app_type == AppType.PARTNER and standing.legacy.session_handle
    if standing.doubt is not None and not renewable:
        # Only the provider's answer tells what became of the lost call: it is asked, expired token or not.
        return Call(Action.SWAP)
    first = first_step(standing.app_type, standing.legacy, now)
    match first.step:
        case Step.SWAP:
            return Call(Action.SWAP)
        case Step.RENEW_THEN_SWAP:
            return Call(Action.RENEW)
        case _:
            return Rest(State.NEEDS_CONSENT, first.reason)


def _settle_pair(standing: Standing, stored: StoredPair, now: datetime) -> Call:
    """A pair that was not won by the connection's only call is seen to work before it counts.

    An access token that has ended meanwhile cannot show that, nor can one whose refresh token was sent and
    may have been used up; only the refresh token can.
    """
    refresh_lost = standing.doubt is Action.REFRESH and standing.reason != UNVERIFIED
    if refresh_lost or expired(stored.pair.expires_at, now):
        return Call(Action.REFRESH)
    return Call(Action.VERIFY)
