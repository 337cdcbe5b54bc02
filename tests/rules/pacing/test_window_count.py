"""How many calls a provider may count, whenever each arrives between its leaving and its answer."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.providers.facts import Limit
from migrator.rules.pacing import Pacer
from migrator.rules.pacing.window_count import WindowCount
from tests.rules.pacing.simulation import CalendarCounter, Counter, Simulation, SlidingCounter

MINUTE = timedelta(minutes=1)
COUNT = 10_000


@given(
    st.integers(1, 20),
    st.lists(st.tuples(st.floats(0, 3), st.floats(0, 5), st.floats(0, 1)), min_size=1, max_size=120),
)
def test_no_window_of_arrivals_holds_more_than_the_limit(
    most: int, calls: list[tuple[float, float, float]]
) -> None:
    """Each call is ready a while after the last one left, takes its time, and arrives some way through."""
    window, now = 10.0, 1000.0
    sent, arrivals, ends = WindowCount(window), list[float](), list[float]()
    for ready, takes, arrives in calls:
        now += ready
        while True:
            for over in sorted(end for end in ends if end <= now):
                sent.end(over)
                ends.remove(over)
            free = sent.below(most, now)
            if free <= now:
                break
            now = min(free, min(ends, default=math.inf))
        sent.leave()
        arrivals.append(now + takes * arrives)
        ends.append(now + takes)
    arrivals.sort()
    spans = [later - earlier for earlier, later in zip(arrivals, arrivals[most:], strict=False)]
    assert all(span >= window * (1 + WindowCount.DRIFT) - 1e-6 for span in spans)


def test_a_call_under_way_counts_however_long_it_takes() -> None:
    sent = WindowCount(60.0)
    sent.leave()
    assert sent.total(1e6) == 1
    assert sent.below(1, 1e6) == math.inf
    sent.end(1e6)
    assert sent.below(1, 1e6) == pytest.approx(1e6 + 60 * (1 + WindowCount.DRIFT), abs=0.05)
    assert sent.below(2, 1e6) < 1e6


def test_many_calls_take_little_memory() -> None:
    sent = WindowCount(60.0)
    for number in range(100_000):
        sent.seed(number * 0.0006, 1)
    assert sent.total(60.0) == 100_000
    assert len(sent._over) <= WindowCount.SLOTS + 1


@pytest.mark.parametrize(
    ("latency", "late"), [((0.075, 0.075), 0.002), ((0.075, 0.075), 0.1), ((0.01, 0.4), 0.002)]
)
@pytest.mark.parametrize("counts_for", [60.0, 60.03])
@pytest.mark.parametrize("says", [True, False])
def test_a_window_is_filled_and_nothing_is_refused_however_unevenly_calls_arrive(
    latency: tuple[float, float], late: float, counts_for: float, says: bool
) -> None:
    counter: Counter = SlidingCounter(COUNT, counts_for)  # by a clock that may be slow
    limit = Limit(COUNT, MINUTE, shared=True, remaining="X-Left" if says else "")
    simulation = Simulation(
        Pacer([limit]), [counter], counter if says else None, workers=256, latency=latency, late=late
    )
    simulation.run(180)
    assert simulation.refused == []
    assert len(simulation.passed) >= 0.99 * 3 * COUNT


def test_calls_that_are_under_way_at_the_turn_count_in_both_windows() -> None:
    """Each takes so long that hundreds are under way then; some arrive before it, and some after."""
    counter = CalendarCounter(COUNT, 60.0)
    simulation = Simulation(
        Pacer([Limit(COUNT, MINUTE, calendar=True)]),
        [counter],
        begins=57.0,
        workers=1_000,
        latency=(0.1, 3.0),
    )
    simulation.run(3 + 120)
    assert simulation.refused == []
    assert len(simulation.passed) >= 0.95 * 2 * COUNT
