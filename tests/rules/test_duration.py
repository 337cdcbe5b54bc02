"""How long calls take under several limits together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from migrator.models import Action
from migrator.providers.facts import Limit
from migrator.rules.duration import least_duration, limits_that_hold, limits_told

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
A_DAY = Limit(5_000, DAY, calendar=True, subject="key", shared=True)
AN_HOUR = Limit(1_000, HOUR, subject="key", shared=True)
TUMBLR = (
    AN_HOUR,
    A_DAY,
    Limit(300, MINUTE, subject="address"),
    Limit(18_000, HOUR, subject="address"),
    Limit(432_000, DAY, calendar=True, subject="address"),
)
MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)


def takes(
    swaps: int, *limits: Limit, now: datetime = MIDNIGHT, leave: float | None = None, rate: int | None = None
) -> timedelta | None:
    calls = {Action.SWAP: swaps}
    return least_duration(calls, limits_that_hold(calls, limits, rate_per_minute=rate, leave=leave), now)


@pytest.mark.parametrize(
    ("now", "leave", "duration"),
    [
        (MIDNIGHT, None, 9 * DAY + 5 * HOUR),
        (MIDNIGHT + 12 * HOUR, None, 8 * DAY + 17 * HOUR),
        (MIDNIGHT + 12 * HOUR, 0.5, 18 * DAY + 17 * HOUR),
        (MIDNIGHT + 23 * HOUR + 50 * MINUTE, None, 9 * DAY + 5 * HOUR),  # of the first day, only 166
    ],
)
def test_an_hour_and_a_calendar_day_together(now: datetime, leave: float | None, duration: timedelta) -> None:
    found = takes(50_000, *TUMBLR, now=now, leave=leave)
    assert found is not None
    assert found.total_seconds() == pytest.approx(duration.total_seconds(), abs=1)


def test_what_is_left_of_today_is_used_at_once_where_nothing_else_holds() -> None:
    assert takes(5_000, A_DAY, now=MIDNIGHT + 23 * HOUR) == timedelta(0)
    assert takes(5_001, A_DAY, now=MIDNIGHT + 23 * HOUR) == HOUR


def test_the_slowest_rate_holds_and_ones_own_is_one_of_them() -> None:
    assert takes(600, Limit(60, MINUTE), Limit(100, HOUR)) == 6 * HOUR
    assert takes(600, Limit(60, MINUTE), rate=10) == HOUR
    assert takes(600, rate=10) == HOUR


def test_where_nothing_holds_nobody_knows() -> None:
    assert takes(600) is None
    assert takes(600, Limit(5, MINUTE, subject="tenant"), Limit(at_once=3)) is None
    assert takes(0) == timedelta(0)


def test_only_the_calls_that_count_are_counted() -> None:
    swaps = Limit(60, MINUTE, calls=frozenset({Action.SWAP}))
    both = Limit(90, MINUTE)
    calls = {Action.RENEW: 600, Action.SWAP: 600}
    assert least_duration(calls, [swaps], MIDNIGHT) == 10 * MINUTE
    assert least_duration(calls, [swaps, both], MIDNIGHT) == timedelta(seconds=800)


def test_people_are_told_of_what_holds_them_back() -> None:
    assert limits_told(TUMBLR) == (AN_HOUR, A_DAY)
    assert limits_told(TUMBLR[2:]) == (TUMBLR[2],)
    assert limits_told([A_DAY]) == (A_DAY,)
    assert limits_told([]) == ()
