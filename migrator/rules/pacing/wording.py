"""Limits in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from migrator.providers.facts import Limit
from migrator.wording import counted

_WINDOWS = {
    timedelta(seconds=1): "a second",
    timedelta(minutes=1): "a minute",
    timedelta(hours=1): "an hour",
    timedelta(days=1): "a day",
}
_CALENDAR = {
    timedelta(minutes=1): "a calendar minute",
    timedelta(hours=1): "a calendar hour",
    timedelta(days=1): "a calendar day",
}


def limits_text(limits: Sequence[Limit]) -> str:
    """Some limits: ``300 calls a minute, 1,000 an hour and 5,000 a calendar day``."""
    *first, last = [limit_text(limit, noun=not number) for number, limit in enumerate(limits)]
    return f"{', '.join(first)} and {last}" if first else last


def limit_text(limit: Limit, *, noun: bool = True) -> str:
    """One limit: ``1,000 calls an hour``; without ``noun``, ``1,000 an hour``."""
    calls = counted(limit.count, "call") if noun else f"{limit.count:,}"
    windows = _CALENDAR if limit.calendar else _WINDOWS
    return f"{calls} {windows.get(limit.window) or f'in {_duration(limit.window)}'}"


def _duration(window: timedelta) -> str:
    seconds = window.total_seconds()
    for name, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % length == 0:
            return counted(int(seconds // length), name)
    return f"{seconds:g} seconds"
