"""All calls of a profile, by the names of their tables."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.providers.facts import CallFacts, Facts

APPLICATION_TOKEN = "application_token"  # noqa: S105 - a table's name


def each_call(facts: Facts) -> Mapping[str, CallFacts]:
    """The calls for connections and, where there is one, the application's own."""
    calls = {action.value: call for action, call in facts.calls.items()}
    if facts.application_token is not None:
        calls[APPLICATION_TOKEN] = facts.application_token
    return calls
