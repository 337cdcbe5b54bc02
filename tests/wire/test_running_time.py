"""The clock that counts only the time in which a process ran: pure, over readings of every kind; and once for
real.
"""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from migrator.wire.running_time import (
    MOST,
    STEP,
    TICK,
    TOLD,
    Jump,
    Reading,
    RunningTime,
    clocks_monitored,
    span,
)

START = Reading(1000.0, 5000.0, 1_800_000_000.0)
SECONDS = st.floats(0, 1e6)


def after(reading: Reading, seconds: float, *, asleep: float = 0.0, set_by: float = 0.0) -> Reading:
    """What the clocks say when a process looks again, the machine having slept for some time besides."""
    return Reading(
        reading.monotonic + seconds,
        reading.elapsed + seconds + asleep,
        reading.wall + seconds + asleep + set_by,
    )


def told(*readings: Reading) -> list[str]:
    """All that is told of the readings that follow the start."""
    running = RunningTime(START)
    return [sentence for reading in readings for sentence in running.look(reading).sentences()]


def steadily(reading: Reading, looks: int) -> list[Reading]:
    """The readings of a process that goes on undisturbed."""
    readings = []
    for _ in range(looks):
        reading = after(reading, TICK)
        readings.append(reading)
    return readings


def test_it_goes_on_as_the_monotonic_clock_does_while_the_process_runs() -> None:
    running = RunningTime(START)
    for reading in steadily(START, 50):
        running.look(reading)
    assert running.now(START.monotonic + 5.05) == pytest.approx(5.05)


@given(st.floats(MOST + TICK, 1e6))
def test_a_stop_counts_for_next_to_nothing_whoever_looks_first(stopped: float) -> None:
    running = RunningTime(START)
    woken = after(START, stopped)
    asked_first = running.now(woken.monotonic)
    assert asked_first <= MOST
    jump = running.look(woken)
    assert running.now(woken.monotonic) == asked_first
    assert jump.stopped == pytest.approx(stopped - TICK)
    running.look(after(woken, TICK))
    assert running.now(woken.monotonic + TICK) == pytest.approx(asked_first + TICK)


@given(st.lists(st.tuples(SECONDS, SECONDS, st.floats(-1e6, 1e6), st.booleans()), max_size=30))
def test_it_never_goes_back_nor_faster_than_the_monotonic_clock(
    steps: list[tuple[float, float, float, bool]],
) -> None:
    running, reading, moments = RunningTime(START), START, [START.monotonic]
    times = [running.now(START.monotonic)]
    for seconds, asleep, set_by, looks in steps:
        reading = after(reading, seconds, asleep=asleep, set_by=set_by)
        if looks:
            running.look(reading)
        moments.append(reading.monotonic)
        times.append(running.now(reading.monotonic))
    for (earlier, later), (since, until) in zip(pairwise(times), pairwise(moments), strict=True):
        assert -1e-9 <= later - earlier <= until - since + 1e-6


@given(st.just(0.0) | st.floats(MOST, 1e6), SECONDS, st.floats(-1e6, 1e6))
def test_what_happened_is_told_apart(stopped: float, asleep: float, set_by: float) -> None:
    jump = RunningTime(START).look(after(START, TICK + stopped, asleep=asleep, set_by=set_by))
    assert jump.slept == pytest.approx(asleep, abs=1e-6)
    assert jump.set_by == pytest.approx(set_by, abs=1e-6)
    assert jump.stopped == pytest.approx(stopped, abs=1e-6)


@pytest.mark.parametrize(
    ("jump", "sentence"),
    [
        (Jump(stopped=95), "this process did not run for 2 min: calls in flight get that time"),
        (Jump(slept=7800), "the machine slept for 2 h 10 min: calls in flight get that time"),
        (
            Jump(set_by=600),
            "this machine's clock was set forward by 10 min: its time is part of every signature",
        ),
        (Jump(set_by=-4), "this machine's clock was set back by 4 s: its time is part of every signature"),
    ],
)
def test_each_jump_is_a_sentence(jump: Jump, sentence: str) -> None:
    assert jump.sentences() == [sentence]


def test_a_jump_is_told_once() -> None:
    jumped = after(START, TICK, set_by=TOLD + 1)
    assert len(told(jumped, *steadily(jumped, 20))) == 1


@pytest.mark.parametrize("set_by", [-1.0, 1.0])
def test_what_a_busy_machine_or_a_careful_time_service_does_is_not_told(set_by: float) -> None:
    late = after(START, TOLD * 0.9, set_by=set_by)
    assert told(late, *steadily(late, 5), after(late, 5 * TICK + 1.0, set_by=-set_by)) == []


@given(st.lists(st.floats(-3600, 3600), min_size=1, max_size=5), st.booleans())
def test_how_far_the_clock_is_ahead_is_known_at_once_and_for_as_long_as_asked(
    steps: list[float], looked: bool
) -> None:
    running, reading = RunningTime(START), START
    for number, set_by in enumerate(steps):
        reading = after(reading, TICK, set_by=set_by)
        if looked or number + 1 < len(steps):
            running.look(reading)
    ahead = max(sum(step for step in steps if abs(step) >= STEP), 0.0)
    assume(all(abs(abs(step) - STEP) > 1e-3 for step in steps))
    assert running.ahead(reading, 60.0) == pytest.approx(ahead, abs=1e-3)
    running.look(reading)
    assert running.ahead(after(reading, 10.0, asleep=49.0), 60.0) == pytest.approx(ahead, abs=1e-3)
    assert running.ahead(after(reading, 10.0, asleep=51.0), 60.0) == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "3 s"), (59.4, "59 s"), (60, "1 min"), (3599, "1 h"), (3600, "1 h"), (7800, "2 h 10 min")],
)
def test_spans_are_for_people(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_a_real_one_goes_on_while_it_is_watched() -> None:
    told: list[str] = []
    with clocks_monitored(told.append) as watch:
        begun = watch.running()
        while watch.running() - begun < 2 * MOST:  # that far it gets only if somebody looks at the clocks
            time.sleep(TICK)
