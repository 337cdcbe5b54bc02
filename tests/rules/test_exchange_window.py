"""Whether a provider's exchange is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from migrator.providers import find_profile
from migrator.providers.facts import Dated
from migrator.rules.exchange_window import closed_since

DAY = date(2026, 6, 1)
PROFILE = find_profile("x")
CLOSING = replace(PROFILE, facts=replace(PROFILE.facts, closes=Dated(DAY)))
LAST_MOMENT = datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC)
NEXT_DAY = LAST_MOMENT + timedelta(seconds=1)


def test_an_exchange_is_open_until_its_last_day_is_over() -> None:
    assert closed_since(CLOSING, LAST_MOMENT) is None
    assert closed_since(CLOSING, NEXT_DAY) == DAY
    assert closed_since(PROFILE, NEXT_DAY) is None, "nobody has named a day"


@pytest.mark.parametrize(
    ("base_url", "open_"),
    [("http://127.0.0.1:8765", True), ("http://localhost:1", True), ("https://proxy.example", False)],
)
def test_one_that_is_played_on_this_machine_is_never_closed(base_url: str, open_: bool) -> None:
    assert (closed_since(replace(CLOSING, base_url=base_url), NEXT_DAY) is None) is open_
