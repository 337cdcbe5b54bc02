"""Why a job stops, and what to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from migrator.providers import (
    RATE_LIMITED,
    NoRefreshToken,
    Outcome,
    Over,
    StopAll,
    Suspect,
    Unknown,
    network_faults,
)
from migrator.providers.facts import Limit
from migrator.rules.breaker import Trip
from migrator.rules.pacing import limit_text


@dataclass(frozen=True)
class Stop:
    """The job ends, though there is work left."""

    message: str
    """For people: why."""
    hint: str
    """For people: what to do."""
    resume_at: datetime | None = None
    """When the provider lets the job go on (UTC), where it said so."""


def used_up(limit: Limit, seconds: float, now: datetime) -> Stop:
    """The next call would have to wait so long that the job does not."""
    return Stop(
        f"stopped: the provider's limit is used up ({limit_text(limit)})",
        "'migrator resume' goes on",
        now + timedelta(seconds=seconds),
    )


_REFUSALS = (
    "do they belong to this application? Check its keys and secrets, and the file; if their users"
    " really have ended their grants, go on with --believe-refusals"
)


CLOSED_HINT = "nothing at our end opens it again: ask the provider, or have the users consent"
"""What to do about an endpoint that is closed."""


def stop(outcome: Outcome, trip: Trip, now: datetime) -> Stop:
    """What to say of the outcome that stopped a job."""
    resume_at = now + timedelta(seconds=trip.wait) if trip.wait is not None else None
    go_on = "'migrator resume' goes on"
    if isinstance(outcome, NoRefreshToken):
        go_on = "'migrator resume --retry-failed' goes on, with those too"
    message, hint = _why(outcome, trip.problem, until_known=resume_at is not None)
    return Stop(f"stopped: {message}", f"{hint}; then {go_on}" if hint else go_on, resume_at)


def _why(  # noqa: PLR0911 - a return a reason
    outcome: Outcome, problem: str, *, until_known: bool
) -> tuple[str, str]:
    """Message and hint; ``until_known`` says that the provider told how long that lasts."""
    if isinstance(outcome, Over):
        return (
            f"the provider refuses one token after another ({problem!r}); none was given up",
            _REFUSALS,
        )
    if isinstance(outcome, NoRefreshToken):
        return f"the provider gives access tokens without refresh tokens ({problem!r})", outcome.hint
    if isinstance(outcome, Unknown) and outcome.hint:
        return f"the answer is not the provider's ({problem!r})", outcome.hint
    if isinstance(outcome, StopAll) and outcome.closed:
        return f"the provider has closed this endpoint ({problem!r})", outcome.hint or CLOSED_HINT
    if isinstance(outcome, Suspect | StopAll):
        return f"the provider answers {problem!r}, and would answer everybody so", outcome.hint
    if problem == RATE_LIMITED:
        hint = "" if until_known else "the provider does not say for how long; try again later"
        return f"the provider's limit for the application is reached ({problem!r})", hint
    return _way(problem, until_known=until_known), network_faults.HINTS.get(problem, "")


def _way(problem: str, *, until_known: bool) -> str:
    """What is wrong between here and there."""
    if until_known:
        return f"the provider is down, and says for how long ({problem!r})"
    if problem in network_faults.LASTING:
        return f"there is no way to the provider ({problem!r})"
    trouble = "the way to the provider" if problem in network_faults.HINTS else "the provider"
    return f"nothing but trouble with {trouble} for a while, at last {problem!r}"
