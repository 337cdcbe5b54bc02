"""Numbers with what they count, and durations, in English."""

from __future__ import annotations

from datetime import timedelta


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: ``1 pair``, ``1,200 pairs``.

    ``many`` is for what does not merely take an s, or goes on with a verb: ``row was``, ``rows were``.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def lasting(duration: timedelta) -> str:
    """A duration of whole seconds in the greatest unit that it is a whole number of: ``90 minutes``."""
    seconds = int(duration.total_seconds())
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            return counted(seconds // unit, name)
    return counted(seconds, "second")
