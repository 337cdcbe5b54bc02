"""How long a number of calls takes, at the least, under all limits of a provider together. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from migrator.models import Action
from migrator.providers.facts import Limit
from migrator.rules.pacing import share_to_leave

_SHORT = timedelta(minutes=1)
"""Calendar windows no longer than that are reckoned as rates."""


def limits_that_hold(
    calls: Mapping[Action, int],
    limits: Sequence[Limit],
    *,
    rate_per_minute: int | None,
    leave: float | None,
) -> tuple[Limit, ...]:
    """The limits that so many calls of each kind count in, with what is ours of each, and with the share that
    is not. ``rate_per_minute`` and ``leave`` are the job's own settings.
    """
    own = (Limit(rate_per_minute, timedelta(minutes=1)),) if rate_per_minute is not None else ()
    shares = [(limit, share_to_leave(limit, leave)) for limit in (*limits, *own)]
    return tuple(
        replace(limit, count=max(1, math.floor(limit.count * (1 - share))), leave=share)
        for limit, share in shares
        if limit.count and limit.subject != "tenant" and _counted(limit, calls)
    )


def limits_told(limits: Sequence[Limit]) -> tuple[Limit, ...]:
    """Those of the limits that people need to know of: the lowest rate, and whatever a calendar holds back
    more than that.
    """
    slowest = sorted((limit for limit in limits if not limit.calendar), key=_rate)[:1]
    rate = _rate(slowest[0]) if slowest else math.inf
    calendar = (limit for limit in limits if limit.calendar and _rate(limit) < rate)
    return (*slowest, *sorted(calendar, key=lambda limit: limit.window))


def least_duration(calls: Mapping[Action, int], limits: Sequence[Limit], now: datetime) -> timedelta | None:
    """How long so many calls of each kind take from now on, at the least, if nothing else is called.

    They are taken to be mixed evenly, and all of each limit to be ours. None where nothing limits them.
    """
    shares = [
        _Share(limit.window.total_seconds(), limit.count / number, limit.calendar)
        for limit in limits
        if (number := _counted(limit, calls))
    ]
    if not shares:
        return None if any(calls.values()) else timedelta(0)
    short = _SHORT.total_seconds()
    speed = min((s.part / s.window for s in shares if not s.calendar or s.window <= short), default=math.inf)
    windows = [share for share in shares if share.calendar and share.window > short]
    return timedelta(seconds=_seconds(speed, windows, now.timestamp()))


@dataclass(frozen=True)
class _Share:
    """One limit, in shares of all calls that count in it."""

    window: float
    """Seconds."""
    part: float
    """The share of the work that one window's calls do."""
    calendar: bool


def _counted(limit: Limit, calls: Mapping[Action, int]) -> int:
    return sum(number for action, number in calls.items() if not limit.calls or action in limit.calls)


def _rate(limit: Limit) -> float:
    return limit.count / limit.window.total_seconds()


def _seconds(speed: float, windows: Sequence[_Share], begins: float) -> float:
    """How long the work takes at a speed (shares of it a second), and in windows that each do a part.

    From one turn, or the end of one window's calls, to the next.
    """
    now, left = begins, 1.0
    free = [share.part for share in windows]
    while True:
        turns = [(math.floor(now / share.window) + 1) * share.window for share in windows]
        until_turn = min(turns, default=math.inf) - now
        room = min(free, default=math.inf)
        if room > 0:
            done = min(left, room, speed * until_turn if windows else left)
            passed = done / speed
        else:
            done, passed = 0.0, until_turn
        left -= done
        now += passed
        if left <= 1e-12:  # noqa: PLR2004 - what adding up floats leaves
            return now - begins
        free = [
            share.part if now >= turn else part - done
            for share, turn, part in zip(windows, turns, free, strict=True)
        ]
