"""Whether each limit says something that can be kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from migrator.providers.facts import Facts, Limit
from migrator.providers.profile_file.problems import KeyPath, Problem

_CALENDAR = (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))


def check_limits(facts: Facts) -> Iterator[Problem]:
    """What is wrong with each limit, and between them."""
    names: set[str] = set()
    for number, limit in enumerate(facts.limits):
        at: KeyPath = ("limits", number)
        yield from _counts(at, limit)
        yield from _share(at, limit)
        for call in sorted(limit.calls - facts.calls.keys()):
            wrong = f"names {call}, a call that this profile has not"
            yield Problem((*at, "calls"), wrong, f"add [{call}], or take it out")
        if limit.name and limit.name in names:
            yield Problem(
                (*at, "name"), "is the name of an earlier limit", "call it as the provider's answer does"
            )
        if limit.name and not facts.wait.limit_header:
            yield Problem(
                (*at, "name"),
                "is read by nothing: no header is said to name limits",
                "say limit_header in [wait], or take the name out",
            )
        names.add(limit.name)
    if facts.limits and facts.wait.limit_header and names == {""}:
        yield Problem(
            ("wait", "limit_header"), "names limits, and no limit has a name", "add their names to [[limits]]"
        )


def _counts(at: KeyPath, limit: Limit) -> Iterator[Problem]:
    if not limit.count and not limit.at_once:
        yield Problem(at, "limits nothing", "add count and window, or at_once")
    if limit.count and not limit.window:
        yield Problem(
            (*at, "window"), "is missing", 'add the time in which so many calls may be made: window = "1m"'
        )
    if limit.window and not limit.count:
        yield Problem((*at, "window"), "says nothing without count", "add count, or take it out")
    if limit.calendar and limit.window not in _CALENDAR:
        yield Problem(
            (*at, "calendar"),
            "is for a window of a minute, an hour or a day",
            'say window = "1m", "1h" or "1d", or take calendar out: then the window slides',
        )


def _share(at: KeyPath, limit: Limit) -> Iterator[Problem]:
    if limit.leave and not limit.shared:
        yield Problem(
            (*at, "leave"),
            "leaves a share to traffic that is not counted",
            "say shared = true if the application's ordinary calls count, too, or take leave out",
        )
    if limit.remaining and not limit.count:
        yield Problem(
            (*at, "remaining"), "says nothing without count", "add count and window, or take it out"
        )
    if limit.counts != "unknown" and not limit.remaining:
        yield Problem(
            (*at, "counts"), "says what a header counts, and there is none", "add remaining, or take it out"
        )
