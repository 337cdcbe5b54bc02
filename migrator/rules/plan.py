"""What must happen to a connection next, and why. Pure: facts and the time go in, a decision comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from migrator.models import (
    RESPONSE_LOST,
    UNVERIFIED,
    Action,
    AppType,
    LegacyToken,
    Misnamed,
    Reject,
    Standing,
    State,
    StoredPair,
)
from migrator.providers import Profile

EXPIRY_MARGIN = timedelta(minutes=1)
"""A token that ends this soon counts as expired: it might end on the way."""


MOST_REJECTS_KEPT = 1_000
MANY_ALIKE = 5
"""Rows of one file and one reason: from so many on, what is wrong is the file's and not the row's."""
MOST_SENTENCES = 10
"""Sentences that are told each for itself, of one file and one reason.

What has more names a place (where a token stands already), and not one of the ten columns.
"""


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
    renewable = standing.app_type is AppType.PARTNER and standing.legacy.session_handle
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


@dataclass
class Alike:
    """Rows of one source that are rejected for one reason."""

    first: Reject
    lines: list[int] = field(default_factory=list)
    """The first of their lines, and all if they are few."""
    rows: int = 0
    varied: bool = False
    """Whether each has a sentence of its own, so that the first one's is true of that one only."""

    def add(self, reject: Reject) -> None:
        """One more row."""
        self.rows += 1
        if not self.many:
            self.lines.append(reject.line)

    @property
    def many(self) -> bool:
        """Whether they are too many, or too various, to name each."""
        return self.varied or self.rows >= MANY_ALIKE


@dataclass
class Tally:
    """The plan of a run, counted row by row."""

    steps: Counter[tuple[AppType, Step, str]] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    """Reason to number of rows."""
    rejects: list[Reject] = field(default_factory=list)
    """The first rejected rows; there may be more of them than a person, or the memory, can take."""
    misnamed: list[Misnamed] = field(default_factory=list)
    """Columns of the files that are not read, and seem to be meant to be."""
    _alike: dict[tuple[str, str], dict[str | None, Alike]] = field(default_factory=dict)
    """The rejected rows by source and reason, and by sentence; under None those of all sentences
    beyond ``MOST_SENTENCES``.
    """

    def add(self, app_type: AppType, decided: Decision) -> None:
        """One more connection, and what happens to it."""
        self.steps[app_type, decided.step, decided.reason] += 1

    def reject(self, reject: Reject) -> None:
        """One more row that cannot be used."""
        self.rejected[reject.reason] += 1
        sentences = self._alike.setdefault((reject.source, reject.reason), {})
        full = reject.detail not in sentences and len(sentences) >= MOST_SENTENCES
        alike = sentences.setdefault(None if full else reject.detail, Alike(reject, varied=full))
        alike.add(reject)
        if len(self.rejects) < MOST_REJECTS_KEPT:
            self.rejects.append(reject)

    def rejected_alike(self) -> Iterator[Alike]:
        """The rejected rows as people are told of them: once, where one sentence is true of several.

        Many of one source and reason with a sentence each (``duplicate_token`` names the other row) make one.
        """
        for sentences in self._alike.values():
            told = list(sentences.values())
            if told[-1].varied:
                single = [alike for alike in told if alike.rows == 1 or alike.varied]
                told = [alike for alike in told if alike.rows > 1 and not alike.varied]
                told.append(Alike(single[0].first, rows=sum(alike.rows for alike in single), varied=True))
            yield from told

    def count(self, *steps: Step) -> int:
        """How many connections take any of these steps."""
        return sum(number for (_, step, _), number in self.steps.items() if step in steps)


@dataclass(frozen=True)
class Forecast:
    """What the tally means in calls, time and the provider's conditions."""

    connections: int
    swaps: int
    renewals: int
    rate_per_minute: int
    duration: timedelta
    """How long the calls take at that rate, at the least."""
    deadline: date | None
    deadline_ok: bool | None
    """Whether the job can end by the end of the deadline's day (UTC), or None without one."""
    days_left: int | None
    over_uncertified_limit: int
    """How many connections an uncertified application may not hold; 0 where that does not apply."""
    uncertified_limit: int | None
    """The limit that applies, or None."""
    assessment_from: int | None
    """From how many connections on a security assessment is due, if the job reaches it; else None."""


def forecast(
    tally: Tally,
    profile: Profile,
    now: datetime,
    *,
    rate_per_minute: int,
    certified: bool,
    deadline: date | None,
) -> Forecast:
    """Look ahead from the counts: ``rate_per_minute`` is the job's own setting.

    The provider's limit caps it.
    """
    rate = min(rate_per_minute, profile.rate_per_minute)
    renewals = tally.count(Step.RENEW_THEN_SWAP)
    swaps = tally.count(Step.SWAP) + renewals
    duration = timedelta(minutes=(swaps + renewals) / rate)
    holds = swaps + tally.count(Step.DONE_ALREADY)
    limit = None if certified else profile.uncertified_limit
    end_of_day = (
        datetime(deadline.year, deadline.month, deadline.day, tzinfo=UTC) + timedelta(days=1)
        if deadline
        else None
    )
    everybody = holds + tally.count(Step.MUST_CONSENT)
    return Forecast(
        connections=sum(tally.steps.values()),
        swaps=swaps,
        renewals=renewals,
        rate_per_minute=rate,
        duration=duration,
        deadline=deadline,
        deadline_ok=now + duration <= end_of_day if end_of_day else None,
        days_left=(deadline - now.date()).days if deadline else None,
        over_uncertified_limit=max(0, holds - limit) if limit is not None else 0,
        uncertified_limit=limit,
        assessment_from=profile.assessment_from
        if profile.assessment_from and everybody >= profile.assessment_from
        else None,
    )
