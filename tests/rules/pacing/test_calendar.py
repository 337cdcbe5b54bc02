"""One limit whose window begins with the minute, hour or day, under a simulated clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.providers.facts import Limit
from migrator.rules.pacing import Moment, Pacer
from migrator.rules.pacing.calendar import CalendarPace
from tests.rules.pacing.simulation import CalendarCounter, Simulation

HOUR, DAY = 3_600.0, 86_400.0
MIDNIGHT = 20_000 * DAY


def at(utc: float) -> Moment:
    return Moment(utc - MIDNIGHT, utc)


def limit_of(count: int, window: float) -> Limit:
    return Limit(count, timedelta(seconds=window), calendar=True, shared=True, counts="window")


@settings(max_examples=20)
@given(
    st.integers(5, 2_000),
    st.sampled_from([60.0, HOUR]),
    st.floats(0, 1),
    st.floats(-1, 1),
    st.integers(0, 1000),
)
def test_every_window_is_used_up_and_none_is_overrun(
    count: int, window: float, begun: float, skew: float, seed: int
) -> None:
    close = min(2.0, window / 200)  # how far the two clocks may be apart
    counter = CalendarCounter(count, window, ahead=skew * close * 0.8)
    begins = MIDNIGHT + begun * window * 0.5
    simulation = Simulation(
        Pacer([limit_of(count, window)]), [counter], begins=begins, seed=seed, look=window
    )
    simulation.run(3 * window - begun * window * 0.5)
    assert simulation.refused == []
    assert len(simulation.passed) >= 0.98 * 3 * count


def test_what_is_left_of_a_day_may_be_used_up_before_it_ends() -> None:
    simulation = Simulation(
        Pacer([limit_of(5_000, DAY)]), [CalendarCounter(5_000, DAY)], begins=MIDNIGHT - 600, look=600
    )
    simulation.run(580)
    assert len(simulation.passed) >= 0.98 * 5_000
    simulation.run(0)
    assert simulation.refused == []


def test_who_has_used_it_up_waits_for_the_turn() -> None:
    pace = CalendarPace(limit_of(50, HOUR), 0.0)
    for _ in range(50):
        assert pace.wait(at(MIDNIGHT + 600)) <= 0
        pace.take(at(MIDNIGHT + 600))
        pace.end(at(MIDNIGHT + 601))
    assert pace.wait(at(MIDNIGHT + 601)) == pytest.approx(3_001)  # the two clocks may differ a little
    assert pace.wait(at(MIDNIGHT + 3_602)) <= 0


def test_what_is_to_be_left_is_left() -> None:
    pace = CalendarPace(limit_of(50, HOUR), 0.5)
    pace.seed(at(MIDNIGHT), 25)
    assert pace.wait(at(MIDNIGHT + 10)) > 0


def test_calls_close_to_the_turn_count_in_both_windows() -> None:
    pace = CalendarPace(limit_of(50, HOUR), 0.0)
    pace.seed(at(MIDNIGHT + 3_599), 50)
    assert pace.wait(at(MIDNIGHT + 3_610)) > 3_000


def test_calls_of_before_count_until_the_turn() -> None:
    pace = CalendarPace(limit_of(50, HOUR), 0.0)
    pace.seed(at(MIDNIGHT - 600), 50)
    pace.seed(at(MIDNIGHT + 100), 49)
    assert pace.wait(at(MIDNIGHT + 600)) <= 0
    pace.take(at(MIDNIGHT + 600))
    assert pace.wait(at(MIDNIGHT + 600)) > 0


def test_a_clock_that_is_set_back_gives_nothing_back() -> None:
    pace = CalendarPace(limit_of(50, HOUR), 0.0)
    pace.seed(at(MIDNIGHT + 600), 50)
    assert pace.wait(at(MIDNIGHT - 600)) > 0


def test_what_others_used_is_theirs() -> None:
    pace = CalendarPace(limit_of(100, HOUR), 0.0)
    pace.note_remaining(10, 0, at(MIDNIGHT + 30))  # it may speak of the hour before
    pace.seed(at(MIDNIGHT + 60), 20)
    assert pace.wait(at(MIDNIGHT + 60)) <= 0
    pace.note_remaining(3, 0, at(MIDNIGHT + 100))
    for _ in range(3):
        assert pace.wait(at(MIDNIGHT + 100)) <= 0
        pace.take(at(MIDNIGHT + 100))
    assert pace.wait(at(MIDNIGHT + 100)) > 0
