"""The plan of a run: counted row by row, and what that means in calls, time and conditions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import Action, Reject
from migrator.providers import find_profile
from migrator.rules.next_step import (
    Decision,
    Step,
)
from migrator.rules.plan import MOST_REJECTS_KEPT, Tally, forecast

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_the_tally_counts_by_application_step_and_reason() -> None:
    tally = Tally()
    for _ in range(3):
        tally.add("partner", Decision(Step.SWAP, "valid"))
    tally.add("partner", Decision(Step.RENEW_THEN_SWAP, "token_expired"))
    tally.add("public", Decision(Step.MUST_CONSENT, "public_app"))
    assert tally.steps["partner", Step.SWAP, "valid"] == 3
    assert tally.count(Step.SWAP) == 3
    assert tally.count(Step.SWAP, Step.RENEW_THEN_SWAP, Step.MUST_CONSENT) == 5
    assert tally.count() == 0


def test_the_tally_counts_all_rejects_and_keeps_the_first() -> None:
    tally = Tally()
    for line in range(1, MOST_REJECTS_KEPT + 11):
        tally.reject(Reject("f", line, "missing_token", ""))
    assert tally.rejected["missing_token"] == MOST_REJECTS_KEPT + 10
    assert [reject.line for reject in tally.rejects] == list(range(1, MOST_REJECTS_KEPT + 1))


def _tally(swap: int = 0, renew: int = 0, consent: int = 0, done: int = 0) -> Tally:
    tally = Tally()
    for number, step in (
        (swap, Step.SWAP),
        (renew, Step.RENEW_THEN_SWAP),
        (consent, Step.MUST_CONSENT),
        (done, Step.DONE_ALREADY),
    ):
        if number:
            tally.steps["partner", step, "x"] = number
    return tally


XERO = find_profile("xero")


def test_a_renewal_is_a_call_more() -> None:
    ahead = forecast(
        _tally(swap=10, renew=5, consent=2), XERO, NOW, rate_per_minute=10, certified=True, deadline=None
    )
    assert (ahead.connections, ahead.swaps, ahead.renewals) == (17, 15, 5)
    assert ahead.duration == timedelta(minutes=2)
    assert (ahead.deadline_ok, ahead.days_left, ahead.uncertified_limit) == (None, None, None)


@pytest.mark.parametrize(("own", "used"), [(100, 100), (10_000, 10_000), (99_999, 10_000)])
def test_the_providers_rate_caps_the_jobs_own(own: int, used: int) -> None:
    ahead = forecast(_tally(swap=1), XERO, NOW, rate_per_minute=own, certified=True, deadline=None)
    assert ahead.rate_per_minute == used


@pytest.mark.parametrize(
    ("deadline", "swaps", "in_time", "left"),
    [
        (date(2026, 6, 1), 12 * 60, True, 0),  # the whole day counts
        (date(2026, 6, 1), 12 * 60 + 1, False, 0),
        (date(2026, 5, 31), 1, False, -1),
        (date(2026, 6, 2), 36 * 60, True, 1),
    ],
)
def test_the_deadline_is_the_end_of_its_day(deadline: date, swaps: int, in_time: bool, left: int) -> None:
    ahead = forecast(_tally(swap=swaps), XERO, NOW, rate_per_minute=1, certified=True, deadline=deadline)
    assert (ahead.deadline_ok, ahead.days_left) == (in_time, left)


@pytest.mark.parametrize(
    ("tally", "over"),
    [(_tally(swap=25), 0), (_tally(swap=26), 1), (_tally(swap=20, renew=5, done=3, consent=9), 3)],
)
def test_an_uncertified_application_holds_25(tally: Tally, over: int) -> None:
    ahead = forecast(tally, XERO, NOW, rate_per_minute=1, certified=False, deadline=None)
    assert (ahead.uncertified_limit, ahead.over_uncertified_limit) == (25, over)
    certified = forecast(tally, XERO, NOW, rate_per_minute=1, certified=True, deadline=None)
    assert (certified.uncertified_limit, certified.over_uncertified_limit) == (None, 0)


@pytest.mark.parametrize(("consent", "due"), [(1, None), (2, 1_000)])
def test_the_assessment_is_due_from_1000_connections_however_they_come(consent: int, due: int | None) -> None:
    tally = _tally(swap=500, done=498, consent=consent)
    ahead = forecast(tally, XERO, NOW, rate_per_minute=1, certified=True, deadline=None)
    assert [one.connections for one in ahead.advice] == ([due] if due else [])


TUMBLR, GARMIN = find_profile("tumblr"), find_profile("garmin")


@pytest.mark.parametrize(("leave", "hour", "day", "days"), [(None, 1_000, 5_000, 9), (0.5, 500, 2_500, 18)])
def test_limits_of_an_hour_and_a_day_that_production_shares_hold_together(
    leave: float | None, hour: int, day: int, days: int
) -> None:
    ahead = forecast(
        _tally(swap=50_000), TUMBLR, NOW, rate_per_minute=None, certified=True, deadline=None, leave=leave
    )
    assert [(limit.count, limit.calendar) for limit in ahead.limits] == [(hour, False), (day, True)]
    assert ahead.left == (leave or 0)
    assert ahead.duration is not None
    assert ahead.duration.days == days - (leave is None)  # half of the first day is over


def test_every_call_of_a_swap_is_counted() -> None:
    ahead = forecast(
        _tally(swap=10), GARMIN, NOW, rate_per_minute=10, certified=True, deadline=date(2026, 6, 1)
    )
    assert ahead.calls == {Action.IDENTIFY: 10, Action.SWAP: 10}
    assert (ahead.duration, ahead.rate_per_minute, ahead.left) == (timedelta(minutes=2), 10, None)


def test_where_no_limit_is_known_nobody_knows_how_long_it_takes() -> None:
    ahead = forecast(
        _tally(swap=10), GARMIN, NOW, rate_per_minute=None, certified=True, deadline=date(2026, 6, 1)
    )
    assert (ahead.duration, ahead.rate_per_minute, ahead.limits) == (None, None, ())
    assert ahead.deadline_ok is None
    late = forecast(
        _tally(swap=10), GARMIN, NOW, rate_per_minute=None, certified=True, deadline=date(2026, 5, 1)
    )
    assert late.deadline_ok is False


def alike(tally: Tally) -> list[tuple[str, str, str, int, list[int], bool]]:
    return [
        (told.first.source, told.first.reason, told.first.detail, told.rows, told.lines, told.varied)
        for told in tally.rejected_alike()
    ]


def test_rejects_of_one_source_reason_and_sentence_are_told_as_one() -> None:
    tally = Tally()
    for source, line, reason, detail in [
        ("a", 2, "bad", "x"), ("a", 3, "bad", "y"), ("a", 4, "bad", "x"), ("a", 5, "worse", "x"),
        ("b", 9, "bad", "x")
    ]:  # fmt: skip
        tally.reject(Reject(source, line, reason, detail))
    assert alike(tally) == [
        ("a", "bad", "x", 2, [2, 4], False),
        ("a", "bad", "y", 1, [3], False),
        ("a", "worse", "x", 1, [5], False),
        ("b", "bad", "x", 1, [9], False),
    ]


def test_no_sentence_is_said_of_rows_that_have_another() -> None:
    tally = Tally()
    for line in range(2, 22):
        tally.reject(Reject("a", line, "damaged_cell", "first" if line == 2 else "second"))
    assert [(detail, rows) for _, _, detail, rows, _, _ in alike(tally)] == [("first", 1), ("second", 19)]


def test_many_rows_with_a_sentence_each_are_told_as_one_that_says_so() -> None:
    tally = Tally()
    for line in range(2, 10_002):
        detail = f"The same stands in a:{line - 1}." if line % 2 else "Twice."
        tally.reject(Reject("a", line, "duplicate_token", detail))
    same, varied = alike(tally)
    assert same == ("a", "duplicate_token", "Twice.", 5_000, [2, 4, 6, 8], False)
    assert varied == ("a", "duplicate_token", "The same stands in a:2.", 5_000, [], True)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y"]), st.integers(0, 60).map(str))))
def test_every_rejected_row_is_told_once_and_every_sentence_is_true(rows: list[tuple[str, str, str]]) -> None:
    tally = Tally()
    for line, (source, reason, detail) in enumerate(rows, 1):
        tally.reject(Reject(source, line, reason, detail))
    told = list(tally.rejected_alike())
    assert sum(each.rows for each in told) == len(rows)
    for each in told:
        assert each.many or len(each.lines) == each.rows
        for line in [each.first.line, *([] if each.varied else each.lines)]:
            assert rows[line - 1] == (each.first.source, each.first.reason, each.first.detail)
