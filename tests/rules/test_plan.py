"""The plan of a run: counted row by row, and what that means in calls, time and conditions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from migrator.models import (
    AppType,
    Reject,
)
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
        tally.add(AppType.PARTNER, Decision(Step.SWAP, "valid"))
    tally.add(AppType.PARTNER, Decision(Step.RENEW_THEN_SWAP, "token_expired"))
    tally.add(AppType.PUBLIC, Decision(Step.MUST_CONSENT, "public_app"))
    assert tally.steps[AppType.PARTNER, Step.SWAP, "valid"] == 3
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
            tally.steps[AppType.PARTNER, step, "x"] = number
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
    assert ahead.assessment_from == due


def test_rejects_are_counted_by_their_source_and_reason_with_the_first_of_each() -> None:
    tally = Tally()
    rows = [("a", 2, "bad"), ("a", 3, "bad"), ("a", 4, "worse"), ("b", 9, "bad")]
    for source, line, reason in rows:
        tally.reject(Reject(source, line, reason, f"{reason} in {line}"))
    assert {key: (alike.rows, alike.first[0].line) for key, alike in tally.rejected_alike.items()} == {
        ("a", "bad"): (2, 2),
        ("a", "worse"): (1, 4),
        ("b", "bad"): (1, 9),
    }
