"""The sliding window, with the time passed in."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from migrator.sandbox.faults import Limit
from migrator.sandbox.limits import Room, SlidingWindow


def test_room_comes_back_as_calls_grow_old() -> None:
    window = SlidingWindow(Limit(2, 60.0, "appminute"))
    assert window.take(0.0) == Room(granted=True, remaining=1)
    assert window.take(30.5) == Room(granted=True, remaining=0)
    assert window.take(31.0) == Room(granted=False, remaining=0, retry_after=29)
    assert window.take(59.9) == Room(granted=False, remaining=0, retry_after=1)
    assert window.take(60.0) == Room(granted=True, remaining=0)
    assert window.take(61.0) == Room(granted=False, remaining=0, retry_after=30)


@given(st.integers(1, 5), st.lists(st.floats(0, 20), max_size=60))
def test_never_more_than_the_limit_in_any_stretch(calls: int, gaps: list[float]) -> None:
    window = SlidingWindow(Limit(calls, 60.0, "appminute"))
    now = 0.0
    passed: deque[float] = deque()
    for gap in gaps:
        now += gap
        inside = [moment for moment in passed if moment > now - 60.0]
        room = window.take(now)
        assert room.granted == (len(inside) < calls)  # and a refused call does not count
        if room.granted:
            passed.append(now)
        else:
            assert inside[0] + 60.0 <= now + room.retry_after + 1e-6  # floats do not add up exactly
