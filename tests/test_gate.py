"""The one door: calls leave at their pace, one at a time while nobody knows better, and none when told to
stop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest

from migrator.engine.gate import Gate
from migrator.models import Action, LegacyToken, Secret, State, TokenPair
from migrator.providers import (
    Later,
    NoRefreshToken,
    Outcome,
    Over,
    Reached,
    Renewed,
    RenewFirst,
    StopAll,
    Suspect,
    Unknown,
    Won,
)
from migrator.rules.pacing import Breaker, Pace, Trip

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WON = Won(TokenPair(Secret("a"), Secret("r"), NOW))
BAD = Unknown("timeout")
SUSPECT = Suspect("http_401", "hint")
ACCEPTED: list[Outcome] = [
    WON,
    Renewed(LegacyToken(Secret("t"))),
    Reached(()),
    RenewFirst("token_expired"),
]
REFUSED = Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True)


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


def gate_of(time: Time, rate: int = 60_000, patience: float = 60.0) -> Gate:
    return Gate(Pace(rate), Breaker(patience=patience), time.monotonic)


def test_calls_leave_at_the_pace(time: Time) -> None:
    gate, left = gate_of(time, rate=60), []
    gate.listen(Action.SWAP, WON)
    for _ in range(4):
        assert gate.admit(time)
        left.append(time.now)
    assert left == pytest.approx([1000.0, 1001.0, 1002.0, 1003.0], abs=0.05)  # but for the pace's margin
    assert all(later - earlier >= 1 for earlier, later in pairwise(left))


def test_a_call_that_waited_for_the_last_one_does_not_leave_when_that_stops_the_job() -> None:
    class Stop(threading.Event):
        """The call under way stops the job and leaves as soon as nobody holds the door."""

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
            gate.leave()

    gate = Gate(Pace(60_000), Breaker(patience=60.0), count(step=1.0).__next__)  # the pace hinders nobody
    assert gate.admit(threading.Event())
    assert not gate.admit(Stop())


def test_nobody_leaves_once_the_job_stops(time: Time) -> None:
    gate = gate_of(time)
    time.set()
    assert not gate.admit(time)


def test_who_waits_is_let_off_when_the_job_stops(time: Time) -> None:
    gate = gate_of(time, rate=1)
    gate.listen(Action.SWAP, WON)
    assert gate.admit(time)
    time.while_waiting = time.set
    assert not gate.admit(time)
    assert time.now < 1060


def test_until_an_answer_is_good_one_call_is_under_way_at_a_time(time: Time) -> None:
    gate = gate_of(time)
    waits: list[float] = []

    def the_first_call_ends() -> None:
        waits.append(time.now)
        gate.leave()

    time.while_waiting = the_first_call_ends
    assert gate.admit(time)
    time.now += 10  # so that the pace is no reason to wait
    assert gate.admit(time)
    assert len(waits) == 1


@pytest.mark.parametrize("outcome", ACCEPTED, ids=lambda outcome: type(outcome).__name__)
def test_whatever_shows_that_the_application_is_known_opens_the_gate(time: Time, outcome: Outcome) -> None:
    gate = gate_of(time)
    assert gate.admit(time)
    assert gate.listen(Action.SWAP, outcome) is None
    time.while_waiting = time.set  # so that a gate that is shut fails the test and does not hang it
    time.now += 1
    assert gate.admit(time)


@pytest.mark.parametrize(
    "outcome",
    [
        Later("rate_limited", timedelta(seconds=3)),
        Over(State.FAILED, "refused", "http_418"),
        BAD,
        SUSPECT,
        Later("x"),
    ],
    ids=str,
)
def test_no_other_answer_proves_anything(time: Time, outcome: Outcome) -> None:
    gate = gate_of(time)
    assert gate.admit(time)
    gate.listen(Action.SWAP, outcome)
    time.while_waiting = time.set
    time.now += 3600
    assert not gate.admit(time), "a second call left while the first was under way"


def test_a_limit_of_the_application_holds_everybody_as_long_as_it_says(time: Time) -> None:
    gate = gate_of(time)
    gate.listen(Action.SWAP, WON)
    assert gate.listen(Action.SWAP, Later("rate_limited", timedelta(seconds=7), "app")) is None
    assert gate.admit(time)
    assert time.now == pytest.approx(1007.0)


@pytest.mark.parametrize("after", [None, timedelta(0)])
def test_a_limit_that_does_not_say_how_long_holds_everybody_longer_each_time(
    time: Time, after: timedelta | None
) -> None:
    gate, waits = gate_of(time, rate=60_000_000), []
    limit = Later("rate_limited", after, "app")
    outcomes: list[Outcome] = [WON, limit, limit, limit, WON, limit]
    for outcome in outcomes:
        before = time.now
        gate.listen(Action.SWAP, outcome)
        assert gate.admit(time)
        gate.leave()
        waits.append(round(time.now - before, 3))
    assert waits == [0, 0.5, 1, 2, 0, 0.5]


def test_a_limit_of_one_connection_holds_nobody_else(time: Time) -> None:
    gate = gate_of(time)
    gate.listen(Action.SWAP, WON)
    gate.listen(Action.SWAP, Later("rate_limited", timedelta(seconds=600)))
    assert gate.admit(time)
    assert time.now == 1000.0


HOURS = Later("rate_limited", timedelta(hours=8))


def test_connections_that_are_all_put_off_for_hours_are_at_everybodys_limit(time: Time) -> None:
    gate = gate_of(time)
    assert [gate.listen(Action.SWAP, HOURS) for _ in range(4)] == [None] * 4
    gate.listen(Action.SWAP, Later("rate_limited", timedelta(minutes=15)))  # which a job waits for itself
    assert gate.listen(Action.SWAP, HOURS) == Trip("rate_limited", 8 * 3600.0)


@pytest.mark.parametrize("good", ACCEPTED, ids=str)
def test_a_good_answer_between_shows_that_it_is_their_own_limit(time: Time, good: Outcome) -> None:
    gate = gate_of(time)
    for _ in range(3):
        assert [gate.listen(Action.SWAP, HOURS) for _ in range(4)] == [None] * 4
        gate.listen(Action.SWAP, good)


def test_a_limit_of_the_application_that_lasts_says_for_how_long(time: Time) -> None:
    gate = gate_of(time)
    day = Later("rate_limited", timedelta(days=1), scope="app")
    assert gate.listen(Action.SWAP, day) == Trip("rate_limited", 86_400.0)
    gate = gate_of(time)
    trip = None
    for _ in range(100):
        assert gate.admit(time)
        trip = trip or gate.listen(Action.SWAP, Later("rate_limited", scope="app"))
        gate.leave()
    assert trip == Trip("rate_limited", None)


def test_what_every_connection_would_get_stops_the_job_at_once(time: Time) -> None:
    gate = gate_of(time)
    gate.listen(Action.SWAP, WON)
    assert gate.listen(Action.SWAP, StopAll("invalid_client", "hint")) == Trip("invalid_client")


def test_suspects_in_a_row_stop_a_job_that_was_not_proven(time: Time) -> None:
    gate = gate_of(time)
    assert [gate.listen(Action.SWAP, SUSPECT) for _ in range(5)] == [None] * 4 + [Trip("http_401")]
    gate.listen(Action.SWAP, WON)
    assert gate.listen(Action.SWAP, SUSPECT) is None


NO_REFRESH = NoRefreshToken(WON.pair, "hint")
PAGE = Unknown("not_the_providers", "hint")


@pytest.mark.parametrize("outcome", [NO_REFRESH, PAGE], ids=["no refresh token", "a page"])
def test_what_is_hardly_one_connections_fault_stops_an_unproven_job_at_once(
    time: Time, outcome: NoRefreshToken | Unknown
) -> None:
    gate = gate_of(time)
    gate.listen(Action.RENEW, ACCEPTED[1])  # which shows nothing of swaps
    assert gate.listen(Action.SWAP, outcome) == Trip(outcome.problem)


@pytest.mark.parametrize("outcome", [NO_REFRESH, PAGE], ids=["no refresh token", "a page"])
def test_a_proven_job_goes_on_through_some_of_them(time: Time, outcome: NoRefreshToken | Unknown) -> None:
    gate = gate_of(time)
    for _ in range(3):
        gate.listen(Action.SWAP, WON)
        assert [gate.listen(Action.SWAP, outcome) for _ in range(9)] == [None] * 9
    assert gate.listen(Action.SWAP, outcome) == Trip(outcome.problem)


def test_pages_slow_a_proven_job_as_any_trouble_does(time: Time) -> None:
    gate = gate_of(time)
    gate.listen(Action.SWAP, WON)
    for _ in range(5):
        gate.listen(Action.SWAP, PAGE)
    assert gate.in_trouble()
    gate.listen(Action.SWAP, WON)
    assert not gate.in_trouble()


def test_a_refresh_that_keeps_the_refresh_token_went_well(time: Time) -> None:
    gate = gate_of(time)
    assert [gate.listen(Action.REFRESH, NO_REFRESH) for _ in range(20)] == [None] * 20


@pytest.mark.parametrize("outcome", [BAD, Later("http_503")], ids=str)
def test_trouble_slows_everybody_and_in_the_end_stops_the_job(time: Time, outcome: Unknown | Later) -> None:
    gate = gate_of(time)
    trips = []
    while time.now < 1200:
        assert gate.admit(time)
        trips.append(gate.listen(Action.SWAP, outcome))
        gate.leave()
        if trips[-1]:
            break
    assert trips[-1] == Trip(outcome.problem)
    assert 1060 <= time.now <= 1080
    assert len(trips) < 15


def test_refusals_in_a_row_stop_a_job_later_once_it_is_proven() -> None:
    gate = gate_of(Time())
    assert [gate.refused(Action.SWAP, REFUSED) for _ in range(5)] == [None] * 4 + [Trip("token_rejected")]
    gate.listen(Action.SWAP, WON)
    assert [gate.refused(Action.SWAP, REFUSED) for _ in range(49)] == [None] * 49
    gate.listen(Action.SWAP, WON)
    outcomes = [gate.refused(Action.SWAP, REFUSED) for _ in range(50)]
    assert outcomes == [None] * 49 + [Trip("token_rejected")]


def test_a_renewal_proves_nothing(time: Time) -> None:
    gate = gate_of(time)
    assert gate.admit(time)
    gate.listen(Action.RENEW, ACCEPTED[1])
    time.while_waiting = time.set
    time.now += 1
    assert not gate.admit(time), "a second call left while the first was under way"


def test_who_was_begun_goes_before_others_while_the_gate_is_cautious(time: Time) -> None:
    gate = gate_of(time)
    assert gate.admit(time)
    time.now += 1
    others_wait: list[bool] = []

    def others_try() -> None:
        gate.leave()
        others_wait.append(gate._wait(first=False) > 0)

    time.while_waiting = others_try
    assert gate.admit(time, first=True)
    assert others_wait == [True]


def test_a_stop_of_the_process_is_no_trouble_that_was_borne(time: Time) -> None:
    running = 0.0
    gate = Gate(Pace(60_000), Breaker(patience=60.0), time.monotonic, lambda: running)
    for _ in range(Breaker.TROUBLE):
        assert gate.listen(Action.SWAP, BAD) is None
    time.now += 7200
    running += 1
    assert gate.listen(Action.SWAP, BAD) is None
    running += 60
    assert isinstance(gate.listen(Action.SWAP, BAD), Trip)


def test_a_stop_while_the_limit_is_reached_ends_no_job_and_lets_nobody_go_sooner(time: Time) -> None:
    gate = Gate(Pace(60_000), Breaker(patience=60.0), time.monotonic, lambda: 0.0)
    gate.listen(Action.SWAP, WON)
    limited = Later("rate_limited", timedelta(seconds=30), scope="app")
    assert gate.listen(Action.SWAP, limited) is None
    time.now += 7200
    assert gate.listen(Action.SWAP, limited) is None
    since = time.now
    assert gate.admit(time)
    assert time.now - since >= 30


@pytest.mark.parametrize("rate", [60, 10_000])
def test_after_a_stop_calls_leave_no_faster_than_ever(time: Time, rate: int) -> None:
    gate, left = gate_of(time, rate), []
    gate.listen(Action.SWAP, WON)
    for number in range(40):
        if number == 20:
            time.now += 7200
        assert gate.admit(time)
        left.append(time.now)
    assert left[-1] - left[20] >= 19 * 60 / rate
