"""What a job takes on: which kind of work, how much of the ledger, and what it does with each connection.

Pure: where a connection stands and the time go in, the next step comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from migrator.models import FAULTLESS, Action, Standing, State, StoredPair
from migrator.rules.next_step import Call, Rest, Wait, expired, next_step
from migrator.rules.terms import Terms
from migrator.rules.verdict import Verdict


class Work(StrEnum):
    """A kind of work."""

    SWAP = "swap"
    """Win a pair for whoever has none."""
    VERIFY = "verify"
    """See each pair work that was not seen to since a moment."""
    VERIFY_LIVING = "verify_living"
    """The same, but for a pair whose access token has ended and whose refresh token only others can use: it
    shows nothing, and is left as it is.
    """
    REFRESH_ENDING = "refresh_ending"
    """Refresh the pairs whose refresh token ends by a moment."""
    REFRESH_ALL = "refresh_all"
    """Refresh every pair."""
    DISABLE = "disable"
    """End the legacy token of each connection that has a pair."""


def _may_be_disabled(standing: Standing) -> bool:
    """Whether a legacy token can be ended, and nobody misses it: not while its pair is less than it was.

    A purge leaves nothing of a legacy token to end it with.
    """
    replaced = standing.state is State.MIGRATED and standing.reason in FAULTLESS
    return replaced and not standing.disabled and bool(standing.legacy.token)


@dataclass(frozen=True)
class Agenda:
    """The part of the ledger that a job works on, and the kind of work."""

    work: Work
    upto: int
    """The highest connection id."""
    max_attempts: int
    """Connections with as many fruitless calls in this run are left alone."""
    moment: datetime
    """What the kind of work speaks of (UTC); ``SWAP`` speaks of none."""
    begun: datetime
    """When the job began (UTC): what it has won itself needs no refresh."""

    def step(self, standing: Standing, terms: Terms, now: datetime) -> Call | Wait | Rest:
        """What the job does with a connection now.

        Whatever the work, what is uncertain is settled first. A pair that was handed over is left alone.
        """
        pair = standing.pair
        if self.work is Work.DISABLE:
            call = Call(Action.DISABLE) if _may_be_disabled(standing) else None
        elif self.work is Work.SWAP or standing.state is not State.MIGRATED or pair is None:
            return next_step(standing, terms, now)
        else:
            call = None if pair.taken else self._upkeep(standing, pair, terms, now)
        if call is None:
            return Rest(standing.state, standing.reason)
        if standing.not_before is not None and standing.not_before > now:
            return Wait(standing.not_before)
        return call

    def is_over(self, action: Action, verdict: Verdict) -> bool:
        """Whether a call has left nothing to do for its connection, whatever else is known of it."""
        return self.work is Work.SWAP and action is Action.SWAP and verdict.state is State.MIGRATED

    def _older(self, stored: StoredPair) -> bool:
        return stored.obtained_at is None or stored.obtained_at < self.begun

    def _upkeep(self, standing: Standing, stored: StoredPair, terms: Terms, now: datetime) -> Call | None:
        refreshable = terms.refreshable(standing)
        match self.work:
            case Work.SWAP | Work.DISABLE:
                return None
            case Work.VERIFY_LIVING if stored.pair.refresh_token and stored.pair.ended(self.begun):
                return None
            case Work.VERIFY | Work.VERIFY_LIVING:
                if stored.verified_at is not None and stored.verified_at >= self.moment:
                    return None
                # An access token that has ended shows nothing; a refreshed one does, however short it lives.
                ended = expired(stored.pair.expires_at, now) and self._older(stored)
                return Call(Action.REFRESH if refreshable and ended else Action.VERIFY)
            case Work.REFRESH_ENDING:
                ends = stored.pair.refresh_expires_at
                soon = ends is not None and ends <= self.moment
                return Call(Action.REFRESH) if refreshable and soon and self._older(stored) else None
            case Work.REFRESH_ALL:
                return Call(Action.REFRESH) if refreshable and self._older(stored) else None
        assert_never(self.work)
