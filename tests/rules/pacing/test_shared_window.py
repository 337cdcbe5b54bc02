"""A window that others use, too, and a header that says what is left of it: under a simulated clock.

What holds: as long as the others' use is steady, nobody is refused, they or the job, and the job uses what
they leave. Where they use more all of a sudden, either may be refused now and then until a window has passed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import pytest

from migrator.providers.facts import Limit
from migrator.rules.pacing import Pacer
from tests.rules.pacing.simulation import Simulation, SlidingCounter, evenly

MINUTE = 60.0


def simulation_of(count: int, others: list[float], counts: Literal["window", "unknown"]) -> Simulation:
    counter = SlidingCounter(count, MINUTE)
    limit = Limit(count, timedelta(minutes=1), shared=True, remaining="X-Left", counts=counts)
    return Simulation(Pacer([limit]), [counter], counter, others)


@pytest.mark.parametrize(
    ("count", "share", "counts"),
    [
        (3_000, 0.0, "unknown"),
        (3_000, 0.2, "unknown"),
        (3_000, 0.5, "unknown"),
        (3_000, 0.7, "unknown"),
        (3_000, 0.8, "window"),
        (1_000, 0.5, "window"),
    ],
)
def test_what_steady_others_leave_is_used_and_nobody_is_refused(
    count: int, share: float, counts: Literal["window", "unknown"]
) -> None:
    others = evenly(count / MINUTE * share, -60, 360)
    simulation = simulation_of(count, others, counts)
    simulation.run(300)
    passed = sum(at > 120 for at in simulation.passed)
    assert passed >= 0.98 * 3 * count * (1 - share)
    assert simulation.refused == []
    assert simulation.others_passed == sum(at < 300 for at in others)


def test_a_window_that_others_use_nearly_up_is_told_from_a_bucket_once_we_have_used_up_the_rest() -> None:
    count, share = 10_000, 0.8
    others = evenly(count / MINUTE * share, -60, 360)
    simulation = simulation_of(count, others, "unknown")
    simulation.run(300)
    assert sum(at > 120 for at in simulation.passed) >= 0.95 * 3 * count * (1 - share)
    assert simulation.refused == []
    assert simulation.others_passed >= 0.995 * sum(at < 300 for at in others)


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.3), (0.3, 0.6), (0.6, 0.1), (0.2, 0.8)])
def test_where_others_change_their_use_the_job_follows(before: float, after: float) -> None:
    count = 3_000
    rate = count / MINUTE
    others = evenly(rate * before, -60, 180) + evenly(rate * after, 120, 240)
    simulation = simulation_of(count, others, "window")
    simulation.run(300)
    assert len(simulation.refused) <= 5
    assert not [at for at in simulation.refused if not 120 < at <= 180]
    assert sum(at < 300 for at in others) - simulation.others_passed <= 0.01 * rate * 60
    assert sum(at > 180 for at in simulation.passed) >= 0.97 * 2 * count * (1 - after)
