"""Several limits at once, and windows that end with the hour or the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.sandbox.http.limits import CalendarWindow, Limit, Permit, SlidingWindow
from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.http.rate_limits import RateLimits, Rule, Standing, everybody, in_force
from migrator.sandbox.http.service import Admission


@dataclass
class Moment:
    """A clock that a test sets."""

    seconds: float = 1_000_000.0

    def now(self) -> float:
        return self.seconds

    def ticks(self) -> float:
        return self.seconds - 999_000.0


def told(_call: Call, standings: Sequence[Standing]) -> Admission:
    """Refused where a limit is full; the headers tell what is left of each."""
    refusal = Answer.of_json(429, {}) if any(standing.full for standing in standings) else None
    return Admission(refusal, {"left": ",".join(str(standing.remaining) for standing in standings)})


def asked(limits: RateLimits, path: str = "/") -> tuple[bool, str]:
    """Whether a call is let in, and what is left."""
    call = Call(method="GET", target=path.encode(), host="h", headers={})
    with limits.admitting(call) as admission:
        return admission.refusal is None, admission.headers["left"]


def test_a_calendar_window_ends_with_the_hour() -> None:
    window = CalendarWindow(Limit(2, 3600.0))
    hour = 3600.0 * 5
    assert [window.acquire(hour + at).granted for at in (0.0, 3599.5, 3599.6)] == [True, True, False]
    assert window.acquire(hour + 3590) == Permit(granted=False, remaining=0, retry_after=10)
    assert window.more_in(hour + 3590) == 10.0
    assert (window.left(hour + 3600), window.acquire(hour + 3600).granted) == (2, True)
    assert window.left(hour + 3601) == 1


def test_a_sliding_window_says_when_more_would_pass() -> None:
    window = SlidingWindow(Limit(2, 60.0))
    assert window.more_in(7.0) == 60.0
    window.acquire(10.0)
    window.acquire(30.0)
    assert window.more_in(40.0) == 30.0
    assert (window.left(69.9), window.left(70.0)) == (0, 1)


@pytest.mark.parametrize(("calendar", "more_in"), [(False, 3600.0), (True, 800.0)])
def test_a_call_is_told_when_more_would_pass_by_the_providers_clock(calendar: bool, more_in: float) -> None:
    standings: list[Standing] = []

    def noted(call: Call, found: Sequence[Standing]) -> Admission:
        standings.extend(found)
        return told(call, found)

    limits = RateLimits(Moment(), [Rule(Limit(1, 3600.0), calendar=calendar)], noted)  # type: ignore[arg-type]
    asked(limits)
    (standing,) = standings
    assert (standing.more_in, standing.more_at) == (more_in, 1_000_000 + more_in)


def test_a_refused_call_counts_with_no_limit() -> None:
    moment = Moment()
    rules = (Rule(Limit(1, 60.0)), Rule(Limit(5, 3600.0), calendar=True))
    limits = RateLimits(moment, rules, told)  # type: ignore[arg-type]
    assert [asked(limits) for _ in range(3)] == [(True, "0,4"), (False, "0,4"), (False, "0,4")]
    moment.seconds += 60
    assert asked(limits) == (True, "0,3")


def test_subjects_are_counted_apart_and_some_calls_not_at_all() -> None:
    def subject(call: Call) -> str | None:
        return None if call.path == b"/free" else call.path.decode()

    limits = RateLimits(Moment(), (Rule(Limit(1, 60.0), subject),), told)  # type: ignore[arg-type]
    assert [asked(limits, path)[0] for path in ("/a", "/b", "/a", "/free", "/free")] == [
        *(True, True, False),
        *(True, True),
    ]


def test_an_ordered_limit_takes_the_place_of_all() -> None:
    own = (Rule(Limit(9, 3600.0), lambda _: "subject", calendar=True), Rule(Limit(1, 1.0)))
    (rule,) = in_force(own, Limit(3, 60.0))
    assert (rule.limit, rule.calendar, rule.subject) == (Limit(3, 60.0), False, own[0].subject)
    assert in_force(own, None) == own
    assert in_force((), Limit(3, 60.0)) == (Rule(Limit(3, 60.0), everybody),)


limit = st.builds(Limit, st.integers(1, 4), st.sampled_from([10.0, 60.0]))


@given(
    st.lists(st.tuples(limit, st.booleans()), max_size=3),
    st.lists(st.floats(0, 30, allow_nan=False), max_size=40),
)
def test_no_limit_is_ever_passed_and_none_refuses_for_nothing(
    kinds: list[tuple[Limit, bool]], pauses: list[float]
) -> None:
    moment = Moment()
    rules = tuple(Rule(limit, calendar=calendar) for limit, calendar in kinds)
    limits = RateLimits(moment, rules, told)  # type: ignore[arg-type]
    passed: list[float] = []
    for pause in pauses:
        moment.seconds += pause
        room = all(_counted(passed, rule, moment.seconds) < rule.limit.calls for rule in rules)
        granted, _ = asked(limits)
        assert granted is room
        if granted:
            passed.append(moment.seconds)


def _counted(passed: list[float], rule: Rule, now: float) -> int:
    """How many of the calls a rule counts now, by its definition."""
    seconds = rule.limit.seconds
    if rule.calendar:
        return sum(1 for at in passed if at // seconds == now // seconds)
    ticks = now - 999_000.0
    return sum(1 for at in passed if at - 999_000.0 > ticks - seconds)
