"""The plan of a run: what would happen to how many, and what that means in calls and time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from migrator.models import Action, Misnamed, Reject
from migrator.providers import Profile
from migrator.providers.facts import Advice, Limit
from migrator.rules.duration import least_duration, limits_that_hold, limits_told
from migrator.rules.exchange_window import closed_since
from migrator.rules.next_step import Decision, Step

_MINUTE = timedelta(minutes=1)
MOST_REJECTS_KEPT = 1_000
MANY_ALIKE = 5
"""Rows of one file and one reason: from so many on, what is wrong is the file's and not the row's."""
MOST_SENTENCES = 10
"""Sentences that are told each for itself, of one file and one reason.

What has more names a place (where a token stands already), and not one of the ten columns.
"""


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

    steps: Counter[tuple[str, Step, str]] = field(default_factory=Counter)
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

    def add(self, app_type: str, decided: Decision) -> None:
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
    calls: Mapping[Action, int]
    """All that these take."""
    limits: tuple[Limit, ...]
    """What holds the calls back, with the calls that are ours; empty if nothing does."""
    left: float | None
    """Share of these limits that is left to the application's ordinary traffic, which counts in them, too;
    None if it does not.
    """
    duration: timedelta | None
    """How long the calls take under these limits, at the least; None without any."""
    deadline: date | None
    deadline_ok: bool | None
    """Whether the job can end by the end of the deadline's day (UTC); None without one, and where
    nobody knows.
    """
    days_left: int | None
    over_uncertified_limit: int
    """How many connections an uncertified application may not hold; 0 where that does not apply."""
    uncertified_limit: int | None
    """The limit that applies, or None."""
    advice: tuple[Advice, ...]
    """What the provider's users should know, with so many connections."""
    closed: date | None
    """Since when the exchange is closed; None if it is open."""
    legacy_ends: date | None
    """When the provider will end OAuth 1.0a, as far as it says."""
    before: tuple[str, ...]
    """What must have been done before the first call."""

    @property
    def rate_per_minute(self) -> float | None:
        """Calls a minute at the most, whatever the calendar says; None where no such limit is known."""
        rates = (limit.count * _MINUTE / limit.window for limit in self.limits if not limit.calendar)
        return min(rates, default=None)


def forecast(
    tally: Tally,
    profile: Profile,
    now: datetime,
    *,
    rate_per_minute: int | None,
    certified: bool,
    deadline: date | None,
    leave: float | None = None,
) -> Forecast:
    """Look ahead from the counts: ``rate_per_minute`` and ``leave`` are the job's own settings.

    The provider's limits hold besides.
    """
    renewals = tally.count(Step.RENEW_THEN_SWAP)
    swaps = tally.count(Step.SWAP) + renewals
    calls = {Action.RENEW: renewals} if profile.has(Action.RENEW) else {}
    calls |= dict.fromkeys(profile.swap_calls, swaps)
    all_limits = limits_that_hold(calls, profile.limits, rate_per_minute=rate_per_minute, leave=leave)
    limits = limits_told(all_limits)
    duration = least_duration(calls, all_limits, now)
    holds = swaps + tally.count(Step.DONE_ALREADY)
    limit = None if certified else profile.facts.uncertified_limit
    ends = profile.facts.legacy_ends
    everybody = holds + tally.count(Step.MUST_CONSENT)
    return Forecast(
        connections=sum(tally.steps.values()),
        swaps=swaps,
        renewals=renewals,
        calls=calls,
        limits=limits,
        left=max((limit.leave for limit in limits if limit.shared), default=None),
        duration=duration,
        deadline=deadline,
        deadline_ok=_in_time(now, duration, deadline) if deadline else None,
        days_left=(deadline - now.date()).days if deadline else None,
        over_uncertified_limit=max(0, holds - limit) if limit is not None else 0,
        uncertified_limit=limit,
        advice=tuple(one for one in profile.facts.advice if everybody >= one.connections),
        closed=closed_since(profile, now),
        legacy_ends=ends.day if ends is not None and ends.day >= now.date() else None,
        before=profile.facts.before,
    )


def _in_time(now: datetime, duration: timedelta | None, deadline: date) -> bool | None:
    """Whether a job that starts now can end by the end of a day; None if nobody knows."""
    end_of_day = datetime(deadline.year, deadline.month, deadline.day, tzinfo=UTC) + timedelta(days=1)
    if duration is None:
        return None if now <= end_of_day else False
    return now + duration <= end_of_day
