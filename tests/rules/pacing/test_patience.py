"""How long to wait after what went wrong."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from migrator.rules.pacing import FIRST_BACKOFF, LONGEST_BACKOFF, backoff, unsaid_wait


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_backoff_has_bounds(tries: int, jitter: float) -> None:
    pause = backoff(tries, jitter)
    assert 0 <= pause <= LONGEST_BACKOFF
    assert pause <= FIRST_BACKOFF * 2 ** min(tries, 16)


def test_backoff_spreads_and_grows() -> None:
    random = Random(1)
    draws = {tries: [backoff(tries, random.random()) for _ in range(200)] for tries in (0, 3, 30)}
    assert all(len(set(draw)) > 100 for draw in draws.values())
    assert 0.4 < max(draws[0]) <= 0.5
    assert 3 < max(draws[3]) <= 4
    assert 25 < max(draws[30]) <= 30


@given(st.integers(1, 10_000))
def test_a_wait_that_nobody_named_has_bounds_and_never_shrinks(times: int) -> None:
    assert FIRST_BACKOFF <= unsaid_wait(times) <= unsaid_wait(times + 1) <= LONGEST_BACKOFF
