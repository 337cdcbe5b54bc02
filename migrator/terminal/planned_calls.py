"""The calls of a plan, and the limits that they keep, as text for people and for scripts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from migrator.models import Action
from migrator.providers.facts import Limit
from migrator.rules.pacing import limits_text
from migrator.rules.plan import Forecast
from migrator.terminal.durations import duration_text
from migrator.wording import counted

_CALLS = {
    Action.RENEW: ("renewal",),
    Action.SWAP: ("swap",),
    Action.IDENTIFY: ("question whose token it is", "questions whose token it is"),
    Action.DISABLE: ("end of a legacy token", "ends of legacy tokens"),
    Action.REFRESH: ("refresh", "refreshes"),
}

_FAR_APART = timedelta(seconds=15)

_LONG = timedelta(minutes=15)
"""What takes less long need not trouble the application's ordinary traffic."""


def calls_lines(ahead: Forecast) -> list[str]:
    """How many calls a plan takes, how long they take, and what that leaves to others."""
    if not ahead.swaps:
        return ["Nothing to swap."]
    if ahead.closed is not None:
        return [f"The exchange is closed since {ahead.closed}: a run stops before its first call."]
    kinds = [counted(number, *_CALLS[action]) for action, number in ahead.calls.items() if number]
    parts = f"({', '.join(kinds)})"
    number = sum(ahead.calls.values())
    if ahead.duration is None:
        calls = counted(number, f"call {parts} is", f"calls {parts} are")
        unknown = "the provider names no limit: rate_per_minute under [job] sets one"
        return [f"{calls} to be made; {unknown}."]
    calls = counted(number, f"call {parts} takes", f"calls {parts} take")
    return [
        f"{calls} at least {duration_text(ahead.duration)} at {limits_text(ahead.limits)}{_pace(ahead)}.",
        *_ordinary_traffic(ahead),
    ]


def _pace(ahead: Forecast) -> str:
    """How far apart the calls are, where a watcher would think that nothing moves."""
    sliding = [limit for limit in ahead.limits if not limit.calendar]
    apart = max((limit.window / limit.count for limit in sliding), default=timedelta(0))
    return f", one every {duration_text(apart)}" if apart >= _FAR_APART else ""


def _ordinary_traffic(ahead: Forecast) -> list[str]:
    """What is left to the application's ordinary traffic, where it must make do with the same limits."""
    if ahead.left is None or ahead.duration is None or ahead.duration < _LONG:
        return []
    shared = "The application's ordinary traffic counts in this limit, too"
    if ahead.left:
        return [f"{shared}: {ahead.left:.0%} of it is left to that, and not in these numbers."]
    return [f'{shared}, and nothing is left to it: leave = "50%" under [job] would leave it half.']


def limit_document(limit: Limit) -> Mapping[str, object]:
    """What is ours of a limit, as a JSON document."""
    window = limit.window.total_seconds()
    return {"calls": limit.count, "seconds": window, "calendar": limit.calendar, "left": limit.leave}
