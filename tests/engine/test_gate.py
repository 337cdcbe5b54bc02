"""Calls leave at their pace, one at a time while nobody knows better, and none when told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import count, pairwise

import pytest

from migrator.engine.gate import Gate, LimitUsedUpError
from migrator.models import Action
from migrator.providers.facts import Limit
from migrator.rules.breaker import Pause
from migrator.rules.pacing import Pacer


class Time(threading.Event):
    """A stop that nobody has to wait for: waiting moves the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.while_waiting: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.while_waiting()
        self.now += timeout or 0.0
        return self.is_set()


@pytest.fixture
def time() -> Time:
    return Time()


def pacer(rate: int) -> Pacer:
    return Pacer([Limit(rate, timedelta(minutes=1), counts="window")])


def gate_of(time: Time, rate: int = 60_000, *, cautious: bool = False) -> Gate:
    gate = Gate(pacer(rate), time.monotonic, time.monotonic)
    gate.apply(None, cautious=cautious)
    return gate


def test_calls_leave_at_the_pace(time: Time) -> None:
    gate, left = gate_of(time, rate=60), []
    for _ in range(4):
        assert gate.admit(time, Action.SWAP)
        left.append(time.now)
    assert left == pytest.approx([1000.0, 1001.0, 1002.0, 1003.0], abs=0.05)  # but for the pace's margin
    assert all(later - earlier >= 1 for earlier, later in pairwise(left))


def test_a_call_that_waited_for_the_last_one_does_not_leave_when_that_stops_the_job() -> None:
    class Stop(threading.Event):
        """The call under way stops the job and leaves as soon as nobody holds the lock."""

        def is_set(self) -> bool:
            before = super().is_set()
            if not before and not gate._lock.locked():
                self.end_last_call()
            return before

        def wait(self, timeout: float | None = None) -> bool:
            self.end_last_call()
            return super().wait(timeout)

        def end_last_call(self) -> None:
            self.set()
            gate.leave(Action.SWAP)

    gate = Gate(pacer(60_000), count(step=1.0).__next__)  # the pace hinders nobody
    assert gate.admit(threading.Event(), Action.SWAP)
    assert not gate.admit(Stop(), Action.SWAP)


def test_nobody_leaves_once_the_job_stops(time: Time) -> None:
    gate = gate_of(time)
    time.set()
    assert not gate.admit(time, Action.SWAP)


def test_who_waits_is_let_off_when_the_job_stops(time: Time) -> None:
    gate = gate_of(time, rate=1)
    assert gate.admit(time, Action.SWAP)
    time.while_waiting = time.set
    assert not gate.admit(time, Action.SWAP)
    assert time.now < 1060


def test_until_something_is_known_one_call_is_under_way_at_a_time(time: Time) -> None:
    gate = gate_of(time, cautious=True)
    waits: list[float] = []

    def the_first_call_ends() -> None:
        waits.append(time.now)
        gate.leave(Action.SWAP)

    time.while_waiting = the_first_call_ends
    assert gate.admit(time, Action.SWAP)
    time.now += 10  # so that the pace is no reason to wait
    assert gate.admit(time, Action.SWAP)
    assert len(waits) == 1


@pytest.mark.parametrize("cautious", [True, False])
def test_a_gate_is_as_cautious_as_it_is_told(time: Time, cautious: bool) -> None:
    gate = gate_of(time, cautious=not cautious)
    gate.apply(None, cautious=cautious)
    assert gate.admit(time, Action.SWAP)
    time.while_waiting = time.set  # so that a gate that is shut fails the test and does not hang it
    time.now += 1
    assert gate.admit(time, Action.SWAP) is not cautious


def test_a_pause_holds_everybody_as_long_as_it_says(time: Time) -> None:
    gate = gate_of(time)
    gate.apply(Pause(7.0), cautious=False)
    assert gate.admit(time, Action.SWAP)
    assert time.now == pytest.approx(1007.0)


@pytest.mark.parametrize("limit_reached", [True, False])
def test_only_a_limit_that_was_reached_makes_the_calls_slower(time: Time, limit_reached: bool) -> None:
    gate = gate_of(time, rate=60)
    gate.apply(Pause(0.0, limit_reached=limit_reached), cautious=False)
    assert gate.admit(time, Action.SWAP)
    assert gate.admit(time, Action.SWAP)
    assert time.now - 1000.0 == pytest.approx(1.35 if limit_reached else 1.0, abs=0.05)


def test_what_the_provider_says_is_left_slows_the_calls(time: Time) -> None:
    gate = gate_of(time, rate=60)
    gate.note_remaining({0: 30})  # others used the other half
    assert gate.admit(time, Action.SWAP)
    assert gate.admit(time, Action.SWAP)
    assert time.now - 1000.0 == pytest.approx(2.0, abs=0.05)


def test_no_more_calls_are_under_way_than_the_provider_allows(time: Time) -> None:
    gate = Gate(Pacer([Limit(at_once=1)]), time.monotonic, time.monotonic)
    gate.apply(None, cautious=False)
    assert gate.admit(time, Action.SWAP)
    waited: list[float] = []

    def the_first_call_ends() -> None:
        waited.append(time.now)
        gate.leave(Action.SWAP)

    time.while_waiting = the_first_call_ends
    assert gate.admit(time, Action.SWAP)
    assert len(waited) == 1


def test_only_the_calls_of_a_limit_that_was_reached_wait_where_the_answer_names_it(time: Time) -> None:
    swaps = Limit(6_000, timedelta(minutes=1), name="swaps", calls=frozenset({Action.SWAP}))
    gate = Gate(Pacer([swaps]), time.monotonic, time.monotonic)
    gate.apply(Pause(30.0, limit_reached=True, limit="swaps"), cautious=False)
    assert gate.admit(time, Action.VERIFY)
    assert time.now == 1000.0
    assert gate.admit(time, Action.SWAP)
    assert time.now == pytest.approx(1030.0)


def test_a_pause_is_waited_for_however_long_and_a_limit_is_not(time: Time) -> None:
    limit = Limit(1, timedelta(hours=1), calendar=True)
    gate = Gate(Pacer([limit]), time.monotonic, time.monotonic)
    gate.apply(Pause(850.0), cautious=False)
    assert gate.admit(time, Action.SWAP)
    assert time.now == pytest.approx(1850.0)
    with pytest.raises(LimitUsedUpError) as raised:
        gate.admit(time, Action.SWAP)
    assert raised.value.limit is limit
    assert raised.value.seconds == pytest.approx(3_602 - 1_850)
    assert gate.is_alone(), "who was not let through is not there any more"


def test_who_waits_for_one_limit_does_not_keep_others_from_theirs() -> None:
    swaps = Limit(1, timedelta(minutes=10), calls=frozenset({Action.SWAP}))
    gate, stop = Gate(Pacer([swaps])), threading.Event()
    gate.apply(None, cautious=False)
    assert gate.admit(stop, Action.SWAP)
    waiter = threading.Thread(target=gate.admit, args=[stop, Action.SWAP])
    waiter.start()
    try:
        while not gate._queues[False, Action.SWAP, ""]._held:
            pass
        assert gate.admit(stop, Action.VERIFY)
    finally:
        stop.set()
        waiter.join()


def test_who_has_priority_goes_before_others_while_the_gate_is_cautious(time: Time) -> None:
    gate = gate_of(time, cautious=True)
    assert gate.admit(time, Action.SWAP)
    time.now += 1
    others_wait: list[bool] = []

    def others_try() -> None:
        gate.leave(Action.SWAP)
        others_wait.append(gate._wait(Action.SWAP, "", priority=False) > 0)

    time.while_waiting = others_try
    assert gate.admit(time, Action.SWAP, priority=True)
    assert others_wait == [True]
    gate.leave(Action.SWAP)
    time.now += 1
    assert gate.admit(time, Action.SWAP), "the one with priority has gone"


@pytest.mark.parametrize("rate", [60, 10_000])
def test_after_a_stop_of_the_process_calls_leave_no_faster_than_ever(time: Time, rate: int) -> None:
    gate, left = gate_of(time, rate), []
    for number in range(40):
        if number == 20:
            time.now += 7200
        assert gate.admit(time, Action.SWAP)
        left.append(time.now)
    assert left[-1] - left[20] >= 19 * 60 / rate


def test_a_pause_is_waited_for_anew_after_a_stop_of_the_process(time: Time) -> None:
    gate = gate_of(time)
    gate.apply(Pause(30.0, limit_reached=True), cautious=False)
    time.now += 7200
    gate.apply(Pause(30.0, limit_reached=True), cautious=False)
    since = time.now
    assert gate.admit(time, Action.SWAP)
    assert time.now - since >= 30


def test_a_call_is_alone_until_another_is_under_way_or_waits(time: Time) -> None:
    gate, seen = gate_of(time, cautious=True), []
    assert not gate.is_alone()
    assert gate.admit(time, Action.SWAP)
    assert gate.is_alone()

    def stop_it() -> None:
        seen.append(gate.is_alone())
        time.set()

    time.while_waiting = stop_it  # the second one waits for the first
    assert not gate.admit(time, Action.SWAP)
    assert seen == [False]
    assert gate.is_alone(), "who was not let through is not there any more"
    gate.leave(Action.SWAP)
    assert not gate.is_alone()
