"""What the schema cannot see: whether what a profile says fits together. One file a subject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from migrator.providers.facts import Facts
from migrator.providers.profile_file.checks.call_parts import check_call_parts
from migrator.providers.profile_file.checks.calls import check_calls
from migrator.providers.profile_file.checks.error_rules import check_error_rules
from migrator.providers.profile_file.checks.limits import check_limits
from migrator.providers.profile_file.checks.placeholders import check_placeholders
from migrator.providers.profile_file.checks.references import check_references
from migrator.providers.profile_file.checks.rules_of_tokens import check_tokens
from migrator.providers.profile_file.checks.shown_fields import check_shown_fields
from migrator.providers.profile_file.checks.urls import check_urls
from migrator.providers.profile_file.problems import Problem

__all__ = ["check"]

_CHECKS = (
    check_calls,
    check_call_parts,
    check_urls,
    check_placeholders,
    check_tokens,
    check_limits,
    check_references,
)


def check(facts: Facts, document: Mapping[str, Any]) -> Iterator[Problem]:
    """All that does not fit together; ``document`` is what the facts were built from."""
    for one in _CHECKS:
        yield from one(facts)
    yield from check_error_rules(facts, document)
    yield from check_shown_fields(facts, document)
