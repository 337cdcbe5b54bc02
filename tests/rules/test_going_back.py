"""Who could still go back, by what the provider does to legacy tokens, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from migrator.providers import find_profile
from migrator.providers.facts import Dated, LegacyFate
from migrator.rules.going_back import Back, Nobody, NobodyKnows, SwappedSince, who_could

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
FACTS = replace(find_profile("xero").facts, legacy_ends=None, legacy_days=30)


@pytest.mark.parametrize(
    ("fate", "who"),
    [
        (LegacyFate.LIVES, SwappedSince(None)),
        (LegacyFate.MUST_BE_DISABLED, SwappedSince(None)),
        (LegacyFate.DIES_AFTER, SwappedSince(NOW - timedelta(days=30))),
        (LegacyFate.DIES, Nobody()),
        (LegacyFate.UNKNOWN, NobodyKnows()),
    ],
)
def test_the_providers_rule_decides(fate: LegacyFate, who: Back) -> None:
    assert who_could(replace(FACTS, legacy_fate=fate), NOW) == who


@pytest.mark.parametrize("fate", LegacyFate)
def test_from_the_day_after_its_last_nobody_can(fate: LegacyFate) -> None:
    def until(day: date) -> Back:
        return who_could(replace(FACTS, legacy_fate=fate, legacy_ends=Dated(day)), NOW)

    assert until(date(2026, 11, 27)) == Nobody()
    assert until(date(2026, 11, 28)) == who_could(replace(FACTS, legacy_fate=fate), NOW)
