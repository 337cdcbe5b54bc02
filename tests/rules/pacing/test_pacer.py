"""Several limits together, under a simulated clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.models import Action
from migrator.providers.facts import Limit
from migrator.rules.duration import least_duration, limits_that_hold
from migrator.rules.pacing import Moment, Pacer
from tests.rules.pacing.simulation import CalendarCounter, Counter, Simulation, SlidingCounter

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MIDNIGHT = 20_000 * DAY.total_seconds()
NOW = Moment(1000.0, MIDNIGHT + 1000.0)

TUMBLR = (
    Limit(1_000, HOUR, subject="key", shared=True),
    Limit(5_000, DAY, calendar=True, subject="key", shared=True),
    Limit(300, MINUTE, subject="address"),
)


def counters_of(limits: Sequence[Limit]) -> list[Counter]:
    return [
        (CalendarCounter if limit.calendar else SlidingCounter)(limit.count, limit.window.total_seconds())
        for limit in limits
    ]


def test_an_hour_a_day_and_a_minute_hold_together_over_two_days() -> None:
    simulation = Simulation(Pacer(TUMBLR), counters_of(TUMBLR), begins=MIDNIGHT + 12 * 3_600, look=3_600)
    simulation.run(36 * 3_600)
    assert simulation.refused == []
    first = sum(at < MIDNIGHT + 86_400 for at in simulation.passed)
    assert first >= 0.98 * 5_000
    assert len(simulation.passed) - first >= 0.98 * 5_000


sliding = st.builds(
    Limit, st.integers(30, 500), st.sampled_from([timedelta(seconds=10), MINUTE, 15 * MINUTE])
)
calendar = st.builds(
    lambda count, window: Limit(count, window, calendar=True),
    st.integers(100, 1_000),
    st.sampled_from([MINUTE, HOUR]),
)


@settings(max_examples=25)
@given(st.lists(sliding | calendar, min_size=1, max_size=4), st.integers(0, 3_599), st.integers(1, 400))
def test_whatever_holds_together_the_work_is_done_in_the_time_that_it_needs_and_nothing_is_refused(
    several: list[Limit], begun: int, calls: int
) -> None:
    begins = MIDNIGHT + begun
    hold = limits_that_hold({Action.SWAP: calls}, several, rate_per_minute=None, leave=None)
    needs = least_duration({Action.SWAP: calls}, hold, datetime.fromtimestamp(begins, UTC))
    assert needs is not None
    simulation = Simulation(Pacer(several), counters_of(several), begins=begins, look=60)
    # Beside the 2 %: the margins of whole calls, what is kept clear of a turn, and the way there.
    simulation.run(needs.total_seconds() * 1.02 + 5)
    assert simulation.refused == []
    assert len(simulation.passed) >= calls * 0.98 - 1


def paces(pacer: Pacer, action: Action, key: str = "") -> float:
    """Seconds that the second of two calls must wait."""
    pacer.take(action, key, NOW)
    return pacer.wait(action, key, NOW).seconds


def test_a_call_counts_in_the_limits_of_its_kind_alone() -> None:
    swaps = Limit(60, MINUTE, calls=frozenset({Action.SWAP}))
    assert paces(Pacer([swaps]), Action.SWAP) == pytest.approx(1, abs=0.02)
    pacer = Pacer([swaps])
    pacer.take(Action.SWAP, "", NOW)
    assert paces(pacer, Action.VERIFY) <= 0


def test_each_consumer_key_has_a_count_of_its_own_where_the_limit_is_the_keys() -> None:
    pacer = Pacer([Limit(60, MINUTE, subject="key")])
    assert paces(pacer, Action.SWAP, "one") > 0
    assert pacer.wait(Action.SWAP, "two", NOW).seconds <= 0
    of_application = Pacer([Limit(60, MINUTE)])
    assert paces(of_application, Action.SWAP, "one") > 0
    assert of_application.wait(Action.SWAP, "two", NOW).seconds > 0


def test_limits_of_a_tenant_are_not_paced() -> None:
    assert paces(Pacer([Limit(1, HOUR, subject="tenant")]), Action.SWAP) <= 0


def test_the_operators_own_rate_holds_besides() -> None:
    assert paces(Pacer([Limit(600, MINUTE)], rate_per_minute=60), Action.SWAP) == pytest.approx(1, abs=0.02)
    assert paces(Pacer([Limit(60, MINUTE)], rate_per_minute=600), Action.SWAP) == pytest.approx(1, abs=0.02)
    assert paces(Pacer([]), Action.SWAP) <= 0


@pytest.mark.parametrize(
    ("shared", "documented", "said", "seconds"),
    [(True, 0.5, None, 2), (True, 0.5, 0.75, 4), (True, 0.5, 0.0, 1), (False, 0.5, 0.75, 1)],
)
def test_a_share_is_left_where_others_count_too(
    shared: bool, documented: float, said: float | None, seconds: float
) -> None:
    pacer = Pacer([Limit(60, MINUTE, leave=documented, shared=shared)], leave=said)
    assert paces(pacer, Action.SWAP) == pytest.approx(seconds, rel=0.02)


def test_no_more_calls_are_under_way_than_may_be() -> None:
    pacer = Pacer([Limit(at_once=2)])
    pacer.take(Action.SWAP, "", NOW)
    assert pacer.wait(Action.SWAP, "", NOW).seconds <= 0
    pacer.take(Action.SWAP, "", NOW)
    assert pacer.wait(Action.SWAP, "", NOW).seconds > 0
    assert pacer.wait(Action.SWAP, "", NOW).limit is None
    pacer.end(Action.SWAP, "", NOW)
    assert pacer.wait(Action.SWAP, "", NOW).seconds <= 0


def test_a_limit_that_an_answer_names_holds_its_calls_alone() -> None:
    named = [
        Limit(600, MINUTE, name="swaps", calls=frozenset({Action.SWAP})),
        Limit(600, MINUTE, name="reads", calls=frozenset({Action.VERIFY})),
    ]
    pacer = Pacer(named)
    pacer.pause(1_030.0, "swaps")
    pacer.slow_down(NOW, "swaps")
    assert pacer.wait(Action.SWAP, "", NOW).seconds == pytest.approx(30)
    assert paces(pacer, Action.VERIFY) == pytest.approx(0.1, abs=0.002)
    later = Moment(1_031.0, NOW.utc + 31)
    pacer.take(Action.SWAP, "", later)
    assert pacer.wait(Action.SWAP, "", later).seconds == pytest.approx(0.1 / 0.75, rel=0.02)


@pytest.mark.parametrize("name", ["", "of nobody that we know"])
def test_a_limit_that_nobody_knows_holds_all(name: str) -> None:
    pacer = Pacer([Limit(600, MINUTE, name="swaps", calls=frozenset({Action.SWAP}))])
    pacer.pause(1_030.0, name)
    pacer.slow_down(NOW, name)
    assert pacer.wait(Action.VERIFY, "", NOW).seconds == pytest.approx(30)
    later = Moment(1_031.0, NOW.utc + 31)
    pacer.take(Action.SWAP, "", later)
    assert pacer.wait(Action.SWAP, "", later).seconds == pytest.approx(0.1 / 0.75, rel=0.02)


@pytest.mark.parametrize("is_told", [True, False])
def test_where_answers_tell_what_is_left_the_rate_that_is_wanted_is_not_slowed_down(*, is_told: bool) -> None:
    pacer = Pacer([Limit(600, MINUTE, remaining="X-Left", counts="window")], rate_per_minute=600)
    for second in range(41):
        now = Moment(NOW.monotonic + second, NOW.utc + second)
        if is_told:
            pacer.note_remaining({0: 600}, "", now)
        if second % 2:
            pacer.slow_down(now)
    pacer.take(Action.SWAP, "", now)
    assert pacer.wait(Action.SWAP, "", now).seconds == pytest.approx(0.1 if is_told else 5, rel=0.03)


def test_a_pause_that_is_over_costs_nothing() -> None:
    paused, other = Pacer([Limit(60, MINUTE)]), Pacer([Limit(60, MINUTE)])
    paused.pause(995.0)
    assert paces(paused, Action.SWAP) == paces(other, Action.SWAP) > 0


def test_what_must_be_waited_for_is_named() -> None:
    pacer = Pacer(TUMBLR)
    pacer.seed(Action.SWAP, "key", Moment(0.0, MIDNIGHT), 5_000)
    wait = pacer.wait(Action.SWAP, "key", Moment(40_000.0, MIDNIGHT + 40_000))
    assert wait.limit is TUMBLR[1]
    assert wait.seconds == pytest.approx(46_400, abs=5)


def test_a_header_speaks_of_the_limit_at_its_place_and_of_the_key_that_called() -> None:
    said = Limit(60, MINUTE, subject="key", remaining="X-Left", counts="window")
    pacer = Pacer([Limit(6_000, MINUTE), said])
    pacer.note_remaining({1: 30}, "one", NOW)
    assert paces(pacer, Action.SWAP, "one") == pytest.approx(2, rel=0.02)
    assert paces(pacer, Action.SWAP, "two") == pytest.approx(1, rel=0.02)
