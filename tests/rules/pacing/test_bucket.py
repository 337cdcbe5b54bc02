"""A provider that fills a bucket of tokens evenly, and says how many are in it: under a simulated clock.

What holds: alone, the job uses the refill but for its margin and is never refused, as long as calls draw no
nearer to each other on their way than the bucket bears (10 tokens are 60 ms of a refill of 167 a second).
Beside others whose use is steady it finds out in the first minute what they leave, where it may be refused a
few times if they take half or more, and is not refused from then on.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.providers.facts import Limit
from migrator.rules.pacing import Moment, Pacer
from migrator.rules.pacing.bucket import Bucket
from migrator.rules.pacing.sliding import SlidingPace
from tests.rules.pacing.simulation import BucketCounter, Simulation, evenly

LIMIT = Limit(10_000, timedelta(minutes=1), shared=True, remaining="X-Left")
REFILL = 10_000 / 60


def used(simulation: Simulation, since: float, until: float, others: float) -> float:
    """The share of what others left that was used in a stretch of time."""
    ours = sum(since < at <= until for at in simulation.passed)
    return ours / ((REFILL - others) * (until - since))


@pytest.mark.parametrize(
    ("holds", "latency"), [(10, (0.01, 0.03)), (10, (0.2, 0.22)), (32, (0.01, 0.2)), (2_000, (0.1, 0.5))]
)
def test_alone_the_whole_refill_is_used_and_nothing_is_refused(
    holds: int, latency: tuple[float, float]
) -> None:
    counter = BucketCounter(holds, REFILL)
    simulation = Simulation(Pacer([LIMIT]), [counter], counter, workers=128, latency=latency)
    simulation.run(60)
    assert simulation.refused == []
    assert used(simulation, 1, 60, 0) >= 0.99


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("holds", [10, 32, 2_000])
def test_beside_others_what_they_leave_is_used(holds: int, share: float) -> None:
    counter, others = BucketCounter(holds, REFILL), REFILL * share
    simulation = Simulation(Pacer([LIMIT]), [counter], counter, evenly(others, 0, 180), latency=(0.01, 0.03))
    simulation.run(180)
    assert used(simulation, 90, 180, others) >= 0.99
    assert not [at for at in simulation.refused if at > 60]
    assert len(simulation.refused) <= 20


def test_a_bucket_that_holds_more_than_a_quarter_of_the_limit_is_told_from_a_window() -> None:
    counter = BucketCounter(32, 1.0)
    limit = Limit(60, timedelta(minutes=1), remaining="X-Left")
    simulation = Simulation(Pacer([limit]), [counter], counter)
    simulation.run(600)
    assert simulation.refused == []
    assert len(simulation.passed) >= 0.97 * 600


def test_a_header_that_always_says_none_is_left_tells_nothing() -> None:
    pace = SlidingPace(LIMIT, 0.0)
    for number in range(100):
        pace.note_remaining(0, 0, Moment(number, number))
    assert pace.rate == 10_000


@given(st.lists(st.integers(1, 31), max_size=200), st.floats(0.001, 1))
def test_nobody_goes_slower_than_half_as_long_as_the_bucket_is_not_empty(
    said: list[int], step: float
) -> None:
    bucket = Bucket(REFILL)
    for number, remaining in enumerate(said):
        bucket.note(remaining, number * step)
        assert 0.5 <= bucket.share <= 1


def test_an_empty_bucket_slows_and_a_full_one_makes_faster() -> None:
    bucket = Bucket(REFILL)
    bucket.note(31, 0.0)
    shares = []
    for second in range(1, 6):
        bucket.note(0, float(second))
        shares.append(bucket.share)
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.1
    for second in range(6, 60):
        bucket.note(31, float(second))
    assert bucket.share == 1


@pytest.mark.parametrize("holds", [10, 32])
def test_a_machine_that_is_late_does_not_make_up_for_more_than_the_bucket_bears(holds: int) -> None:
    counter = BucketCounter(holds, REFILL)
    simulation = Simulation(Pacer([LIMIT]), [counter], counter, latency=(0.01, 0.02), late=0.2)
    simulation.run(60)
    assert simulation.refused == []


def test_a_bucket_as_large_as_the_limit_is_told_from_a_window_beside_others() -> None:
    counter, others = BucketCounter(10_000, REFILL), REFILL * 0.5
    simulation = Simulation(Pacer([LIMIT]), [counter], counter, evenly(others, 0, 400))
    simulation.run(400)
    assert simulation.refused == []
    assert used(simulation, 200, 400, others) >= 0.99
