"""When the next call may go out, under a simulated clock."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.rules.pacing import FIRST_BACKOFF, LONGEST_BACKOFF, RateLimiter, backoff, unsaid_wait

MINUTE = 60.0
HAIR = 1e-6
"""What adding up floats may cost."""

delays = st.lists(st.floats(0, 5), min_size=1, max_size=150)


def leave_times(pace: RateLimiter, delays: list[float], start: float = 1000.0) -> list[float]:
    """When calls leave that are each ready so long after the one before, and wait as they are told."""
    now, times = start, []
    for delay in delays:
        now += delay
        now += max(pace.wait(now), 0.0)
        pace.take(now)
        times.append(now)
    return times


@given(st.integers(1, 60), delays)
def test_no_minute_sees_more_calls_than_the_rate(rate: int, delays: list[float]) -> None:
    times = leave_times(RateLimiter(rate), delays)
    spans = [later - earlier for earlier, later in zip(times, times[rate:], strict=False)]
    assert all(span >= MINUTE - HAIR for span in spans)


@given(st.integers(1, 20_000), st.lists(st.floats(0, RateLimiter.CATCH_UP), min_size=1, max_size=100))
def test_who_is_always_nearly_ready_fills_the_rate_but_for_the_margin(rate: int, late: list[float]) -> None:
    pace, now, start = RateLimiter(rate), 1000.0, 1000.0
    for lateness in late:
        now = max(now, now + pace.wait(now) + lateness)  # a sleep is never too short, and often too long
        pace.take(now)
    span = now - start
    calls = len(late) - 1
    slowest = calls * MINUTE / (rate * (1 - RateLimiter.MARGIN)) + 2 * RateLimiter.CATCH_UP
    assert span <= slowest + HAIR
    assert span >= calls * MINUTE / rate - 2 * RateLimiter.CATCH_UP - HAIR


@given(st.integers(1, 20_000), st.floats(0, 1e6))
def test_a_first_call_need_not_wait(rate: int, now: float) -> None:
    assert RateLimiter(rate).wait(now) <= 0


@given(st.integers(1, 600), delays, st.lists(st.floats(0, 100), max_size=5))
def test_nobody_leaves_before_a_pause_is_over(rate: int, delays: list[float], pauses: list[float]) -> None:
    pace = RateLimiter(rate)
    now = leave_times(pace, delays)[-1]
    for pause in pauses:
        pace.pause(now + pause)
    (left,) = leave_times(pace, [0.0], now)
    assert left >= now + max(pauses, default=0.0) - HAIR
    assert left >= now + MINUTE / rate - RateLimiter.CATCH_UP - HAIR


def test_a_pause_that_is_over_costs_nothing() -> None:
    paused, other = RateLimiter(60), RateLimiter(60)
    for pace in (paused, other):
        pace.take(10.0)
    paused.pause(5.0)
    assert paused.wait(10.5) == other.wait(10.5) > 0


@given(st.integers(100, 20_000), st.integers(0, 60), st.integers(0, 20_000), st.integers(1, 20_000))
def test_the_rate_makes_do_with_what_others_leave(limit: int, ours: int, others: int, wanted: int) -> None:
    pace = RateLimiter(wanted, limit)
    most = min(wanted, limit)
    for _ in range(ours):
        pace.take(1000.0)
    remaining = max(0, limit - ours - others)
    pace.note_remaining(remaining, 1030.0)
    expected = min(most, max(limit - (limit - ours - remaining), limit * RateLimiter.LEAST_SHARE))
    assert pace.rate_per_minute == pytest.approx(expected)
    pace.note_remaining(limit, 1100.0)  # a minute on, nobody uses any
    assert pace.rate_per_minute == most


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_backoff_has_bounds(tries: int, jitter: float) -> None:
    pause = backoff(tries, jitter)
    assert 0 <= pause <= LONGEST_BACKOFF
    assert pause <= FIRST_BACKOFF * 2 ** min(tries, 16)


def test_backoff_spreads_and_grows() -> None:
    random = Random(1)
    draws = {tries: [backoff(tries, random.random()) for _ in range(200)] for tries in (0, 3, 30)}
    assert all(len(set(draw)) > 100 for draw in draws.values())
    assert 0.4 < max(draws[0]) <= 0.5
    assert 3 < max(draws[3]) <= 4
    assert 25 < max(draws[30]) <= 30


@given(st.integers(1, 10_000))
def test_a_wait_that_nobody_named_has_bounds_and_never_shrinks(times: int) -> None:
    assert FIRST_BACKOFF <= unsaid_wait(times) <= unsaid_wait(times + 1) <= LONGEST_BACKOFF


def test_a_limit_that_was_reached_in_spite_of_all_care_slows_the_pace_for_some_minutes() -> None:
    pace = RateLimiter(6_000)
    pace.slow_down(1000.0)
    assert pace.rate_per_minute == pytest.approx(4_500)
    for _ in range(100):
        pace.slow_down(1000.0)
    assert pace.rate_per_minute == pytest.approx(6_000 * RateLimiter.LEAST_SHARE)
    pace.take(1059.0)
    assert pace.rate_per_minute == pytest.approx(6_000 * RateLimiter.LEAST_SHARE)
    for minute in range(1, 60):
        pace.take(1000.0 + 61.0 * minute)
    assert pace.rate_per_minute == 6_000
