"""When the next call may go out, under a simulated clock."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.providers.faults import LASTING
from migrator.rules.pacing import (
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    Breaker,
    Pace,
    Pause,
    Trip,
    backoff,
    unsaid_wait,
)

MINUTE = 60.0
HAIR = 1e-6
"""What adding up floats may cost."""

delays = st.lists(st.floats(0, 5), min_size=1, max_size=150)


def leave_times(pace: Pace, delays: list[float], start: float = 1000.0) -> list[float]:
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
    times = leave_times(Pace(rate), delays)
    spans = [later - earlier for earlier, later in zip(times, times[rate:], strict=False)]
    assert all(span >= MINUTE - HAIR for span in spans)


@given(st.integers(1, 20_000), st.lists(st.floats(0, Pace.CATCH_UP), min_size=1, max_size=100))
def test_who_is_always_nearly_ready_fills_the_rate_but_for_the_margin(rate: int, late: list[float]) -> None:
    pace, now, start = Pace(rate), 1000.0, 1000.0
    for lateness in late:
        now = max(now, now + pace.wait(now) + lateness)  # a sleep is never too short, and often too long
        pace.take(now)
    span = now - start
    calls = len(late) - 1
    slowest = calls * MINUTE / (rate * (1 - Pace.MARGIN)) + 2 * Pace.CATCH_UP
    assert span <= slowest + HAIR
    assert span >= calls * MINUTE / rate - 2 * Pace.CATCH_UP - HAIR


@given(st.integers(1, 20_000), st.floats(0, 1e6))
def test_a_first_call_need_not_wait(rate: int, now: float) -> None:
    assert Pace(rate).wait(now) <= 0


@given(st.integers(1, 600), delays, st.lists(st.floats(0, 100), max_size=5))
def test_nobody_leaves_before_a_pause_is_over(rate: int, delays: list[float], pauses: list[float]) -> None:
    pace = Pace(rate)
    now = leave_times(pace, delays)[-1]
    for pause in pauses:
        pace.pause(now + pause)
    (left,) = leave_times(pace, [0.0], now)
    assert left >= now + max(pauses, default=0.0) - HAIR
    assert left >= now + MINUTE / rate - Pace.CATCH_UP - HAIR


def test_a_pause_that_is_over_costs_nothing() -> None:
    paused, other = Pace(60), Pace(60)
    for pace in (paused, other):
        pace.take(10.0)
    paused.pause(5.0)
    assert paused.wait(10.5) == other.wait(10.5) > 0


@given(st.integers(100, 20_000), st.integers(0, 60), st.integers(0, 20_000), st.integers(1, 20_000))
def test_the_rate_makes_do_with_what_others_leave(limit: int, ours: int, others: int, wanted: int) -> None:
    pace = Pace(wanted, limit)
    most = min(wanted, limit)
    for _ in range(ours):
        pace.take(1000.0)
    remaining = max(0, limit - ours - others)
    pace.heard(remaining, 1030.0)
    expected = min(most, max(limit - (limit - ours - remaining), limit * Pace.LEAST_SHARE))
    assert pace.rate_per_minute == pytest.approx(expected)
    pace.heard(limit, 1100.0)  # a minute on, nobody uses any
    assert pace.rate_per_minute == most


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_backoff_has_bounds(tries: int, dice: Random) -> None:
    pause = backoff(tries, dice)
    assert 0 <= pause <= LONGEST_BACKOFF
    assert pause <= FIRST_BACKOFF * 2 ** min(tries, 16)


def test_backoff_spreads_and_grows() -> None:
    dice = Random(1)
    draws = {tries: [backoff(tries, dice) for _ in range(200)] for tries in (0, 3, 30)}
    assert all(len(set(draw)) > 100 for draw in draws.values())
    assert 0.4 < max(draws[0]) <= 0.5
    assert 3 < max(draws[3]) <= 4
    assert 25 < max(draws[30]) <= 30


@given(st.integers(1, 10_000))
def test_a_wait_that_nobody_named_has_bounds_and_never_shrinks(times: int) -> None:
    assert FIRST_BACKOFF <= unsaid_wait(times) <= unsaid_wait(times + 1) <= LONGEST_BACKOFF


def test_five_suspects_stop_a_job_that_was_never_proven() -> None:
    breaker = Breaker(patience=60)
    assert [breaker.suspect("swap", "bad") for _ in range(5)] == [None] * 4 + [Trip("bad")]


@given(st.integers(0, 4), st.integers(0, 9))
def test_one_good_answer_turns_suspicion_to_the_single_connection(before: int, after: int) -> None:
    breaker = Breaker(patience=60)
    for _ in range(before):
        breaker.suspect("swap", "bad")
    breaker.good("swap")
    assert [breaker.suspect("swap", "bad") for _ in range(after)] == [None] * after


def test_ten_suspects_in_a_row_stop_even_a_job_that_went_well() -> None:
    breaker = Breaker(patience=60)
    breaker.good("swap")
    assert [breaker.suspect("swap", "bad") for _ in range(10)] == [None] * 9 + [Trip("bad")]


def test_who_is_not_proven_is_cautious() -> None:
    breaker = Breaker(patience=60)
    assert breaker.cautious
    breaker.good("swap")
    assert not breaker.cautious


def test_five_bad_answers_make_a_confident_job_cautious_and_a_good_one_confident_again() -> None:
    breaker = Breaker(patience=60)
    breaker.good("swap")
    assert [breaker.bad("503", 0.0) for _ in range(4)] == [None] * 4
    assert not breaker.cautious
    assert isinstance(breaker.bad("503", 0.0), Pause)
    assert breaker.cautious
    breaker.good("swap")
    assert not breaker.cautious
    assert breaker.bad("503", 0.0) is None


def test_each_bad_answer_lengthens_the_pause_up_to_a_bound() -> None:
    breaker = Breaker(patience=1e9)
    pauses = [breaker.bad("503", 0.0) for _ in range(40)]
    seconds = [pause.seconds for pause in pauses if isinstance(pause, Pause)]
    assert len(seconds) == 40
    assert seconds == sorted(seconds)
    assert seconds[0] == 0.5
    assert seconds[-1] == Breaker.LONGEST_PAUSE


@given(st.floats(0, 59.9))
def test_trouble_is_borne_as_long_as_patience_lasts(elapsed: float) -> None:
    breaker = Breaker(patience=60)
    assert all(isinstance(breaker.bad("503", 100.0), Pause) for _ in range(9))
    assert isinstance(breaker.bad("503", 100.0 + elapsed), Pause)
    assert breaker.bad("503", 160.0) == Trip("503")


@given(st.floats(60, 1e6), st.booleans())
def test_a_few_bad_answers_never_stop_a_job_however_long_they_take(elapsed: float, proven: bool) -> None:
    breaker = Breaker(patience=60)
    if proven:
        breaker.good("swap")
    reactions = [breaker.bad("503", 0.0), *(breaker.bad("503", elapsed) for _ in range(3))]
    assert not any(isinstance(reaction, Trip) for reaction in reactions)
    assert isinstance(breaker.bad("503", elapsed), Trip)


@pytest.mark.parametrize("problem", sorted(LASTING))
def test_what_no_waiting_mends_stops_a_job_at_once_unless_something_has_gone_well(problem: str) -> None:
    assert Breaker(patience=60).bad(problem, 0.0) == Trip(problem)
    renewed, swapped = Breaker(patience=60), Breaker(patience=60)
    renewed.good("renew", proves=False)
    assert renewed.bad(problem, 0.0) == Trip(problem)
    swapped.good("swap")
    assert [swapped.bad(problem, 0.0) for _ in range(4)] == [None] * 4
    assert isinstance(swapped.bad(problem, 59.0), Pause)
    assert swapped.bad(problem, 60.0) == Trip(problem)


def test_patience_begins_anew_after_a_good_answer() -> None:
    breaker = Breaker(patience=60)
    for _ in range(10):
        breaker.bad("503", 0.0)
    breaker.good("swap")
    reactions = [breaker.bad("503", 59.0 + second) for second in range(10)]
    assert not any(isinstance(reaction, Trip) for reaction in reactions)
    assert breaker.bad("503", 119.0) == Trip("503")


def test_a_limit_that_was_reached_in_spite_of_all_care_slows_the_pace_for_some_minutes() -> None:
    pace = Pace(6_000)
    pace.refused(1000.0)
    assert pace.rate_per_minute == pytest.approx(4_500)
    for _ in range(100):
        pace.refused(1000.0)
    assert pace.rate_per_minute == pytest.approx(6_000 * Pace.LEAST_SHARE)
    pace.take(1059.0)
    assert pace.rate_per_minute == pytest.approx(6_000 * Pace.LEAST_SHARE)
    for minute in range(1, 60):
        pace.take(1000.0 + 61.0 * minute)
    assert pace.rate_per_minute == 6_000
