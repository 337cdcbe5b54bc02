"""Why a job stopped, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from migrator.models import Secret, State, TokenPair
from migrator.providers import Later, NoRefreshToken, Outcome, Over, StopAll, Suspect, Unknown, network_faults
from migrator.rules.breaker import Trip
from migrator.rules.stop_reasons import stop

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
GO_ON = "'migrator resume' goes on"
REFUSALS = (
    "do they belong to this application? Check its keys and secrets, and the file; if their users"
    " really have ended their grants, go on with --believe-refusals"
)
PAIR = TokenPair(Secret("a"), Secret(""), NOW)


@pytest.mark.parametrize(
    ("outcome", "message", "hint"),
    [
        (
            Over(State.NEEDS_CONSENT, "grant_revoked", "p", refused=True),
            "the provider refuses one token after another ('p'); none was given up",
            f"{REFUSALS}; then {GO_ON}",
        ),
        (
            NoRefreshToken(PAIR, "do this", "p"),
            "the provider gives access tokens without refresh tokens ('p')",
            "do this; then 'migrator resume --retry-failed' goes on, with those too",
        ),
        (
            Unknown("p", "do this"),
            "the answer is not the provider's ('p')",
            f"do this; then {GO_ON}",
        ),
        (
            Suspect("p", "do this"),
            "the provider answers 'p', and would answer everybody so",
            f"do this; then {GO_ON}",
        ),
        (
            StopAll("p", "do this"),
            "the provider answers 'p', and would answer everybody so",
            f"do this; then {GO_ON}",
        ),
        (
            Later("rate_limited", None, "app"),
            "the provider's limit for the application is reached ('rate_limited')",
            f"the provider does not say for how long; try again later; then {GO_ON}",
        ),
        (
            Later(network_faults.TLS_EXPIRED),
            f"there is no way to the provider ({network_faults.TLS_EXPIRED!r})",
            f"{network_faults.HINTS[network_faults.TLS_EXPIRED]}; then {GO_ON}",
        ),
        (
            Later(network_faults.CONNECTION_REFUSED),
            "nothing but trouble with the way to the provider for a while, at last 'connection_refused'",
            f"{network_faults.HINTS[network_faults.CONNECTION_REFUSED]}; then {GO_ON}",
        ),
        (Unknown("p"), "nothing but trouble with the provider for a while, at last 'p'", GO_ON),
        (Later("p"), "nothing but trouble with the provider for a while, at last 'p'", GO_ON),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_a_stop_says_why_and_what_to_do(outcome: Outcome, message: str, hint: str) -> None:
    problem = outcome.problem if hasattr(outcome, "problem") else ""
    stopped = stop(outcome, Trip(problem), NOW)
    assert (stopped.message, stopped.hint, stopped.resume_at) == (f"stopped: {message}", hint, None)


def test_a_limit_whose_end_is_known_says_when_to_go_on_and_not_that_nobody_knows() -> None:
    stopped = stop(Later("rate_limited", timedelta(hours=2)), Trip("rate_limited", 7200.0), NOW)
    assert (stopped.hint, stopped.resume_at) == (GO_ON, NOW + timedelta(hours=2))


def test_a_provider_that_is_down_and_says_for_how_long_is_told_to_be_that() -> None:
    stopped = stop(Later("http_503", timedelta(hours=2)), Trip("http_503", 7200.0), NOW)
    assert stopped.message == "stopped: the provider is down, and says for how long ('http_503')"
    assert (stopped.hint, stopped.resume_at) == (GO_ON, NOW + timedelta(hours=2))
