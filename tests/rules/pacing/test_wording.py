"""Limits in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from migrator.providers.facts import Limit
from migrator.rules.pacing import limit_text, limits_text

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (Limit(10_000, MINUTE), "10,000 calls a minute"),
        (Limit(1, HOUR), "1 call an hour"),
        (Limit(5_000, DAY, calendar=True), "5,000 calls a calendar day"),
        (Limit(10_000, 15 * MINUTE), "10,000 calls in 15 minutes"),
        (Limit(7, 2 * DAY), "7 calls in 2 days"),
        (Limit(7, timedelta(seconds=1.5)), "7 calls in 1.5 seconds"),
    ],
)
def test_a_limit_is_said_as_people_would(limit: Limit, text: str) -> None:
    assert limit_text(limit) == text


def test_several_limits_are_said_in_one_breath() -> None:
    several = [Limit(300, MINUTE), Limit(1_000, HOUR), Limit(5_000, DAY, calendar=True)]
    assert limits_text(several) == "300 calls a minute, 1,000 an hour and 5,000 a calendar day"
    assert limits_text(several[:1]) == "300 calls a minute"
