"""When something happens, by the two clocks that limits go by."""

from __future__ import annotations

from typing import NamedTuple


class Moment(NamedTuple):
    """One moment."""

    monotonic: float
    """Seconds of a clock that nobody sets: sliding windows and pauses go by it."""
    utc: float
    """Epoch seconds: calendar windows go by it."""
