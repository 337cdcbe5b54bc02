"""The limits of a profile, for people."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.providers.describing.topic import Line, cited
from migrator.providers.facts import Facts, Limit
from migrator.wording import counted, lasting

_SUBJECTS = {
    "application": "an application",
    "key": "a consumer key",
    "tenant": "one tenant",
    "address": "this machine's address",
}


def limit_lines(facts: Facts) -> Iterator[Line]:
    """Each limit, and how an answer over one tells the wait."""
    if not facts.limits:
        yield "calls", "no limit is documented: set job.rate_per_minute to what you think right"
    for limit in facts.limits:
        yield _SUBJECTS[limit.subject], _limit(limit)
    said = [
        text
        for text, there in (
            (f"the header {facts.wait.epoch_header} with a moment", facts.wait.epoch_header),
            (f"the field {facts.wait.field} with seconds", facts.wait.field),
        )
        if there
    ]
    yield "the wait", " or ".join(["is told by Retry-After", *said])


def _limit(limit: Limit) -> str:
    parts = []
    if limit.count:
        window = lasting(limit.window)
        if limit.calendar:
            window = f"each calendar {window.removeprefix('1 ')} (UTC)"
        parts.append(f"{counted(limit.count, 'call')} in {window}")
    if limit.at_once:
        parts.append(f"{counted(limit.at_once, 'call')} at once")
    if limit.calls:
        parts.append(f"counting {', '.join(sorted(limit.calls))} alone")
    if limit.shared:
        leave = f": {limit.leave:.0%} is left to it" if limit.leave else ""
        parts.append(f"shared with the application's ordinary traffic{leave}")
    return "; ".join(parts) + cited(limit.source)
