"""One limit whose window slides, under a simulated clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.providers.facts import Limit
from migrator.rules.pacing import LONGEST_PAUSE, Moment
from migrator.rules.pacing.sliding import SlidingPace
from tests.rules.pacing.simulation import SlidingCounter

MINUTE = 60.0
HAIR = 1e-6
"""What adding up floats may cost."""

delays = st.lists(st.floats(0, 5), min_size=1, max_size=150)


def at(now: float) -> Moment:
    return Moment(now, now)


def pace_of(count: int, window: float = MINUTE, leave: float = 0.0) -> SlidingPace:
    return SlidingPace(Limit(count, timedelta(seconds=window), shared=True, counts="window"), leave)


def leave_times(pace: SlidingPace, delays: list[float], start: float = 1000.0) -> list[float]:
    """When calls leave that are each ready so long after the one before, and wait as they are told."""
    now, times = start, []
    for delay in delays:
        now += delay
        while (wait := pace.wait(at(now))) > 0:
            now += wait
        pace.take(at(now))
        pace.end(at(now))
        times.append(now)
    return times


@given(st.integers(1, 60), st.sampled_from([1.0, 60.0, 900.0, 3600.0, 86_400.0]), delays)
def test_no_window_sees_more_calls_than_the_limit(count: int, window: float, delays: list[float]) -> None:
    times = leave_times(pace_of(count, window), delays)
    spans = [later - earlier for earlier, later in zip(times, times[count:], strict=False)]
    assert all(span >= window - HAIR for span in spans)


@given(st.integers(10, 100), st.integers(0, 95), delays)
def test_what_is_to_be_left_is_left(count: int, percent: int, delays: list[float]) -> None:
    ours = max(1, int(count * (1 - percent / 100)))
    times = leave_times(pace_of(count, leave=percent / 100), delays)
    spans = [later - earlier for earlier, later in zip(times, times[ours:], strict=False)]
    assert all(span >= MINUTE - HAIR for span in spans)


@given(st.integers(10, 20_000), st.lists(st.floats(0, SlidingPace.CATCH_UP), min_size=1, max_size=100))
def test_who_is_always_nearly_ready_fills_the_rate_but_for_the_margin(count: int, late: list[float]) -> None:
    pace, now, start = pace_of(count), 1000.0, 1000.0
    for lateness in late:
        now = max(now, now + pace.wait(at(now)) + lateness)  # a sleep is never too short, and often too long
        pace.take(at(now))
        pace.end(at(now))
    span = now - start
    calls = len(late) - 1
    slowest = calls * MINUTE / (count * (1 - SlidingPace.MARGIN)) + 2 * SlidingPace.CATCH_UP
    full_windows = calls // count
    assert span <= slowest + full_windows * (MINUTE / 600 + 0.05) + HAIR
    assert span >= calls * MINUTE / count - 2 * SlidingPace.CATCH_UP - HAIR


@given(st.integers(1, 20_000), st.floats(0, 1e6))
def test_a_first_call_need_not_wait(count: int, now: float) -> None:
    assert pace_of(count).wait(at(now)) <= 0


def test_the_few_calls_of_a_day_are_not_spread_over_it() -> None:
    pace = pace_of(10, 86_400.0)
    assert leave_times(pace, [0.0] * 10) == [1000.0] * 10
    assert pace.wait(at(1000.0)) > 86_400 - 60


def test_nor_do_others_who_use_nearly_all_end_the_job() -> None:
    pace = pace_of(60, 3_600.0)
    pace.note_remaining(0, 0, at(1000.0))
    pace.take(at(1000.0))
    assert 0 < pace.wait(at(1000.0)) <= LONGEST_PAUSE


@given(st.integers(200, 20_000), st.integers(0, 60), st.integers(0, 20_000))
def test_the_rate_makes_do_with_what_others_leave(count: int, ours: int, others: int) -> None:
    pace = pace_of(count)
    for _ in range(ours):
        pace.take(at(1000.0))
    remaining = max(0, count - ours - others)
    pace.note_remaining(remaining, 0, at(1030.0))
    least = count * SlidingPace.LEAST_SHARE
    assert pace.rate <= max(count - (count - ours - remaining), least)
    assert pace.rate >= least - HAIR
    pace.note_remaining(count, 0, at(1100.0))  # a minute on, nobody uses any
    assert pace.rate == count


def test_a_limit_that_was_reached_in_spite_of_all_care_slows_the_pace_for_some_minutes() -> None:
    pace = pace_of(6_000)
    pace.slow_down(at(1000.0))
    assert pace.rate == pytest.approx(4_500)
    for _ in range(100):  # many who were under way together say it
        pace.slow_down(at(1000.5))
    assert pace.rate == pytest.approx(4_500)
    for number in range(100):
        pace.slow_down(at(1001.0 + number))
    assert pace.rate == pytest.approx(6_000 * SlidingPace.LEAST_SHARE)
    pace.take(at(1159.0))
    assert pace.rate == pytest.approx(6_000 * SlidingPace.LEAST_SHARE)
    for minute in range(1, 60):
        pace.take(at(1100.0 + 61.0 * minute))
    assert pace.rate == 6_000


def test_calls_of_before_count_until_the_window_has_passed() -> None:
    pace = pace_of(100)
    for second in range(50):
        pace.seed(at(950.0 + second), 2)
    assert pace.wait(at(1000.0)) == pytest.approx(11.05, abs=0.001)  # 951, its slot, and the window
    fresh = pace_of(100)
    fresh.seed(at(900.0), 100)
    assert fresh.wait(at(1000.0)) <= 0


@pytest.mark.parametrize("times_more", [2, 100])
def test_a_provider_that_gives_more_than_its_profile_says_is_no_reason_to_be_slow(times_more: int) -> None:
    count = 600
    pace = SlidingPace(Limit(count, timedelta(seconds=MINUTE), shared=True, counts="unknown"), 0.0)
    theirs = SlidingCounter(times_more * count, MINUTE)
    now, end = 1000.0, 1000.0 + 4 * MINUTE
    while now < end:
        now += max(pace.wait(at(now)), 0.0)
        pace.take(at(now))
        theirs.count(now)
        pace.note_remaining(theirs.left(now), 0, at(now))
        pace.end(at(now))
    assert theirs.left(now) <= times_more * count - 0.98 * count, "the last minute was filled, too"
