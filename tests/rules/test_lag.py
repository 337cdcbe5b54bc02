"""How far the hand-over may fall behind: by number, by time, and by what becomes of the old token."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.providers.facts import LegacyFate
from migrator.rules.lag import LagLimit, Unlimited, is_behind, limit_of

MINUTE = timedelta(seconds=60)


@pytest.mark.parametrize(
    ("fate", "waits"),
    [
        (LegacyFate.LIVES, False),
        (LegacyFate.DIES_AFTER, False),
        (LegacyFate.MUST_BE_DISABLED, False),
        (LegacyFate.DIES, True),
        (LegacyFate.UNKNOWN, True),
    ],
)
def test_where_the_old_token_may_die_a_job_waits_unless_somebody_says_otherwise(
    fate: LegacyFate, waits: bool
) -> None:
    assert limit_of(None, fate) == (LagLimit(1000, MINUTE) if waits else Unlimited())
    for said in (Unlimited(), LagLimit(7, timedelta(1))):
        assert limit_of(said, fate) == said


@pytest.mark.parametrize(
    ("pairs", "seconds", "behind"),
    [(1000, 60, False), (1001, 0, True), (1, 60.1, True), (0, 3600, False), (1, 0, False)],
)
def test_either_too_many_or_too_long_is_too_far(pairs: int, seconds: float, behind: bool) -> None:
    assert is_behind(pairs, timedelta(seconds=seconds), LagLimit()) is behind


@given(st.integers(0, 10**7), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_without_a_limit_nothing_is(pairs: int, waited: timedelta) -> None:
    assert not is_behind(pairs, waited, Unlimited())


@given(st.integers(1, 10**6), st.integers(0, 10**5), st.integers(1, 10**6), st.integers(1, 10**5))
def test_more_is_never_less_behind(pairs: int, seconds: int, most: int, longest: int) -> None:
    limit = LagLimit(most, timedelta(seconds=longest))
    if is_behind(pairs, timedelta(seconds=seconds), limit):
        assert is_behind(pairs + 1, timedelta(seconds=seconds), limit)
        assert is_behind(pairs, timedelta(seconds=seconds + 1), limit)
