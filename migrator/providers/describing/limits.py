"""The limits of a profile, for people."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.providers.facts import Facts, Limit
from migrator.wording import counted, lasting

_SUBJECTS = {
    "application": "an application",
    "key": "a consumer key",
    "tenant": "one tenant",
    "address": "this machine's address",
}


def limit_lines(facts: Facts) -> Iterator[tuple[str, str]]:
    """Each limit, and how an answer over one tells the wait."""
    if not facts.limits:
        yield "", "none is documented: set job.rate_per_minute to what you think right"
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
        begins = ", from the turn of it on (UTC)" if limit.calendar else ""
        parts.append(f"{counted(limit.count, 'call')} in {lasting(limit.window)}{begins}")
    if limit.at_once:
        parts.append(f"{counted(limit.at_once, 'call')} at once")
    if limit.calls:
        parts.append(f"counting {', '.join(sorted(limit.calls))} alone")
    if limit.shared:
        leave = f": {limit.leave:.0%} is left to it" if limit.leave else ""
        parts.append(f"shared with the application's ordinary traffic{leave}")
    source = f" [{limit.source}]" if limit.source else ""
    return "; ".join(parts) + source
