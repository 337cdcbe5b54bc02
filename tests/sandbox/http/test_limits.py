"""A window that slides, with the time passed in."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from migrator.sandbox.http.limits import Limit, Permit, SlidingWindow


def test_room_comes_back_as_calls_grow_old() -> None:
    window = SlidingWindow(Limit(2, 60.0))
    assert window.acquire(0.0) == Permit(granted=True, remaining=1)
    assert window.acquire(30.5) == Permit(granted=True, remaining=0)
    assert window.acquire(31.0) == Permit(granted=False, remaining=0, retry_after=29)
    assert window.acquire(59.9) == Permit(granted=False, remaining=0, retry_after=1)
    assert window.acquire(60.0) == Permit(granted=True, remaining=0)
    assert window.acquire(61.0) == Permit(granted=False, remaining=0, retry_after=30)
    assert [window.left(now) for now in (90.4, 90.5, 90.5, 120.0)] == [0, 1, 1, 2]  # to ask counts nothing


@given(st.integers(1, 5), st.lists(st.floats(0, 20), max_size=60))
def test_never_more_than_the_limit_in_any_stretch(calls: int, gaps: list[float]) -> None:
    window = SlidingWindow(Limit(calls, 60.0))
    now = 0.0
    passed: deque[float] = deque()
    for gap in gaps:
        now += gap
        inside = [moment for moment in passed if moment > now - 60.0]
        permit = window.acquire(now)
        assert permit.granted == (len(inside) < calls)  # and a refused call does not count
        if permit.granted:
            passed.append(now)
        else:
            assert inside[0] + 60.0 <= now + permit.retry_after + 1e-6  # floats do not add up exactly
